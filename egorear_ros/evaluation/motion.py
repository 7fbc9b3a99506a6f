"""Metrics of skeletons as motion: do they tremble, do they lag. Of one uninterrupted recording at a time."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LAGS_S: Final[Array] = np.arange(-0.1, 0.1501, 0.005)


def accelerations(joints_m: Array, time_s: Array) -> Array:
    """(T, J, 3) metres at (T,) seconds -> (T - 2, J, 3) m/s^2, second differences of frames that may be uneven."""
    steps = np.diff(time_s)[:, None, None]
    velocity = np.diff(joints_m, axis=0) / steps
    return np.asarray(2.0 * np.diff(velocity, axis=0) / (steps[1:] + steps[:-1]))


def jitter_m_s2(predicted_m: Array, truth_m: Array, time_s: Array) -> Array:
    """Acceleration error, the usual measure of jitter: (T, J, 3) twice and (T,) -> (T - 2, J) m/s^2."""
    error = accelerations(predicted_m, time_s) - accelerations(truth_m, time_s)
    return np.asarray(np.linalg.norm(error, axis=-1))


def lag_errors(predicted_m: Array, truth_m: Array, time_s: Array) -> Array:
    """How far the prediction is from the truth of each of `LAGS_S` earlier, as mean square over frames and joints.

    Each joint's mean over the recording is taken off first: a constant error is no lag.

    Args:
        predicted_m, truth_m: (T, J, 3) metres.
        time_s: (T,) seconds.

    Returns:
        (L,) m^2.
    """
    inside = (time_s > time_s[0] + LAGS_S[-1]) & (time_s < time_s[-1] + LAGS_S[0])
    if not inside.any():
        return np.full(len(LAGS_S), np.nan)
    flat = truth_m.reshape(len(time_s), -1)
    found = predicted_m.reshape(len(time_s), -1)[inside]
    found = found - found.mean(axis=0)
    errors = []
    for lag_s in LAGS_S:
        then = _at(time_s[inside] - lag_s, time_s, flat)
        errors.append(float(np.square(found - (then - then.mean(axis=0))).mean()))
    return np.array(errors)


def _at(moments_s: Array, time_s: Array, values: Array) -> Array:
    """Values (T, C) at (T,) seconds, interpolated linearly at other moments (M,) in between -> (M, C)."""
    after = np.clip(np.searchsorted(time_s, moments_s), 1, len(time_s) - 1)
    share = (moments_s - time_s[after - 1]) / (time_s[after] - time_s[after - 1])
    return np.asarray(values[after - 1] + share[:, None] * (values[after] - values[after - 1]))


def lag_s(errors: Array) -> float:
    """The delay at which the prediction fits the truth best, seconds; positive if it comes late.

    Args:
        errors: (L,) from `lag_errors`, summed over recordings; the minimum is refined by a parabola.
    """
    best = int(np.clip(np.argmin(errors), 1, len(errors) - 2))
    before, here, after = errors[best - 1 : best + 2]
    bend = before - 2 * here + after
    shift = 0.5 * (before - after) / bend if bend > 0 else 0.0
    return float(LAGS_S[best] + np.clip(shift, -1, 1) * (LAGS_S[1] - LAGS_S[0]))
