from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from egorear_ros.data.ego4view import Ego4ViewFrames
from egorear_ros.data.ego4view_layout import SYN, metadata_path
from egorear_ros.data.frame_sets import FrameName
from egorear_ros.data.opening import open_frames
from egorear_ros.errors import EgorearError
from egorear_ros.rig import VIEWS, load_rig
from egorear_ros.rig.rigid import transform_points
from egorear_ros.simulator.sampler import Simulator
from egorear_ros.simulator.settings import SimulatorSettings
from egorear_ros.training.heatmap_targets import joint_heatmaps
from test.data_sets.conftest import rw_joints_m, rw_poses

ALL = np.arange


def test_what_was_simulated_is_read_back(recorded: Path) -> None:
    frames = open_frames(recorded, "train")
    assert len(frames) == 5 and frames.views == VIEWS
    assert [frames.name(i)[:2] for i in range(5)] == [
        *(("rp_egorear_00000/1001", i) for i in range(3)),
        *(("rp_egorear_00000/1002", i) for i in range(2)),
    ]
    sets = frames.take(np.array([4, 0]))
    simulator = Simulator(SimulatorSettings(size_px=64, motion_blur=False))
    for place, (sequence, frame) in enumerate([(1, 1), (0, 0)]):
        made = simulator.sequence(sequence, 3 - sequence).frame(frame)
        truth = made.truth
        np.testing.assert_allclose(sets.joints_device_m[place], truth.joints_device_m, atol=1e-6)
        np.testing.assert_allclose(sets.pixels[place], truth.pixels / 64, atol=1e-5)
        np.testing.assert_array_equal(sets.in_view[place], truth.in_view)
        np.testing.assert_array_equal(sets.visible[place], truth.visible)
        np.testing.assert_allclose(sets.camera_from_device[place], truth.camera_from_device, atol=1e-6)
        assert np.abs(sets.images[place].astype(int) - made.images).mean() < 6  # JPEG of a noisy image
        assert frames.name([4, 0][place]).action == truth.action != ""


def test_views_come_in_the_order_asked_for_and_images_in_the_size(recorded: Path) -> None:
    all_views = open_frames(recorded, "train").take(ALL(2))
    some = open_frames(recorded, None, ("rear_right", "front_left"), size_px=32).take(ALL(2))
    assert some.images.shape == (2, 2, 32, 32, 3)
    for name in ("pixels", "in_view", "visible", "camera_from_device"):
        np.testing.assert_array_equal(getattr(some, name), getattr(all_views, name)[:, [3, 0]])
    halved = all_views.images[:, [3, 0]].reshape(2, 2, 32, 2, 32, 2, 3).mean(axis=(3, 5))
    assert np.abs(some.images - halved).max() <= 0.5


def test_official_files_without_visibility_get_it_from_the_lens(simulated: Path) -> None:
    """As the official data are: no "egorear" entry, no simulation.yaml, poses of the drawing."""
    (simulated / "simulation.yaml").unlink()
    rig = load_rig("ego4view")
    with_extra = open_frames(simulated, "train").take(ALL(1))
    path = simulated / "rp_egorear_00000/1001/json_smplx_gendered/000000.json"
    content = json.loads(path.read_text())
    del content["egorear"]
    content["joints"]["Hips"] = {"device_pts3d": [0, 0, 0]}  # more joints do no harm
    content["joints"]["LeftHand"]["camera_front_left_pts2d"] = [3.0, 3.0]  # in the image, outside the lens circle
    path.write_text(json.dumps(content))
    sets = open_frames(simulated, "train").take(ALL(1))
    assert not sets.in_view[0, 0, 6] and np.array_equal(sets.in_view, sets.visible)
    nominal = [camera.camera_from_device for camera in rig.cameras]
    np.testing.assert_allclose(sets.camera_from_device[0], nominal, atol=1e-7)
    others = np.ones((4, 16), bool)
    others[0, 6] = False
    assert (sets.in_view == with_extra.in_view)[0][others].mean() > 0.95  # poses differ by the helmet's tolerance


def test_rw_is_read_in_metres_with_the_poses_of_its_sequence(rw: Path) -> None:
    frames = open_frames(rw, "train")
    assert [frames.name(i) for i in range(3)] == [
        FrameName("2024_07_24/S1/seq_3-0", 9),
        FrameName("2024_07_24/S1/seq_3-0", 10),
        FrameName("2024_07_24/S1/seq_3-1", 2),
    ]
    sets = frames.take(ALL(3))
    rig = load_rig("ego4view")
    for place, frame in enumerate([9, 10, 2]):
        joints_m = rw_joints_m(1, frame)
        np.testing.assert_allclose(sets.joints_device_m[place], joints_m, atol=1e-6)
        for number, view in enumerate(VIEWS):
            pose = rw_poses(1)[view]
            np.testing.assert_allclose(sets.camera_from_device[place, number], pose, atol=1e-7)
            points = transform_points(pose, joints_m)
            expected = rig[view].model.project(points) / 872
            np.testing.assert_allclose(sets.pixels[place, number], expected, atol=1e-6)
            np.testing.assert_array_equal(sets.in_view[place, number], rig[view].model.in_view(points))
    assert sets.in_view.any() and not sets.in_view.all()
    assert (sets.images[0, 2] == [200, 0, 80]).all()  # RGB
    other = open_frames(rw, "test").take(ALL(1))
    np.testing.assert_allclose(other.camera_from_device[0, 0], rw_poses(2)["front_left"], atol=1e-7)
    assert len(open_frames(rw, None)) == 4


def test_the_metadata_name_is_cut_in_the_file_name_only() -> None:
    assert metadata_path(Path("/a-b/2024-07/S1/seq_3-0-2")) == Path("/a-b/2024-07/S1/seq_3_metadata.json")
    assert metadata_path(Path("/a-b/S1/seq_4")) == Path("/a-b/S1/seq_4_metadata.json")


def test_official_heatmaps_are_read_where_there_are_some(simulated: Path) -> None:
    frames = Ego4ViewFrames(simulated, SYN, "train", ("front_left", "rear_left"))
    assert frames.heatmaps(0) is None
    pixels = frames.take(ALL(1)).pixels[0] * 872
    maps = joint_heatmaps(pixels)
    for number, camera in enumerate(("camera_front_left", "camera_back_left")):
        folder = simulated / "rp_egorear_00000/1001/fisheye_hm" / camera
        folder.mkdir(parents=True)
        np.save(folder / "000000.npy", maps[number])
    np.testing.assert_array_equal(frames.heatmaps(0), maps[:, 1:])
    np.save(folder / "000000.npy", maps[0, :15])
    with pytest.raises(EgorearError, match=r"shape \(15, 64, 64\)"):
        frames.heatmaps(0)


def test_a_simulated_set_of_other_views_keeps_their_order(tmp_path: Path) -> None:
    from egorear_ros.simulator.recorder import Recording, record

    views = ("rear_left", "front_right")
    record(Recording(tmp_path / "set", views=views, frames=1, size_px=64, motion_blur=False), workers=1)
    sets = open_frames(tmp_path / "set", "train", ("front_right", "rear_left")).take(ALL(1))
    rig = load_rig("ego4view").subset(("front_right", "rear_left"))
    for number, camera in enumerate(rig.cameras):
        points = transform_points(sets.camera_from_device[0, number].astype(float), sets.joints_device_m[0])
        seen = sets.in_view[0, number]
        np.testing.assert_allclose(camera.model.project(points)[seen] / 872, sets.pixels[0, number][seen], atol=1e-4)
    with pytest.raises(EgorearError, match="front_left"):
        open_frames(tmp_path / "set", "train")


def test_the_caller_says_how_images_are_made_smaller(recorded: Path) -> None:
    sevens = open_frames(recorded, "train", VIEWS[:1], 32, lambda image, size: np.full((size, size, 3), 7, np.uint8))
    np.testing.assert_array_equal(sevens.take(ALL(2)).images, np.full((2, 1, 32, 32, 3), 7))


def test_what_cannot_be_opened_says_why(simulated: Path, tmp_path: Path) -> None:
    with pytest.raises(EgorearError, match="no folder"):
        open_frames(tmp_path / "nothing", "train")
    (tmp_path / "empty").mkdir()
    with pytest.raises(EgorearError, match=r"rp_\*.*seq_.*shard_"):
        open_frames(tmp_path / "empty", "train")
    with pytest.raises(EgorearError, match="split 'test'.*no frames"):
        open_frames(simulated, "test")
    with pytest.raises(EgorearError, match="no split 'all'"):
        open_frames(simulated, "all")
    with pytest.raises(EgorearError, match="different ones of front_left"):
        open_frames(simulated, "train", ("top",))
    with pytest.raises(EgorearError, match="cannot be made smaller to 65"):
        open_frames(simulated, "train", size_px=65).take(ALL(1))
    (simulated / "train.txt").write_text("rp_egorear_00000\nrp_nobody\n")
    with pytest.raises(EgorearError, match="'rp_nobody'.*data check"):
        open_frames(simulated, "train")


def test_damaged_files_are_named(simulated: Path) -> None:
    frames = open_frames(simulated, "train")
    sequence = simulated / "rp_egorear_00000/1001"
    image = sequence / "fisheye_rgb/camera_back_left/000000.jpg"
    image.write_bytes(image.read_bytes()[:-300])
    with pytest.raises(EgorearError, match=r"camera_back_left/000000.jpg' is broken or cut off"):
        frames.take(ALL(1))
    image.unlink()
    with pytest.raises(EgorearError, match=r"camera_back_left/000000.jpg' is missing"):
        frames.take(ALL(1))
    cv2.imwrite(str(image.with_suffix(".png")), np.zeros((48, 48, 3), np.uint8))
    with pytest.raises(EgorearError, match="has 48 px"):
        frames.take(ALL(1))
    labels = sequence / "json_smplx_gendered/000001.json"
    text = labels.read_text()
    content = json.loads(text)
    for damage, message in (
        (text[:-40], "broken or cut off"),
        ("[]", "holds a list"),
        ("{}", "no 'joints'"),
        (json.dumps({"joints": {k: v for k, v in content["joints"].items() if k != "Neck"}}), "15 of 16.*Neck"),
        (text.replace("camera_back_left_pts2d", "other", 1), "Head has no 'camera_back_left_pts2d'"),
        (text.replace('"device_pts3d":[', '"device_pts3d":[NaN,', 1), "not 3 numbers"),
        (text.replace(str(content["joints"]["Neck"]["device_pts3d"][0]), "NaN", 1), "Neck is not finite"),
    ):
        labels.write_text(damage)
        with pytest.raises(EgorearError, match=message):
            frames.take(np.array([1]))
