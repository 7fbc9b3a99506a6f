"""Curves over time that actions are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def smooth_noise(rng: np.random.Generator, times_s: Floats, period_s: float, *shape: int) -> Floats:
    """`(T, *shape)` smooth random curves of unit strength that change every `period_s`."""
    rates = rng.uniform(0.4, 1.3, (4, *shape)) * 2 * np.pi / (2 * period_s)
    phases = rng.uniform(0, 2 * np.pi, (4, *shape))
    time = times_s.reshape(-1, 1, *[1] * len(shape))
    return np.asarray(np.sin(time * rates + phases).sum(axis=1) / np.sqrt(2.0))


def pulse(times_s: Floats, period_s: float, ramp: float = 0.3) -> Floats:
    """(T,) repeated smooth steps 0 -> 1 -> 0 over each period; `ramp` is the share of the period spent moving."""
    phase = (times_s / period_s) % 1.0
    rise = np.clip(phase / ramp, 0, 1)
    fall = np.clip((1 - phase) / ramp, 0, 1)
    level = np.minimum(rise, fall)
    return np.asarray(level * level * (3 - 2 * level))
