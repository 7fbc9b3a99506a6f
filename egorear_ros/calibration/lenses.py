"""Lenses while they are fitted: a vector of numbers per camera, and the pixels that follow.

The formulas are those of `OmniModel` and `EquidistantModel`; a test holds them together. Here they take any numbers, as
an optimiser tries them, and are written so that the numbers depend little on each other.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Final

import numpy as np

from egorear_ros.calibration.views import Floats
from egorear_ros.rig import CameraModel, EquidistantModel, OmniModel, half_diagonal, with_view_range

STEP: Final = 1e-6


class LensKind(ABC):
    """A family of lenses.

    Attributes:
        name: as in `--lens` and in rig files.
        count: of the numbers: fx, fy, skew, cx, cy in pixels at the axis, then the lens's own.
        start_own: where the lens's own numbers begin.
        prior: standard deviation of what is known of each own number beforehand, infinite for nothing.
    """

    name: str
    start_own: tuple[float, ...]
    prior: tuple[float, ...]

    @property
    def count(self) -> int:
        """How many numbers describe a lens."""
        return 5 + len(self.start_own)

    def start(self, width: int, height: int, focal_px: float) -> Floats:
        """A plain lens: pixels per radian on the axis, centre in the middle."""
        return np.array([focal_px, focal_px, 0.0, width / 2, height / 2, *self.start_own])

    def project(self, values: Floats, points: Floats) -> Floats:
        """(M, 3) points in the camera frame to (M, 2) pixels."""
        x, y = self._plane(values[5:], points)
        fx, fy, skew, cx, cy = values[:5]
        return np.stack([fx * x + skew * y + cx, fy * y + cy], -1)

    def derivatives(self, values: Floats, points: Floats) -> tuple[Floats, Floats]:
        """By the lens's numbers, (M, 2, count), and by the points, (M, 2, 3)."""
        by_values = np.empty((len(points), 2, self.count))
        for index in range(self.count):
            step = np.zeros(self.count)
            step[index] = STEP * max(1.0, abs(values[index]))
            difference = self.project(values + step, points) - self.project(values - step, points)
            by_values[..., index] = difference / (2 * step[index])
        size = STEP * np.linalg.norm(points, axis=-1)
        by_points = np.empty((len(points), 2, 3))
        for axis in range(3):
            move = size[:, None] * np.eye(3)[axis]
            difference = self.project(values, points + move) - self.project(values, points - move)
            by_points[..., axis] = difference / (2 * size[:, None])
        return by_values, by_points

    @abstractmethod
    def _plane(self, own: Floats, points: Floats) -> tuple[Floats, Floats]:
        """Lens plane coordinates with slope 1 on the axis."""

    @abstractmethod
    def model(
        self, values: Floats, width: int, height: int, circle_px: float | None, max_angle_rad: float | None
    ) -> CameraModel:
        """The camera; ValueError if these numbers are no lens."""


class OmniLens(LensKind):
    """The unified model with five distortion numbers: xi, k1, k2, p1, p2, k3."""

    name = "omni"
    start_own = (1.0, -0.08036, 0.008759, 0.0, 0.0, -0.0005170)  # close to equidistant, up to 100 degrees off the axis
    prior = (0.5, math.inf, math.inf, math.inf, math.inf, math.inf)

    def _plane(self, own: Floats, points: Floats) -> tuple[Floats, Floats]:
        xi, k1, k2, p1, p2, k3 = own
        depth = points[:, 2] + xi * np.linalg.norm(points, axis=-1)
        scale = (1 + xi) / np.where(np.abs(depth) < 1e-9, 1e-9, depth)
        x, y = points[:, 0] * scale, points[:, 1] * scale
        square = x * x + y * y
        radial = 1 + square * (k1 + square * (k2 + square * k3))
        moved = decentred(x, y, p1, p2)
        return x * (radial - 1) + moved[0], y * (radial - 1) + moved[1]

    def model(
        self, values: Floats, width: int, height: int, circle_px: float | None, max_angle_rad: float | None
    ) -> CameraModel:
        """See `LensKind.model`."""
        fx, fy, skew, cx, cy, xi, k1, k2, p1, p2, k3 = (float(value) for value in values)
        if not xi > -1:
            raise ValueError(f"xi is {xi:.2f}")
        unit = 1 + xi
        lens = OmniModel(
            width,
            height,
            (cx, cy),
            half_diagonal(width, height),
            1e-3,
            focal_px=(fx * unit, fy * unit),
            skew_px=skew * unit,
            xi=xi,
            distortion=(k1 * unit**2, k2 * unit**4, p1 * unit, p2 * unit, k3 * unit**6),
        )
        return with_view_range(lens, circle_px, max_angle_rad)


class KannalaBrandtLens(LensKind):
    """Equidistant with k1 to k4: what OpenCV's fisheye model and ROS's CameraInfo can say."""

    name = "kannala_brandt"
    start_own: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
    prior: tuple[float, ...] = (math.inf,) * 4

    def _plane(self, own: Floats, points: Floats) -> tuple[Floats, Floats]:
        k1, k2, k3, k4 = own[:4]
        distance = np.hypot(points[:, 0], points[:, 1])
        angle = np.arctan2(distance, points[:, 2])
        square = angle * angle
        radius = angle * (1 + square * (k1 + square * (k2 + square * (k3 + square * k4))))
        share = np.where(
            distance > 1e-12, radius / np.maximum(distance, 1e-12), 1 / np.maximum(np.abs(points[:, 2]), 1e-12)
        )
        return points[:, 0] * share, points[:, 1] * share

    def model(
        self, values: Floats, width: int, height: int, circle_px: float | None, max_angle_rad: float | None
    ) -> CameraModel:
        """See `LensKind.model`."""
        fx, fy, skew, cx, cy, k1, k2, k3, k4, *tangential = (float(value) for value in values)
        p1, p2 = tangential or (0.0, 0.0)
        lens = EquidistantModel(
            width,
            height,
            (cx, cy),
            half_diagonal(width, height),
            1e-3,
            focal_px=(fx, fy),
            skew_px=skew,
            distortion=(k1, k2, k3, k4),
            tangential=(p1, p2),
        )
        return with_view_range(lens, circle_px, max_angle_rad)


class EquidistantLens(KannalaBrandtLens):
    """Equidistant with k1 to k4, decentred: p1, p2. Left out, the decentring of real lenses turns into a false tilt."""

    name = "equidistant"
    start_own = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    prior = (math.inf,) * 6

    def _plane(self, own: Floats, points: Floats) -> tuple[Floats, Floats]:
        x, y = super()._plane(own, points)
        return decentred(x, y, own[4], own[5])


def decentred(x: Floats, y: Floats, p1: float, p2: float) -> tuple[Floats, Floats]:
    """Brown's tangential distortion in OpenCV's order."""
    square = x * x + y * y
    return x + 2 * p1 * x * y + p2 * (square + 2 * x * x), y + p1 * (square + 2 * y * y) + 2 * p2 * x * y


LENSES: Final[dict[str, LensKind]] = {lens.name: lens for lens in (EquidistantLens(), KannalaBrandtLens(), OmniLens())}
DEFAULT_LENS: Final = EquidistantLens.name
