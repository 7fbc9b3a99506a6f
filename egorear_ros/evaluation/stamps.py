"""What a recording's stamps are like, and why frames of it found no frame set: for the summary of an evaluation."""

from __future__ import annotations

from typing import Any, Final

from egorear_ros.sync import ClockFinding, ClockJudge, SyncConfig, SyncStatistics, unmatched

TICK_NS: Final = 1_000_000_000


class StampReport:
    """Collects the clock judge's findings over a recording.

    Args:
        config: of the synchronizer.

    Attributes:
        findings: camera -> what was wrong with its clock last.
    """

    def __init__(self, config: SyncConfig) -> None:
        self._judge = ClockJudge(config)
        self._next_tick_ns: int | None = None
        self.findings: dict[str, ClockFinding] = {}

    def observe(self, camera: str, stamp_ns: int, time_ns: int) -> bool:
        """Take in a frame recorded at `time_ns`; returns whether `tick` is due."""
        self._judge.observe(camera, stamp_ns, time_ns)
        if self._next_tick_ns is None:
            self._next_tick_ns = time_ns + TICK_NS
        return time_ns >= self._next_tick_ns

    def tick(self, time_ns: int, statistics: SyncStatistics) -> None:
        """Judge what came since the last time."""
        self._next_tick_ns = time_ns + TICK_NS
        self._keep(self._judge.tick(time_ns, statistics))

    def finish(self, time_ns: int, statistics: SyncStatistics) -> None:
        """Judge the recording as a whole, where its parts were too short."""
        ended = self._judge.finish(time_ns, statistics)
        self._keep(tuple(finding for finding in ended if finding.camera not in self.findings))

    def offset_ms(self, camera: str) -> float | None:
        """Measured offset of a camera's stamps to the others', milliseconds; None where it could not be measured."""
        offset = self._judge.offset_ns(camera)
        return None if offset is None else round(offset / 1e6, 3)

    def _keep(self, findings: tuple[ClockFinding, ...]) -> None:
        self.findings |= {finding.camera: finding for finding in findings}


def summary_of_stamps(report: StampReport, statistics: SyncStatistics) -> dict[str, Any]:
    """Per camera, plain data: `offset_ms`, `without_set` (reason -> frames) and `finding`, None where all is well."""
    return {
        name: {
            "offset_ms": report.offset_ms(name),
            "without_set": unmatched(camera),
            "finding": report.findings[name].message if name in report.findings else None,
        }
        for name, camera in statistics.cameras.items()
    }


def stamp_lines(report: StampReport, statistics: SyncStatistics) -> list[str]:
    """One line per camera that has frames in no set or a clock that does not fit."""
    lines = []
    for name, camera in statistics.cameras.items():
        reasons = unmatched(camera)
        finding = report.findings.get(name)
        if not reasons and finding is None:
            continue
        counts = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
        text = f"camera '{name}': {sum(reasons.values())} of {camera.received} frames in no frame set"
        text += f" ({counts})" if counts else ""
        lines.append(text + (f": {finding.message.partition(': ')[2]}" if finding else ""))
    return lines
