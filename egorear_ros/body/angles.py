"""Rotations of the body as the angles of REP-155's human model, see `rep155`."""

from __future__ import annotations

import warnings
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from egorear_ros.body.limits import LIMITS, Hinge
from egorear_ros.body.rep155 import ANGLE_NAMES, ARM_FROM_LINK, CHAIN, SIDES
from egorear_ros.body.tree import BODY_JOINTS

Float64 = npt.NDArray[np.float64]

STRAIGHT: Final = 1e-7
"""Sine of an angle below which two axes are one."""

_INDEX: Final = {name: index for index, name in enumerate(BODY_JOINTS)}
_ENDLESS: Final = [ANGLE_NAMES.index(joint.name) for joint in CHAIN if joint.axis and joint.high_rad == np.inf]


def joint_angles(parent_from_joint: Float64, offsets_m: Float64) -> Float64:
    """Angles of poses.

    Args:
        parent_from_joint: (T, 20, 3, 3) rotations.
        offsets_m: (20, 3) of the body.

    Returns:
        (T, A) radians, in the order of `ANGLE_NAMES`. Those of joints without limits go on beyond half a turn where
        the one before did.
    """
    local = {name: parent_from_joint[:, index] for name, index in _INDEX.items()}
    found = _trunk(local)
    for side in SIDES:
        found |= _arm(side, local, offsets_m) | _leg(side, local)
    angles = np.stack([found[name] for name in ANGLE_NAMES], -1)
    angles[:, _ENDLESS] = np.unwrap(angles[:, _ENDLESS], axis=0)
    return angles


def _trunk(local: dict[str, Float64]) -> dict[str, Float64]:
    pitch, roll, yaw = _euler(local["Spine"], "YXZ")
    head_roll, head_yaw, head_pitch = _euler(local["Neck"], "XZY")
    found = {"waist": pitch, "r_torso": roll, "y_torso": yaw}
    return found | {"r_head": head_roll, "y_head": head_yaw, "p_head": -head_pitch}


def _arm(side: tuple[str, str, float], local: dict[str, Float64], offsets_m: Float64) -> dict[str, Float64]:
    s, name, sign = side
    yaw, roll = _collar(local[f"{name}Shoulder"] @ offsets_m[_INDEX[f"{name}Arm"]], offsets_m, side)
    torso_from_collar = Rotation.from_euler("ZX", np.stack([yaw, roll], -1)).as_matrix()
    torso_from_arm = local[f"{name}Shoulder"] @ local[f"{name}Arm"]
    rotation = torso_from_collar.swapaxes(-1, -2) @ torso_from_arm @ ARM_FROM_LINK[name]
    first, middle, last = _z_x_z(rotation, sign)
    return {
        f"{s}_y_collar": yaw,
        f"{s}_r_collar": roll,
        f"{s}_y_shoulder": -sign * first,
        f"{s}_p_shoulder": sign * middle,
        f"{s}_r_shoulder": sign * last,
        f"{s}_elbow": _bend(local, f"{name}ForeArm"),
    }


def _leg(side: tuple[str, str, float], local: dict[str, Float64]) -> dict[str, Float64]:
    s, name, sign = side
    yaw, pitch, roll = _euler(local[f"{name}UpLeg"], "ZXY")
    toes = local[f"{name}Foot"][..., 0]
    return {
        f"{s}_y_hip": -yaw,
        f"{s}_p_hip": sign * pitch,
        f"{s}_r_hip": -roll,
        f"{s}_knee": -_bend(local, f"{name}Leg"),
        f"{s}_y_foot": np.arctan2(toes[..., 1], toes[..., 0]),
        f"{s}_p_foot": -np.arcsin(np.clip(toes[..., 2], -1, 1)),
    }


def _euler(rotation: Float64, order: str) -> tuple[Float64, Float64, Float64]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # two axes in line: any share between them gives the rotation
        angles = np.asarray(Rotation.from_matrix(rotation).as_euler(order))
    return angles[..., 0], angles[..., 1], angles[..., 2]


def _bend(local: dict[str, Float64], joint: str) -> Float64:
    hinge = LIMITS[joint]
    assert isinstance(hinge, Hinge)
    return np.asarray(Rotation.from_matrix(local[joint]).as_rotvec(), np.float64) @ hinge.axis


def _collar(arm_m: Float64, offsets_m: Float64, side: tuple[str, str, float]) -> tuple[Float64, Float64]:
    """Turn about z, then x, that brings the shoulder from its rest to (T, 3) `arm_m`."""
    _, name, sign = side
    rest = offsets_m[_INDEX[f"{name}Arm"]]
    yaw = np.arctan2(-sign * arm_m[:, 0], sign * arm_m[:, 1])
    raised = np.arctan2(arm_m[:, 2], sign * np.hypot(arm_m[:, 0], arm_m[:, 1])) - np.arctan2(rest[2], rest[1])
    return yaw, np.asarray(np.remainder(raised + np.pi, 2 * np.pi) - np.pi, np.float64)


def _z_x_z(rotation: Float64, sign: float) -> tuple[Float64, Float64, Float64]:
    """Intrinsic z, x, z angles whose middle one has the given sign, each in -pi to pi.

    Where first and last axis are in line, as in an arm that hangs straight down, the first angle is 0.
    """
    sine = np.hypot(rotation[..., 0, 2], rotation[..., 1, 2])
    middle = np.arctan2(sine, rotation[..., 2, 2])
    first = np.where(sine > STRAIGHT, np.arctan2(sign * rotation[..., 0, 2], -sign * rotation[..., 1, 2]), 0.0)
    c, s = np.cos(first), np.sin(first)
    # What the first angle leaves, before the middle one: its x axis is turned by the last angle alone.
    along = c * rotation[..., 0, 0] + s * rotation[..., 1, 0]
    across = c * rotation[..., 0, 1] + s * rotation[..., 1, 1]
    return first, sign * middle, np.arctan2(-across, along)
