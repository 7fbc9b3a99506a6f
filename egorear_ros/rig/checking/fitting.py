"""The small turn, and the change of the focal length, of one camera that fit the matches best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from egorear_ros.rig.checking.epipolar import Assumed, bases, misfit, plane_error
from egorear_ros.rig.checking.matching import Matches
from egorear_ros.rig.rigid import Matrix

Float = npt.NDArray[np.float64]

WIDTHS_RAD: Final = tuple(np.radians([15.0, 10.0, 6.0, 4.0, 2.5, 1.5, 1.0, 1.0]))
"""Widths of the weight function, step by step: wide at first, to see what is far off; narrow at last, among right
matches only."""

LIKELY_TURN_RAD: Final = 0.3
LIKELY_SCALE: Final = 0.2
STEP: Final = 1e-3


@dataclass(frozen=True)
class Turned:
    """One camera turned, and its image larger or smaller, against the rig file.

    Attributes:
        rotation: (3, 3), turns the file's rays in the device frame.
        scale: of distances from the optical axis in the image.
        misfit_rad: (N,) what is left then, see `epipolar.misfit`.
    """

    rotation: Matrix
    scale: float
    misfit_rad: Float

    @property
    def angle_rad(self) -> float:
        """Size of the turn."""
        return float(np.linalg.norm(Rotation.from_matrix(self.rotation).as_rotvec()))


def fit_turn(matches: Matches, assumed: Sequence[Assumed], rays: Float, image: int, with_scale: bool) -> Turned:
    """Fit a turn of the camera of one image, by iteratively reweighted least squares.

    Args:
        matches: of all images.
        assumed: what the images are assumed to be, by the rig file.
        rays: (N, 2, 3), device frame, of `assumed`.
        image: number of the image.
        with_scale: fit the scale, too.
    """
    base = bases(matches, assumed)
    chosen = matches.touching(image)
    mine = matches.images[chosen] == image
    turned, scale = Rotation.identity(), 1.0
    ours = base[chosen]
    for width in WIDTHS_RAD:
        now = _moved(matches, assumed[image], rays, image, turned, scale)[chosen]
        error, size = plane_error(now, ours)
        columns = [_turn_columns(now, ours, mine) / size[:, None]]
        prior = [1 / LIKELY_TURN_RAD**2] * 3
        if with_scale:
            larger = _moved(matches, assumed[image], rays, image, turned, scale * (1 + STEP))[chosen]
            columns.append((plane_error(larger, ours)[0] - error)[:, None] / STEP)
            prior.append(1 / LIKELY_SCALE**2)
        weight = 1 / (1 + (error / width) ** 2) ** 2 / width**2
        jacobian = np.concatenate(columns, axis=1)
        normal = jacobian.T @ (jacobian * weight[:, None]) + np.diag(prior)
        step = -np.linalg.solve(normal, jacobian.T @ (weight * error))
        turned = Rotation.from_rotvec(np.clip(step[:3], -0.2, 0.2)) * turned
        scale *= float(np.exp(np.clip(step[3], -0.2, 0.2))) if with_scale else 1.0
    final = _moved(matches, assumed[image], rays, image, turned, scale)
    return Turned(turned.as_matrix(), scale, misfit(final, base))


def _turn_columns(rays: Float, base: Float, mine: npt.NDArray[np.bool_]) -> Float:
    """(N, 3) derivative of the triple product by a small turn of the camera's own ray, device frame."""
    first = np.cross(rays[:, 0], np.cross(rays[:, 1], base))
    second = np.cross(rays[:, 1], np.cross(base, rays[:, 0]))
    return np.where(mine[:, :1], first, second)


def _moved(matches: Matches, what: Assumed, rays: Float, image: int, turned: Rotation, scale: float) -> Float:
    """The rays with those of one image scaled and turned."""
    mine = matches.images == image
    moved = rays.copy()
    if scale != 1.0:
        size = np.array([what.model.width, what.model.height])
        center = np.asarray(what.model.center_px)
        pixels = center + (matches.uv[mine] * size - center) / scale
        moved[mine] = what.model.unproject(pixels) @ what.camera_from_device[:3, :3]
    moved[mine] = turned.apply(moved[mine])
    return moved
