"""What the camera models with a camera matrix share: fx, fy, skew, and where their formulas end."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Final, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from egorear_ros.extensions import Registry
from egorear_ros.rig.arrays import ArrayT, namespace_of
from egorear_ros.rig.camera import CameraModel
from egorear_ros.rig.fields import LARGEST

SCAN = 6001
LARGEST_RADIUS = 100.0
"""In focal lengths: a pinhole formula gives this at 89.4 degrees, shortly before it leaves every image."""

SMALLEST_SLOPE = 0.01
"""Radius per angle, as a share of that on the axis, at which a lens counts as ended: there 0.01 px of noise already
turn a ray by 0.2 degrees."""


@dataclass(frozen=True, kw_only=True)
class FocalModel(CameraModel):
    """A lens whose plane is measured in focal lengths: u = fx x + skew y + cx, v = fy y + cy.

    Attributes:
        focal_px: (fx, fy), pixels.
        skew_px: element (0, 1) of the camera matrix, pixels.
    """

    kind: ClassVar[str]
    """Name of the model in rig files, set by `lens_model`."""

    focal_px: tuple[float, float]
    skew_px: float = 0.0

    def __post_init__(self) -> None:
        """Check that the model is a lens.

        Raises:
            ValueError: a number is not finite, image size or focal length is not positive, or the field of view goes
                beyond where the radius grows with the angle.
        """
        if self.width < 1 or self.height < 1 or len(self.focal_px) != 2 or not min(self.focal_px) > 0:
            raise ValueError(
                f"image size {self.width}x{self.height} and focal length {self.focal_px} px must be positive"
            )
        if not self.image_circle_radius_px > 0 or not self.max_angle_rad > 0:
            raise ValueError(
                f"image circle radius {self.image_circle_radius_px} px and largest angle "
                f"{math.degrees(self.max_angle_rad):.1f} degrees must be positive"
            )
        self._check_coefficients()
        numbers = np.hstack([np.ravel(value) for value in vars(self).values()])
        if not (np.abs(numbers) <= LARGEST).all():
            raise ValueError(
                f"{self.kind} model has numbers that are not finite or above {LARGEST:g}: {numbers.tolist()}"
            )
        if self.max_angle_rad > self.turning_angle_rad + 1e-6:
            raise ValueError(
                f"{self.kind} model is not monotonic: it ends at {math.degrees(self.turning_angle_rad):.1f} degrees "
                f"off the axis, the field of view asks for {math.degrees(self.max_angle_rad):.1f}"
            )

    @abstractmethod
    def _check_coefficients(self) -> None:
        """Raise ValueError on coefficients that are no lens."""

    @abstractmethod
    def _radius(self, sine: Any, cosine: Any, angle: Any) -> Any:
        """Radius in focal lengths at an angle off the axis, given with its sine and cosine."""

    def _plain_radius(self, sine: Any, cosine: Any, angle: Any) -> Any:
        """The radius before distortion, for a model that has one."""
        return self._radius(sine, cosine, angle)

    def _least_radius(self, radius: Any, plain_radius: Any) -> Any:
        """The radius in the direction where it is smallest, for a lens that is not symmetric."""
        return radius

    @property
    def pixel_from_plane(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """See `CameraModel.pixel_from_plane`."""
        return (self.focal_px[0], self.skew_px), (0.0, self.focal_px[1])

    @cached_property
    def _ends(self) -> tuple[float, float]:
        """Angles at which the radius stops growing, and at which it grows too slowly to be inverted."""
        first = self._scan(0.0, math.pi)
        turning, usable = first
        step = math.pi / (SCAN - 1)
        if turning < math.pi:
            turning = self._scan(max(turning - 2 * step, 0.0), min(turning + 2 * step, math.pi))[0]
        return turning, min(usable, turning)

    def _scan(self, low: float, high: float) -> tuple[float, float]:
        angle = np.linspace(low, high, SCAN)
        with np.errstate(all="ignore"):
            radius: NDArray[np.float64] = self._radius(np.sin(angle), np.cos(angle), angle)
            plain_radius = self._plain_radius(np.sin(angle), np.cos(angle), angle)
            plain = plain_radius[1:]
            slope = np.diff(radius) / np.diff(angle)
            good = np.isfinite(slope) & (slope > 0) & (plain > 0) & (np.maximum(plain, radius[1:]) <= LARGEST_RADIUS)
            least = np.diff(self._least_radius(radius, plain_radius)) / np.diff(angle)
            steep = good & (least > SMALLEST_SLOPE * slope[0])
        ends = [angle[np.flatnonzero(~ok)[0]] if (~ok).any() else high for ok in (good, steep)]
        return float(ends[0]), float(ends[1])

    @property
    def turning_angle_rad(self) -> float:
        """Angle off the axis up to which the formula is a lens: its radius grows."""
        return self._ends[0]

    @property
    def usable_angle_rad(self) -> float:
        """See `CameraModel.usable_angle_rad`."""
        return self._ends[1]

    def radius_of_theta(self, theta_rad: ArrayT) -> ArrayT:
        """See `CameraModel.radius_of_theta`; beyond where the formula ends, a straight line away from the axis.

        Without that, points behind the camera would come back into the image.
        """
        xp = namespace_of(theta_rad)
        angle: Any = theta_rad + math.pi / 2  # type: ignore[operator]
        end = self.turning_angle_rad
        if end >= math.pi:
            return self._radius(xp.sin(angle), xp.cos(angle), angle)
        inside = xp.clip(angle, None, end)
        return self._radius(xp.sin(inside), xp.cos(inside), inside) + (angle - inside) * self._beyond

    @cached_property
    def _beyond(self) -> float:
        """Slope of the straight line: the mean one up to the end."""
        end = self.turning_angle_rad
        return float(self._radius(math.sin(end), math.cos(end), end)) / end

    def resized(self, width: int, height: int) -> Self:
        """See `CameraModel.resized`."""
        ratio = self._resize_ratio(width, height)
        return replace(
            self,
            width=width,
            height=height,
            center_px=(self.center_px[0] * ratio, self.center_px[1] * ratio),
            image_circle_radius_px=self.image_circle_radius_px * ratio,
            focal_px=(self.focal_px[0] * ratio, self.focal_px[1] * ratio),
            skew_px=self.skew_px * ratio,
        )


LENS_MODELS: Final[Registry[type[FocalModel]]] = Registry("lens model")
"""Name in rig files -> class."""

FocalT = TypeVar("FocalT", bound=FocalModel)


def lens_model(kind: str) -> Callable[[type[FocalT]], type[FocalT]]:
    """Make a dataclass a lens model that rig files can name.

    Its own fields (numbers, and tuples of numbers) are the fields of the rig file, beside those of `FocalModel`.
    """

    def register(model: type[FocalT]) -> type[FocalT]:
        model.kind = kind
        LENS_MODELS.add(kind, model)
        return model

    return register


def normalised(ray: tuple[Any, Any, Any]) -> Any:
    """(..., 3) unit vectors from three components."""
    xp = namespace_of(ray[0])
    x, y, z = ray
    length = xp.sqrt(x * x + y * y + z * z)
    return xp.stack([x / length, y / length, z / length], -1)
