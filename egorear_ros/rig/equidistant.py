"""The equidistant (Kannala-Brandt) fisheye model, which ROS and OpenCV speak, and its fit to any other model.

ROS's CameraInfo cannot carry OCam polynomials. Fitted to the four Ego4View cameras this model is within 0.11 px inside
the image circle (`egorear rig show ego4view`), so viewers and third-party nodes lose nothing; the networks use OCam
itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from egorear_ros.rig.arrays import ArrayT, namespace_of
from egorear_ros.rig.camera import CameraModel

INVERSE_TERMS = 6
NEWTON_STEPS = 2
"""After a polynomial that is right to 0.01 rad and better. Each step is some twenty operations per camera and look in
every compiled network; an uninformed start needs twelve."""


@dataclass(frozen=True)
class EquidistantModel(CameraModel):
    """Radius in pixels = focal_px * (a + k1 a^3 + k2 a^5 + k3 a^7 + k4 a^9) for the angle a off the axis.

    Attributes:
        focal_px: focal length, pixels, the same on both axes.
        distortion: (k1, k2, k3, k4), `D` of a CameraInfo with distortion model "equidistant" (OpenCV's fisheye model).
    """

    focal_px: float
    distortion: tuple[float, float, float, float]

    def __post_init__(self) -> None:
        """Check that the model is a lens.

        Raises:
            ValueError: the image size or focal length is not positive, there are not four coefficients, or the radius
                does not grow with the angle inside the field of view.
        """
        if self.width < 1 or self.height < 1 or self.focal_px <= 0:
            raise ValueError(
                f"image size {self.width}x{self.height} and focal length {self.focal_px} px must be positive"
            )
        if len(self.distortion) != 4:
            raise ValueError(f"equidistant model needs 4 distortion coefficients, got {len(self.distortion)}")
        angle = np.linspace(0.0, self.max_angle_rad, 500)
        falling = np.flatnonzero(np.diff(self.radius_of_angle(angle)) <= 0)
        if falling.size:
            raise ValueError(
                f"equidistant model is not monotonic: it falls at {math.degrees(angle[falling[0]]):.0f} degrees "
                "off the axis"
            )

    def radius_of_theta(self, theta_rad: ArrayT) -> ArrayT:
        """See `CameraModel.radius_of_theta`."""
        angle: Any = theta_rad + math.pi / 2  # type: ignore[operator]
        square = angle * angle
        k1, k2, k3, k4 = self.distortion
        return self.focal_px * angle * (1 + square * (k1 + square * (k2 + square * (k3 + square * k4))))

    def unproject(self, pixels: ArrayT) -> ArrayT:
        """See `CameraModel.unproject`; the angle is found by Newton's method."""
        xp = namespace_of(pixels)
        points: Any = pixels
        dx, dy = points[..., 0] - self.center_px[0], points[..., 1] - self.center_px[1]
        radius = xp.sqrt(dx * dx + dy * dy)
        angle = self._angle_of_radius(radius)
        # sin(a)/r tends to 1/focal on the axis, where both vanish
        outward = xp.where(radius > 0, xp.sin(angle) / xp.where(radius > 0, radius, 1.0), 1.0 / self.focal_px)
        return xp.stack([dx * outward, dy * outward, xp.cos(angle)], -1)

    def resized(self, width: int, height: int) -> EquidistantModel:
        """See `CameraModel.resized`."""
        ratio = self._resize_ratio(width, height)
        return EquidistantModel(
            width=width,
            height=height,
            center_px=(self.center_px[0] * ratio, self.center_px[1] * ratio),
            image_circle_radius_px=self.image_circle_radius_px * ratio,
            max_angle_rad=self.max_angle_rad,
            focal_px=self.focal_px * ratio,
            distortion=self.distortion,
        )

    @cached_property
    def _rough_inverse(self) -> tuple[float, tuple[float, ...]]:
        """The largest radius in the field of view, r focal lengths, and the coefficients c of a polynomial.

        With u = radius / r, the angle is about u (c0 + c1 u^2 + c2 u^4 + ...).
        """
        angle = np.linspace(0.0, self.max_angle_rad, 500)
        radius = self.radius_of_angle(angle) / self.focal_px
        share = radius / radius[-1]
        found = np.linalg.lstsq(share[:, None] ** (2 * np.arange(INVERSE_TERMS) + 1), angle, rcond=None)[0]
        return float(radius[-1]), tuple(float(coefficient) for coefficient in found)

    def _angle_of_radius(self, radius: Any) -> Any:
        xp = namespace_of(radius)
        k1, k2, k3, k4 = self.distortion
        target = radius / self.focal_px
        largest, coefficients = self._rough_inverse
        share = xp.clip(target / largest, 0.0, 1.0)  # beyond the field of view the polynomial may be anything
        square, polynomial = share * share, 0.0 * share
        for coefficient in reversed(coefficients):
            polynomial = polynomial * square + coefficient
        angle = share * polynomial
        for _ in range(NEWTON_STEPS):
            square = angle * angle
            value = angle * (1 + square * (k1 + square * (k2 + square * (k3 + square * k4))))
            slope = 1 + square * (3 * k1 + square * (5 * k2 + square * (7 * k3 + square * 9 * k4)))
            angle = angle - (value - target) / slope
        return angle


def fit_equidistant(camera: CameraModel) -> tuple[EquidistantModel, npt.NDArray[np.float64]]:
    """Least-squares fit of the equidistant model to another camera inside its image circle.

    The centre is kept, so the problem is linear in (f, f k1, ..., f k4). Angles are taken at Chebyshev nodes, denser
    towards the rim, which brings the least-squares solution close to the one of least maximum error.

    Returns:
        The fitted model and its radius errors in pixels, (2000,), evenly spaced in angle from the axis to the rim.
    """
    nodes = camera.max_angle_rad * np.cos(np.linspace(0.0, math.pi / 2, 2000))
    powers = np.array([1, 3, 5, 7, 9])
    scale = camera.max_angle_rad**powers
    design = nodes[:, None] ** powers / scale
    solution = np.linalg.lstsq(design, camera.radius_of_angle(nodes), rcond=None)[0] / scale
    focal = float(solution[0])
    k1, k2, k3, k4 = (float(c / focal) for c in solution[1:])
    model = EquidistantModel(
        width=camera.width,
        height=camera.height,
        center_px=camera.center_px,
        image_circle_radius_px=camera.image_circle_radius_px,
        max_angle_rad=camera.max_angle_rad,
        focal_px=focal,
        distortion=(k1, k2, k3, k4),
    )
    angle = np.linspace(0.0, camera.max_angle_rad, 2000)
    return model, model.radius_of_angle(angle) - camera.radius_of_angle(angle)
