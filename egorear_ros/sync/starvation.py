"""Frames arrive and no frame set goes out: says since when, and which condition fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from egorear_ros.sync.clock_finding import ClockFinding
from egorear_ros.sync.config import SyncConfig, nanoseconds
from egorear_ros.sync.statistics import CameraStatistics, SyncStatistics

PATIENCE_S: Final = 3.0
"""Without a frame set for so long, and for the deadline, it is an error."""
FEWEST_FRAMES: Final = 4
"""Frames of one camera in that time, so that a camera of one image in five seconds is none."""
CONDITIONS: Final = (
    ("late", "came after their set had gone out: `deadline` is too short or their clock is behind"),
    ("duplicate", "have the stamp of an earlier frame: the driver repeats stamps"),
    ("dropped", "had too few partners within `tolerance`: `tolerance`, `offsets` or `minimum_views` do not fit"),
)
"""Counter of `CameraStatistics` -> what it means for a frame without a set."""
CLOCKS: Final = {
    "zero": "sends images without a stamp (0)",
    "still": "repeats one stamp",
    "elsewhere": "is on another clock",
    "late": "is later than `deadline`, or its clock is behind",
    "skewed": "is skewed by more than `tolerance`",
    "drifting": "drifts away from the others",
    "irregular": "has stamps that jump by more than `tolerance`",
}
"""Kind of `ClockFinding` -> the condition that fails; the finding itself has figure and remedy."""


class Starvation:
    """Watches for frame sets.

    Args:
        config: of the synchronizer.
    """

    def __init__(self, config: SyncConfig) -> None:
        self._config = config
        self._patience = nanoseconds(max(PATIENCE_S, config.deadline + 1.0))
        self._since: tuple[int, SyncStatistics] | None = None

    def tick(self, now_ns: int, statistics: SyncStatistics, findings: Sequence[ClockFinding]) -> str:
        """Why there is no frame set, in one line; empty while there are some, or no frames either.

        Args:
            now_ns: the time, on any clock.
            statistics: of the synchronizer.
            findings: of the `ClockJudge`.
        """
        if self._since is None or _sets(statistics) > _sets(self._since[1]):
            self._since = now_ns, statistics
        began_ns, before = self._since
        received = {
            name: camera.received - before.cameras[name].received for name, camera in statistics.cameras.items()
        }
        if max(received.values(), default=0) < FEWEST_FRAMES:
            self._since = (now_ns, statistics) if now_ns - began_ns > self._patience else self._since
            return ""
        if now_ns - began_ns < self._patience:
            return ""
        sending = [name for name, count in received.items() if count]
        reason = self._reason(sending, statistics, findings)
        return (
            f"no frame set for {(now_ns - began_ns) / 1e9:.0f} s though {sum(received.values())} frames came: {reason}"
        )

    def _reason(self, sending: list[str], statistics: SyncStatistics, findings: Sequence[ClockFinding]) -> str:
        fewest = self._config.minimum_views
        if len(sending) < fewest:
            return (
                f"only {len(sending)} of {len(self._config.cameras)} cameras send ({', '.join(sending)}) and "
                f"`minimum_views` is {fewest}"
            )
        if findings:
            return "; ".join(f"camera '{finding.camera}' {CLOCKS[finding.kind]}" for finding in findings)
        before = self._since[1] if self._since else statistics
        return "; ".join(
            f"camera '{name}': {main_condition(statistics.cameras[name], before.cameras[name])}" for name in sending
        )


def unmatched(camera: CameraStatistics) -> dict[str, int]:
    """Frames that found no set, by reason: late, duplicate, dropped."""
    return {name: getattr(camera, name) for name, _ in CONDITIONS if getattr(camera, name)}


def main_condition(now: CameraStatistics, before: CameraStatistics) -> str:
    """Why most of the frames between two snapshots found no set, in words."""
    counts = {text: getattr(now, name) - getattr(before, name) for name, text in CONDITIONS}
    text, count = max(counts.items(), key=lambda item: item[1])
    return f"{count} frames {text}" if count else "its frames still wait for others"


def _sets(statistics: SyncStatistics) -> int:
    return statistics.complete + statistics.partial
