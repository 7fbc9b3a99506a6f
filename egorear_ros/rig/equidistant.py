"""The equidistant (Kannala-Brandt) fisheye model: "fisheye" in OpenCV, "equi" in Kalibr, "kb4" in Basalt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from egorear_ros.rig.arrays import ArrayT, namespace_of
from egorear_ros.rig.focal import FocalModel, lens_model

INVERSE_TERMS = 6
NEWTON_STEPS = (2, 3, 4, 6, 9, 14, 20)
"""Tried in turn. After a polynomial that is right to 0.01 rad, two are enough for most lenses. Each step is some twenty
operations per camera and look in every compiled network; an uninformed start needs twelve."""

INVERSE_ERROR_RAD = 1e-8
DECENTRING_ERROR = 1e-10
MOST_DECENTRING_STEPS = 60


@lens_model("equidistant")
@dataclass(frozen=True, kw_only=True)
class EquidistantModel(FocalModel):
    """Radius in focal lengths = a + k1 a^3 + k2 a^5 + k3 a^7 + k4 a^9 for the angle a off the axis.

    Attributes:
        distortion: (k1, k2, k3, k4), `D` of a CameraInfo with distortion model "equidistant" (OpenCV's fisheye model).
        tangential: (p1, p2) of a lens whose parts do not sit on one axis, Brown's formula in OpenCV's order, on the
            plane after k1 to k4. OpenCV and ROS have no place for it.
    """

    distortion: tuple[float, float, float, float]
    tangential: tuple[float, float] = (0.0, 0.0)

    @property
    def is_symmetric(self) -> bool:
        """See `CameraModel.is_symmetric`."""
        return not any(self.tangential)

    def _check_coefficients(self) -> None:
        if len(self.distortion) != 4:
            raise ValueError(f"equidistant model needs 4 distortion coefficients, got {len(self.distortion)}")
        if len(self.tangential) != 2:
            raise ValueError(f"equidistant model needs 2 tangential coefficients, got {len(self.tangential)}")

    def _radius(self, sine: Any, cosine: Any, angle: Any) -> Any:
        square = angle * angle
        k1, k2, k3, k4 = self.distortion
        return angle * (1 + square * (k1 + square * (k2 + square * (k3 + square * k4))))

    def _least_radius(self, radius: Any, plain_radius: Any) -> Any:
        return radius - 3 * math.hypot(*self.tangential) * radius * radius

    def plane_of_direction(self, right: Any, down: Any, theta_rad: Any) -> tuple[Any, Any]:
        """See `CameraModel.plane_of_direction`."""
        across, below = super().plane_of_direction(right, down, theta_rad)
        if self.is_symmetric:
            return across, below
        xp = namespace_of(theta_rad)
        radius = self._radius(None, None, xp.clip(theta_rad + np.pi / 2, None, self.turning_angle_rad))
        shift = self._tangential(right * radius, down * radius)
        return across + shift[0], below + shift[1]

    def _tangential(self, x: Any, y: Any) -> tuple[Any, Any]:
        p1, p2 = self.tangential
        square = x * x + y * y
        return 2 * p1 * x * y + p2 * (square + 2 * x * x), p1 * (square + 2 * y * y) + 2 * p2 * x * y

    @cached_property
    def _decentring_steps(self) -> int:
        """Repetitions that undo the tangential part: each makes the error smaller by this factor or more."""
        factor = 6 * math.hypot(*self.tangential) * self._rough_inverse[0]
        if factor >= 1:
            return MOST_DECENTRING_STEPS
        return min(MOST_DECENTRING_STEPS, math.ceil(math.log(DECENTRING_ERROR) / math.log(max(factor, 1e-9))))

    def rays_of_plane(self, across: ArrayT, down: ArrayT) -> ArrayT:
        """See `CameraModel.rays_of_plane`; the angle is found by Newton's method, the tangential part by repetition."""
        xp = namespace_of(across)
        dx: Any = across
        dy: Any = down
        if not self.is_symmetric:
            x, y = dx, dy
            for _ in range(self._decentring_steps):
                shift = self._tangential(x, y)
                x, y = dx - shift[0], dy - shift[1]
            dx, dy = x, y
        radius = xp.sqrt(dx * dx + dy * dy)
        angle = self._angle_of_radius(radius, self._newton_steps)
        # sin(a)/r tends to 1 on the axis, where both vanish
        outward = xp.where(radius > 0, xp.sin(angle) / xp.where(radius > 0, radius, 1.0), 1.0)
        return xp.stack([dx * outward, dy * outward, xp.cos(angle)], -1)

    @cached_property
    def _rough_inverse(self) -> tuple[float, tuple[float, ...]]:
        """The largest radius in the field of view, r focal lengths, and the coefficients c of a polynomial.

        With u = radius / r, the angle is about u (c0 + c1 u^2 + c2 u^4 + ...).
        """
        angle = np.linspace(0.0, min(self.max_angle_rad, self.usable_angle_rad), 500)
        radius = self._radius(None, None, angle)
        share = radius / radius[-1]
        found = np.linalg.lstsq(share[:, None] ** (2 * np.arange(INVERSE_TERMS) + 1), angle, rcond=None)[0]
        return float(radius[-1]), tuple(float(coefficient) for coefficient in found)

    @cached_property
    def _newton_steps(self) -> int:
        """As few steps as this lens needs in its field of view."""
        angle = np.linspace(0.0, min(self.max_angle_rad, self.usable_angle_rad), 500)
        radius = self._radius(None, None, angle)
        for steps in NEWTON_STEPS:
            if np.abs(self._angle_of_radius(radius, steps) - angle).max() <= INVERSE_ERROR_RAD:
                break
        return steps

    def _angle_of_radius(self, radius: Any, steps: int) -> Any:
        xp = namespace_of(radius)
        k1, k2, k3, k4 = self.distortion
        largest, coefficients = self._rough_inverse
        share = xp.clip(radius / largest, 0.0, 1.0)  # beyond the field of view the polynomial may be anything
        square, polynomial = share * share, 0.0 * share
        for coefficient in reversed(coefficients):
            polynomial = polynomial * square + coefficient
        angle = share * polynomial
        for _ in range(steps):
            square = angle * angle
            value = angle * (1 + square * (k1 + square * (k2 + square * (k3 + square * k4))))
            slope = 1 + square * (3 * k1 + square * (5 * k2 + square * (7 * k3 + square * 9 * k4)))
            angle = angle - (value - radius) / slope
            if self.usable_angle_rad < math.pi:  # where the slope is too small, a step would go anywhere
                angle = xp.clip(angle, 0.0, self.usable_angle_rad)
        return angle
