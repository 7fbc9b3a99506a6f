"""Judges the cameras' clocks while frames come in, matched or not.

    judge = ClockJudge(config)
    judge.observe(camera, stamp_ns, now_ns)                   # beside Synchronizer.add
    findings = judge.tick(now_ns, synchronizer.statistics())  # once per second; see `ClockFinding`

Frames are collected for about a second per camera (a *batch*). A camera whose frames find their sets is *settled* and
is never accused of an offset; any other is measured against the cameras that agree with each other. A fault is reported
when two batches in a row show it, so that a start, a stop and a clock jump are none.
"""

from __future__ import annotations

from typing import Final

from egorear_ros.sync.clock_finding import ClockFinding, Fault, worded
from egorear_ros.sync.clock_reading import Batch, Offset, measure, reference_of
from egorear_ros.sync.config import SyncConfig, nanoseconds
from egorear_ros.sync.drift import Drift, OffsetHistory, drifts
from egorear_ros.sync.fit import settled_cameras
from egorear_ros.sync.statistics import SyncStatistics

BATCH_NS: Final = 1_000_000_000
LONGEST_BATCH_NS: Final = 5 * BATCH_NS
"""Slow cameras are waited for so long."""
FEWEST_FRAMES: Final = 5
FEWEST_AT_THE_END: Final = 3
ELSEWHERE_NS: Final = 1_000_000_000
LATEST_NS: Final = 60_000_000_000
"""Frames further behind than this are not sent late: the clock is another one."""
COUNTABLE: Final = 20
"""Periods over which a period measured in a second adds up to less than a frame's jitter."""
MATERIAL: Final = 0.2
"""Part of the tolerance that a drift must have used up before it is reported."""
SLOWEST_DRIFT: Final = 20e3
"""Nanoseconds per second (20 ppm): what good quartz clocks differ by, 1 ms in 50 s."""


class ClockJudge:
    """Measures every camera's clock against the others'. Not thread-safe.

    Args:
        config: of the synchronizer beside which it stands.
    """

    def __init__(self, config: SyncConfig) -> None:
        self._config = config
        self._tolerance = nanoseconds(config.tolerance)
        self._jump = nanoseconds(config.clock_jump)
        self._offsets = {name: config.offset_ns(name) for name in config.cameras}
        self._batches = {name: Batch() for name in config.cameras}
        self._last: dict[str, Batch] = {}
        self._histories = {name: OffsetHistory() for name in config.cameras}
        self._readings: dict[str, Offset] = {}
        self._suspects: set[str] = set()
        self._standing: tuple[ClockFinding, ...] = ()
        self._base = ""
        self._ending = False
        self._began_ns: int | None = None
        self._before: SyncStatistics | None = None

    def observe(self, camera: str, stamp_ns: int, arrival_ns: int) -> None:
        """Take in a frame: its acquisition stamp, and when it arrived, on any clock that runs evenly."""
        batch = self._batches[camera]
        if self._began_ns is None:
            self._began_ns = arrival_ns
        if stamp_ns <= 0:
            batch.zeros += 1
            return
        stamp = stamp_ns + self._offsets[camera]
        if batch.stamps and self._jumped(batch, stamp, arrival_ns):
            batch = self._batches[camera] = Batch(zeros=batch.zeros)
            self._last.pop(camera, None)
            self._histories[camera].clear()
        if batch.first_ns is None:
            batch.first_ns = stamp
        batch.stamps.append(stamp)
        batch.arrivals.append(arrival_ns)

    def tick(self, now_ns: int, statistics: SyncStatistics, clock_ns: int | None = None) -> tuple[ClockFinding, ...]:
        """The faults that stand now.

        Args:
            now_ns: the time, on the clock of the arrivals.
            statistics: of the synchronizer that got the same frames.
            clock_ns: the time of the host, by which it is decided which half of the cameras is wrong; None: `now_ns`.
        """
        if self._before is None:
            self._before = statistics
        if self._began_ns is None or not self._is_full(now_ns):
            return self._standing
        faults = self._judge(self._batches, statistics, now_ns, clock_ns, FEWEST_FRAMES)
        confirmed = [fault for fault in faults if fault.camera in self._suspects]
        self._suspects = {fault.camera for fault in faults}
        self._standing = worded(confirmed, self._config)
        self._begin_batch(now_ns, statistics)
        return self._standing

    def finish(self, now_ns: int, statistics: SyncStatistics) -> tuple[ClockFinding, ...]:
        """The faults at the end of a recording, which may be too short for `tick` to have found any."""
        joined = {name: self._last.get(name, Batch()).joined(batch) for name, batch in self._batches.items()}
        for name, batch in joined.items():
            batch.first_ns = batch.first_ns if batch.first_ns is not None else self._batches[name].first_ns
        self._before, self._ending = None, True
        return worded(self._judge(joined, statistics, now_ns, None, FEWEST_AT_THE_END), self._config)

    def offset_ns(self, camera: str) -> float | None:
        """Last measured offset of a camera's corrected stamps to the others'; None before it could be measured."""
        reading = self._readings.get(camera)
        return None if reading is None else reading.offset_ns

    def _jumped(self, batch: Batch, stamp: int, arrival_ns: int) -> bool:
        """Whether the clock has jumped since the last frame, in either direction; a pause in sending is no jump."""
        moved = (stamp - batch.stamps[-1]) - (arrival_ns - batch.arrivals[-1])
        return abs(moved) > self._jump and (moved > 0 or stamp < batch.stamps[-1] - self._jump)

    def _is_full(self, now_ns: int) -> bool:
        age = now_ns - (self._began_ns if self._began_ns is not None else now_ns)
        sending = [batch for batch in self._batches.values() if batch.frames]
        enough = all(batch.frames >= FEWEST_FRAMES for batch in sending)
        return bool(sending) and age >= BATCH_NS and (enough or age >= LONGEST_BATCH_NS)

    def _begin_batch(self, now_ns: int, statistics: SyncStatistics) -> None:
        self._last = self._batches
        self._batches = {name: Batch(first_ns=batch.first_ns) for name, batch in self._last.items()}
        self._began_ns, self._before = now_ns, statistics

    def _judge(
        self,
        batches: dict[str, Batch],
        statistics: SyncStatistics,
        now_ns: int,
        clock_ns: int | None,
        fewest: int,
    ) -> list[Fault]:
        sending = {name: batch for name, batch in batches.items() if batch.frames >= fewest}
        faults = [Fault(name, "zero", True) for name, b in sending.items() if 4 * b.zeros >= b.frames]
        stamped = {name: b for name, b in sending.items() if 4 * b.zeros < b.frames}
        still = [name for name, b in stamped.items() if len(set(b.stamps)) == 1]
        faults += [Fault(name, "still", True) for name in still]
        clocks = {name: b for name, b in stamped.items() if name not in still}
        if len(clocks) < 2:
            return faults
        settled = settled_cameras(statistics, self._before, tuple(clocks), self._config.minimum_views)
        offsets = self._measure(clocks, settled, now_ns, clock_ns if clock_ns is not None else now_ns)
        drifting = self._drifts(offsets)
        for name, reading in offsets.items():
            fault = self._fault(name, reading, name in settled, drifting.get(name))
            faults += [fault] if fault else []
        return faults

    def _measure(self, clocks: dict[str, Batch], settled: set[str], now_ns: int, clock_ns: int) -> dict[str, Offset]:
        """Offset of every camera to the group that agrees; positive is ahead."""
        possible = [name for name in clocks if name in settled] or list(clocks)
        base = self._base if self._base in possible else max(possible, key=lambda name: len(clocks[name].stamps))
        if base != self._base:
            for history in self._histories.values():
                history.clear()
        self._base = base
        offsets = {name: measure(clocks[base], batch) for name, batch in clocks.items()}
        if not self._ending:  # then the last batches are in the histories already
            for name, reading in offsets.items():
                self._histories[name].add(now_ns, reading, len(clocks[name].stamps))
        offsets |= {name: offsets[name].nearest_to(0.0) for name in settled}
        # Of groups of equal size the one on the host's clock is right.
        trusted = sorted(possible, key=lambda name: abs(clocks[name].latency_ns + clock_ns - now_ns))
        reference = reference_of([offsets[name].offset_ns for name in trusted], float(self._tolerance))
        moved = {
            name: o._replace(
                offset_ns=o.offset_ns - reference, other_ns=None if o.other_ns is None else o.other_ns - reference
            )
            for name, o in offsets.items()
        }
        self._readings |= moved
        return moved

    def _drifts(self, offsets: dict[str, Offset]) -> dict[str, Drift]:
        """Drift of the cameras relative to the group that keeps its rate; empty for free-running cameras."""
        period = max((reading.period_ns for reading in offsets.values()), default=0.0)
        if 2 * self._tolerance >= period:
            return {}
        slopes = {name: slope for name in offsets if (slope := self._histories[name].slope()) is not None}
        return drifts(slopes, SLOWEST_DRIFT, MATERIAL * self._tolerance)

    def _fault(self, name: str, reading: Offset, settled: bool, drift: Drift | None) -> Fault | None:
        offset = reading.offset_ns
        if drift is not None:
            return Fault(name, "drifting", not settled, offset, rate=drift.rate)
        if settled:
            return None
        if reading.scatter_ns > self._tolerance and abs(offset) < ELSEWHERE_NS:
            return Fault(name, "irregular", True, offset, scatter_ns=reading.scatter_ns)
        if abs(offset) <= self._tolerance / 2:
            return None
        # Whole periods behind, as far as the period is known well enough to say so: late, or another clock.
        far = abs(offset) > COUNTABLE * reading.period_ns
        on_the_grid = far or abs(reading.nearest_to(0.0).offset_ns) <= self._tolerance
        if on_the_grid and -LATEST_NS < offset < -self._tolerance:
            kind = "late"
        else:
            kind = "elsewhere" if abs(offset) >= ELSEWHERE_NS else "skewed"
        return Fault(name, kind, True, offset, reading.other_ns)
