"""Sampling of tileable textures and of the panorama around the scene."""

from __future__ import annotations

import math
from typing import Final

from egorear_ros.simulator.renderer.compile import Bytes, Floats, f4, inlined_kernel
from egorear_ros.simulator.renderer.noise import fraction

TEXTURE_SIZE: Final = 256
TEXTURE_LEVELS: Final = 6


@inlined_kernel
def sample_texture(
    textures: Bytes, linear: Floats, which: int, u: float, v: float, texels_per_pixel: float, color: Floats
) -> None:
    """Write the linear colour of a texture at (u, v), one tile per unit, filtered for the pixel's footprint.

    Args:
        textures: (L, K, 256, 256, 3) sRGB; level l is blurred over 2^l texels.
        linear: (256,) sRGB byte to linear light.
        which: texture 0..K-1.
        u, v: position; wraps around.
        texels_per_pixel: footprint of a pixel.
        color: (3,) result.
    """
    level, span = 0, f4(1.5)
    while level < TEXTURE_LEVELS - 1 and texels_per_pixel > span:
        level += 1
        span *= 2
    x, y = fraction(u) * TEXTURE_SIZE, fraction(v) * TEXTURE_SIZE
    i, j = int(y), int(x)
    fy, fx = f4(y - i), f4(x - j)
    i, j = i & 255, j & 255
    i1, j1 = (i + 1) & 255, (j + 1) & 255
    for c in range(3):
        top = linear[textures[level, which, i, j, c]] * (1 - fx) + linear[textures[level, which, i, j1, c]] * fx
        bottom = linear[textures[level, which, i1, j, c]] * (1 - fx) + linear[textures[level, which, i1, j1, c]] * fx
        color[c] = top * (1 - fy) + bottom * fy


@inlined_kernel
def sample_panorama(panorama: Floats, dx: float, dy: float, dz: float, rotation: float, color: Floats) -> None:
    """Write the light arriving from direction (dx, dy, dz), z up; `panorama` is (256, 512, 3), zenith in row 0."""
    height, width = panorama.shape[0], panorama.shape[1]
    x = fraction(math.atan2(dy, dx) * f4(0.15915494) + rotation) * width - f4(0.5)
    y = math.acos(min(max(dz, f4(-1)), f4(1))) * f4(0.31830989) * height - f4(0.5)
    y = min(max(y, f4(0)), f4(height - 1.001))
    if x < 0:
        x += width
    i, j = int(y), int(x)
    fy, fx = f4(y - i), f4(x - j)
    j1 = (j + 1) % width
    j = j % width
    for c in range(3):
        top = panorama[i, j, c] * (1 - fx) + panorama[i, j1, c] * fx
        bottom = panorama[i + 1, j, c] * (1 - fx) + panorama[i + 1, j1, c] * fx
        color[c] = top * (1 - fy) + bottom * fy
