"""Which frames of a sequence a tracker learns from: one after another, at a rate that is drawn per sequence."""

from __future__ import annotations

from typing import Final

import numpy as np

TRACK_FPS: Final = 60.0
"""Rate of the simulation; every rate below divides it."""

TRACK_SETS: Final = 60
"""Frames of a track, whatever its rate: 2 s at 30 Hz, 6 s at 10 Hz."""

RATE_SHARES: Final = {30: 0.45, 20: 0.15, 15: 0.15, 12: 0.15, 10: 0.1}
"""Frames per second -> share of the tracks. Slower and uneven ones follow by leaving out frames in training."""

TRACK_FRAMES: Final = int(TRACK_FPS) * TRACK_SETS // min(RATE_SHARES)
"""Frames of a simulated sequence that the slowest track needs."""


def track_picks(rng: np.random.Generator) -> list[int]:
    """Numbers of the frames of one track, at `TRACK_FPS`.

    Args:
        rng: source of the rate and of the first frame.

    Returns:
        `TRACK_SETS` numbers from 0 to below `TRACK_FRAMES`, evenly spaced.
    """
    rate = int(rng.choice(list(RATE_SHARES), p=list(RATE_SHARES.values())))
    stride = int(TRACK_FPS) // rate
    first = int(rng.integers(TRACK_FRAMES - stride * (TRACK_SETS - 1)))
    return [first + stride * pick for pick in range(TRACK_SETS)]
