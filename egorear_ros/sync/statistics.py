"""Counters and distributions of the alignment, as a snapshot that does not change any more."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Distribution:
    """Summary of a quantity in nanoseconds; all NaN while `count` is 0."""

    count: int
    mean_ns: float
    std_ns: float
    min_ns: float
    max_ns: float


class RunningDistribution:
    """Sums of integers from which a `Distribution` follows exactly, at constant cost."""

    __slots__ = ("_count", "_max", "_min", "_squares", "_sum")

    def __init__(self) -> None:
        self._count = 0
        self._sum = 0
        self._squares = 0  # Python's integers do not overflow, so no running-mean scheme is needed
        self._min = 0
        self._max = 0

    def add(self, value: int) -> None:
        """Take in one value, integer nanoseconds."""
        if not self._count or value < self._min:
            self._min = value
        if not self._count or value > self._max:
            self._max = value
        self._count += 1
        self._sum += value
        self._squares += value * value

    def snapshot(self) -> Distribution:
        """The distribution of the values so far."""
        count = self._count
        if not count:
            return Distribution(0, math.nan, math.nan, math.nan, math.nan)
        variance = (self._squares * count - self._sum * self._sum) / (count * count)
        return Distribution(count, self._sum / count, math.sqrt(variance), float(self._min), float(self._max))


@dataclass(frozen=True)
class CameraStatistics:
    """What happened to one camera's frames: received = matched + late + duplicate + dropped + pending.

    Attributes:
        received: Frames passed to `add`.
        matched: Frames that went out in a set.
        late: Frames older than what had already gone out, or than the camera's own last frame.
        duplicate: Frames with the stamp of a frame already received.
        dropped: Frames in no set: too few views at hand, a reset, or left over from the timeline before one.
        pending: Frames waiting now.
        gaps: Frames that never came, by the camera's period.
        absent: Sets that went out without this camera.
        lost: Not waited for now.
        period_ns: Learned period; 0 while unknown.
        skew: Corrected stamp minus the median one of the set. Its mean is the camera's constant latency: subtract it
            from the offset.
        lag: Arrival after the first frame of the set, by the injected clock. `deadline` should exceed its maximum.
    """

    received: int
    matched: int
    late: int
    duplicate: int
    dropped: int
    pending: int
    gaps: int
    absent: int
    lost: bool
    period_ns: int
    skew: Distribution
    lag: Distribution


@dataclass(frozen=True)
class SyncStatistics:
    """Counters since construction; resets do not clear them.

    Attributes:
        cameras: By camera name.
        complete: Sets that went out with all views.
        partial: Sets that went out with some.
        discarded: Partial sets dropped for having fewer than `minimum_views` views.
        resets: How often matching started anew.
        span: Span of the sets that went out.
    """

    cameras: dict[str, CameraStatistics]
    complete: int
    partial: int
    discarded: int
    resets: int
    span: Distribution
