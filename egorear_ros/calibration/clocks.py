"""First guess of the offsets between the cameras' clocks: how fast the board turns looks the same to all cameras.

The speed of rotation needs no extrinsics. Its course over time, seen by two cameras, is shifted until both agree best.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from egorear_ros.calibration.poses import logarithm
from egorear_ros.calibration.single import SingleCamera
from egorear_ros.calibration.views import Floats

GRID_S = 0.005
LARGEST_OFFSET_S = 0.5
LEAST_COMMON_S = 1.0
LEAST_CORRELATION = 0.6
FASTEST_PERIOD_S = 0.26
"""Pictures further apart do not show how the board moves between them."""


def period_s(cameras: Sequence[SingleCamera]) -> float | None:
    """Usual distance of two pictures, seconds; None if they have no times, or come too slowly to follow a motion."""
    steps = [
        np.diff(np.sort([v.time_s for v in c.views])) for c in cameras if all(v.time_s is not None for v in c.views)
    ]
    if len(steps) < len(cameras):
        return None
    usual = float(np.median(np.concatenate(steps)))
    return usual if 0 < usual <= FASTEST_PERIOD_S else None


def times_of(camera: SingleCamera) -> Floats:
    """(V,) seconds, ascending where the views are."""
    return np.array([view.time_s for view in camera.views], float)


def guess_offset(reference: SingleCamera, other: SingleCamera, longest_gap_s: float) -> float | None:
    """What to add to the other camera's times to have the reference's, seconds; None if nothing tells."""
    ours, theirs = (_turning(camera, longest_gap_s) for camera in (reference, other))
    if ours is None or theirs is None:
        return None
    lags = np.arange(-LARGEST_OFFSET_S, LARGEST_OFFSET_S + GRID_S / 2, GRID_S)
    grid = np.arange(ours[0][0], ours[0][-1], GRID_S)
    here = _resampled(ours, grid, longest_gap_s)
    scores = [_agreement(here, _resampled(theirs, grid - lag, longest_gap_s)) for lag in lags]
    best = int(np.argmax(scores))
    return float(lags[best]) if scores[best] >= LEAST_CORRELATION else None


def _turning(camera: SingleCamera, longest_gap_s: float) -> tuple[Floats, Floats] | None:
    """Times between pictures and the speed of rotation there, rad/s."""
    order = np.argsort(times_of(camera))
    times, poses = times_of(camera)[order], camera.camera_from_board[order]
    steps = np.diff(times)
    if len(times) < 4:
        return None
    turn = logarithm(np.swapaxes(poses[:-1, :3, :3], -1, -2) @ poses[1:, :3, :3])
    good = (steps > 0) & (steps <= longest_gap_s)
    speed = np.linalg.norm(turn, axis=-1)[good] / steps[good]
    return ((times[:-1] + times[1:]) / 2)[good], speed


def _resampled(course: tuple[Floats, Floats], at: Floats, longest_gap_s: float) -> Floats:
    """Speed at other times, NaN where the board was not seen."""
    times, speed = course
    if len(times) < 2:
        return np.full(len(at), np.nan)
    after = np.clip(np.searchsorted(times, at), 1, len(times) - 1)
    seen = (at >= times[0]) & (at <= times[-1]) & (times[after] - times[after - 1] <= 2 * longest_gap_s)
    return np.where(seen, np.interp(at, times, speed), np.nan)


def _agreement(ours: Floats, theirs: Floats) -> float:
    both = np.isfinite(ours) & np.isfinite(theirs)
    if both.sum() * GRID_S < LEAST_COMMON_S or min(ours[both].std(), theirs[both].std()) < 1e-3:
        return -1.0
    return float(np.corrcoef(ours[both], theirs[both])[0, 1])
