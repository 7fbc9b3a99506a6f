"""Light at a surface point: one soft-edged lamp or sun with a shadow map, light from all around, and contact shadows.

`light` is a float vector, see `LIGHT`: direction to the light, its colour, ambient colour from above and from below,
lamp position and reach (0: the sun, no fall-off).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from egorear_ros.simulator.renderer.compile import Floats, f4, inlined_kernel, kernel

LIGHT: Final = {"direction": 0, "color": 3, "sky": 6, "ground": 9, "lamp": 12, "reach": 15, "softness": 16}
LIGHT_SIZE: Final = 17
MOST_SPHERES: Final = 16
CONTACT_REACH: Final = 150.0
"""Contact shadows end at this many squared radii: what is further away hides less than 1 %."""
SHADOW_TILE: Final = 16
"""Texels per side of the shadow map's tiles; no softness is larger."""


@kernel
def bound_shadow(depth: Floats, bounds: Floats) -> None:
    """Write the least and the greatest depth (2, N, N) of every tile and its neighbours.

    Most points are nearer to the light than all of their tile, or behind all of it: no need to sample there.
    """
    tiles = bounds.shape[1]
    bounds[0], bounds[1] = f4(1e9), f4(0)
    for row in range(tiles * SHADOW_TILE):
        for column in range(tiles * SHADOW_TILE):
            z, i, j = depth[row, column], row // SHADOW_TILE, column // SHADOW_TILE
            bounds[0, i, j], bounds[1, i, j] = min(bounds[0, i, j], z), max(bounds[1, i, j], z)
    own = bounds.copy()
    for i in range(tiles):
        for j in range(tiles):
            for y in range(max(i - 1, 0), min(i + 2, tiles)):
                for x in range(max(j - 1, 0), min(j + 2, tiles)):
                    bounds[0, i, j] = min(bounds[0, i, j], own[0, y, x])
                    bounds[1, i, j] = max(bounds[1, i, j], own[1, y, x])


@inlined_kernel
def shadow(
    depth: Floats,
    bounds: Floats,
    from_world: Floats,
    x: float,
    y: float,
    z: float,
    bias: float,
    softness: float,
) -> float:
    """Share of the light that arrives, 0..1: five bilinear samples over a square of 2 `softness` texels."""
    size = depth.shape[0]
    u = (from_world[0, 0] * x + from_world[0, 1] * y + from_world[0, 2] * z + from_world[0, 3]) - f4(0.5)
    v = (from_world[1, 0] * x + from_world[1, 1] * y + from_world[1, 2] * z + from_world[1, 3]) - f4(0.5)
    d = from_world[2, 0] * x + from_world[2, 1] * y + from_world[2, 2] * z + from_world[2, 3] - bias
    edge = softness + f4(2)
    if u < edge or v < edge or u >= f4(size) - edge or v >= f4(size) - edge:
        return f4(1)
    row, column = int(v) // SHADOW_TILE, int(u) // SHADOW_TILE
    if d < bounds[0, row, column]:
        return f4(1)
    if d >= bounds[1, row, column]:
        return f4(0)
    lit = f4(0)
    for sample in range(5):  # the middle and four corners
        uu, vv = u, v
        if sample < 4:
            uu += softness * (f4(2) * f4(sample & 1) - f4(1))
            vv += softness * (f4(sample & 2) - f4(1))
        i, j = int(uu), int(vv)
        fu, fv = uu - f4(i), vv - f4(j)
        top = f4(depth[j, i] > d) * (f4(1) - fu) + f4(depth[j, i + 1] > d) * fu
        bottom = f4(depth[j + 1, i] > d) * (f4(1) - fu) + f4(depth[j + 1, i + 1] > d) * fu
        lit += top * (f4(1) - fv) + bottom * fv
    return lit * f4(0.2)


def with_bound(spheres: Floats) -> Floats:
    """Prepare (K, 4) spheres (centre, radius) for `contact_shadow`.

    Returns:
        (4, 1 + MOST_SPHERES) columns x, y, z, radius, padded with spheres of no size; the first one is a bound, outside
        of which no sphere casts a contact shadow.
    """
    center = spheres[:, :3].mean(axis=0)
    reach = np.linalg.norm(spheres[:, :3] - center, axis=1) + spheres[:, 3] * math.sqrt(CONTACT_REACH)
    table = np.zeros((4, 1 + MOST_SPHERES), np.float32)
    table[:3, 0], table[3, 0] = center, reach.max()
    table[:, 1 : 1 + len(spheres)] = spheres.T
    return table


@inlined_kernel
def lamp_falloff(light: Floats, x: float, y: float, z: float) -> float:
    """How much weaker the lamp is at a point than at the person."""
    if light[15] <= 0:
        return f4(1)
    dx, dy, dz = light[12] - x, light[13] - y, light[14] - z
    return f4(1.6) / (f4(0.6) + (dx * dx + dy * dy + dz * dz) / (light[15] * light[15]))


@inlined_kernel
def contact_shadow(spheres: Floats, x: float, y: float, z: float, nx: float, ny: float, nz: float) -> float:
    """Share (0..1) of ambient light left beside the body, which is approximated by spheres from `with_bound`."""
    dx, dy, dz = spheres[0, 0] - x, spheres[1, 0] - y, spheres[2, 0] - z
    if dx * dx + dy * dy + dz * dz > spheres[3, 0] * spheres[3, 0]:
        return f4(1)
    hidden = f4(0)
    for i in range(1, 1 + MOST_SPHERES):  # of fixed length and without branches, so that it is done eight at a time
        dx, dy, dz = spheres[0, i] - x, spheres[1, i] - y, spheres[2, i] - z
        along = max(dx * nx + dy * ny + dz * nz, f4(0))
        square = dx * dx + dy * dy + dz * dz + f4(1e-4)
        share = spheres[3, i] * spheres[3, i] / square
        hidden += along / math.sqrt(square) * (min(share, f4(1)) if share > f4(1 / CONTACT_REACH) else f4(0))
    return f4(1) / (f4(1) + f4(1.3) * hidden)
