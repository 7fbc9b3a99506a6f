"""Sampling of tileable textures and of the panorama around the scene."""

from __future__ import annotations

import math
from typing import Final

from egorear_ros.simulator.renderer.compile import Floats, f4, inlined_kernel
from egorear_ros.simulator.renderer.noise import fraction

TEXTURE_SIZE: Final = 256
TEXTURE_LEVELS: Final = 6


@inlined_kernel
def sample_texture(textures: Floats, which: int, u: float, v: float, texels_per_pixel: float, color: Floats) -> None:
    """Write the linear colour of a texture at (u, v), one tile per unit, filtered for the pixel's footprint.

    Args:
        textures: (K, N, 3) linear light; per texture all levels one after the other, level l of (256 / 2^l)^2 texels.
        which: texture 0..K-1.
        u, v: position; wraps around.
        texels_per_pixel: footprint of a pixel.
        color: (3,) result.
    """
    level, start, size, span = 0, 0, TEXTURE_SIZE, f4(1.5)
    while level < TEXTURE_LEVELS - 1 and texels_per_pixel > span:
        start += size * size
        level, size, span = level + 1, size >> 1, span * f4(2)
    # A texel of level l is the mean of 2^l texels: its middle lies half of the others further on. One tile is added
    # to keep the position positive.
    texel = f4(size) * f4(1 / TEXTURE_SIZE)
    x = fraction(u) * f4(size) + f4(size) - f4(0.5) + f4(0.5) * texel
    y = fraction(v) * f4(size) + f4(size) - f4(0.5) + f4(0.5) * texel
    j, i = int(x), int(y)
    fx, fy = x - f4(j), y - f4(i)
    last = size - 1
    row, row1 = start + (i & last) * size, start + ((i + 1) & last) * size
    j, j1 = j & last, (j + 1) & last
    for c in range(3):
        top, bottom = textures[which, row + j, c], textures[which, row1 + j, c]
        top += (textures[which, row + j1, c] - top) * fx
        bottom += (textures[which, row1 + j1, c] - bottom) * fx
        color[c] = top + (bottom - top) * fy


@inlined_kernel
def sample_panorama(panorama: Floats, dx: float, dy: float, dz: float, rotation: float, color: Floats) -> None:
    """Write the light arriving from direction (dx, dy, dz), z up; `panorama` is (256, 512, 3), zenith in row 0."""
    height, width = panorama.shape[0], panorama.shape[1]
    x = fraction(f4(math.atan2(dy, dx)) * f4(0.15915494) + rotation) * f4(width) - f4(0.5)
    y = f4(math.acos(min(max(dz, f4(-1)), f4(1)))) * f4(0.31830989) * f4(height) - f4(0.5)
    y = min(max(y, f4(0)), f4(height) - f4(1.001))
    if x < 0:
        x += f4(width)
    i, j = int(y), int(x)
    fy, fx = y - f4(i), x - f4(j)
    j1 = (j + 1) % width
    j = j % width
    for c in range(3):
        top = panorama[i, j, c] * (f4(1) - fx) + panorama[i, j1, c] * fx
        bottom = panorama[i + 1, j, c] * (f4(1) - fx) + panorama[i + 1, j1, c] * fx
        color[c] = top * (f4(1) - fy) + bottom * fy
