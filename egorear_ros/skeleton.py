"""The skeleton: 16 joints in EgoRear's order and everything that follows from that order.

This is the one home of these facts; no other file lists joint names or indices. Source: EgoRear (ICCV 2025), official
code; see docs/conventions.md. The REP-155 names are those of ROS 4 HRI (https://ros.org/reps/rep-0155.html).
"""

from __future__ import annotations

from typing import Final

JOINTS: Final[tuple[str, ...]] = (
    "Head",
    "Neck",
    "LeftArm",
    "RightArm",
    "LeftForeArm",
    "RightForeArm",
    "LeftHand",
    "RightHand",
    "LeftUpLeg",
    "RightUpLeg",
    "LeftLeg",
    "RightLeg",
    "LeftFoot",
    "RightFoot",
    "LeftToeBase",
    "RightToeBase",
)
"""Names of the 16 joints of a 3D skeleton. A joint sits where the bone it names begins: "LeftArm" is the shoulder."""

NUM_JOINTS: Final = len(JOINTS)

HEATMAP_JOINTS: Final[tuple[str, ...]] = JOINTS[1:]
"""Joints that have a heatmap: all but the head, which no helmet camera sees."""

NUM_HEATMAP_JOINTS: Final = len(HEATMAP_JOINTS)

PARENTS: Final[tuple[int, ...]] = (0, 0, 1, 1, 2, 3, 4, 5, 2, 3, 8, 9, 10, 11, 12, 13)
"""Index of each joint's parent; the root (Head) is its own. Hips hang from the shoulders: there is no pelvis joint."""

BONES: Final[tuple[tuple[int, int], ...]] = (
    *((parent, joint) for joint, parent in enumerate(PARENTS) if parent != joint),
    (JOINTS.index("LeftUpLeg"), JOINTS.index("RightUpLeg")),
)
"""Edges to draw: each joint with its parent, and the line between the hips."""

LEFT_RIGHT_PAIRS: Final[tuple[tuple[int, int], ...]] = tuple(
    (JOINTS.index(name), JOINTS.index(name.replace("Left", "Right"))) for name in JOINTS if name.startswith("Left")
)

MIRRORED: Final[tuple[int, ...]] = tuple(
    {**dict(LEFT_RIGHT_PAIRS), **{right: left for left, right in LEFT_RIGHT_PAIRS}}.get(joint, joint)
    for joint in range(NUM_JOINTS)
)
"""`MIRRORED[j]` is the joint on the other side of the body (itself for Head and Neck)."""

GROUPS: Final[dict[str, tuple[int, ...]]] = {
    "head": (0,),
    "neck": (1,),
    "arms": (2, 3),
    "forearms": (4, 5),
    "hands": (6, 7),
    "upper legs": (8, 9),
    "legs": (10, 11),
    "feet": (12, 13),
    "toes": (14, 15),
}
"""Joint groups in the order of the paper's per-part tables, from head to toes."""

UNREALEGO_NAMES: Final[tuple[str, ...]] = (
    "head",
    "neck_01",
    "upperarm_l",
    "upperarm_r",
    "lowerarm_l",
    "lowerarm_r",
    "hand_l",
    "hand_r",
    "thigh_l",
    "thigh_r",
    "calf_l",
    "calf_r",
    "foot_l",
    "foot_r",
    "ball_l",
    "ball_r",
)
"""The same joints under their UnrealEgo / game-engine names, which body models and EgoTAP use."""

REP155_NAMES: Final[tuple[str, ...]] = (
    "head",
    "torso",
    "l_shoulder",
    "r_shoulder",
    "l_elbow",
    "r_elbow",
    "l_wrist",
    "r_wrist",
    "l_hip",
    "r_hip",
    "l_knee",
    "r_knee",
    "l_ankle",
    "r_ankle",
    "l_toes",
    "r_toes",
)
"""Link of the human model of REP-155 at the same place; the toes are ours, REP-155 has none."""
