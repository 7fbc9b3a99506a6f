"""A camera's drift: the slope of its measured offset over the last minute."""

from __future__ import annotations

import math
from collections import deque
from typing import Final, NamedTuple

from egorear_ros.sync.clock_reading import Offset

KEPT: Final = 60
FEWEST: Final = 6
"""Readings, about one per second, before a slope is believed."""
CERTAINTY: Final = 8.0
"""How many standard errors a change must have; readings under load are not independent, so 3 would not do."""


class Drift(NamedTuple):
    """A change that is no accident: nanoseconds per second (= 1e-9), and over the time it was watched."""

    rate: float
    change_ns: float


class OffsetHistory:
    """Offsets of one camera over time, without jumps by whole periods."""

    def __init__(self) -> None:
        self._readings: deque[tuple[float, float, float]] = deque(maxlen=KEPT)

    def clear(self) -> None:
        """Forget everything: the clock has jumped, or the camera it was compared with is another."""
        self._readings.clear()

    def add(self, time_ns: int, reading: Offset, frames: int) -> None:
        """Take in a reading of so many frames; one that jumps by more than the phase explains begins anew."""
        value = reading.offset_ns
        if self._readings:
            value = reading.nearest_to(self._foreseen(time_ns)).offset_ns
        error = reading.scatter_ns / math.sqrt(max(frames, 1))
        self._readings.append((time_ns / 1e9, value, error))

    def _foreseen(self, time_ns: int) -> float:
        """The offset expected now: the last one, and the last change once more."""
        time_s, value, _ = self._readings[-1]
        if len(self._readings) < 2:
            return value
        before_s, before, _ = self._readings[-2]
        step_s = time_s - before_s
        return value + ((value - before) / step_s * (time_ns / 1e9 - time_s) if step_s > 0 else 0.0)

    def slope(self) -> tuple[float, float, float] | None:
        """Nanoseconds per second, its standard error, and the seconds watched; None before `FEWEST` readings."""
        count = len(self._readings)
        if count < FEWEST:
            return None
        times, values, errors = zip(*self._readings, strict=True)
        centre, mean = sum(times) / count, sum(values) / count
        square = sum((t - centre) ** 2 for t in times)
        if square <= 0:
            return None
        rate = sum((t - centre) * (v - mean) for t, v in zip(times, values, strict=True)) / square
        rest = sum((v - mean - rate * (t - centre)) ** 2 for t, v in zip(times, values, strict=True)) / (count - 2)
        noise = max(rest, sum(error**2 for error in errors) / count)
        return rate, math.sqrt(noise / square), times[-1] - times[0]


def significant(slope: tuple[float, float, float] | None, reference: float, least_ns: float) -> Drift | None:
    """The drift against a reference slope, if it is larger than chance and changes the offset by `least_ns` or more."""
    if slope is None:
        return None
    rate, error, seconds = slope[0] - reference, slope[1], slope[2]
    change = rate * seconds
    if abs(rate) < CERTAINTY * error or abs(change) < least_ns:
        return None
    return Drift(rate, change)
