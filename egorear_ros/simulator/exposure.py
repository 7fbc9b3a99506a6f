"""The light of one exposure: motion blur and the rolling shutter, from the light of single moments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

BLUR_STEP_PX: Final = 1.5
MOST_SUBFRAMES: Final = 5


def subframes(moved_px: NDArray[np.floating]) -> int:
    """Moments that an exposure needs besides its middle, for how far the joints move in its first half (pixels)."""
    return min(int(2 * (moved_px.max() if moved_px.size else 0) / BLUR_STEP_PX), MOST_SUBFRAMES - 1)


def blurred(light_at: Callable[[float], Floats], sharp: Floats, time_s: float, shutter_s: float, steps: int) -> Floats:
    """Mean of the light (V, H, W, 3) in the middle of the exposure, `sharp`, and at `steps` moments spread over it."""
    total = sharp.copy()
    for offset in (np.arange(steps) + 0.5) / steps - 0.5:
        total += light_at(max(time_s + offset * shutter_s, 0.0))
    return total / np.float32(steps + 1)


def rolled(
    light_at: Callable[[float], Floats], height: int, time_s: float, shutter_s: float, readout_s: float, steps: int
) -> Floats:
    """Light (V, H, W, 3) where every row has an exposure of its own.

    Args:
        light_at: light (V, H, W, 3) at a time.
        height: rows of the picture.
        time_s: middle of the middle row's exposure.
        shutter_s: length of a row's exposure.
        readout_s: time from the first row's exposure to the last row's.
        steps: moments the whole picture is made of.
    """
    times = ((np.arange(steps) + 0.5) / steps - 0.5) * (shutter_s + readout_s)
    shares = row_shares(height, times, shutter_s, readout_s)
    moments = (
        light_at(max(time_s + moment, 0.0)) * share[None, :, None, None]
        for moment, share in zip(times, shares, strict=True)
    )
    return np.asarray(sum(moments), np.float32)


def row_shares(height: int, times_s: NDArray[np.floating], shutter_s: float, readout_s: float) -> Floats:
    """(T, H) share of the moment `times_s` (seconds from the middle row's exposure) in every row of the picture."""
    middle = (np.arange(height) / max(height - 1, 1) - 0.5) * readout_s
    step = times_s[1] - times_s[0] if len(times_s) > 1 else 1.0
    outside = np.abs(times_s[:, None] - middle) - shutter_s / 2
    weights = np.clip(1 - outside / step, 0, 1) + 1e-9
    return np.asarray(weights / weights.sum(axis=0), np.float32)
