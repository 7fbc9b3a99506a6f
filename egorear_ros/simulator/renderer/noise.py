"""Value noise and the cloth patterns made of it. Everything is a function of a position, so it needs no unwrapping."""

from __future__ import annotations

from typing import Final

import numpy as np

from egorear_ros.simulator.renderer.compile import Floats, f4, inlined_kernel

PATTERNS: Final[tuple[str, ...]] = (
    *("plain", "stripes", "pinstripes", "checks", "plaid", "blotches", "dots", "mottled", "denim"),
)
"""Pattern names; the kernels know them by their index."""


def noise_table(size: int = 32) -> Floats:
    """Random values at the corners of a cube with `size` cells per side that repeats in all directions."""
    return np.random.default_rng(5).random((size, size, size), dtype=np.float32)


@inlined_kernel
def noise(table: Floats, x: float, y: float, z: float) -> float:
    """Smoothly interpolated value in 0..1; features have the size of one unit of the coordinates."""
    xf, yf, zf = np.floor(x), np.floor(y), np.floor(z)  # not math.floor: it gives an integer, and that a double
    fx, fy, fz = x - xf, y - yf, z - zf
    a, b, c = int(xf) & 31, int(yf) & 31, int(zf) & 31
    a1, b1, c1 = (a + 1) & 31, (b + 1) & 31, (c + 1) & 31
    fx, fy, fz = fx * fx * (f4(3) - f4(2) * fx), fy * fy * (f4(3) - f4(2) * fy), fz * fz * (f4(3) - f4(2) * fz)
    x00 = table[a, b, c] + (table[a1, b, c] - table[a, b, c]) * fx
    x10 = table[a, b1, c] + (table[a1, b1, c] - table[a, b1, c]) * fx
    x01 = table[a, b, c1] + (table[a1, b, c1] - table[a, b, c1]) * fx
    x11 = table[a, b1, c1] + (table[a1, b1, c1] - table[a, b1, c1]) * fx
    y0, y1 = x00 + (x10 - x00) * fy, x01 + (x11 - x01) * fy
    return y0 + (y1 - y0) * fz


@inlined_kernel
def fraction(x: float) -> float:
    """Part behind the point, in 0..1."""
    return x - np.floor(x)


@inlined_kernel
def pattern(table: Floats, kind: int, x: float, y: float, z: float, scale: float) -> tuple[float, float]:
    """Cloth pattern at a position: weight of the second colour (0..1) and brightness factor."""
    if kind == 0:
        return f4(0), f4(0.94) + f4(0.12) * noise(table, x * f4(60), y * f4(60), z * f4(60))
    if kind == 1:
        return f4(1) if fraction(z * scale) > 0.5 else f4(0), f4(1)
    if kind == 2:
        return f4(0.8) if fraction(x * scale * f4(1.6)) > 0.86 else f4(0), f4(1)
    if kind == 3:
        cells = np.floor(x * scale * f4(1.5)) + np.floor(y * scale * f4(1.5)) + np.floor(z * scale * f4(1.5))
        return f4(int(cells) & 1), f4(1)
    if kind == 4:
        lines = f4(0.5) * f4(fraction(x * scale) > 0.7) + f4(0.5) * f4(fraction(z * scale) > 0.7)
        return lines, f4(1) - f4(0.2) * f4(fraction(z * scale * f4(2) + f4(0.3)) > 0.9)
    if kind == 5:
        level = (noise(table, x * scale * f4(1.2), y * scale * f4(1.2), z * scale * f4(1.2)) - f4(0.45)) * f4(10)
        return min(max(level, f4(0)), f4(1)), f4(1)
    if kind == 6:
        a, b, c = fraction(x * scale) - f4(0.5), fraction(y * scale) - f4(0.5), fraction(z * scale) - f4(0.5)
        return f4(1) if a * a + b * b + c * c < 0.06 else f4(0), f4(1)
    if kind == 7:
        return f4(0), f4(0.75) + f4(0.5) * noise(table, x * scale * f4(3), y * scale * f4(3), z * scale * f4(3))
    worn = noise(table, x * f4(9), y * f4(9), z * f4(4))
    thread = f4(0.9) + f4(0.2) * fraction((x + z) * f4(160))
    return max(worn - f4(0.55), f4(0)) * f4(1.2), thread
