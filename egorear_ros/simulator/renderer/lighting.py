"""Light at a surface point: one soft-edged lamp or sun with a shadow map, light from all around, and contact shadows.

`light` is a float vector, see `LIGHT`: direction to the light, its colour, ambient colour from above and from below,
lamp position and reach (0: the sun, no fall-off).
"""

from __future__ import annotations

import math
from typing import Final

from egorear_ros.simulator.renderer.compile import Floats, f4, inlined_kernel

LIGHT: Final = {"direction": 0, "color": 3, "sky": 6, "ground": 9, "lamp": 12, "reach": 15, "softness": 16}
LIGHT_SIZE: Final = 17


@inlined_kernel
def shadow(depth: Floats, from_world: Floats, x: float, y: float, z: float, bias: float, softness: float) -> float:
    """Share of the light that arrives, 0..1: five bilinear samples over a square of 2 `softness` texels."""
    size = depth.shape[0]
    u = (from_world[0, 0] * x + from_world[0, 1] * y + from_world[0, 2] * z + from_world[0, 3]) - f4(0.5)
    v = (from_world[1, 0] * x + from_world[1, 1] * y + from_world[1, 2] * z + from_world[1, 3]) - f4(0.5)
    d = from_world[2, 0] * x + from_world[2, 1] * y + from_world[2, 2] * z + from_world[2, 3] - bias
    edge = softness + f4(2)
    if u < edge or v < edge or u >= size - edge or v >= size - edge:
        return f4(1)
    lit = f4(0)
    for sample in range(5):  # the middle and four corners
        uu, vv = u, v
        if sample < 4:
            uu += softness * (f4(2) * f4(sample & 1) - f4(1))
            vv += softness * (f4(sample & 2) - f4(1))
        i, j = int(uu), int(vv)
        fu, fv = uu - i, vv - j
        top = f4(depth[j, i] > d) * (1 - fu) + f4(depth[j, i + 1] > d) * fu
        bottom = f4(depth[j + 1, i] > d) * (1 - fu) + f4(depth[j + 1, i + 1] > d) * fu
        lit += top * (1 - fv) + bottom * fv
    return lit * f4(0.2)


@inlined_kernel
def lamp_falloff(light: Floats, x: float, y: float, z: float) -> float:
    """How much weaker the lamp is at a point than at the person."""
    if light[15] <= 0:
        return f4(1)
    dx, dy, dz = light[12] - x, light[13] - y, light[14] - z
    return f4(1.6) / (f4(0.6) + (dx * dx + dy * dy + dz * dz) / (light[15] * light[15]))


@inlined_kernel
def contact_shadow(spheres: Floats, x: float, y: float, z: float, nx: float, ny: float, nz: float) -> float:
    """Share (0..1) of ambient light left beside the body, which is approximated by (K, 4) spheres: centre, radius."""
    hidden = f4(0)
    for i in range(spheres.shape[0]):
        dx, dy, dz = spheres[i, 0] - x, spheres[i, 1] - y, spheres[i, 2] - z
        along = dx * nx + dy * ny + dz * nz
        square = dx * dx + dy * dy + dz * dz + f4(1e-4)
        radius_square = spheres[i, 3] * spheres[i, 3]
        if along > 0 and square < radius_square * f4(150):  # what is further away hides less than 1 %
            hidden += along / math.sqrt(square) * min(radius_square / square, f4(1))
    return f4(1) / (f4(1) + f4(1.3) * hidden)
