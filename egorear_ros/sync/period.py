"""A camera's period, learned from its stamps."""

from __future__ import annotations

from collections import deque

WINDOW = 16
"""Intervals remembered: half a second at 30 Hz, enough to average jitter, short enough to follow a change of rate."""

REFRESH = 4
"""The period is recomputed every so many frames: it hardly changes, and sorting at each frame would cost more."""

MATURE = 4
"""Intervals after which a camera's own period is trusted; fewer could all have lost frames in them."""


class PeriodEstimator:
    """Learns period and shortest interval of one camera. Nanoseconds throughout.

    Attributes:
        period_ns: Mean of the intervals over which no frame was lost; 0 while unknown.
        shortest_ns: Shortest interval in the window; 0 while unknown.
        mature: Enough intervals have been seen.
    """

    __slots__ = ("_intervals", "_until_refresh", "mature", "period_ns", "shortest_ns")

    def __init__(self) -> None:
        self._intervals: deque[int] = deque(maxlen=WINDOW)
        self._until_refresh = 0
        self.period_ns = 0
        self.shortest_ns = 0
        self.mature = False

    def add(self, interval_ns: int) -> None:
        """Take in the interval between two consecutive frames of the camera, > 0."""
        self._intervals.append(interval_ns)
        if interval_ns < self.shortest_ns:
            self.shortest_ns = interval_ns
        self._until_refresh -= 1
        if self._until_refresh <= 0:
            self._refresh()

    def _refresh(self) -> None:
        count = len(self._intervals)
        self._until_refresh = REFRESH if count >= 2 * REFRESH else 1
        self.mature = count >= MATURE
        ordered = sorted(self._intervals)
        # Lost frames make intervals of 2, 3, ... periods. The lower quartile is a single period as long as a quarter of
        # the frames arrive; what is near it are the other single ones, spread by jitter.
        limit = ordered[count // 4] * 3 // 2
        single = [interval for interval in ordered if interval <= limit]
        self.period_ns = sum(single) // len(single)
        self.shortest_ns = ordered[0]
