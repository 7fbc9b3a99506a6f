"""What the synchronizer says of each camera: in its status message and, one number per value, in /diagnostics."""

from __future__ import annotations

import math

from diagnostic_msgs.msg import DiagnosticStatus

from egorear_ros.bags.message_reading import NANOSECONDS
from egorear_ros.datatypes import CameraStatus
from egorear_ros.nodes.health import Part
from egorear_ros.sync import CameraStatistics, ClockFinding

LOST = "not waited for: its images come after the deadline, or no more at all"
NOT_YET = "no image yet"


def camera_status(
    view: str,
    camera: CameraStatistics,
    rate_hz: float,
    offset_s: float,
    measured_ns: float | None,
    finding: ClockFinding | None,
) -> CameraStatus:
    """One camera's status.

    Args:
        view: its name.
        camera: what was counted.
        rate_hz: of its images.
        offset_s: added to its stamps before they are matched.
        measured_ns: its offset to the other cameras, measured on all frames, matched or not; None where it is unknown.
        finding: what is wrong with its clock, if anything.
    """
    skew_ns = camera.skew.mean_ns if measured_ns is None else measured_ns
    largest_ns = max(abs(camera.skew.min_ns), abs(camera.skew.max_ns))
    return CameraStatus(
        view=view,
        alive=not camera.lost and rate_hz > 0,
        received=camera.received,
        matched=camera.matched,
        late=camera.late,
        duplicates=camera.duplicate,
        dropped=camera.dropped,
        waiting=camera.pending,
        missed=camera.gaps,
        rate_hz=rate_hz,
        offset_s=offset_s,
        mean_skew_s=skew_ns / NANOSECONDS,
        max_skew_s=(abs(skew_ns) if math.isnan(largest_ns) else largest_ns) / NANOSECONDS,
        max_lag_s=camera.lag.max_ns / NANOSECONDS,
        fault=finding.message if finding else "",
    )


def camera_part(camera: CameraStatus, finding: ClockFinding | None, hardware_id: str, unreadable: int) -> Part:
    """The camera's status on /diagnostics, called by its view; `unreadable` messages held no image."""
    message, level = camera.fault, DiagnosticStatus.OK
    if finding is not None:
        level = DiagnosticStatus.ERROR if finding.is_error else DiagnosticStatus.WARN
    elif not camera.received:
        message = NOT_YET
    elif not camera.alive:
        message, level = LOST, DiagnosticStatus.WARN
    return Part(camera.view, hardware_id, {**_figures(camera), "unreadable": unreadable}, message, level)


def _figures(camera: CameraStatus) -> dict[str, object]:
    return {
        "rate (Hz)": f"{camera.rate_hz:.1f}",
        "received": camera.received,
        "matched": camera.matched,
        "late": camera.late,
        "duplicate": camera.duplicates,
        "dropped": camera.dropped,
        "waiting": camera.waiting,
        "never came": camera.missed,
        "offset (ms)": f"{1e3 * camera.offset_s:.3f}",
        "mean skew (ms)": f"{1e3 * camera.mean_skew_s:.3f}",
        "largest skew (ms)": f"{1e3 * camera.max_skew_s:.3f}",
        "largest lag (ms)": f"{1e3 * camera.max_lag_s:.1f}",
    }
