"""The kinematic body: closed forms, exact round trips, noise, limits, missing joints."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from egorear_ros import resources
from egorear_ros.body import (
    BODY_JOINTS,
    BODY_PARENTS,
    ROTATING,
    BodyFitter,
    BodyLengths,
    SkeletonSequence,
    fit_body,
    forward_kinematics,
    measure_lengths,
    rest_offsets,
)
from egorear_ros.body.fitting import DEVICE_FROM_UPRIGHT
from egorear_ros.body.limits import LIMITS, Ball, Hinge, limits_of
from egorear_ros.body.rotations import from_vector, rotation_vector, shortest_arc, twist_rad
from egorear_ros.body.tree import FROM_SKELETON
from egorear_ros.data.rig_clip import RigClip, truth_skeleton
from egorear_ros.datatypes import Skeleton
from egorear_ros.errors import EgorearError
from egorear_ros.rig import VIEWS
from egorear_ros.skeleton import BONES, JOINTS

Float64 = NDArray[np.float64]
LENGTHS = BodyLengths(0.11, 0.2, 0.36, 0.29, 0.27, 0.5, 0.24, 0.45, 0.44, 0.15)
OFFSETS = rest_offsets(LENGTHS)
INDEX = {name: index for index, name in enumerate(BODY_JOINTS)}
JOINT = {name: index for index, name in enumerate(JOINTS)}


@pytest.fixture(scope="module")
def demo() -> SkeletonSequence:
    clip = RigClip(resources.find("assets/demo_clip"))
    joints = clip.ground_truth["joints_device_m"]
    truth = [truth_skeleton(j, int(s.min())) for j, s in zip(joints, clip.stamps_ns, strict=True)]
    return SkeletonSequence.from_skeletons(truth, VIEWS)


def sequence_of(joints_m: Float64, covariance_m2: Float64 | None = None) -> SkeletonSequence:
    skeletons = []
    for index, joints in enumerate(joints_m):
        skeleton = truth_skeleton(joints, index * 33_000_000)
        if covariance_m2 is not None:
            skeleton = replace(skeleton, covariance_m2=covariance_m2[index].astype(np.float32))
        skeletons.append(skeleton)
    return SkeletonSequence.from_skeletons(skeletons, VIEWS)


def upright(**turns: Float64) -> Float64:
    """(20, 3, 3) rest pose with some joints turned."""
    local = np.tile(np.eye(3), (len(BODY_JOINTS), 1, 1))
    local[0] = DEVICE_FROM_UPRIGHT
    for name, turn in turns.items():
        local[INDEX[name]] = local[INDEX[name]] @ turn
    return local


def joints_of(local: Float64, root_m: Float64 | None = None) -> Float64:
    positions, _ = forward_kinematics(OFFSETS, local, np.zeros((*local.shape[:-3], 3)) if root_m is None else root_m)
    return np.asarray(positions[..., list(FROM_SKELETON), :], np.float64)


def random_poses(count: int, seed: int) -> Float64:
    """(T, 20, 3, 3) smooth random motion within the limits."""
    rng = np.random.default_rng(seed)
    limits = limits_of(OFFSETS)
    local = np.empty((count, len(BODY_JOINTS), 3, 3))
    phase = rng.uniform(0, 2 * math.pi, (len(BODY_JOINTS), 3))
    size = np.where(np.isin(np.arange(len(BODY_JOINTS)), [INDEX["Spine"], INDEX["Neck"]]), 0.2, 0.5)[:, None]
    for index in range(count):
        turns = size * np.sin(phase + 0.1 * index)
        local[index] = np.eye(3)
        for joint, limit in limits.items():
            local[index, joint] = limit.clamped(from_vector(turns[joint]))
        local[index, 0] = DEVICE_FROM_UPRIGHT @ local[index, 0]
    return local


def test_the_rest_pose_is_the_documented_t_pose() -> None:
    body = joints_of(upright()) @ DEVICE_FROM_UPRIGHT  # x forward, y left, z up
    at = {name: body[index] for name, index in JOINT.items()}
    drop = math.sqrt(0.2**2 - 0.18**2)
    assert at["LeftHand"] == pytest.approx([0, 0.18 + 0.29 + 0.27, 0.5 - drop])
    assert at["RightHand"] == pytest.approx([0, -(0.18 + 0.29 + 0.27), 0.5 - drop])
    assert at["LeftFoot"] == pytest.approx([0, 0.12, -0.89])
    assert at["RightToeBase"] == pytest.approx([0.15, -0.12, -0.89])
    assert at["Head"] == pytest.approx([0, 0, 0.61])


@pytest.mark.parametrize(
    ("joint", "end", "towards"),
    [("LeftForeArm", "LeftHand", 1), ("RightForeArm", "RightHand", 1), ("LeftLeg", "LeftFoot", -1)],
)
def test_positive_angles_bend_elbows_forward_and_knees_backward(joint: str, end: str, towards: int) -> None:
    hinge = LIMITS[joint]
    assert isinstance(hinge, Hinge)
    turned = joints_of(upright(**{joint: from_vector(hinge.axis * math.pi / 2)})) @ DEVICE_FROM_UPRIGHT
    bone = turned[JOINT[end]] - turned[JOINT[joint]]
    assert bone / np.linalg.norm(bone) == pytest.approx([towards, 0, 0], abs=1e-9)


def test_a_body_with_known_lengths_is_found_again() -> None:
    local = random_poses(60, 1)
    truth = joints_of(local, np.tile([0.02, 0.4, 0.7], (60, 1)))
    body = fit_body(sequence_of(truth), LENGTHS)
    assert np.abs(body.joints_m - truth).max() < 2e-3  # the weak priors' share
    # What the joints determine is found: the bends of elbows and knees.
    for name in ("LeftForeArm", "RightForeArm", "LeftLeg", "RightLeg"):
        hinge = LIMITS[name]
        assert isinstance(hinge, Hinge)
        true, found = (
            np.array([hinge.angle_rad(pose[INDEX[name]]) for pose in poses])
            for poses in (local, body.parent_from_joint)
        )
        assert np.degrees(np.abs(true - found)).max() < 1.0


def test_the_demo_clip_is_a_body_within_millimetres(demo: SkeletonSequence) -> None:
    error = fit_body(demo).error()
    assert error.mean_mm < 1.0
    assert set(error.per_joint_mm) == set(JOINTS)


def test_bone_lengths_are_constant_and_the_measured_ones(demo: SkeletonSequence) -> None:
    rng = np.random.default_rng(0)
    noisy = sequence_of(demo.positions_m[:40] + rng.normal(0, 0.03, (40, 16, 3)))
    body = fit_body(noisy)
    for joint, parent in enumerate(BODY_PARENTS[1:], start=1):
        length = np.linalg.norm(body.positions_m[:, joint] - body.positions_m[:, parent], axis=-1)
        assert length == pytest.approx(np.linalg.norm(body.offsets_m[joint]), abs=1e-9)
    assert np.linalg.norm(body.offsets_m[INDEX["LeftLeg"]]) == pytest.approx(body.lengths.thigh_m)


def test_a_body_is_nearer_to_the_truth_than_noisy_joints(demo: SkeletonSequence) -> None:
    rng = np.random.default_rng(2)
    covariance = np.tile(np.eye(3) * 0.03**2, (len(demo), 16, 1, 1))
    noisy = sequence_of(demo.positions_m + rng.normal(0, 0.03, demo.positions_m.shape), covariance)
    body = fit_body(noisy)
    free_mm, body_mm = (
        1e3 * np.linalg.norm(joints - demo.positions_m, axis=-1).mean() for joints in (noisy.positions_m, body.joints_m)
    )
    assert body_mm < 0.87 * free_mm


def test_an_unsure_joint_has_little_say() -> None:
    truth = joints_of(random_poses(1, 3))[0]
    wrong = truth.copy()
    wrong[JOINT["LeftHand"]] += 0.2
    sure = np.tile(np.eye(3) * 0.01**2, (16, 1, 1))
    unsure = sure.copy()
    unsure[JOINT["LeftHand"]] = np.eye(3)
    valid = np.ones(16, np.bool_)
    elbow = []
    for covariance in (sure, unsure):
        local, root = BodyFitter(LENGTHS).fit(wrong, covariance, valid)
        elbow.append(np.linalg.norm(joints_of(local, root)[JOINT["LeftForeArm"]] - truth[JOINT["LeftForeArm"]]))
    assert elbow[1] < 0.005 < 0.015 < elbow[0]


def test_knees_and_elbows_do_not_bend_the_wrong_way() -> None:
    backwards = upright(LeftLeg=Rotation.from_rotvec([0, -1.0, 0]).as_matrix())
    local, _ = BodyFitter(LENGTHS).fit(joints_of(backwards), np.full((16, 3, 3), np.nan), np.ones(16, np.bool_))
    for name, limit in LIMITS.items():
        if isinstance(limit, Hinge):
            angle = limit.angle_rad(local[INDEX[name]])
            assert limit.low_rad - 1e-6 <= angle <= limit.high_rad + 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_every_pose_keeps_the_limits_whatever_the_joints_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    limits = limits_of(OFFSETS)
    fitter = BodyFitter(LENGTHS)
    for _ in range(10):
        local, root = fitter.fit(rng.normal(0, 0.6, (16, 3)), np.full((16, 3, 3), np.nan), np.ones(16, np.bool_))
        assert np.isfinite(local).all()
        assert np.isfinite(root).all()
        assert local[list(ROTATING)] @ local[list(ROTATING)].swapaxes(-1, -2) == pytest.approx(
            np.tile(np.eye(3), (len(ROTATING), 1, 1)), abs=1e-9
        )
        for joint, limit in limits.items():
            if isinstance(limit, Ball):
                cosine = (local[joint] @ limit.bone) @ limit.centre
                assert math.acos(min(1, cosine)) <= limit.cone_rad + 1e-6
                assert abs(twist_rad(local[joint], limit.bone)) <= limit.twist_rad + 1e-6


def test_a_straight_arm_keeps_its_twist() -> None:
    """An arm bends, then straightens and swings: the plane of its elbow must not jump while nothing shows it."""
    fitter, before, largest = BodyFitter(LENGTHS), None, 0.0
    rng = np.random.default_rng(0)
    for index in range(60):
        bend = max(0.0, 1.0 - 0.05 * index)
        swing = Rotation.from_rotvec([-0.8, 0, 0]) * Rotation.from_rotvec([0, 0, -0.01 * index])
        pose = upright(LeftArm=swing.as_matrix(), LeftForeArm=Rotation.from_rotvec([0, 0, -bend]).as_matrix())
        noisy = joints_of(pose) + rng.normal(0, 0.002, (16, 3))
        local, _ = fitter.fit(noisy, np.full((16, 3, 3), np.nan), np.ones(16, np.bool_))
        arm = local[INDEX["LeftArm"]]
        if before is not None:
            largest = max(largest, float(np.linalg.norm(rotation_vector(before.T @ arm))))
        before = arm
    assert math.degrees(largest) < 8


def test_missing_joints_stay_where_the_body_has_them() -> None:
    local = random_poses(20, 4)
    truth = joints_of(local)
    seen = np.ones((20, 16), np.bool_)
    seen[5:10, JOINT["RightHand"]] = False
    seen[12] = False
    fitter, found = BodyFitter(LENGTHS), []
    for joints, valid in zip(truth, seen, strict=True):
        given = np.where(valid[:, None], joints, np.nan)
        pose, root = fitter.fit(given, np.zeros((16, 3, 3)), valid)
        found.append(joints_of(pose, root))
    distance = np.linalg.norm(np.array(found) - truth, axis=-1)
    assert distance[seen].max() < 3e-3
    assert distance[5:10, JOINT["RightHand"]].max() < 0.2  # the hand moves on unseen, by 0.3 m
    assert np.array_equal(found[12], found[11])


def test_lengths_shrug_off_bad_frames(demo: SkeletonSequence) -> None:
    rng = np.random.default_rng(5)
    bad = demo.positions_m.copy()
    bad[rng.permutation(len(bad))[: len(bad) // 4]] += rng.normal(0, 0.5, (len(bad) // 4, 16, 3))
    good, found = measure_lengths(demo), measure_lengths(sequence_of(bad))
    for name, value in vars(good).items():
        assert getattr(found, name) == pytest.approx(value, abs=0.012), name


def test_lengths_are_weighted_by_the_covariance() -> None:
    """A few sure frames outvote many unsure ones."""
    short, long = (joints_of(upright()) * scale for scale in (0.8, 1.0))
    covariance = np.concatenate(
        [np.tile(np.eye(3) * std**2, (count, 16, 1, 1)) for std, count in ((0.1, 30), (0.01, 5))]
    )
    joints = np.concatenate([np.tile(short, (30, 1, 1)), np.tile(long, (5, 1, 1))])
    assert measure_lengths(sequence_of(joints, covariance)).thigh_m == pytest.approx(0.45)
    assert measure_lengths(sequence_of(joints)).thigh_m == pytest.approx(0.36)


def without(joint: str) -> Callable[[Skeleton], Skeleton]:
    index = JOINT[joint]
    return lambda skeleton: replace(skeleton, valid=np.arange(16) != index)


def test_what_cannot_be_measured_is_named() -> None:
    skeleton = truth_skeleton(joints_of(upright()), 0)
    with pytest.raises(EgorearError, match="'head'.*valid in no frame"):
        measure_lengths(SkeletonSequence.from_skeletons([without("Head")(skeleton)], VIEWS))
    with pytest.raises(EgorearError, match=r"must be in metres"):
        measure_lengths(sequence_of(np.zeros((3, 16, 3))))
    with pytest.raises(EgorearError, match="no skeleton"):
        SkeletonSequence.from_skeletons([], VIEWS)
    with pytest.raises(EgorearError, match="one frame"):
        SkeletonSequence.from_skeletons([skeleton, replace(skeleton, frame_id="world")], VIEWS)


def test_every_bone_of_the_skeleton_is_covered() -> None:
    """The tree joins the joints that EgoRear's skeleton joins, but for hips and shoulders, which hang on the trunk."""
    ancestors = {}
    for joint, parent in enumerate(BODY_PARENTS):
        ancestors[BODY_JOINTS[joint]] = BODY_JOINTS[parent] if parent >= 0 else ""
    names = {frozenset((JOINTS[a], JOINTS[b])) for a, b in BONES}
    limbs = {frozenset(pair) for pair in ancestors.items() if set(pair) <= set(JOINTS)}
    assert len(limbs) == 11
    assert limbs <= names


@pytest.mark.parametrize("seed", range(10))
def test_rotations_agree_with_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vector, a, b = rng.normal(size=3), rng.normal(size=3), rng.normal(size=3)
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    matrix = Rotation.from_rotvec(vector).as_matrix()
    assert from_vector(vector) == pytest.approx(matrix)
    assert rotation_vector(matrix) == pytest.approx(Rotation.from_matrix(matrix).as_rotvec())
    arc = shortest_arc(a, b)
    assert arc @ a == pytest.approx(b)
    assert Rotation.from_matrix(arc).magnitude() == pytest.approx(math.acos(a @ b))
    assert shortest_arc(a, -a) @ a == pytest.approx(-a)
    twisted = arc @ Rotation.from_rotvec(a * 0.7).as_matrix()
    assert twist_rad(twisted, a) == pytest.approx(0.7)
