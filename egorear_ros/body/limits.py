"""What each joint can do: its kind, its axis, and how far it goes.

The ranges are generous textbook ranges of motion of healthy adults: they are there to keep an unsure estimate human,
not to judge a person's mobility.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from egorear_ros.body.rotations import about, cross, shortest_arc, twist_rad, unit
from egorear_ros.body.tree import BODY_JOINTS

Float64 = npt.NDArray[np.float64]

COLLAR_RAD: Final = math.radians(40)

X, Y, Z = (np.array(axis, np.float64) for axis in ((1, 0, 0), (0, 1, 0), (0, 0, 1)))


@dataclass(frozen=True)
class Ball:
    """A joint that turns freely within a cone and twists about its bone.

    Attributes:
        bone: (3,) direction of the bone in the rest pose.
        centre: (3,) middle of the cone, in the parent's frame.
        cone_rad: largest angle between bone and centre.
        twist_rad: largest twist to either side; 0 for joints whose twist 16 joints do not tell: they have none.
    """

    bone: Float64
    centre: Float64
    cone_rad: float
    twist_rad: float

    @property
    def axes(self) -> Float64:
        """(D, 3) axes about which it can be turned, in its own frame."""
        if self.twist_rad:
            return np.eye(3)
        across = unit(cross(self.bone, np.eye(3)[int(np.abs(self.bone).argmin())]), X)
        return np.stack([across, cross(self.bone, across)])

    def clamped(self, rotation: Float64) -> Float64:
        """The nearest rotation within the limits, to a good approximation; (3, 3) to (3, 3)."""
        direction = unit(rotation @ self.bone, self.bone)
        twist = max(-self.twist_rad, min(self.twist_rad, twist_rad(rotation, self.bone)))
        angle = math.acos(max(-1.0, min(1.0, float(direction @ self.centre))))
        if angle > self.cone_rad:
            axis = unit(cross(self.centre, direction), unit(cross(self.centre, X), Y))
            direction = about(axis, self.cone_rad) @ self.centre
        swing = shortest_arc(self.bone, direction)
        return swing @ about(self.bone, twist) if twist else swing


@dataclass(frozen=True)
class Hinge:
    """A joint with one axis; positive angles bend it."""

    axis: Float64
    low_rad: float
    high_rad: float

    @property
    def axes(self) -> Float64:
        """(1, 3) the axis."""
        return self.axis[None]

    def angle_rad(self, rotation: Float64) -> float:
        """Angle of a (3, 3) rotation about the axis, -pi to pi."""
        return twist_rad(rotation, self.axis)

    def clamped(self, rotation: Float64) -> Float64:
        """The rotation about the axis alone, within the limits."""
        return about(self.axis, max(self.low_rad, min(self.high_rad, self.angle_rad(rotation))))


@dataclass(frozen=True)
class Free:
    """The root: any rotation."""

    @property
    def axes(self) -> Float64:
        """(3, 3) all axes."""
        return np.eye(3)

    def clamped(self, rotation: Float64) -> Float64:
        """The rotation, freed of rounding errors that add up."""
        u, _, vt = np.linalg.svd(rotation)
        return np.asarray(u @ vt, np.float64)


Limit = Ball | Hinge | Free


def _ball(bone: Float64, centre: tuple[float, float, float], cone_deg: float, twist_deg: float = 0.0) -> Ball:
    middle = np.array(centre, np.float64)
    return Ball(bone, middle / np.linalg.norm(middle), math.radians(cone_deg), math.radians(twist_deg))


def _side(name: str, sign: float) -> dict[str, Limit]:
    """Limits of one side; sign 1 for left (+y), -1 for right."""
    return {
        f"{name}Arm": _ball(sign * Y, (0.5, 0.75 * sign, -0.2), 115, 110),
        f"{name}ForeArm": Hinge(-sign * Z, math.radians(-5), math.radians(155)),
        f"{name}UpLeg": _ball(-Z, (0.7, 0.15 * sign, -0.7), 95, 60),
        f"{name}Leg": Hinge(Y, math.radians(-5), math.radians(160)),
        f"{name}Foot": _ball(X, (0.85, 0.0, -0.35), 65),
    }


LIMITS: Final[dict[str, Limit]] = {
    "Hips": Free(),
    "Spine": _ball(Z, (0.25, 0.0, 1.0), 80, 70),
    "Neck": _ball(Z, (0.3, 0.0, 1.0), 85),
    **_side("Left", 1.0),
    **_side("Right", -1.0),
}
"""By joint name, without the collar bones, whose direction in the rest pose depends on the body: see `limits_of`."""


def limits_of(offsets_m: Float64) -> dict[int, Limit]:
    """Limits by index in `BODY_JOINTS`, with the collar bones' directions as this body has them in the rest pose."""
    found = {BODY_JOINTS.index(name): limit for name, limit in LIMITS.items()}
    for side in ("Left", "Right"):
        collar, bone = BODY_JOINTS.index(f"{side}Shoulder"), offsets_m[BODY_JOINTS.index(f"{side}Arm")]
        direction = bone / np.linalg.norm(bone)
        found[collar] = Ball(direction, direction, COLLAR_RAD, 0.0)
    return found
