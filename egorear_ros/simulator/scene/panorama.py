"""Procedural panoramas: sky, clouds, sun glow, and a horizon of hills, trees or houses."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT: Final = 256
WIDTH: Final = 512


def sky_panorama(rng: np.random.Generator, to_sun: NDArray[np.floating]) -> NDArray[np.float32]:
    """(256, 512, 3) linear light from all directions, zenith in row 0; column 0 looks along +x."""
    elevation = (0.5 - (np.arange(HEIGHT) + 0.5) / HEIGHT) * np.pi
    azimuth = (np.arange(WIDTH) + 0.5) / WIDTH * 2 * np.pi
    overcast = rng.random()
    zenith = np.array([0.25, 0.42, 0.85]) * (1 - overcast) + 0.7 * overcast
    horizon = np.array([0.75, 0.83, 0.95]) * (1 - overcast) + 0.85 * overcast
    height = np.clip(np.sin(np.maximum(elevation, 0)), 0, 1)[:, None, None] ** 0.5
    image = np.broadcast_to(horizon * (1 - height) + zenith * height, (HEIGHT, WIDTH, 3)).astype(np.float32)
    cover = cloud_cover(rng) * rng.uniform(0.2, 1.0)
    image = image * (1 - cover) + cover * np.float32(0.95)
    image *= 0.8 + 1.6 * sun_glow(elevation, azimuth, to_sun)[..., None] * (1 - 0.8 * overcast)
    image = np.ascontiguousarray(image, np.float32)
    skyline(rng, image)
    return image


def cloud_cover(rng: np.random.Generator) -> NDArray[np.float32]:
    """(256, 512, 1) how much of the sky is hidden by clouds."""
    total = np.zeros((HEIGHT, WIDTH), np.float32)
    for octave in range(5):
        cells = 4 * 2**octave
        grid = rng.random((cells, 2 * cells)).astype(np.float32)
        grid = np.concatenate([grid, grid[:, :2]], axis=1)
        big = cv2.resize(grid, (WIDTH + 2 * WIDTH // (2 * cells), HEIGHT), interpolation=cv2.INTER_CUBIC)
        total += 0.5**octave * big[:, :WIDTH]
    return np.asarray(np.clip((total - 1.0) * 2.5, 0, 1)[..., None], np.float32)


def sun_glow(
    elevation: NDArray[np.floating], azimuth: NDArray[np.floating], to_sun: NDArray[np.floating]
) -> NDArray[np.float32]:
    """(256, 512) brightness of the sky around the sun, 0..1."""
    flat = np.cos(elevation)[:, None]
    toward = flat * np.cos(azimuth) * to_sun[0] + flat * np.sin(azimuth) * to_sun[1]
    toward = toward + np.sin(elevation)[:, None] * to_sun[2]
    return np.clip(toward, 0, 1).astype(np.float32) ** 24


def skyline(rng: np.random.Generator, image: NDArray[np.float32]) -> None:
    """Paint hills, then trees or houses, from the horizon up, and ground below it."""
    middle = HEIGHT // 2
    image[middle:] = np.array([0.22, 0.21, 0.17]) * rng.uniform(0.6, 1.4)
    green = np.array([0.09, 0.15, 0.06]) * rng.uniform(0.6, 1.6)
    hills = smooth_circle(rng, 6) * 14 + 5
    for column in range(WIDTH):
        image[middle - int(hills[column]) : middle, column] = green * 1.3 + 0.12
    if rng.random() < 0.6:
        houses(rng, image, middle)
    if rng.random() < 0.75:
        trees(rng, image, middle, green)


def smooth_circle(rng: np.random.Generator, waves: int) -> NDArray[np.float64]:
    """(512,) smooth periodic curve in 0..1."""
    angle = np.arange(WIDTH) / WIDTH * 2 * np.pi
    curve = sum(rng.normal() / k * np.sin(k * angle + rng.uniform(0, 6.3)) for k in range(1, waves + 1))
    return np.asarray((curve - np.min(curve)) / np.ptp(np.asarray(curve)))


def houses(rng: np.random.Generator, image: NDArray[np.float32], middle: int) -> None:
    """A row of buildings with windows."""
    for _ in range(int(rng.integers(6, 22))):
        x, width, height = int(rng.integers(0, WIDTH)), int(rng.integers(10, 34)), int(rng.integers(10, 48))
        color = rng.uniform(0.2, 0.6) * (1 + rng.uniform(-0.15, 0.15, 3))
        columns = np.arange(x, x + width) % WIDTH
        image[middle - height : middle, columns] = color
        for row in range(middle - height + 2, middle - 2, 5):
            image[row : row + 2, columns[2:-2:4]] = color * 0.35


def trees(rng: np.random.Generator, image: NDArray[np.float32], middle: int, green: NDArray[np.floating]) -> None:
    """Crowns made of many leaves of light and dark."""
    for _ in range(int(rng.integers(10, 40))):
        x, size = int(rng.integers(0, WIDTH)), rng.uniform(5, 20)
        for _ in range(60):
            dx, dy = rng.normal(0, 0.4, 2) * size
            color = green * rng.uniform(0.5, 2.2)
            center = (int(x + dx) % WIDTH, int(middle - size + dy * 0.8))
            cv2.circle(image, center, int(max(size / 6, 1)), color.tolist(), -1)
