"""Double sphere and extended unified camera model, both with a closed inverse.

Formulas: Usenko, Demmel, Cremers, "The Double Sphere Camera Model" (3DV 2018), equations 11-16 and 40-53.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

from egorear_ros.rig.arrays import ArrayT, namespace_of
from egorear_ros.rig.focal import FocalModel, lens_model, normalised


class SphereModel(FocalModel):
    """A lens whose rays follow in closed form from the squared radius."""

    def rays_of_plane(self, across: ArrayT, down: ArrayT) -> ArrayT:
        """See `CameraModel.rays_of_plane`; points beyond the formula's end are taken at the end."""
        x: Any = across
        y: Any = down
        sideways, forward = self._ray(x * x + y * y)
        return normalised((sideways * x, sideways * y, forward))

    @abstractmethod
    def _ray(self, square: Any) -> tuple[Any, Any]:
        """Factor of the point on the lens plane, and the ray's z, of a squared radius; any length."""


@lens_model("double_sphere")
@dataclass(frozen=True, kw_only=True)
class DoubleSphereModel(SphereModel):
    """Two spheres, then a pinhole.

    Attributes:
        xi: distance of the spheres' centres, in radii; above -1.
        alpha: place of the pinhole, 0..1.
    """

    xi: float
    alpha: float

    def _check_coefficients(self) -> None:
        if not (self.xi > -1 and 0 <= self.alpha <= 1):
            raise ValueError(f"double_sphere needs xi above -1 and alpha in 0..1, got xi={self.xi}, alpha={self.alpha}")

    def _radius(self, sine: Any, cosine: Any, angle: Any) -> Any:
        xp = namespace_of(angle)
        shifted = cosine + self.xi
        length = xp.sqrt(sine * sine + shifted * shifted)
        return sine / (self.alpha * length + (1 - self.alpha) * shifted)

    def _ray(self, square: Any) -> tuple[Any, Any]:
        xp = namespace_of(square)
        if self.alpha > 0.5:
            square = xp.clip(square, None, 1 / (2 * self.alpha - 1))
        forward = (1 - self.alpha * self.alpha * square) / (
            self.alpha * xp.sqrt(xp.clip(1 - (2 * self.alpha - 1) * square, 0.0, None)) + 1 - self.alpha
        )
        under = xp.clip(forward * forward + (1 - self.xi * self.xi) * square, 0.0, None)
        scale = (forward * self.xi + xp.sqrt(under)) / (forward * forward + square)
        return scale, scale * forward - self.xi


@lens_model("extended_unified")
@dataclass(frozen=True, kw_only=True)
class ExtendedUnifiedModel(SphereModel):
    """An ellipsoid, then a pinhole (EUCM).

    Attributes:
        alpha: place of the pinhole, 0..1.
        beta: shape of the ellipsoid, above 0; 1 is a sphere.
    """

    alpha: float
    beta: float

    def _check_coefficients(self) -> None:
        if not (0 <= self.alpha <= 1 and 0 < self.beta < math.inf):
            raise ValueError(
                f"extended_unified needs alpha in 0..1 and beta above 0, got alpha={self.alpha}, beta={self.beta}"
            )

    def _radius(self, sine: Any, cosine: Any, angle: Any) -> Any:
        xp = namespace_of(angle)
        length = xp.sqrt(self.beta * sine * sine + cosine * cosine)
        return sine / (self.alpha * length + (1 - self.alpha) * cosine)

    def _ray(self, square: Any) -> tuple[Any, Any]:
        xp = namespace_of(square)
        under = xp.clip(1 - (2 * self.alpha - 1) * self.beta * square, 0.0, None)
        forward = (1 - self.beta * self.alpha * self.alpha * square) / (self.alpha * xp.sqrt(under) + 1 - self.alpha)
        return 1.0, forward
