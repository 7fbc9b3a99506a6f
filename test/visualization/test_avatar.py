"""The person of the browser view: follows the body's joints, is sized to it, and stands on the floor."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from egorear_ros import resources
from egorear_ros.body import BODY_JOINTS, BodyPose, LiveBody, LiveBodyConfig
from egorear_ros.data.rig_clip import RigClip, truth_skeleton
from egorear_ros.rig import load_rig
from egorear_ros.rig.rigid import transform_points
from egorear_ros.visualization.avatar import load_avatar
from egorear_ros.visualization.standing import SOLE_M, Standing

Float64 = NDArray[np.float64]
RIG = load_rig("ego4view")
INDEX = {name: index for index, name in enumerate(BODY_JOINTS)}


def poses(scale: float = 1.0) -> list[BodyPose]:
    """Of the bundled clip's true skeletons."""
    clip = RigClip(resources.find("assets/demo_clip"))
    joints = scale * clip.ground_truth["joints_device_m"][::4]
    skeletons = [truth_skeleton(j, int(s.min())) for j, s in zip(joints, clip.stamps_ns[::4], strict=True)]
    body, found = LiveBody(LiveBodyConfig(first=1)), []
    for skeleton in skeletons:
        body.learn(skeleton)
        pose = body.fit(skeleton)
        assert pose is not None
        found.append(pose)
    return found


def in_helmet(pose: BodyPose) -> Float64:
    return np.asarray(transform_points(RIG.helmet_from_device, pose.positions_m), np.float64)


def near(vertices: NDArray[np.float32], weights: NDArray[np.float32], joint: str) -> Float64:
    """(3,) middle of the points that hang on one joint alone."""
    return np.asarray(vertices[weights[:, INDEX[joint]] > 0.95].mean(0), np.float64)


def test_the_shipped_person_is_small_and_whole() -> None:
    avatar = load_avatar()
    assert 2000 < len(avatar.vertices_m) < 5000, "sent to a browser ten times per second"
    assert avatar.faces.max() < len(avatar.vertices_m) == len(avatar.colors) == len(avatar.weights)
    assert avatar.weights.sum(1) == pytest.approx(1)
    assert resources.find("assets/avatar.npz").stat().st_size < 100_000


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.15])
def test_every_part_lies_along_its_bone(scale: float) -> None:
    """In every pose, whatever the size of the wearer."""
    avatar = load_avatar()
    for pose in poses(scale)[::5]:
        vertices, _ = avatar.posed(pose, RIG.helmet_from_device)
        joints = in_helmet(pose)
        for start, end in (("Arm", "ForeArm"), ("ForeArm", "Hand"), ("UpLeg", "Leg"), ("Leg", "Foot")):
            for side in ("Left", "Right"):
                a, b = joints[INDEX[side + start]], joints[INDEX[side + end]]
                way, middle = b - a, near(vertices, avatar.weights, side + start)
                along = float((middle - a) @ way / (way @ way))
                assert 0.1 < along < 0.9, (side + start, along)
                assert np.linalg.norm(middle - a - along * way) < 0.05 * scale, side + start


def test_normals_point_outward() -> None:
    avatar = load_avatar()
    vertices, normals = avatar.posed(poses()[0], RIG.helmet_from_device)
    assert np.linalg.norm(normals, axis=-1) == pytest.approx(1, abs=1e-4)
    for joint in ("Head", "Spine", "LeftUpLeg", "RightForeArm"):
        part = avatar.weights[:, INDEX[joint]] > 0.95
        outward = ((vertices[part] - vertices[part].mean(0)) * normals[part]).sum(-1)
        assert (outward > 0).mean() > 0.7, joint


def test_the_head_keeps_to_the_helmet() -> None:
    """Whatever the neck does: it is the helmet that the frame belongs to."""
    avatar = load_avatar()
    first, last = (avatar.posed(pose, RIG.helmet_from_device)[0] for pose in (poses()[0], poses()[-1]))
    head = avatar.weights[:, INDEX["Head"]] > 0.999
    moved = last[head] - first[head]
    assert np.ptp(moved, axis=0).max() < 0.02, "neither turned nor stretched"


def tilted(pose: BodyPose, turn: Rotation) -> Float64:
    return np.asarray(turn.apply(in_helmet(pose)), np.float64)


@pytest.mark.parametrize("tilt_deg", [-40, 0, 35])
def test_the_person_stands_however_the_helmet_sits(tilt_deg: float) -> None:
    standing, turn = Standing(), Rotation.from_euler("y", tilt_deg, degrees=True)
    for number, pose in enumerate(poses() * 4):
        joints = tilted(pose, turn)
        floor = standing.floor_from_helmet(joints, number * 133_000_000)
        stood = transform_points(floor, joints)
    assert floor[:3, :3] @ floor[:3, :3].T == pytest.approx(np.eye(3))
    assert np.degrees(np.arccos((turn.inv().as_matrix() @ floor[:3, :3].T)[2, 2])) < 30, "up is up again"
    feet = stood[[INDEX[f"{side}{joint}"] for side in ("Left", "Right") for joint in ("Foot", "ToeBase")], 2]
    assert feet.min() == pytest.approx(SOLE_M, abs=0.1)
    assert stood[INDEX["Neck"], 2] > 1.1


def test_a_clock_that_jumps_and_joints_in_one_point_do_no_harm() -> None:
    standing = Standing()
    for stamp_ns in (0, 10**12, 5):
        assert np.isfinite(standing.floor_from_helmet(np.zeros((20, 3)), stamp_ns)).all()
