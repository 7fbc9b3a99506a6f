"""Painters of patterns that repeat: cloths and floors."""

from __future__ import annotations

import cv2
import numpy as np

from egorear_ros.simulator.looks.painting import N, grain, grid, palette, places
from egorear_ros.simulator.scene.textures import Image, clouds


def striped(rng: np.random.Generator, bands: int, along: Image) -> Image:
    """Bands of unequal width."""
    edges = np.sort(rng.random(bands))
    return grain(rng, palette(rng, 4)[np.searchsorted(edges, along) % 4])


def crossed(rng: np.random.Generator, lines: int) -> Image:
    """Tartan: bands woven across bands."""
    x, y = grid()
    edges, colors = np.sort(rng.random(lines)), palette(rng, 5)
    across, down = (colors[np.searchsorted(edges, place) % 5] for place in (x, y))
    twill = ((np.arange(N)[:, None] + np.arange(N)) // 2 % 2)[..., None]
    return np.asarray(across * 0.35 + down * 0.35 + 0.3 * np.where(twill == 1, across, down), np.float32)


def gingham(rng: np.random.Generator) -> Image:
    """Checks of two colours and their mixture."""
    x, y = grid()
    share = ((x * 8 % 1 > 0.5).astype(np.float32) + (y * 8 % 1 > 0.5))[..., None] / 2
    first, second = palette(rng, 2)
    return first * share + second * (1 - share)


def camouflage(rng: np.random.Generator) -> Image:
    """Blotches of four colours."""
    colors, image = palette(rng, 4, 0.7), np.empty((N, N, 3), np.float32)
    image[:] = colors[0]
    for color in colors[1:]:
        image[clouds(rng, 8, 3) > 0.56] = color
    return image


def knit(rng: np.random.Generator) -> Image:
    """Stitches, in rows of two colours."""
    x, y = grid()
    stitch = np.abs(np.sin((x * 24 + np.abs((y * 24) % 1 - 0.5)) * np.pi)) * 0.35 + 0.65
    rows = palette(rng, 3)[(y * 8).astype(int) * 5 % 7 % 3]
    return np.asarray(rows * stitch[..., None], np.float32)


def herringbone(rng: np.random.Generator) -> Image:
    """Zigzag weave."""
    x, y = grid()
    line = ((y * 32 + np.abs((x * 8) % 1 - 0.5) * 8) % 1 > 0.5)[..., None]
    first, second = palette(rng, 2)
    return np.where(line, first, second).astype(np.float32)


def rhombs(rng: np.random.Generator) -> Image:
    """Rhombs of three colours with thin lines."""
    x, y = grid()
    a, b = x * 4 + y * 4, x * 4 - y * 4
    image = palette(rng, 3)[(np.floor(a) + 2 * np.floor(b)).astype(int) % 3]
    image[(np.abs((a + 0.5) % 1 - 0.5) < 0.03) | (np.abs((b + 0.5) % 1 - 0.5) < 0.03)] = palette(rng, 1)[0]
    return grain(rng, image)


def batik(rng: np.random.Generator) -> Image:
    """Dyed cloth: bent rings of colour."""
    colors = palette(rng, 6)
    level = (clouds(rng, 2, 4) * 18) % 6
    low = level.astype(int) % 6
    share = (level - np.floor(level))[..., None]
    return np.asarray(colors[low] * (1 - share) + colors[(low + 1) % 6] * share, np.float32)


def checkerboard(rng: np.random.Generator) -> Image:
    """Floor tiles of two very different colours."""
    x, y = grid()
    first, second = palette(rng, 2, 1.3)
    image = np.where((((x * 4).astype(int) + (y * 4).astype(int)) % 2 == 0)[..., None], first, second)
    return grain(rng, image, 0.25)


def hexagons(rng: np.random.Generator) -> Image:
    """Six-sided tiles in three colours."""
    x, y = grid()
    centers = [((i + 0.5 * (j % 2)) / 6, j / 6) for i in range(6) for j in range(6)]
    offsets = [
        np.hypot(np.abs((x - cx + 0.5) % 1 - 0.5), np.abs((y - cy + 0.5) % 1 - 0.5) * 0.87) for cx, cy in centers
    ]
    distance = np.stack(offsets)
    order = np.partition(distance, 1, axis=0)
    image = palette(rng, 3)[rng.integers(0, 3, 36)[distance.argmin(axis=0)]]
    image[order[1] - order[0] < 0.008] = 0.25
    return grain(rng, image)


def terrazzo(rng: np.random.Generator) -> Image:
    """Chips of stone in a ground."""
    colors = palette(rng, 5)
    image = np.broadcast_to(colors[0] * 0.5 + 0.4, (N, N, 3)).astype(np.float32).copy()
    for _ in range(420):
        at = (int(rng.integers(N)), int(rng.integers(N)))
        axes = (int(rng.integers(1, 8)), int(rng.integers(1, 6)))
        shade = colors[rng.integers(5)].tolist()
        cv2.ellipse(image, at, axes, float(rng.uniform(0, 180)), 0, 360, shade, -1, cv2.LINE_AA)
    return image


def stains(rng: np.random.Generator) -> Image:
    """A worn floor: spots, scratches, patches."""
    image = np.broadcast_to(0.35 + 0.5 * clouds(rng, 4, 5)[..., None], (N, N, 3)).astype(np.float32).copy()
    for _ in range(60):
        x, y = (int(v) for v in rng.integers(0, N, 2))
        shade, r = [float(rng.random())] * 3, int(rng.integers(1, 14))
        for at in places(x, y, 16):
            cv2.circle(image, at, r, shade, -1, cv2.LINE_AA)
        end = (int(x + rng.normal(0, 40)), int(y + rng.normal(0, 40)))
        cv2.line(image, (x, y), end, [float(rng.uniform(0.2, 0.9))] * 3, 1, cv2.LINE_AA)
    return image * (0.9 + 0.2 * rng.random(3)).astype(np.float32)


def court(rng: np.random.Generator) -> Image:
    """Painted lines of a sports hall."""
    colors = palette(rng, 5)
    image = np.broadcast_to(colors[0], (N, N, 3)).copy()
    for color in colors[1:]:
        at = int(rng.integers(N))
        cv2.line(image, (at, 0), (at, N), color.tolist(), int(rng.integers(4, 12)))
        at = int(rng.integers(N))
        cv2.line(image, (0, at), (N, at), color.tolist(), int(rng.integers(4, 12)))
    cv2.circle(image, (128, 128), 90, colors[1].tolist(), 7, cv2.LINE_AA)
    return grain(rng, image)


def mosaic(rng: np.random.Generator) -> Image:
    """Small tiles of many colours."""
    colors = palette(rng, 8)[rng.integers(0, 8, (16, 16))]
    image = np.repeat(np.repeat(colors, 16, axis=0), 16, axis=1)
    image[::16] = image[:, ::16] = 0.3
    return grain(rng, image)


def slats(rng: np.random.Generator) -> Image:
    """Boards with dark gaps: a terrace, a pallet, a drain."""
    _, y = grid()
    shade = palette(rng, 8, 0.5)[(y * 8).astype(int)]
    return np.where(((y * 8) % 1 < 0.16)[..., None], np.float32(0.04), shade) * (0.7 + 0.5 * clouds(rng, 16)[..., None])
