"""Tileable textures, painted by code: floors, walls, fabrics, pictures. Nothing is downloaded or shipped."""

from __future__ import annotations

from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator.renderer.textures import TEXTURE_LEVELS, TEXTURE_SIZE

Image = NDArray[np.float32]

FLOORS: Final[tuple[str, ...]] = ("planks", "parquet", "tiles", "carpet", "concrete", "marble", "mat")
GROUNDS: Final[tuple[str, ...]] = ("grass", "gravel", "asphalt", "paving", "sand", "concrete")
WALLS: Final[tuple[str, ...]] = ("brick", "plaster", "panels", "tiles", "concrete")
PICTURES: Final[tuple[str, ...]] = ("rug", "print", "poster", "paper")
TEXTURES: Final[tuple[str, ...]] = tuple(dict.fromkeys(FLOORS + GROUNDS + WALLS + PICTURES + ("wood", "fabric")))
"""Names of all textures; the renderer knows them by their index."""


@cache
def texture_pyramid() -> NDArray[np.float32]:
    """(K, N, 3) linear light: every texture at 256, 128, 64 .. texels, one level after the other."""
    rng = np.random.default_rng(11)
    return pyramid(np.stack([np.clip(PAINTERS[name](rng), 0, 1) for name in TEXTURES]))


def pyramid(images: NDArray[np.floating]) -> NDArray[np.float32]:
    """(K, N, 3) linear light of (K, 256, 256, 3) sRGB images in 0..1: all levels, one after the other."""
    levels = [images.astype(np.float32) ** 2.2]
    for _ in range(1, TEXTURE_LEVELS):
        count, size = levels[-1].shape[:2]
        levels.append(levels[-1].reshape(count, size // 2, 2, size // 2, 2, 3).mean(axis=(2, 4)))
    flat = [level.reshape(len(level), -1, 3) for level in levels]
    return np.ascontiguousarray(np.concatenate(flat, axis=1), np.float32)


def clouds(rng: np.random.Generator, cells: int, octaves: int = 4, stretch: int = 1) -> Image:
    """(256, 256) tileable fractal noise in 0..1; `stretch` makes features longer along x."""
    total = np.zeros((TEXTURE_SIZE, TEXTURE_SIZE), np.float32)
    for octave in range(octaves):
        rows = cells * 2**octave
        columns = max(rows // stretch, 1)
        grid = np.pad(rng.standard_normal((rows, columns)).astype(np.float32), 2, "wrap")
        scale_y, scale_x = TEXTURE_SIZE // rows, TEXTURE_SIZE // columns
        if scale_y == 0:
            break
        big = cv2.resize(grid, ((columns + 4) * scale_x, (rows + 4) * scale_y), interpolation=cv2.INTER_CUBIC)
        total += 0.5**octave * big[2 * scale_y : 2 * scale_y + TEXTURE_SIZE, 2 * scale_x : 2 * scale_x + TEXTURE_SIZE]
    return (total - total.min()) / (np.ptp(total) + 1e-9)


def tinted(gray: Image, color: tuple[float, float, float]) -> Image:
    """(256, 256, 3) grey image times a colour."""
    return gray[..., None] * np.array(color, np.float32)


def boards(rng: np.random.Generator, rows: int, joints: int, color: tuple[float, float, float]) -> Image:
    """Rows of wooden boards with grain and joints."""
    gray = 0.62 + 0.3 * (clouds(rng, 16, 4, stretch=8) - 0.5)
    height = TEXTURE_SIZE // rows
    for row in range(rows):
        band = slice(row * height, (row + 1) * height)
        ends = np.sort(rng.integers(0, TEXTURE_SIZE, joints))
        for start, stop in zip(ends, np.roll(ends, -1), strict=True):
            columns = np.arange(start, stop if stop > start else stop + TEXTURE_SIZE) % TEXTURE_SIZE
            gray[band, columns] += rng.uniform(-0.09, 0.09)
            gray[band, start] *= 0.55
        gray[row * height] *= 0.5
    return tinted(gray, color)


def blocks(
    rng: np.random.Generator, rows: int, columns: int, shift: float, joint: float, color: tuple[float, float, float]
) -> Image:
    """Bricks or tiles: a grid of slightly different blocks with joints, every other row shifted."""
    gray = 0.7 + 0.18 * (clouds(rng, 16) - 0.5)
    height, width = TEXTURE_SIZE // rows, TEXTURE_SIZE // columns
    for row in range(rows):
        offset = int(width * shift) * (row % 2)
        for column in range(columns):
            x = (np.arange(column * width, (column + 1) * width) + offset) % TEXTURE_SIZE
            gray[row * height : (row + 1) * height, x] += rng.uniform(-0.07, 0.07)
            gray[row * height : (row + 1) * height, x[:2]] = joint
        gray[row * height : row * height + 2] = joint
    return tinted(gray, color)


def speckled(rng: np.random.Generator, cells: int, grain: float, color: tuple[float, float, float]) -> Image:
    """Clouds with fine grain: concrete, carpet, asphalt, sand."""
    gray = 0.62 + 0.3 * (clouds(rng, cells) - 0.5) + grain * (rng.random((TEXTURE_SIZE, TEXTURE_SIZE)) - 0.5)
    return tinted(gray.astype(np.float32), color)


def blades(rng: np.random.Generator) -> Image:
    """Grass: short strokes of many greens."""
    image = tinted(0.35 + 0.3 * clouds(rng, 8), (0.45, 0.6, 0.25))
    for _ in range(2600):
        x, y = rng.integers(0, TEXTURE_SIZE, 2)
        dx, dy = rng.normal(0, 5, 2)
        green = (np.array([0.42, 0.58, 0.22]) * rng.uniform(0.5, 1.35) + rng.normal(0, 0.03, 3)).tolist()
        for shift_x in (0, TEXTURE_SIZE, -TEXTURE_SIZE):
            for shift_y in (0, TEXTURE_SIZE, -TEXTURE_SIZE):
                start = (int(x + shift_x), int(y + shift_y))
                cv2.line(image, start, (int(start[0] + dx), int(start[1] + dy)), green, 1, cv2.LINE_AA)
    return image


def pebbles(rng: np.random.Generator) -> Image:
    """Gravel: stones as cells around random points."""
    points = rng.random((700, 2)) * TEXTURE_SIZE
    nearest = np.full((TEXTURE_SIZE, TEXTURE_SIZE), 1e9, np.float32)
    second, owner = nearest.copy(), np.zeros(nearest.shape, int)
    grid = np.stack(np.meshgrid(np.arange(TEXTURE_SIZE), np.arange(TEXTURE_SIZE)), -1)
    for index, point in enumerate(points):
        offset = np.abs(grid - point)
        distance = np.hypot(*np.moveaxis(np.minimum(offset, TEXTURE_SIZE - offset), -1, 0)).astype(np.float32)
        closer = distance < nearest
        second = np.where(closer, nearest, np.minimum(second, distance))
        nearest, owner = np.where(closer, distance, nearest), np.where(closer, index, owner)
    shade = (0.35 + 0.45 * rng.random(len(points)))[owner] * np.clip((second - nearest) / 3, 0.35, 1)
    return tinted(shade.astype(np.float32), (1.0, 0.96, 0.9))


def veins(rng: np.random.Generator) -> Image:
    """Marble: light stone with dark, bent veins."""
    bent = np.abs(clouds(rng, 2, 5) - 0.5)
    return tinted(0.9 - 0.45 * np.exp(-bent / 0.03) * clouds(rng, 4), (1.0, 0.99, 0.96))


def rug(rng: np.random.Generator) -> Image:
    """A rug: nested, mirrored ornaments."""
    field = cv2.resize(rng.random((9, 9)).astype(np.float32), (128, 128), interpolation=cv2.INTER_CUBIC)
    edge = np.minimum(*np.meshgrid(np.arange(128), np.arange(128)))
    palette = np.array([[0.45, 0.12, 0.1], [0.75, 0.66, 0.5], [0.16, 0.18, 0.3], [0.55, 0.4, 0.25]], np.float32)
    image = palette[np.where(edge < 12, 2, np.where(edge < 18, 1, (field * 9).astype(int) % 4))]
    half = np.concatenate([image, image[::-1]])
    return np.concatenate([half, half[:, ::-1]], axis=1) * (0.85 + 0.15 * clouds(rng, 32)[..., None])


def printed(rng: np.random.Generator) -> Image:
    """A picture: blurred colour fields and shapes."""
    hues = rng.random((5, 5, 1)) * np.array([0.35, 0.3, 0.25]) + rng.random(3) * 0.5
    image = cv2.resize(hues.astype(np.float32), (256, 256), interpolation=cv2.INTER_CUBIC)
    for _ in range(14):
        x, y, r = (int(v) for v in rng.integers(20, 236, 3) * np.array([1, 1, 0.25]))
        shade = (rng.random(3) * 0.3 + rng.random() * 0.6).tolist()
        cv2.circle(image, (x, y), r, shade, -1 if rng.random() < 0.6 else 3, cv2.LINE_AA)
    return image


def poster(rng: np.random.Generator) -> Image:
    """A poster: a framed picture with lines of text under it."""
    image = np.full((TEXTURE_SIZE, TEXTURE_SIZE, 3), 0.93, np.float32)
    image[16:150, 16:240] = cv2.resize(printed(rng), (224, 134))
    for line in range(6):
        cv2.line(image, (20, 168 + 14 * line), (int(rng.integers(90, 236)), 168 + 14 * line), [0.15] * 3, 4)
    return image


def paper(rng: np.random.Generator) -> Image:
    """A sheet of paper with writing."""
    image = np.full((TEXTURE_SIZE, TEXTURE_SIZE, 3), 0.95, np.float32)
    for line in range(20, 240, 12):
        x = 18
        while x < 225:
            length = int(rng.integers(6, 30))
            cv2.line(image, (x, line), (min(x + length, 235), line), [0.25] * 3, 3)
            x += length + 7
    return image


def woven(rng: np.random.Generator) -> Image:
    """Upholstery: warp and weft."""
    weave = 0.5 + 0.5 * np.sin(np.arange(TEXTURE_SIZE) * 2 * np.pi / 8)
    gray = 0.55 + 0.25 * (weave[:, None] * weave[None]) + 0.2 * (clouds(rng, 8) - 0.5)
    return tinted(gray.astype(np.float32), (1, 1, 1))


def mat(rng: np.random.Generator) -> Image:
    """Foam puzzle mats in two colours."""
    first, second = rng.random((2, 3)).astype(np.float32) * 0.6 + 0.3
    image = np.empty((TEXTURE_SIZE, TEXTURE_SIZE, 3), np.float32)
    image[:128, :128] = image[128:, 128:] = first
    image[128:, :128] = image[:128, 128:] = second
    image[[0, 1, 128, 129]] *= 0.6
    image[:, [0, 1, 128, 129]] *= 0.6
    return image * (0.92 + 0.12 * clouds(rng, 32)[..., None])


PAINTERS: Final = {
    "planks": lambda rng: boards(rng, 8, 3, (0.95, 0.72, 0.48)),
    "parquet": lambda rng: boards(rng, 16, 5, (0.85, 0.58, 0.38)),
    "tiles": lambda rng: blocks(rng, 4, 4, 0.0, 0.42, (1.1, 1.08, 1.03)),
    "carpet": lambda rng: speckled(rng, 8, 0.4, (0.95, 0.92, 0.95)),
    "concrete": lambda rng: speckled(rng, 4, 0.06, (1.05, 1.04, 1.0)),
    "marble": veins,
    "mat": mat,
    "grass": blades,
    "gravel": pebbles,
    "asphalt": lambda rng: speckled(rng, 4, 0.3, (0.5, 0.5, 0.52)),
    "paving": lambda rng: blocks(rng, 4, 4, 0.5, 0.3, (0.95, 0.92, 0.88)),
    "sand": lambda rng: speckled(rng, 8, 0.16, (1.25, 1.1, 0.85)),
    "brick": lambda rng: blocks(rng, 8, 4, 0.5, 0.75, (0.95, 0.55, 0.42)),
    "plaster": lambda rng: speckled(rng, 16, 0.05, (1.35, 1.33, 1.28)),
    "panels": lambda rng: boards(rng, 4, 1, (1.2, 1.05, 0.85)),
    "rug": rug,
    "print": printed,
    "poster": poster,
    "paper": paper,
    "wood": lambda rng: boards(rng, 2, 1, (0.85, 0.6, 0.4)),
    "fabric": woven,
}
