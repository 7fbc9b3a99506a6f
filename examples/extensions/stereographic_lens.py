"""A lens model of one's own: the stereographic fisheye, whose radius is 2 f tan(angle / 2).

Rig files can name it (`model: stereographic`) once this module is imported; see docs/newcomer.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from egorear_ros.rig.arrays import ArrayT
from egorear_ros.rig.focal import FocalModel, lens_model, normalised


@lens_model("stereographic")
@dataclass(frozen=True, kw_only=True)
class StereographicModel(FocalModel):
    """Radius in focal lengths = strength * 2 tan(angle / 2).

    Attributes:
        strength: 1 for the pure model; a field of the rig file, as all fields of this class are.
    """

    strength: float

    def _check_coefficients(self) -> None:
        if not self.strength > 0:
            raise ValueError(f"stereographic needs a strength above 0, got {self.strength}")

    def _radius(self, sine: Any, cosine: Any, angle: Any) -> Any:
        return self.strength * 2 * sine / (1 + cosine)  # tan(a / 2) = sin(a) / (1 + cos(a)), for NumPy and torch alike

    def rays_of_plane(self, across: ArrayT, down: ArrayT) -> ArrayT:
        """See `CameraModel.rays_of_plane`."""
        x: Any = across
        y: Any = down
        x, y = x / self.strength, y / self.strength
        return normalised((x, y, 1 - (x * x + y * y) / 4))
