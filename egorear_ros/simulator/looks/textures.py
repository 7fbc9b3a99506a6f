"""More tileable textures, painted by code: cloths, prints, floors, and images with the statistics of photographs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator.looks.painting import grid
from egorear_ros.simulator.looks.patterns import (
    batik,
    camouflage,
    checkerboard,
    court,
    crossed,
    gingham,
    herringbone,
    hexagons,
    knit,
    mosaic,
    rhombs,
    slats,
    stains,
    striped,
    terrazzo,
)
from egorear_ros.simulator.looks.pictures import badge, flowers, leaves, letters, recolored_rug, text
from egorear_ros.simulator.scene.textures import TEXTURES, Image, pyramid

CLOTH_TEXTURES: Final = (
    *("bands", "pencil", "gingham", "tartan", "flowers", "camouflage", "knit", "herringbone", "rhombs", "batik"),
    *("leaves_a", "leaves_b", "leaves_c"),
)
PRINT_TEXTURES: Final = ("letters_a", "letters_b", "letters_c", "badge", "leaves_a", "leaves_b", "leaves_c", "flowers")
FLOOR_TEXTURES: Final = (
    *("checkerboard", "diagonal", "hexagons", "terrazzo", "stains", "court", "mosaic", "slats", "leaves_d", "bands"),
)
RUG_TEXTURES: Final = ("rug_a", "rug_b", "rug_c", "bands", "batik", "rhombs", "leaves_a", "checkerboard", "mosaic")
PICTURE_TEXTURES: Final = ("leaves_a", "leaves_b", "leaves_c", "leaves_d", "letters_a", "letters_b", "text", "badge")


@cache
def more_pyramid() -> NDArray[np.float32]:
    """(K, N, 3) linear light of the textures of `MORE_TEXTURES`, see `scene.textures.pyramid`."""
    images = [
        np.clip(paint(np.random.default_rng([12, number])), 0.01, 1) for number, paint in enumerate(PAINTERS.values())
    ]
    return pyramid(np.stack(images))


def more_index(name: str) -> int:
    """Number the renderer knows one of these textures by."""
    return len(TEXTURES) + MORE_TEXTURES.index(name)


PAINTERS: Final[dict[str, Callable[[np.random.Generator], Image]]] = {
    "bands": lambda rng: striped(rng, 12, grid()[1]),
    "pencil": lambda rng: striped(rng, 48, grid()[0]),
    "gingham": gingham,
    "tartan": lambda rng: crossed(rng, 14),
    "flowers": flowers,
    "camouflage": camouflage,
    "knit": knit,
    "herringbone": herringbone,
    "rhombs": rhombs,
    "batik": batik,
    "leaves_a": leaves,
    "leaves_b": lambda rng: leaves(rng, 6.0),
    "leaves_c": lambda rng: leaves(rng, 10.0),
    "leaves_d": lambda rng: leaves(rng, 2.0),
    "letters_a": letters,
    "letters_b": letters,
    "letters_c": letters,
    "badge": badge,
    "checkerboard": checkerboard,
    "diagonal": lambda rng: striped(rng, 8, (grid()[0] + grid()[1]) % 1),
    "hexagons": hexagons,
    "terrazzo": terrazzo,
    "stains": stains,
    "court": court,
    "mosaic": mosaic,
    "slats": slats,
    "rug_a": recolored_rug,
    "rug_b": recolored_rug,
    "rug_c": recolored_rug,
    "text": text,
}
MORE_TEXTURES: Final = tuple(PAINTERS)
