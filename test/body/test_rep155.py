"""The human model of REP-155: names and axes of the standard, forward kinematics, limits."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from egorear_ros.body import (
    ANGLE_NAMES,
    BODY_JOINTS,
    CHAIN,
    LINK_OF,
    HumanChain,
    forward_kinematics,
    joint_angles,
    robot_description,
)
from egorear_ros.body.limits import limits_of
from egorear_ros.body.rotations import from_vector
from egorear_ros.skeleton import JOINTS

from .test_body import INDEX, LENGTHS, OFFSETS, upright

Float64 = NDArray[np.float64]
CHAINED = HumanChain(OFFSETS)


def link_poses(angles_rad: Float64, root: Float64) -> dict[str, Float64]:
    """(4, 4) of every link, composed joint by joint."""
    poses = {"body": root}
    for joint, origin, quaternion in zip(CHAIN, CHAINED.origins_m, CHAINED.rotations(angles_rad), strict=True):
        step = np.eye(4)
        step[:3, :3], step[:3, 3] = Rotation.from_quat(quaternion).as_matrix(), origin
        poses[joint.child] = poses[joint.parent] @ step
    return poses


def largest_difference_m(local: Float64) -> float:
    """Of any joint's position between the body and the chain with its angles."""
    root = np.eye(4)
    root[:3, :3], root[:3, 3] = local[0], (0.1, 0.2, 0.3)
    poses = link_poses(joint_angles(local[None], OFFSETS)[0], root)
    positions, _ = forward_kinematics(OFFSETS, local, root[:3, 3])
    return max(float(np.abs(poses[link][:3, 3] - positions[INDEX[joint]]).max()) for joint, link in LINK_OF.items())


def test_the_names_are_those_of_the_standard() -> None:
    """Links and joints of the diagram in REP-155, with the axes of its reference model."""
    axes = {joint.name: joint.axis for joint in CHAIN}
    assert axes["waist"] == (0, 1, 0)
    assert (axes["r_head"], axes["y_head"], axes["p_head"]) == ((1, 0, 0), (0, 0, 1), (0, -1, 0))
    for s, sign in (("l", 1), ("r", -1)):
        assert axes[f"{s}_y_shoulder"] == (0, 0, -sign)
        assert axes[f"{s}_p_shoulder"] == (sign, 0, 0)
        assert axes[f"{s}_r_shoulder"] == (0, 0, sign)
        assert axes[f"{s}_y_hip"] == (0, 0, -1)
        assert axes[f"{s}_p_hip"] == (sign, 0, 0)
        assert axes[f"{s}_elbow"] == axes[f"{s}_knee"] == axes[f"{s}_r_hip"] == (0, -1, 0)
    assert {name for name, axis in axes.items() if axis is None} == {
        "torso",
        "head",
        *(f"{s}_{end}" for s in "lr" for end in ("wrist", "ankle", "toes")),
    }
    assert set(LINK_OF) == {*JOINTS, "Hips"}


def test_with_all_angles_at_zero_the_arms_hang() -> None:
    poses = link_poses(np.zeros(len(ANGLE_NAMES)), np.eye(4))
    for s, sign in (("l", 1), ("r", -1)):
        shoulder, wrist, ankle = (poses[f"{s}_{name}"][:3, 3] for name in ("shoulder", "wrist", "ankle"))
        assert wrist - shoulder == pytest.approx([0, 0, -(LENGTHS.upper_arm_m + LENGTHS.forearm_m)])
        assert ankle == pytest.approx([0, sign * 0.12, -0.89])
    assert poses["torso"][:3, 3] == pytest.approx([0, 0, LENGTHS.spine_m])


def test_angles_have_the_signs_of_the_standard() -> None:
    """Elbows bend forward with positive angles, knees backward with negative ones."""
    bent = upright(
        LeftForeArm=from_vector(np.array([0, 0, -0.7])),
        RightForeArm=from_vector(np.array([0, 0, 0.7])),
        LeftLeg=from_vector(np.array([0, 0.5, 0])),
    )
    angles = dict(zip(ANGLE_NAMES, joint_angles(bent[None], OFFSETS)[0], strict=True))
    assert angles["l_elbow"] == pytest.approx(0.7)
    assert angles["r_elbow"] == pytest.approx(0.7)
    assert angles["l_knee"] == pytest.approx(-0.5)
    for s in "lr":
        assert angles[f"{s}_p_shoulder"] == pytest.approx(math.pi / 2), "the arms of a T-pose"
    assert sum(abs(value) for value in angles.values()) == pytest.approx(1.9 + math.pi), "all others are 0"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_pose_within_the_limits_keeps_its_positions_and_the_joints_ranges(seed: int) -> None:
    rng = np.random.default_rng(seed)
    local = np.tile(np.eye(3), (len(BODY_JOINTS), 1, 1))
    for index, limit in limits_of(OFFSETS).items():
        local[index] = limit.clamped(Rotation.random(rng=rng).as_matrix())
    assert largest_difference_m(local) < 1e-6
    joints = [joint for joint in CHAIN if joint.axis is not None]
    for joint, angle in zip(joints, joint_angles(local[None], OFFSETS)[0], strict=True):
        assert joint.low_rad - 1e-6 <= angle <= joint.high_rad + 1e-6, joint.name


@pytest.mark.parametrize("lifted", [0.0, math.pi])
def test_arms_straight_down_or_up_are_no_trouble(lifted: float) -> None:
    """First and last axis of the shoulder are in line there."""
    down = {name: from_vector(np.array([sign * (lifted - math.pi / 2), 0, 0])) for name, sign in SHOULDERS}
    local = upright(**down)
    angles = dict(zip(ANGLE_NAMES, joint_angles(local[None], OFFSETS)[0], strict=True))
    assert angles["l_p_shoulder"] == pytest.approx(lifted, abs=1e-6)
    assert largest_difference_m(local) < 1e-6


SHOULDERS = (("LeftArm", 1.0), ("RightArm", -1.0))


def test_angles_without_limits_go_on() -> None:
    """An arm that circles about the vertical: no jump by a full turn."""
    turns = [from_vector(np.array([0, 0, angle])) @ from_vector(np.array([-0.7, 0, 0])) for angle in range(9)]
    local = np.stack([upright(LeftArm=turn) for turn in turns])
    yaw = joint_angles(local, OFFSETS)[:, ANGLE_NAMES.index("l_y_shoulder")]
    assert np.diff(yaw) == pytest.approx(np.full(8, -1.0))


def test_ids_are_added_to_all_names() -> None:
    text = robot_description(OFFSETS, "wearer")
    names = [
        part.split('"')[0] for part in itertools.chain(*(text.split(f'<{tag} name="')[1:] for tag in ("link", "joint")))
    ]
    assert len(names) == 2 * len(CHAIN) + 1
    assert all(name.endswith("_wearer") for name in names)
    assert 'link name="body"' in robot_description(OFFSETS)
