"""One camera's pending slots and what is known of it."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

from egorear_ros.sync.matching import FOREVER
from egorear_ros.sync.period import PeriodEstimator
from egorear_ros.sync.statistics import CameraStatistics, RunningDistribution

FrameT = TypeVar("FrameT")

LONG_AGO = -FOREVER


class Arrival(NamedTuple, Generic[FrameT]):
    """What came with a frame.

    Attributes:
        stamp_ns: Acquisition stamp as passed in.
        frame: The caller's object; None for a gap.
        arrival_ns: When it came; for a gap, when the frame that revealed it came.
        is_gap: The frame never came.
    """

    stamp_ns: int
    frame: FrameT | None
    arrival_ns: int
    is_gap: bool


class Track(Generic[FrameT]):
    """State of one camera. `stamps` (corrected) and `arrivals` are its slots, oldest first.

    Attributes:
        last: Corrected stamp of the newest frame; LONG_AGO before the first.
        floor: Frames up to here come too late, a set has gone out without them.
        expected: Earliest stamp the next frame can have.
        lost: Not waited for.
        stale: Newest stamp before the last reset, until the camera is seen on the new timeline.
        misses: Sets in a row that ran into the deadline for want of this camera.
    """

    def __init__(self, name: str, offset: int) -> None:
        self.name = name
        self.offset = offset
        self.period = PeriodEstimator()
        self.received = self.matched = self.late = self.duplicate = self.dropped = self.gaps = self.absent = 0
        self.skew = RunningDistribution()
        self.lag = RunningDistribution()
        self.stale = LONG_AGO
        self.clear()

    def clear(self) -> None:
        """Forget everything but the counters and the period."""
        self.stamps: list[int] = []
        self.arrivals: list[Arrival[FrameT]] = []
        self.last = self.floor = self.expected = LONG_AGO
        self.misses = 0
        self.lost = False

    def append(self, stamp: int, arrival: Arrival[FrameT]) -> None:
        """Add an admitted frame behind all other slots."""
        self.stamps.append(stamp)
        self.arrivals.append(arrival)
        self.last = stamp

    def append_gaps(self, stamp: int, period: int, after: int, room: int, now_ns: int) -> None:
        """Add the gaps that a frame at `stamp` reveals: the newest `room` ones of those later than `after`."""
        interval = stamp - self.last
        parts = (2 * interval + period) // (2 * period)
        self.gaps += parts - 1
        for part in range(max(1, parts - room), parts):
            gap = self.last + interval * part // parts
            if gap > after:
                self.stamps.append(gap)
                self.arrivals.append(Arrival(0, None, now_ns, True))

    def expect(self, shortest: int) -> None:
        """Foresee the next frame, given the shortest interval: it may come 10 % sooner than ever lately."""
        self.expected = self.last + max(1, shortest * 9 // 10)

    def foreseen(self, period: int, oldest: int, newest: int, room: int) -> list[int]:
        """Stamps at which frames should have come after the last one; at most the newest `room`.

        Those of [oldest, newest], give or take half a period, but none is put before `oldest`: a choice of gaps alone
        would not get the synchronizer any further.
        """
        if not period or self.lost or self.last == LONG_AGO:
            return []
        first = max(-((self.last - oldest + period // 2) // period), 1)  # rounded up
        count = (newest - self.last + period // 2) // period
        return [max(oldest, self.last + i * period) for i in range(max(first, count - room + 1), count + 1)]

    def revive(self) -> None:
        """Wait for this camera (again)."""
        self.misses = 0
        self.lost = False

    def remove(self, count: int) -> None:
        """Remove the oldest slots."""
        del self.stamps[:count]
        del self.arrivals[:count]

    def frames_pending(self) -> int:
        """Number of frames, gaps not counted, that wait."""
        return sum(not arrival.is_gap for arrival in self.arrivals)

    def holds(self, stamp: int) -> bool:
        """Whether a frame of this corrected stamp waits or was the last one."""
        if stamp == self.last:
            return True
        return any(s == stamp and not a.is_gap for s, a in zip(self.stamps, self.arrivals, strict=True))

    def snapshot(self) -> CameraStatistics:
        """The counters as they stand."""
        return CameraStatistics(
            received=self.received,
            matched=self.matched,
            late=self.late,
            duplicate=self.duplicate,
            dropped=self.dropped,
            pending=self.frames_pending(),
            gaps=self.gaps,
            absent=self.absent,
            lost=self.lost,
            period_ns=self.period.period_ns,
            skew=self.skew.snapshot(),
            lag=self.lag.snapshot(),
        )
