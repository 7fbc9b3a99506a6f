"""What the painters of textures share: colours, places, wear."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator.renderer.textures import TEXTURE_SIZE
from egorear_ros.simulator.scene.textures import Image, clouds

N: Final = TEXTURE_SIZE


def palette(rng: np.random.Generator, count: int, contrast: float = 1.0) -> NDArray[np.float32]:
    """(count, 3) colours that are well apart in brightness."""
    level = (rng.permutation(count) + rng.uniform(0.2, 0.8, count)) / count
    level = 0.5 + contrast * (level - 0.5)
    hue = rng.normal(0, 0.16, (count, 3))
    return np.clip(level[:, None] + hue, 0.02, 1).astype(np.float32)


def grid() -> tuple[Image, Image]:
    """Column and row of every texel, in 0..1."""
    place = (np.arange(N, dtype=np.float32) + 0.5) / N
    return np.broadcast_to(place, (N, N)), np.broadcast_to(place[:, None], (N, N))


def grain(rng: np.random.Generator, image: Image, amount: float = 0.15) -> Image:
    """The image under soft uneven brightness, as worn things have."""
    return np.asarray(image * (1 - amount / 2 + amount * clouds(rng, 8)[..., None]), np.float32)


def places(x: int, y: int, reach: int) -> list[tuple[int, int]]:
    """Where to draw what is at (x, y): there and, near an edge, also a tile further, so that tiles fit together."""
    candidates = [(x + dx, y + dy) for dx in (-N, 0, N) for dy in (-N, 0, N)]
    return [at for at in candidates if all(-reach <= value < N + reach for value in at)]
