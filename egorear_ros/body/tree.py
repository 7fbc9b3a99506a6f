"""The kinematic tree: its joints, the rest pose, and forward kinematics.

Rest pose: a T-pose. All joint frames are parallel then: x forward, y to the person's left, z up (REP-103). The arms
point along +y (left) and -y (right), the legs along -z, the feet along +x, spine and head along +z. Each joint has the
rotation `parent_from_joint`, the identity in the rest pose; a bone is fixed in the frame of the joint where it begins.

`Hips` is midway between both hips and has no joint in EgoRear's skeleton. `Spine` lies at the same place and carries
the chest. Both collar bones begin at the neck.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from egorear_ros.body.lengths import BodyLengths
from egorear_ros.skeleton import JOINTS

Float64 = npt.NDArray[np.float64]

_TREE: Final[tuple[tuple[str, str], ...]] = (
    ("Hips", ""),
    ("Spine", "Hips"),
    ("Neck", "Spine"),
    ("Head", "Neck"),
    ("LeftShoulder", "Spine"),
    ("LeftArm", "LeftShoulder"),
    ("LeftForeArm", "LeftArm"),
    ("LeftHand", "LeftForeArm"),
    ("RightShoulder", "Spine"),
    ("RightArm", "RightShoulder"),
    ("RightForeArm", "RightArm"),
    ("RightHand", "RightForeArm"),
    ("LeftUpLeg", "Hips"),
    ("LeftLeg", "LeftUpLeg"),
    ("LeftFoot", "LeftLeg"),
    ("LeftToeBase", "LeftFoot"),
    ("RightUpLeg", "Hips"),
    ("RightLeg", "RightUpLeg"),
    ("RightFoot", "RightLeg"),
    ("RightToeBase", "RightFoot"),
)

BODY_JOINTS: Final[tuple[str, ...]] = tuple(name for name, _ in _TREE)
"""The 20 joints of the body, parents first."""

BODY_PARENTS: Final[tuple[int, ...]] = tuple(BODY_JOINTS.index(parent) if parent else -1 for _, parent in _TREE)
"""Index of each joint's parent in `BODY_JOINTS`; -1 for the root."""

ENDS: Final[tuple[str, ...]] = ("Head", "LeftHand", "RightHand", "LeftToeBase", "RightToeBase")
"""Joints where a chain ends: 16 joints do not tell how they are turned."""

ROTATING: Final[tuple[int, ...]] = tuple(i for i, name in enumerate(BODY_JOINTS) if name not in ENDS)
"""Indices of the joints with a rotation of their own."""

FROM_SKELETON: Final[tuple[int, ...]] = tuple(BODY_JOINTS.index(name) for name in JOINTS)
"""For each of EgoRear's 16 joints its index in `BODY_JOINTS`."""


def rest_offsets(lengths: BodyLengths) -> Float64:
    """(20, 3) position of each joint in its parent's frame, metres."""
    half, drop = lengths.shoulder_half_width_m, lengths.shoulder_drop_m
    offsets: dict[str, tuple[float, float, float]] = {"Neck": (0, 0, lengths.spine_m), "Head": (0, 0, lengths.head_m)}
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        offsets |= {
            f"{side}Shoulder": (0, 0, lengths.spine_m),
            f"{side}Arm": (0, sign * half, -drop),
            f"{side}ForeArm": (0, sign * lengths.upper_arm_m, 0),
            f"{side}Hand": (0, sign * lengths.forearm_m, 0),
            f"{side}UpLeg": (0, sign * lengths.hip_half_width_m, 0),
            f"{side}Leg": (0, 0, -lengths.thigh_m),
            f"{side}Foot": (0, 0, -lengths.shank_m),
            f"{side}ToeBase": (lengths.foot_m, 0, 0),
        }
    return np.array([offsets.get(name, (0, 0, 0)) for name in BODY_JOINTS], np.float64)


def forward_kinematics(
    offsets_m: Float64, parent_from_joint: Float64, root_m: Float64, parents: Sequence[int] = BODY_PARENTS
) -> tuple[Float64, Float64]:
    """Positions and orientations of all joints.

    Args:
        offsets_m: (20, 3), from `rest_offsets`.
        parent_from_joint: (..., 20, 3, 3) rotations; the root's is device_from_joint.
        root_m: (..., 3) position of the hips, metres, device frame.
        parents: of the tree.

    Returns:
        (..., 20, 3) positions in the device frame, metres, and (..., 20, 3, 3) device_from_joint rotations.
    """
    positions = np.empty((*parent_from_joint.shape[:-2], 3))
    turned = np.empty_like(parent_from_joint)
    for joint, parent in enumerate(parents):
        if parent < 0:
            turned[..., joint, :, :], positions[..., joint, :] = parent_from_joint[..., joint, :, :], root_m
            continue
        turned[..., joint, :, :] = turned[..., parent, :, :] @ parent_from_joint[..., joint, :, :]
        positions[..., joint, :] = positions[..., parent, :] + turned[..., parent, :, :] @ offsets_m[joint]
    return positions, turned
