"""Painters of pictures: prints, signs, writing, and images with the statistics of photographs."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator.looks.painting import N, grain, palette, places
from egorear_ros.simulator.scene.textures import Image, rug


def flowers(rng: np.random.Generator) -> Image:
    """Flowers on a ground."""
    colors = palette(rng, 5)
    image = np.broadcast_to(colors[0], (N, N, 3)).copy()
    for _ in range(46):
        x, y = (int(v) for v in rng.integers(0, N, 2))
        size, turn = int(rng.integers(5, 17)), rng.uniform(0, 6.28)
        color, core = colors[1 + rng.integers(4)].tolist(), colors[1 + rng.integers(4)].tolist()
        for at in places(x, y, 40):
            for a in turn + 1.2566 * np.arange(5):
                petal = (int(at[0] + size * 0.7 * np.cos(a)), int(at[1] + size * 0.7 * np.sin(a)))
                cv2.circle(image, petal, max(size // 2, 2), color, -1, cv2.LINE_AA)
            cv2.circle(image, at, max(size // 3, 1), core, -1, cv2.LINE_AA)
    return image


def leaves(rng: np.random.Generator, smallest: float = 3.0) -> Image:
    """Overlapping shapes of all sizes, each shaded: the statistics of edges and sizes that photographs have."""
    image = np.full((N, N, 3), 0.5, np.float32)
    tone = rng.uniform(0.1, 0.9, 3)
    for _ in range(700):
        size = int(min(smallest * (1 - rng.random()) ** -0.75, 70))
        x, y = (int(v) for v in rng.integers(0, N, 2))
        color = np.clip(0.6 * rng.random() + 0.4 * tone + rng.normal(0, 0.13, 3), 0, 1)
        square, turn, flat = bool(rng.random() < 0.33), float(rng.uniform(0, 180)), float(rng.uniform(0.3, 1.0))
        for step in range(1 if size < 8 else 3):
            radius, shade = size * (1 - 0.28 * step), np.clip(color * (0.8 + 0.2 * step), 0, 1)
            for at in places(x, y, 2 * size):
                leaf(image, at, (radius, radius * flat), turn, shade, square)
    return grain(rng, image, 0.3)


def leaf(
    image: Image,
    at: tuple[int, int],
    radii: tuple[float, float],
    turn_deg: float,
    color: NDArray[np.floating],
    square: bool,
) -> None:
    """Draw a turned rectangle or ellipse."""
    if square:
        corners = cv2.boxPoints((at, (2 * radii[0], 2 * radii[1]), turn_deg))
        cv2.fillConvexPoly(image, corners.astype(np.int32), color.tolist(), cv2.LINE_AA)
        return
    axes = (max(int(radii[0]), 1), max(int(radii[1]), 1))
    cv2.ellipse(image, at, axes, turn_deg, 0, 360, color.tolist(), -1, cv2.LINE_AA)


def letters(rng: np.random.Generator) -> Image:
    """Large writing over a ground, as on shirts and packages."""
    colors = (palette(rng, 3) * 255).astype(np.uint8)
    image = np.broadcast_to(colors[0], (N, N, 3)).copy()
    alphabet = list("ABCDEFGHIKLMNOPRSTUVWXYZ0123456789")
    y = 50
    while y < N:
        scale = float(rng.uniform(1.2, 3.2))
        word = "".join(rng.choice(alphabet, int(rng.integers(2, 6))).tolist())
        color, width = colors[1 + rng.integers(2)].tolist(), int(rng.integers(3, 10))
        font = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX]))
        cv2.putText(image, word, (int(rng.integers(-10, 40)), y), font, scale, color, width, cv2.LINE_AA)
        y += int(28 * scale) + 12
    return np.asarray(image, np.float32) / np.float32(255)


def badge(rng: np.random.Generator) -> Image:
    """A sign: rings, a star and a word."""
    colors = palette(rng, 4)
    image = np.broadcast_to(colors[0], (N, N, 3)).copy()
    for ring, radius in enumerate((118, 100, 84)):
        cv2.circle(image, (128, 128), radius, colors[1 + ring].tolist(), -1, cv2.LINE_AA)
    angle = np.arange(10) * np.pi / 5
    reach = np.where(np.arange(10) % 2 == 0, 76, 32)
    star = np.stack([128 + reach * np.sin(angle), 128 - reach * np.cos(angle)], 1).astype(np.int32)
    cv2.fillPoly(image, [star], colors[0].tolist(), cv2.LINE_AA)
    return image


def recolored_rug(rng: np.random.Generator) -> Image:
    """A rug in other colours."""
    return np.asarray(np.clip(rug(rng) @ (np.eye(3) * 0.4 + rng.random((3, 3)) * 0.6), 0, 1), np.float32)


def text(rng: np.random.Generator) -> Image:
    """A page, a screen or a board full of small writing."""
    paper, ink = palette(rng, 2, 1.5)
    image = np.broadcast_to(paper, (N, N, 3)).copy()
    for y in range(14, N, 9):
        x = 8
        while x < N - 12:
            length = int(rng.integers(3, 22))
            cv2.line(image, (x, y), (min(x + length, N - 6), y), ink.tolist(), 3)
            x += length + 5
    return image
