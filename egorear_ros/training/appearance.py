"""Changes of how images look that leave the pose as it is, so that a network does not learn one renderer's looks.

After Xu et al., "Robust and Generalizable Visual Representation Learning via Random Convolutions" (ICLR 2021), and Zhou
et al., "Domain Generalization with MixStyle" (ICLR 2021), applied to the pixels. Every change is drawn for every image
by itself: four real cameras differ in exposure, colour and sharpness, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Change = Callable[[np.random.Generator, Image], Image]

COLOUR_STD: Final = 0.22
GREY_SHARE: Final = 0.1
CURVE_MOST: Final = 0.8
LIGHT_STD: Final = 0.45
LIGHT_CELLS: Final = 4
"""The light's factor is drawn on so many cells per side and is smooth between them."""

KERNEL_PX: Final = 5
NOISE_MOST: Final = 0.06
NOISE: Final = np.random.default_rng(5).standard_normal(1 << 20).astype(np.float32)


def vary_appearance(rng: np.random.Generator, images: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """Change the looks of images.

    Args:
        rng: source of all draws.
        images: (N, S, S, 3) uint8; not changed.
        share: of the images that are changed; each change has a share of its own among these.

    Returns:
        (N, S, S, 3) uint8.
    """
    result = images.copy()
    for index, own in enumerate(rng.spawn(len(images))):
        if own.random() >= share:
            continue
        image = images[index].astype(np.float32) / 255
        if own.random() < STYLE_SHARE:
            image = with_style_of(own, image, images[own.integers(len(images))])
        for change, change_share in CHANGES:
            image = change(own, image) if own.random() < change_share else image
        result[index] = np.clip(image * 255 + 0.5, 0, 255)
    return result


def with_style_of(rng: np.random.Generator, image: Image, other: NDArray[np.uint8]) -> Image:
    """Mean and contrast, per colour, part of the way to those of another image (uint8)."""
    (mean, std), (other_mean, other_std) = cv2.meanStdDev(image), cv2.meanStdDev(other)
    way, std = rng.random(), np.maximum(std, 0.02)
    factor = (std + way * (other_std / 255 - std)) / std
    offset = mean + way * (other_mean / 255 - mean) - factor * mean
    return _image(image * factor.ravel() + offset.ravel())


def with_mixed_colours(rng: np.random.Generator, image: Image) -> Image:
    """Colours mixed with each other; sometimes all become grey. White stays white."""
    mixed = rng.normal(0, COLOUR_STD, (3, 3))
    matrix = np.eye(3) + mixed - mixed.mean(axis=1, keepdims=True)
    if rng.random() < GREY_SHARE:
        matrix = np.full((3, 3), 1 / 3)
    return _image(cv2.transform(image, matrix))


def with_tone_curve(rng: np.random.Generator, image: Image) -> Image:
    """Middle tones brighter or darker; black and white stay."""
    return _image(image + rng.uniform(-CURVE_MOST, CURVE_MOST) * image * (1 - image))


def with_uneven_light(rng: np.random.Generator, image: Image) -> Image:
    """Some parts lit more than others."""
    cells = np.exp(rng.normal(0, LIGHT_STD, (LIGHT_CELLS, LIGHT_CELLS))).astype(np.float32)
    return _image(image * cv2.resize(cells, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)[..., None])


def with_random_kernel(rng: np.random.Generator, image: Image) -> Image:
    """Filtered with a random kernel, and mixed with the image: blurred, sharpened, other textures."""
    kernel = rng.normal(0, 1, (KERNEL_PX, KERNEL_PX))
    away = (np.arange(KERNEL_PX) - KERNEL_PX // 2) ** 2
    kernel *= np.exp(-(away[:, None] + away) / (2 * rng.uniform(0.3, 1.5) ** 2))
    kernel = np.abs(kernel) if rng.random() < 0.5 else kernel
    kernel /= np.abs(kernel).sum()
    filtered = cv2.filter2D(image, -1, kernel) + image.mean() * np.float32(1 - kernel.sum())
    return _image(cv2.addWeighted(image, 1 - (way := rng.uniform(0.2, 1.0)), filtered, way, 0))


def with_noise(rng: np.random.Generator, image: Image) -> Image:
    """Noise of every pixel's own."""
    start = int(rng.integers(len(NOISE)))
    noise = np.take(NOISE, np.arange(start, start + image.size), mode="wrap").reshape(image.shape)
    return _image(image + noise * np.float32(rng.uniform(0, NOISE_MOST)))


STYLE_SHARE: Final = 0.25
CHANGES: Final[tuple[tuple[Change, float], ...]] = (
    (with_mixed_colours, 0.5),
    (with_tone_curve, 0.5),
    (with_uneven_light, 0.5),
    (with_random_kernel, 0.35),
    (with_noise, 0.5),
)
"""In this order, each with the share of the images that it changes."""


def _image(values: Any) -> Image:
    return np.asarray(values, np.float32)
