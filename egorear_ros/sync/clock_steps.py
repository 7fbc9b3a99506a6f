"""Notices when cameras' clocks are set, and when all stamps are far from the machine's clock.

A clock is known by how long after its stamp a frame arrives. A busy machine only makes that longer, and never lets
stamps go back. So a clock that was set *back* shows in stamps that go back, and one set *ahead* in frames that arrive
sooner after their stamp than any of the last seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Final

from egorear_ros.sync.clock_finding import duration
from egorear_ros.sync.config import NANOSECONDS, SyncConfig

STEP_NS: Final = NANOSECONDS // 2
"""Smaller steps are left to the matching: they cost a few frames."""
FRAMES: Final = 3
"""Frames in a row that must be on the new time: a single odd stamp is no step."""
SPAN_NS: Final = 10 * NANOSECONDS
"""The shortest delay is that of the last one or two such spans."""
AHEAD_NS: Final = 20_000_000
"""Stamps so far in the future cannot be true."""
BEHIND_NS: Final = 10 * NANOSECONDS


@dataclass
class _Clock:
    """One camera's clock. Delays are arrival minus stamp, nanoseconds; None before the first frame."""

    shortest: int | None = None
    before: int | None = None
    since: int = 0
    stamp: int = 0
    moved: int = 0
    on_new_time: int = 0
    recent: list[int] = field(default_factory=list)

    def observe(self, stamp: int, arrival: int) -> int:
        """Take in a frame; returns by how much the clock was set, once that is certain, else 0."""
        delay = arrival - stamp
        moved = self._moved(stamp, delay)
        if moved:
            self.on_new_time, self.moved = self.on_new_time + 1, moved
            if self.on_new_time < FRAMES:
                return 0
            moved = self.moved
            self.shortest = self.before = None
            self.recent.clear()
        self.on_new_time, self.stamp = 0, stamp
        self._remember(delay, arrival)
        return moved

    def _moved(self, stamp: int, delay: int) -> int:
        """How far this frame is from the time that is known, if it is a step away."""
        if self.shortest is None:
            return 0
        known = self.shortest if self.before is None else min(self.shortest, self.before)
        if stamp < self.stamp - STEP_NS or delay < known - STEP_NS:
            return known - delay
        return 0

    def _remember(self, delay: int, arrival: int) -> None:
        self.recent.append(delay)
        if self.shortest is None or arrival - self.since > SPAN_NS:
            self.before, self.shortest, self.since = self.shortest, delay, arrival
        self.shortest = min(self.shortest, delay)


class ClockSteps:
    """Watches the clocks of all cameras together. Not thread-safe.

    Args:
        config: of the synchronizer beside which it stands.
    """

    def __init__(self, config: SyncConfig) -> None:
        self._offsets = {name: config.offset_ns(name) for name in config.cameras}
        self._clocks = {name: _Clock() for name in config.cameras}
        self._steps: dict[str, int] = {}
        self._known = 0
        self._untrue: dict[str, str] = {}

    def observe(self, camera: str, stamp_ns: int, arrival_ns: int) -> None:
        """Take in a frame: its acquisition stamp, and when it arrived, on any clock that runs evenly."""
        if stamp_ns > 0:
            moved = self._clocks[camera].observe(stamp_ns + self._offsets[camera], arrival_ns)
            if moved:
                self._steps[camera] = moved

    def steps(self) -> str:
        """What was set, in one line, once no further camera follows; empty if nothing."""
        known, self._known = self._known, len(self._steps)
        if not self._steps or known != len(self._steps):
            return ""
        steps, self._steps, self._known = self._steps, {}, 0
        every = len(steps) == len(self._clocks) > 1
        who = "all cameras" if every else ", ".join(f"camera '{name}'" for name in steps)
        moved = median(steps.values())
        return (
            f"{who}: the stamps jumped {duration(moved)} {'ahead' if moved > 0 else 'back'}; a clock was set, or a "
            "recording began anew. Matching goes on with the new time"
        )

    def against_host(self, host_minus_arrival_ns: int) -> dict[str, str]:
        """Stamps that cannot be true by the machine's clock, of the frames since the last call, or before it if none.

        Args:
            host_minus_arrival_ns: what to add to an arrival to have it on the machine's clock.

        Returns:
            Camera -> one line; of all cameras together under an empty name.
        """
        delays = {n: median(c.recent) + host_minus_arrival_ns for n, c in self._clocks.items() if c.recent}
        for clock in self._clocks.values():
            clock.recent.clear()
        if delays:
            self._untrue = self._judged(delays)
        return self._untrue

    def _judged(self, delays: dict[str, float]) -> dict[str, str]:
        if max(delays.values()) < -AHEAD_NS or min(delays.values()) > BEHIND_NS:
            delay = median(delays.values())
            where = f"{duration(delay)} {'behind' if delay > 0 else 'ahead of'}"
            text = (
                f"the stamps of all cameras are {where} this machine's clock, so TF and latencies are wrong; "
                "synchronise the clocks (PTP, chrony), or use use_sim_time for a replay"
            )
            return {"": text}
        return {
            name: f"camera '{name}': its stamps are {duration(delay)} in the future, so its clock is ahead, perhaps by "
            "whole frame periods, which the matching cannot see; synchronise it, or set `offsets`"
            for name, delay in delays.items()
            if delay < -AHEAD_NS
        }
