"""Colours and materials: skin, hair, eyes, cloth."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator.renderer.noise import PATTERNS
from egorear_ros.simulator.renderer.surfaces import KINDS, MATERIAL_SIZE

Floats = NDArray[np.float32]

# sRGB, from light to dark; what lies between is mixed.
SKIN_TONES: Final = np.array(
    [
        [0.95, 0.80, 0.71],
        [0.90, 0.70, 0.58],
        [0.80, 0.58, 0.44],
        [0.64, 0.43, 0.30],
        [0.45, 0.29, 0.20],
        [0.29, 0.19, 0.14],
    ]
)
HAIR_TONES: Final = np.array(
    [
        [0.06, 0.05, 0.04],
        [0.16, 0.10, 0.06],
        [0.30, 0.18, 0.10],
        [0.62, 0.46, 0.26],
        [0.50, 0.48, 0.47],
        [0.48, 0.20, 0.10],
    ]
)
PATTERN_SHARES: Final = (0.36, 0.1, 0.06, 0.05, 0.1, 0.07, 0.05, 0.13, 0.08)


def material(
    color: Sequence[float] | NDArray[np.floating],
    second: Sequence[float] | NDArray[np.floating] | None = None,
    *,
    pattern: int = 0,
    scale: float = 10.0,
    wrinkles: float = 0.0,
    gloss: float = 0.04,
    texture: int = -1,
    kind: str = "matte",
) -> Floats:
    """A row of the renderer's material table; colours in linear light."""
    row = np.zeros(MATERIAL_SIZE, np.float32)
    row[0:3] = color
    row[3:6] = color if second is None else second
    row[6:12] = pattern, scale, wrinkles, gloss, texture, KINDS[kind]
    row[12] = kind in ("cloth", "hair")
    return row


def linear(srgb: NDArray[np.floating]) -> NDArray[np.float64]:
    """Linear light of sRGB colours in 0..1."""
    return np.asarray(srgb, float) ** 2.2


def random_color(
    rng: np.random.Generator, saturation: tuple[float, float] = (0.05, 0.7), value: tuple[float, float] = (0.2, 0.85)
) -> NDArray[np.float64]:
    """A random colour in linear light."""
    return linear(np.array(colorsys.hsv_to_rgb(rng.random(), rng.uniform(*saturation), rng.uniform(*value))))


def skin(rng: np.random.Generator) -> Floats:
    """Skin of a random tone."""
    position = rng.uniform(0, len(SKIN_TONES) - 1)
    before = min(int(position), len(SKIN_TONES) - 2)
    tone = SKIN_TONES[before] + (SKIN_TONES[before + 1] - SKIN_TONES[before]) * (position - before)
    return material(linear(tone) * rng.uniform(0.9, 1.08), gloss=0.16, kind="skin")


def hair(rng: np.random.Generator) -> Floats:
    """Hair of a random colour."""
    return material(linear(HAIR_TONES[rng.integers(len(HAIR_TONES))]) * rng.uniform(0.8, 1.2), gloss=0.25, kind="hair")


def cloth(rng: np.random.Generator, wrinkles: float = 0.8, denim: bool = False) -> Floats:
    """Cloth with a random pattern, or denim."""
    if denim:
        color = linear(np.array([0.16, 0.24, 0.42]) * rng.uniform(0.5, 1.7))
        return material(
            color, color * 1.8 + 0.05, pattern=PATTERNS.index("denim"), scale=20, wrinkles=wrinkles * 0.8, kind="cloth"
        )
    color = random_color(rng, value=(0.12, 0.95))
    second = color * rng.uniform(0.25, 0.6) if rng.random() < 0.5 else random_color(rng)
    pattern = int(rng.choice(len(PATTERNS), p=PATTERN_SHARES))
    return material(color, second, pattern=pattern, scale=rng.uniform(6, 22), wrinkles=wrinkles, kind="cloth")


def leather(rng: np.random.Generator) -> Floats:
    """Shoe leather or rubber."""
    return material(random_color(rng, (0.0, 0.5), (0.08, 0.9)), gloss=0.2, kind="cloth")


def eyes() -> Floats:
    """The eyeball's white."""
    return material((0.75, 0.73, 0.7), gloss=0.5, kind="eye")
