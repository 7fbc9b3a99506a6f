"""How far two rigs are apart: pixels of the same rays, and poses relative to the first camera."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from egorear_ros.rig.camera import CameraModel
from egorear_ros.rig.rig import Rig, RigError
from egorear_ros.rig.rigid import inverse


@dataclass(frozen=True)
class Difference:
    """One camera of a rig against the same camera of another.

    Attributes:
        name: of the camera.
        max_px, rms_px: distance of the projections of the same rays over the field of view that both have.
        position_m, angle_rad: difference of the poses relative to the first camera compared.
    """

    name: str
    max_px: float
    rms_px: float
    position_m: float
    angle_rad: float


def compare_rigs(rig: Rig, other: Rig) -> list[Difference]:
    """Compare the cameras that both have.

    Raises:
        RigError: no common camera, or images of different size.
    """
    names = [name for name in rig.names if name in other.names]
    if not names:
        raise RigError(f"no camera in common: {', '.join(rig.names)} and {', '.join(other.names)}; give --names")
    result = []
    for name in names:
        a, b = rig[name], other[name]
        if (a.model.width, a.model.height) != (b.model.width, b.model.height):
            raise RigError(
                f"camera '{name}': image is {a.model.width}x{a.model.height} in one, "
                f"{b.model.width}x{b.model.height} in the other"
            )
        distance = _pixel_distance(a.model, b.model)
        ours, theirs = (r[name].camera_from_device @ inverse(r[names[0]].camera_from_device) for r in (rig, other))
        turned = ours[:3, :3] @ theirs[:3, :3].T
        result.append(
            Difference(
                name,
                float(distance.max()),
                float(np.sqrt(np.mean(distance**2))),
                float(np.linalg.norm(inverse(ours)[:3, 3] - inverse(theirs)[:3, 3])),
                math.acos(min(1.0, max(-1.0, (float(np.trace(turned)) - 1) / 2))),
            )
        )
    return result


def _pixel_distance(a: CameraModel, b: CameraModel) -> np.ndarray:
    end = min(a.max_angle_rad, b.max_angle_rad)
    angle, turn = np.meshgrid(np.linspace(0.0, end, 100), np.linspace(0.0, 2 * math.pi, 72, endpoint=False))
    rays = np.stack([np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn), np.cos(angle)], -1)
    seen = a.in_view(rays) | b.in_view(rays)
    return np.linalg.norm(a.project(rays) - b.project(rays), axis=-1)[seen]
