"""The body frame of skeletons whose pose is known."""

from __future__ import annotations

import numpy as np

from egorear_ros.datatypes import Skeleton
from egorear_ros.skeleton import JOINTS
from egorear_ros.visualization.body_frame import body_pose


def skeleton(positions: dict[str, tuple[float, float, float]], valid: bool = True) -> Skeleton:
    joints = np.zeros((16, 3))
    for name, position in positions.items():
        joints[JOINTS.index(name)] = position
    nan = np.full((16, 3, 3), np.nan, np.float32)
    return Skeleton(0, joints, np.ones(16, np.float32), nan, np.full(16, valid), (), "helmet_link")


UPRIGHT = {"LeftUpLeg": (1.0, 0.1, 0.9), "RightUpLeg": (1.0, -0.1, 0.9), "Neck": (1.0, 0.0, 1.5)}


def test_upright_person_facing_x_has_the_worlds_axes() -> None:
    pose = body_pose(skeleton(UPRIGHT))
    assert pose is not None
    np.testing.assert_allclose(pose[:3, :3], np.eye(3), atol=1e-12)
    np.testing.assert_allclose(pose[:3, 3], [1.0, 0.0, 0.9])


def test_turning_the_skeleton_turns_the_frame() -> None:
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    turned = {name: tuple(turn @ position) for name, position in UPRIGHT.items()}
    pose = body_pose(skeleton(turned))
    assert pose is not None
    np.testing.assert_allclose(pose[:3, :3], turn, atol=1e-12)


def test_no_frame_where_it_would_mean_nothing() -> None:
    assert body_pose(skeleton({})) is None
    assert body_pose(skeleton(UPRIGHT, valid=False)) is None
