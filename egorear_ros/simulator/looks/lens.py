"""Flawed cameras: dirt, smears, veils, flares, blur, sharpening, tone curves, rolling shutter, wide exposure ranges."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator.camera_effects import CameraEffects

Floats = NDArray[np.float32]

USUAL_BRIGHTNESS: Final = 0.7
MAP_CELLS: Final = 40
"""Dirt and flares are drawn this small and enlarged."""


@dataclass(frozen=True)
class LensFlaws:
    """What is wrong with one sequence's cameras.

    Attributes:
        blur: standard deviation of the whole picture's blur, share of the width; 0 for none.
        smear: (V, N, N) share of light that a greasy lens spreads, 0..1.
        spread: how far, share of the width.
        dust: (V, N, N) share of light that passes.
        veil: (V, N, N, 3) light added by flares, as a share of the picture's mean light.
        sharpening: strength of the camera's unsharp mask; 0 for none.
        curves: (256, 3) uint8 what becomes of each red, green and blue.
        readout_s: time from the first row's exposure to the last row's; 0: all at once.
    """

    blur: float
    smear: Floats | None
    spread: float
    dust: Floats | None
    veil: Floats | None
    sharpening: float
    curves: NDArray[np.uint8] = field(repr=False)
    readout_s: float


def wide_effects(rng: np.random.Generator, brightness: float, motion_blur: bool) -> CameraEffects:
    """Draw camera settings; the exposure follows the light as automatic exposure does, and often not well enough."""
    exposure = (USUAL_BRIGHTNESS / max(brightness, 0.02)) ** rng.uniform(0.55, 1.0) * np.exp(rng.normal(0, 0.38))
    exposure = float(np.clip(exposure, 0.25, 8.0))
    warm = np.exp(rng.normal(0, 0.14, 2))
    slow = rng.choice([30, 60, 125, 250, 500], p=[0.04, 0.2, 0.24, 0.26, 0.26])
    return CameraEffects(
        exposure=exposure,
        white_balance=(float(warm[0]), 1.0, float(warm[1])),
        vignetting=float(rng.choice([rng.uniform(0.0, 0.5), rng.uniform(0.5, 0.9)], p=[0.75, 0.25])),
        saturation=float(rng.choice([rng.uniform(0.0, 0.4), rng.uniform(0.4, 1.35)], p=[0.1, 0.9])),
        noise=float(np.exp(rng.uniform(np.log(0.003), np.log(0.03))) * max(exposure, 1.0) ** 0.5),
        shutter_s=float(1 / slow) if motion_blur else 0.0,
        jpeg_quality=int(rng.choice([rng.integers(28, 70), rng.integers(70, 98)], p=[0.3, 0.7])),
    )


def sample_flaws(rng: np.random.Generator, views: int) -> LensFlaws:
    """Draw a lens: every flaw is absent in most sequences."""
    smeared, dusty, flared = rng.random(3) < [0.22, 0.2, 0.22]
    return LensFlaws(
        blur=float(rng.uniform(0.001, 0.006)) if rng.random() < 0.3 else 0.0,
        smear=smears(rng, views) if smeared else None,
        spread=float(rng.uniform(0.01, 0.04)),
        dust=dirt(rng, views) if dusty else None,
        veil=flares(rng, views) if flared else None,
        sharpening=float(rng.uniform(0.3, 1.4)) if rng.random() < 0.25 else 0.0,
        curves=tone_curves(rng),
        readout_s=float(rng.uniform(0.008, 0.03)) if rng.random() < 0.06 else 0.0,
    )


def soft_noise(rng: np.random.Generator, cells: int) -> Floats:
    """(N, N) smooth noise in 0..1 with features of a `cells`-th of the width."""
    small = rng.random((cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(small, (MAP_CELLS, MAP_CELLS), interpolation=cv2.INTER_CUBIC), np.float32)


def smears(rng: np.random.Generator, views: int) -> Floats:
    """Fingerprints and grease, stronger on some lenses than on others."""
    maps = [np.clip((soft_noise(rng, int(rng.integers(2, 7))) - 0.45) * 3, 0, 1) for _ in range(views)]
    return np.stack(maps) * rng.uniform(0.1, 0.9, (views, 1, 1)).astype(np.float32)


def dirt(rng: np.random.Generator, views: int) -> Floats:
    """Drops and specks that darken, out of focus."""
    maps = np.ones((views, MAP_CELLS, MAP_CELLS), np.float32)
    for one in maps:
        for _ in range(int(rng.integers(0, 9))):
            at = (int(rng.integers(MAP_CELLS)), int(rng.integers(MAP_CELLS)))
            cv2.circle(one, at, int(rng.integers(1, 5)), float(rng.uniform(0.35, 0.95)), -1, cv2.LINE_AA)
    return np.stack([cv2.GaussianBlur(one, (0, 0), 0.8) for one in maps])


def flares(rng: np.random.Generator, views: int) -> Floats:
    """Veils and ghosts of a lamp or the sun, of its own on every lens."""
    maps = np.zeros((views, MAP_CELLS, MAP_CELLS, 3), np.float32)
    color = 1 + rng.normal(0, 0.12, 3)
    for view in range(views):
        maps[view] += (rng.uniform(0, 0.5) * soft_noise(rng, 2))[..., None] * color
        source = rng.normal(0, 0.35, 2)
        for place in rng.uniform(-1.2, 1.2, int(rng.integers(0, 5))):
            center = ((0.5 + source * place) * MAP_CELLS).astype(int).tolist()
            ghost = np.zeros((MAP_CELLS, MAP_CELLS, 3), np.float32)
            shade = (rng.uniform(0.05, 0.8) * (1 + rng.normal(0, 0.3, 3))).tolist()
            cv2.circle(ghost, center, int(rng.integers(1, 8)), shade, -1, cv2.LINE_AA)
            maps[view] += cv2.GaussianBlur(ghost, (0, 0), float(rng.uniform(0.6, 2.5)))
    return np.maximum(maps, 0)


def tone_curves(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Contrast, black level and a colour cast of each channel."""
    level = np.arange(256)[:, None] / 255
    gamma = np.exp(rng.normal(0, 0.14) + rng.normal(0, 0.04, 3))
    contrast = rng.uniform(-0.25, 0.3)
    bent = level**gamma
    bent = bent + contrast * np.sin(2 * np.pi * (bent - 0.5)) / (2 * np.pi) * -1
    black, white = rng.uniform(0, 0.06) * (rng.random() < 0.3), 1 - rng.uniform(0, 0.1) * (rng.random() < 0.3)
    curves = np.clip(255 * (black + (white - black) * bent) + 0.5, 0, 255).astype(np.uint8)
    curves[0] = 0  # black stays black, as it is outside of the lens circle
    return curves


def through_lens(radiance: Floats, flaws: LensFlaws) -> Floats:
    """Light (V, H, W, 3) behind the flawed lens; the argument is left as it is."""
    views, height, width = radiance.shape[:3]
    result = []
    for view in range(views):
        light = radiance[view]
        if flaws.blur > 0:
            light = cv2.GaussianBlur(light, (0, 0), flaws.blur * width)
        if flaws.smear is not None:
            share = enlarged(flaws.smear[view], width, height)[..., None]
            light = light + (cv2.GaussianBlur(light, (0, 0), flaws.spread * width) - light) * share
        if flaws.dust is not None:
            light = light * enlarged(flaws.dust[view], width, height)[..., None]
        if flaws.veil is not None:
            light = light + enlarged(flaws.veil[view], width, height) * np.float32(light.mean() * 1.5)
        result.append(light)
    return np.stack(result).astype(np.float32)


def enlarged(small: Floats, width: int, height: int) -> Floats:
    """A map at the size of the picture."""
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def in_camera(images: NDArray[np.uint8], flaws: LensFlaws) -> NDArray[np.uint8]:
    """Bend the tones of the images (V, H, W, 3) and sharpen them."""
    result = []
    for image in images:
        done = np.asarray(cv2.LUT(image, flaws.curves[:, None]), np.uint8)
        if flaws.sharpening > 0:
            soft = cv2.GaussianBlur(done, (0, 0), 1.0)
            done = np.asarray(cv2.addWeighted(done, 1 + flaws.sharpening, soft, -flaws.sharpening, 0), np.uint8)
        result.append(done)
    return np.stack(result)
