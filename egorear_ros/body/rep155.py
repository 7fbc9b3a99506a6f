"""The person as a robot: the links and joints of REP-155's human model, sized to one body.

Source: REP-155 (https://www.ros.org/reps/rep-0155.html) and its reference model, `human_description`: names, axes and
rest pose (upright, the arms hang). That model has one joint in the trunk, no collar bones and no feet; with these
alone shoulders and toes would be centimetres off. So there are more joints, named in the same way: `r_torso` and
`y_torso` after `waist`, two for each collar bone, two for each foot. A prefix tells the axis: r roll, p pitch, y yaw.

`torso` lies at the neck, between the shoulders. Without an id names are as in the table; `suffixed` adds `_<id>`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from egorear_ros.body.tree import BODY_JOINTS
from egorear_ros.skeleton import JOINTS, REP155_NAMES

Float64 = npt.NDArray[np.float64]
Vector = tuple[float, float, float]

ROOT: Final = "body"
X: Final[Vector] = (1.0, 0.0, 0.0)
Y: Final[Vector] = (0.0, 1.0, 0.0)
Z: Final[Vector] = (0.0, 0.0, 1.0)
HALF: Final = math.pi / 2
SIDES: Final = (("l", "Left", 1.0), ("r", "Right", -1.0))

ARM_FROM_LINK: Final[dict[str, Float64]] = {
    "Left": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]]),
    "Right": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]),
}
"""An arm points along -z of its link in REP-155, and sideways in the frames of the body's T-pose."""


@dataclass(frozen=True)
class ChainJoint:
    """A joint between two links.

    Attributes:
        name: of the joint.
        parent, child: links.
        axis: (3,) unit axis in the child's frame; None where it is fixed.
        low_rad, high_rad: what its angle may be; infinite where it turns on and on.
        offset: joint of the body whose offset is the origin of the child in the parent; empty for the same place.
    """

    name: str
    parent: str
    child: str
    axis: Vector | None = None
    low_rad: float = -math.inf
    high_rad: float = math.inf
    offset: str = ""


def _trunk() -> tuple[ChainJoint, ...]:
    return (
        ChainJoint("waist", ROOT, "waist", Y, -1.2, 1.7),
        ChainJoint("r_torso", "waist", "r_torso", X, -1.45, 1.45),
        ChainJoint("y_torso", "r_torso", "y_torso", Z, -2.6, 2.6),
        ChainJoint("torso", "y_torso", "torso", offset="Neck"),
        ChainJoint("r_head", "torso", "r_head", X, -math.pi, math.pi),
        ChainJoint("y_head", "r_head", "y_head", Z, -HALF, HALF),
        ChainJoint("p_head", "y_head", "p_head", _times(Y, -1), -math.pi, math.pi),
        ChainJoint("head", "p_head", "head", offset="Head"),
    )


def _side(s: str, name: str, sign: float) -> tuple[ChainJoint, ...]:
    return (
        ChainJoint(f"{s}_y_collar", "torso", f"{s}_y_collar", Z, -HALF, HALF),
        ChainJoint(f"{s}_r_collar", f"{s}_y_collar", f"{s}_collar", X, -HALF, HALF),
        ChainJoint(f"{s}_y_shoulder", f"{s}_collar", f"{s}_y_shoulder", _times(Z, -sign), offset=f"{name}Arm"),
        ChainJoint(f"{s}_p_shoulder", f"{s}_y_shoulder", f"{s}_p_shoulder", _times(X, sign), 0.0, math.pi),
        ChainJoint(f"{s}_r_shoulder", f"{s}_p_shoulder", f"{s}_shoulder", _times(Z, sign)),
        ChainJoint(f"{s}_elbow", f"{s}_shoulder", f"{s}_elbow", _times(Y, -1), -0.1, 2.75, f"{name}ForeArm"),
        ChainJoint(f"{s}_wrist", f"{s}_elbow", f"{s}_wrist", offset=f"{name}Hand"),
        ChainJoint(f"{s}_y_hip", ROOT, f"{s}_y_hip", _times(Z, -1), -math.pi, math.pi, f"{name}UpLeg"),
        ChainJoint(f"{s}_p_hip", f"{s}_y_hip", f"{s}_p_hip", _times(X, sign), -HALF, HALF),
        ChainJoint(f"{s}_r_hip", f"{s}_p_hip", f"{s}_hip", _times(Y, -1), -math.pi, math.pi),
        ChainJoint(f"{s}_knee", f"{s}_hip", f"{s}_knee", _times(Y, -1), -2.8, 0.1, f"{name}Leg"),
        ChainJoint(f"{s}_ankle", f"{s}_knee", f"{s}_ankle", offset=f"{name}Foot"),
        ChainJoint(f"{s}_y_foot", f"{s}_ankle", f"{s}_y_foot", Z, -math.pi, math.pi),
        ChainJoint(f"{s}_p_foot", f"{s}_y_foot", f"{s}_foot", Y, -HALF, HALF),
        ChainJoint(f"{s}_toes", f"{s}_foot", f"{s}_toes", offset=f"{name}ToeBase"),
    )


def _times(axis: Vector, sign: float) -> Vector:
    x, y, z = (value * sign + 0.0 for value in axis)
    return x, y, z


CHAIN: Final[tuple[ChainJoint, ...]] = (*_trunk(), *(joint for side in SIDES for joint in _side(*side)))
"""All joints, parents first."""

ANGLE_NAMES: Final[tuple[str, ...]] = tuple(joint.name for joint in CHAIN if joint.axis is not None)
"""Names of all joints that turn, in order."""

LINKS: Final[tuple[str, ...]] = (ROOT, *(joint.child for joint in CHAIN))

LINK_OF: Final[dict[str, str]] = {"Hips": ROOT, **dict(zip(JOINTS, REP155_NAMES, strict=True))}
"""Joint of the body -> link at the same place. All 16 joints of EgoRear's skeleton and the hips have one."""


def suffixed(name: str, body_id: str) -> str:
    """Name of a link or joint of one of several people, as REP-155 has it; as it is where there is no id."""
    return f"{name}_{body_id}" if body_id else name


@dataclass(frozen=True)
class HumanChain:
    """The chain of one body.

    Attributes:
        offsets_m: (20, 3) of the body, from `rest_offsets`.
    """

    offsets_m: Float64

    @cached_property
    def origins_m(self) -> Float64:
        """(J, 3) origin of each joint's child in its parent, in the order of `CHAIN`."""
        origins = np.zeros((len(CHAIN), 3))
        for row, joint in enumerate(CHAIN):
            if joint.offset:
                offset = self.offsets_m[BODY_JOINTS.index(joint.offset)]
                for side, arm_from_link in ARM_FROM_LINK.items():
                    if joint.offset in {f"{side}ForeArm", f"{side}Hand"}:
                        offset = offset @ arm_from_link
                origins[row] = offset
        return origins

    def rotations(self, angles_rad: Float64) -> Float64:
        """(J, 4) quaternions x, y, z, w of all joints, parent_from_child, from (A,) angles."""
        half = np.zeros(len(CHAIN))
        half[_TURNS] = angles_rad / 2
        return np.concatenate([_AXES * np.sin(half)[:, None], np.cos(half)[:, None]], 1)


_TURNS: Final = np.array([joint.axis is not None for joint in CHAIN])
_AXES: Final = np.array([joint.axis or (0.0, 0.0, 0.0) for joint in CHAIN])
