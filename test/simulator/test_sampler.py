from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from egorear_ros.rig import load_rig
from egorear_ros.rig.rigid import transform_points
from egorear_ros.simulator.body.retarget import contact_points
from egorear_ros.simulator.live import LiveSource
from egorear_ros.simulator.sampler import Simulator
from egorear_ros.simulator.sequence import Sequence
from egorear_ros.simulator.settings import SimulatorSettings


def test_pixels_are_the_projected_joints(simulator) -> None:
    truth = simulator.sequence(2, 40).frame(20).truth
    for view, model in enumerate(simulator.renderer.models):
        in_camera = transform_points(truth.camera_from_device[view], truth.joints_device_m)
        np.testing.assert_allclose(in_camera, truth.joints_camera_m[view], atol=1e-9)
        seen = truth.in_view[view]
        np.testing.assert_allclose(model.project(in_camera)[seen], truth.pixels[view][seen], atol=0.01)
        assert (model.in_view(in_camera) == seen).all()
    assert not (truth.visible & ~truth.in_view).any()


def test_a_visible_joint_lies_under_its_own_limb_in_the_picture(simulator) -> None:
    """Independent of the visibility code: the surface seen at a visible hand is within 15 cm of the hand in 3D."""
    checked = 0
    for index in range(4):
        frame = simulator.sequence(index, 30).frame(15)
        truth = frame.truth
        for view, model in enumerate(simulator.renderer.models):
            for joint in np.flatnonzero(truth.visible[view] & np.isin(np.arange(16), [6, 7])):
                column, row = np.floor(truth.pixels[view, joint]).astype(int)
                near = np.s_[view, max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
                rays = model.unproject(
                    np.stack(
                        np.meshgrid(
                            np.arange(near[2].start, near[2].stop)[:3], np.arange(near[1].start, near[1].stop)[:3]
                        ),
                        -1,
                    )
                    + 0.5
                )
                depth = frame.views.distance_m[near]
                points = rays[: depth.shape[0], : depth.shape[1]] * depth[..., None]
                assert np.linalg.norm(points - truth.joints_camera_m[view, joint], axis=-1).min() < 0.15
                checked += 1
    assert checked > 3


def test_same_seed_same_bytes_in_any_order(simulator) -> None:
    other = Simulator(replace(simulator.settings, threads=2))
    late = other.sequence(5, 20).frame(11)
    simulator.sequence(1, 20).frame(3)
    sequence = simulator.sequence(5, 20)
    sequence.frame(0)
    again = sequence.frame(11)
    np.testing.assert_array_equal(late.images, again.images)
    np.testing.assert_array_equal(late.truth.joints_device_m, again.truth.joints_device_m)


def test_another_seed_gives_another_picture(simulator) -> None:
    other = Simulator(replace(simulator.settings, seed=4)).sequence(5, 20).frame(11)
    assert np.abs(other.images.astype(int) - simulator.sequence(5, 20).frame(11).images).mean() > 5


def test_feet_are_on_the_floor(simulator) -> None:
    for index in range(6):
        sequence = simulator.sequence(index, 90)
        character = sequence.character
        points = contact_points(
            simulator.asset,
            character.shape,
            sequence.motion.world_from_rest,
            sequence.motion.bone_heads_m,
            character.sole_m,
        )
        lowest = points[..., 2].min(axis=1)
        assert lowest.min() > -1e-3, sequence.clip.action
        assert np.median(lowest) < 0.015, sequence.clip.action
        mesh = character.posed(sequence.motion.world_from_rest[10], sequence.motion.bone_heads_m[10])
        assert mesh.vertices_m[:, 2].min() > -0.05


def test_no_hair_or_cloth_reaches_a_camera(simulator) -> None:
    for index in range(0, 12, 2):
        sequence = simulator.sequence(index, 10)
        rotations, heads = sequence._pose_at(0.0)
        device_from_world, _ = sequence._device(rotations, heads)
        mesh = sequence.character.posed(rotations, heads)
        tied = np.unique(mesh.faces[mesh.face_part == simulator.asset.bone["head"]])
        for camera_from_world in sequence.mount.camera_from_world(device_from_world):
            distance = np.linalg.norm(transform_points(camera_from_world, mesh.vertices_m[tied]), axis=1)
            assert distance.min() > 0.02


@pytest.mark.parametrize("views", [("front_left", "front_right"), ("rear_left",)])
def test_any_rig(views: tuple[str, ...]) -> None:
    rig = load_rig("ego4view").subset(views)
    frame = Simulator(SimulatorSettings(rig=rig, size_px=64, motion_blur=False)).sequence(0, 5).frame(2)
    assert frame.images.shape == (len(views), 64, 64, 3)
    assert frame.truth.visible.shape == (len(views), 16)


def test_motion_blur_changes_pixels_but_not_the_truth(simulator) -> None:
    blurred = Simulator(replace(simulator.settings, motion_blur=True))
    changed = 0
    for index in range(6):
        sharp, soft = (Sequence(s, index, 30, ("run",)).frame(17) for s in (simulator, blurred))
        np.testing.assert_array_equal(sharp.truth.pixels, soft.truth.pixels)
        changed += int((sharp.images != soft.images).any())
    assert changed > 0


def test_frames_for_training_never_end_and_vary(simulator) -> None:
    frames = list(itertools.islice(simulator.frames(sequence_frames=60, stride=30), 5))
    assert len({frame.truth.clip for frame in frames}) >= 2


class TestLiveSource:
    def test_frame_at_is_deterministic_and_stamped(self, simulator) -> None:
        source = LiveSource(replace(simulator.settings, fps=10), sequence_s=0.5)
        first, later = source.frame_at(0.26), source.frame_at(0.71)
        assert (first.truth.stamp_ns, later.truth.stamp_ns) == (200_000_000, 700_000_000)
        assert first.truth.clip != later.truth.clip
        np.testing.assert_array_equal(source.frame_at(0.29).images, first.images)
