"""What the synchronizer node says about its cameras' frames: clocks, rates, frames without a set, no sets at all."""

from __future__ import annotations

from typing import NamedTuple

from egorear_ros.sync import (
    ClockFinding,
    ClockJudge,
    ClockSteps,
    Starvation,
    StreamWatch,
    SyncConfig,
    SyncStatistics,
)


class Condition(NamedTuple):
    """What stands in the diagnostics; see `Health.stand`."""

    kind: str
    message: str
    is_error: bool


class FrameJudge:
    """All judges behind one door. Not thread-safe.

    Args:
        config: of the synchronizer beside which it stands.
    """

    def __init__(self, config: SyncConfig) -> None:
        self._views = config.cameras
        self._clocks, self._steps = ClockJudge(config), ClockSteps(config)
        self._streams, self._starvation = StreamWatch(config), Starvation(config)
        self._findings: dict[str, ClockFinding] = {}

    def observe(self, view: str, stamp_ns: int, now_ns: int) -> None:
        """Take in a frame: its acquisition stamp, and when it arrived."""
        self._clocks.observe(view, stamp_ns, now_ns)
        self._steps.observe(view, stamp_ns, now_ns)
        self._streams.observe(view, stamp_ns, now_ns)

    def offset_ns(self, view: str) -> float | None:
        """See `ClockJudge.offset_ns`."""
        return self._clocks.offset_ns(view)

    def finding(self, view: str) -> ClockFinding | None:
        """What was last found wrong with a camera's clock."""
        return self._findings.get(view)

    def new_faults(self, now_ns: int, clock_ns: int, statistics: SyncStatistics) -> list[Condition]:
        """Clocks found to be wrong since the last call; to be called more often than `conditions`."""
        before = self._findings
        self._findings = {f.camera: f for f in self._clocks.tick(now_ns, statistics, clock_ns)}
        return [self._clock(f.camera, "") for f in self._findings.values() if f.camera not in before]

    def clock_step(self) -> str:
        """A clock that was set, in one line; empty if none was. To be called once per second."""
        return self._steps.steps()

    def conditions(
        self, now_ns: int, clock_ns: int, statistics: SyncStatistics, simulated: bool = False
    ) -> list[Condition]:
        """All that stands, with an empty message where it is well; to be called once per second.

        Args:
            now_ns: the time, on the clock of the arrivals.
            clock_ns: the time of the host.
            statistics: of the synchronizer.
            simulated: the host's clock is /clock, which ticks, stands still and jumps as it likes.
        """
        streams = self._streams.tick(now_ns, statistics)
        untrue = {} if simulated else self._steps.against_host(clock_ns - now_ns)
        starved = self._starvation.tick(now_ns, statistics, tuple(self._findings.values()))
        if starved:
            streams = {}
        found = [
            Condition("clocks", "" if self._findings else untrue.get("", ""), False),
            Condition("streams", streams.get("", ""), False),
            Condition("frame sets", starved, True),
        ]
        for view in self._views:
            clock = self._clock(view, untrue.get(view, ""))
            found += [clock, Condition(f"stream of {view}", "" if clock.message else streams.get(view, ""), False)]
        return found

    def _clock(self, view: str, untrue: str) -> Condition:
        finding = self._findings.get(view)
        if finding is None:
            return Condition(f"clock of {view}", untrue, False)
        return Condition(f"clock of {view}", finding.message, finding.is_error)
