"""A camera's drift: the slope of its measured offset over the last minute."""

from __future__ import annotations

import math
from collections import deque
from statistics import median
from typing import Final, NamedTuple

from egorear_ros.sync.clock_reading import Offset, reference_of

KEPT: Final = 60
FEWEST: Final = 6
"""Readings, about one per second, before a slope is believed."""
CERTAINTY: Final = 8.0
"""How many standard errors a change must have; readings under load are not independent, so 3 would not do."""
LARGEST_STEP: Final = 0.25
"""Periods per reading above which a change may be a neighbouring frame just as well."""


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
            last = self._readings[-1][1]
            value = reading.nearest_to(last).offset_ns
            if abs(value - last) > LARGEST_STEP * (reading.period_ns or abs(last)):
                self._readings.clear()
        error = reading.scatter_ns / math.sqrt(max(frames, 1))
        self._readings.append((time_ns / 1e9, value, error))

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


def drifts(slopes: dict[str, tuple[float, float, float]], least_rate: float, least_ns: float) -> dict[str, Drift]:
    """The cameras that drift away from the largest group of equal rates.

    Args:
        slopes: of `OffsetHistory.slope`, all against one camera, which may itself be the one that drifts.
        least_rate: nanoseconds per second; rates that differ by less are equal.
        least_ns: smaller changes of the offset are not worth a word.
    """
    if len(slopes) < 2:
        return {}
    reference = reference_of([rate for rate, _, _ in slopes.values()], least_rate)
    found = {}
    for name, (rate, error, seconds) in slopes.items():
        typical = median(each for other, (_, each, _) in slopes.items() if other != name)
        drift = Drift(rate - reference, (rate - reference) * seconds)
        certain = abs(drift.rate) >= max(least_rate, CERTAINTY * math.hypot(error, typical))
        if certain and abs(drift.change_ns) >= least_ns:
            found[name] = drift
    return found
