"""From light to the bytes of an image: exposure, colour, vignetting, noise, lens circle, JPEG."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from egorear_ros.data.jpeg import encode_jpeg
from egorear_ros.simulator.renderer.compile import Bytes, Floats, f4, kernel


@dataclass(frozen=True)
class CameraEffects:
    """Settings of one sequence's cameras.

    Attributes:
        exposure: factor on the light.
        white_balance: (3,) factors on red, green, blue.
        vignetting: loss of light at the rim of the lens circle, 0..1.
        saturation: 1 natural, 0 grey.
        noise: standard deviation of the sensor's noise in mid grey, share of full scale.
        shutter_s: exposure time, for motion blur; 0 for none.
        jpeg_quality: 1..100.
    """

    exposure: float = 1.0
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    vignetting: float = 0.25
    saturation: float = 0.9
    noise: float = 0.01
    shutter_s: float = 0.0
    jpeg_quality: int = 92


def sample_effects(rng: np.random.Generator, motion_blur: bool = True) -> CameraEffects:
    """Draw the camera settings of a sequence."""
    red, blue = (float(x) for x in 1 + rng.uniform(-0.1, 0.1, 2))
    return CameraEffects(
        exposure=float(rng.uniform(0.75, 1.35)),
        white_balance=(red, 1.0, blue),
        vignetting=float(rng.uniform(0.1, 0.5)),
        saturation=float(rng.uniform(0.65, 1.1)),
        noise=float(rng.uniform(0.004, 0.022)),
        shutter_s=float(1 / rng.choice([60, 125, 250, 500])) if motion_blur else 0.0,
        jpeg_quality=int(rng.integers(80, 97)),
    )


@kernel
def develop(radiance: Floats, settings: Floats, circle_px: float, noise: Floats, roll: int, image: Bytes) -> None:
    """Turn linear light (H, W, 3) into an sRGB-like image (H, W, 3).

    Args:
        radiance: linear light.
        settings: exposure, vignetting, saturation, noise, red, green, blue.
        circle_px: radius of the lens circle.
        noise: (M,) standard normal values, M a power of two, read from `roll` on.
        roll: where to start reading.
        image: result.
    """
    height, width = radiance.shape[0], radiance.shape[1]
    mask = noise.shape[0] - 1
    position = roll
    values = np.empty(3, np.float32)
    per_circle, per_edge = f4(1) / circle_px, f4(1) / max(circle_px * f4(0.008), f4(1))
    for y in range(height):
        for x in range(width):
            dx, dy = f4(x) + f4(0.5) - f4(0.5) * f4(width), f4(y) + f4(0.5) - f4(0.5) * f4(height)
            radius = math.sqrt(dx * dx + dy * dy)
            rim = min(max((circle_px - radius) * per_edge, f4(0)), f4(1))
            if rim <= 0:
                image[y, x, 0], image[y, x, 1], image[y, x, 2] = 0, 0, 0
                continue
            share = radius * per_circle
            gain = settings[0] * (f4(1) - settings[1] * share * share)
            for c in range(3):
                light = max(radiance[y, x, c] * gain * settings[4 + c], f4(0))
                light = light * (f4(1.25) / (f4(1) + f4(0.45) * light))  # soft shoulder for highlights
                values[c] = math.sqrt(light) * f4(0.86) + f4(0.14) * light  # close to the sRGB curve, and fast
            gray = f4(0.3) * values[0] + f4(0.59) * values[1] + f4(0.11) * values[2]
            shot = f4(0.6) + f4(0.8) * math.sqrt(max(gray, f4(0)))
            common = noise[position & mask] * f4(0.7)
            for c in range(3):
                position += 1
                grain = settings[3] * shot * (common + f4(0.7) * noise[position & mask])
                value = (gray + (values[c] - gray) * settings[2] + grain) * rim
                image[y, x, c] = np.uint8(min(max(value * f4(255) + f4(0.5), f4(0)), f4(255)))
            position += 1


NOISE_VALUES = np.random.default_rng(3).standard_normal(1 << 17).astype(np.float32)


def apply_effects(
    radiance: NDArray[np.float32], effects: CameraEffects, circle_px: list[float], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Develop all views, (V, H, W, 3) linear light to uint8 RGB; each view has noise of its own."""
    settings = np.array(
        [effects.exposure, effects.vignetting, effects.saturation, effects.noise, *effects.white_balance], np.float32
    )
    images = np.empty(radiance.shape, np.uint8)
    for view, circle in enumerate(circle_px):
        start = int(rng.integers(0, len(NOISE_VALUES)))
        develop(radiance[view], settings, f4(circle), NOISE_VALUES, start, images[view])
    return images


def through_jpeg(images: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Compress and decompress (V, H, W, 3) RGB images, for the artefacts."""
    return np.stack(
        [
            cv2.cvtColor(
                cv2.imdecode(np.frombuffer(encode_jpeg(image, quality), np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB
            )
            for image in images
        ]
    )
