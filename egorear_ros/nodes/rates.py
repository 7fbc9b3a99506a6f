"""Rate and latency over the last seconds, for diagnostics.

In one process a camera's thread adds while a node's timer reads: readers look at a copy, which one C call makes.
"""

from __future__ import annotations

from collections import deque

import numpy as np

WINDOW_S = 5.0


class RateMeter:
    """Events per second over the last few seconds."""

    def __init__(self) -> None:
        self.count = 0
        self._times: deque[float] = deque(maxlen=2048)

    def tick(self, now_s: float) -> None:
        """Count an event."""
        self.count += 1
        self._times.append(now_s)

    def hz(self, now_s: float) -> float:
        """Rate at `now_s`; 0 when nothing has happened lately."""
        recent = [t for t in tuple(self._times) if now_s - t < WINDOW_S]
        return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 else 0.0


class Percentiles:
    """Percentiles of the newest values."""

    def __init__(self, length: int = 300) -> None:
        self._values: deque[float] = deque(maxlen=length)

    def add(self, value: float) -> None:
        """Take a value in."""
        self._values.append(value)

    def __call__(self, *percents: float) -> tuple[float, ...]:
        """Values at these percentiles; NaN while there are none."""
        values = tuple(self._values)
        if not values:
            return tuple(float("nan") for _ in percents)
        return tuple(float(value) for value in np.percentile(values, percents))
