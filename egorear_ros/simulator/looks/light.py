"""Light as it is outside of well-lit rooms: harsh, coloured, dim, from the side, through a window, blown out."""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator.scene.scene import Scene

Floats = NDArray[np.float32]

KINDS = ("usual", "harsh", "coloured", "dim", "window", "flat", "mixed")
SHARES = (0.22, 0.22, 0.14, 0.12, 0.14, 0.08, 0.08)


def brightness(scene: Scene) -> float:
    """Light on a grey floor in the open, roughly."""
    return float(0.5 * scene.light[3:6].mean() + scene.light[6:9].mean())


def hue(rng: np.random.Generator, saturation: float) -> NDArray[np.float64]:
    """A colour of mean brightness 1."""
    color = np.array(colorsys.hsv_to_rgb(rng.random(), saturation, 1.0))
    return np.asarray(color / color.mean())


def toward(azimuth: float, tilt: float) -> NDArray[np.float64]:
    """Unit vector at an angle `tilt` from the zenith."""
    return np.array([np.sin(tilt) * np.cos(azimuth), np.sin(tilt) * np.sin(azimuth), np.cos(tilt)])


def wide_light(rng: np.random.Generator, light: Floats, outdoor: bool) -> Floats:
    """A scene's light vector (`renderer.lighting.LIGHT`), changed."""
    light = light.copy()
    kind = str(rng.choice(KINDS, p=SHARES))
    direct, sky, ground = light[3:6].mean(), light[6:9].mean(), light[9:12].mean()
    if kind == "harsh":
        light = sun(rng, light, rng.uniform(1.5, 4.5), rng.uniform(0.06, 0.35), 75)
    elif kind == "window" and not outdoor:
        light = sun(rng, light, rng.uniform(0.8, 3.0), rng.uniform(0.1, 0.4), 80)
        light[6:9], light[9:12] = light[6:9] * hue(rng, rng.uniform(0, 0.25)), light[9:12] * rng.uniform(0.5, 2.0)
    elif kind == "coloured":
        tint = hue(rng, rng.uniform(0.2, 0.75))
        light[3:6], light[6:9] = direct * tint, sky * (0.5 * tint + 0.5)
        light[9:12] = ground * (0.5 * tint + 0.5)
    elif kind == "dim":
        light[3:12] *= rng.uniform(0.03, 0.25)
        light[3:6] *= rng.uniform(0.0, 3.0)
    elif kind == "flat":
        light[3:6] *= rng.uniform(0.0, 0.2)
        light[6:9] *= rng.uniform(1.0, 2.5)
        light[9:12] = light[6:9] * rng.uniform(0.5, 1.0)
    elif kind == "mixed":
        light[3:6] = direct * hue(rng, rng.uniform(0.1, 0.5)) * rng.uniform(0.7, 2.5)
        light[6:9] = sky * hue(rng, rng.uniform(0.1, 0.5))
        light[9:12] = ground * hue(rng, rng.uniform(0.1, 0.6)) * rng.uniform(0.4, 2.5)
    return light


def sun(rng: np.random.Generator, light: Floats, direct: float, ambient: float, widest_deg: float) -> Floats:
    """The light as a sun or a spot far away with sharp shadows, up to `widest_deg` from the zenith."""
    light = light.copy()
    light[0:3] = toward(rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(10, widest_deg)))
    light[3:6] = direct * hue(rng, rng.uniform(0, 0.2))
    light[6:9] = ambient * hue(rng, rng.uniform(0, 0.2))
    light[9:12] = light[6:9] * rng.uniform(0.3, 1.2)
    light[15] = 0.0
    light[16] = rng.uniform(0.3, 1.5)
    return light
