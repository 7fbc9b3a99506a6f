"""How well pairs of image points fit cameras: rays of one point and the cameras' base must lie in one plane.

Needs no depth: only that the point lies in front of both cameras.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from egorear_ros.rig.camera import CameraModel
from egorear_ros.rig.checking.matching import Matches
from egorear_ros.rig.rigid import Matrix, inverse

Float = npt.NDArray[np.float64]

AGREES_RAD: Final = np.radians(2.0)
"""Pairs that miss by more count as wrong matches, the same for every rig that is tried."""


@dataclass(frozen=True)
class Assumed:
    """What one image is assumed to be.

    Attributes:
        model: its lens.
        camera_from_device: (4, 4) metres, where it was taken from.
        quarter_turns: the image was turned so often by 90 degrees clockwise on its way here; turned back it would be
            what lens and pose say.
    """

    model: CameraModel
    camera_from_device: Matrix
    quarter_turns: int = 0


class Rays:
    """Viewing rays of matches for whatever their images are assumed to be; keeps those it has computed."""

    def __init__(self, matches: Matches) -> None:
        self.matches = matches
        self._images, self._uv = matches.images.ravel(), matches.uv.reshape(-1, 2)
        self._rows = {int(i): np.flatnonzero(self._images == i) for i in np.unique(self._images)}
        self._known: dict[tuple[int, int, int], Float] = {}

    def device_rays(self, assumed: Sequence[Assumed]) -> Float:
        """(N, 2, 3) unit rays in the device frame; `assumed` has one entry per image."""
        rays = np.empty((len(self._uv), 3))
        for image, rows in self._rows.items():
            what = assumed[image]
            rays[rows] = self._in_camera(image, what, rows) @ what.camera_from_device[:3, :3]
        return rays.reshape(-1, 2, 3)

    def _in_camera(self, image: int, what: Assumed, rows: npt.NDArray[np.intp]) -> Float:
        key = image, id(what.model), what.quarter_turns % 4
        if key not in self._known:
            uv = turned_back(self._uv[rows], what.quarter_turns)
            self._known[key] = what.model.unproject(uv * (what.model.width, what.model.height))
        return self._known[key]


def turned_back(uv: Float, quarter_turns: int) -> Float:
    """(N, 2) positions in an image as shares of it, before it was turned clockwise by so many times 90 degrees."""
    u, v = uv[:, 0], uv[:, 1]
    choices = {0: (u, v), 1: (v, 1.0 - u), 2: (1.0 - u, 1.0 - v), 3: (1.0 - v, u)}
    return np.stack(choices[quarter_turns % 4], axis=-1)


def bases(matches: Matches, assumed: Sequence[Assumed]) -> Float:
    """(N, 3) unit vectors from the first to the second camera of each pair, device frame."""
    origins = np.stack([inverse(what.camera_from_device)[:3, 3] for what in assumed])
    base = origins[matches.images[:, 1]] - origins[matches.images[:, 0]]
    return np.asarray(base / np.maximum(np.linalg.norm(base, axis=-1, keepdims=True), 1e-9))


def plane_error(rays: Float, base: Float) -> tuple[Float, Float]:
    """How far each pair is from lying in one plane with the base.

    Returns:
        (N,) radians, signed; and (N,) the sine of the ray further from the base, by which it was divided.
    """
    across_a, across_b = np.cross(base, rays[:, 0]), np.cross(base, rays[:, 1])
    size = np.maximum(np.linalg.norm(across_a, axis=-1), np.linalg.norm(across_b, axis=-1)).clip(0.05)
    return (across_a * rays[:, 1]).sum(axis=-1) / size, size


def misfit(rays: Float, base: Float) -> Float:
    """(N,) radians: distance from the plane, and by how much the rays part instead of meeting in front of both."""
    error, _ = plane_error(rays, base)
    along = np.arccos(np.clip((rays * base[:, None]).sum(axis=-1), -1, 1))
    behind = np.minimum(along[:, 1] - along[:, 0], 0.0)
    return np.hypot(error, behind)


def agreement(misfit_rad: Float) -> Float:
    """(N,) 1 for pairs that fit exactly, down to 0 for those that miss by `AGREES_RAD` or more."""
    return np.maximum(0.0, 1.0 - (misfit_rad / AGREES_RAD) ** 2)
