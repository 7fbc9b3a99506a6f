from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from egorear_ros import resources
from egorear_ros.data.rig_clip import RigClip
from egorear_ros.errors import EgorearError
from egorear_ros.rig import load_rig
from egorear_ros.rig.rigid import transform_points
from egorear_ros.simulator.recorder import Recording, record, record_clip
from egorear_ros.skeleton import JOINTS


def small(out: Path, **changes: object) -> Recording:
    return replace(Recording(out, frames=5, sequence_frames=3, size_px=64, motion_blur=False), **changes)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_layout_and_content(tmp_path: Path) -> None:
    record(small(tmp_path / "set"), workers=1)
    assert (tmp_path / "set/train.txt").read_text() == "rp_egorear_00000\n"
    sequence = tmp_path / "set/rp_egorear_00000/1001"
    for view in ("front_left", "front_right", "back_left", "back_right"):
        images = sorted((sequence / f"fisheye_rgb/camera_{view}").iterdir())
        assert [path.name for path in images] == ["000000.jpg", "000001.jpg", "000002.jpg"]
        assert cv2.imread(str(images[0])).shape == (64, 64, 3)
    content = json.loads((sequence / "json_smplx_gendered/000001.json").read_text())
    assert list(content["joints"]) == list(JOINTS)
    joints_cm = np.array([content["joints"][name]["device_pts3d"] for name in JOINTS])
    for index, camera in enumerate(load_rig("ego4view").cameras):
        official = f"camera_{camera.name.replace('rear', 'back')}_pts2d"
        pixels = np.array([content["joints"][name][official] for name in JOINTS])
        as_built = np.array(content["egorear"]["camera_from_device"][index])
        seen = np.array(content["egorear"]["in_view"][index], bool)
        projected = camera.model.project(transform_points(as_built, joints_cm / 100))
        assert np.abs(projected - pixels)[seen].max() < 0.5


def test_workers_and_resuming_give_the_same_bytes(tmp_path: Path) -> None:
    record(small(tmp_path / "one"), workers=1)
    interrupted = small(tmp_path / "two")
    record(interrupted, workers=2)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    lost = tmp_path / "two/rp_egorear_00000/1002"
    for path in sorted(lost.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    lost.rename(lost.with_name("1002.partial"))
    assert record(interrupted, workers=1) == 3
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_other_settings_are_refused(tmp_path: Path) -> None:
    record(small(tmp_path / "set", frames=1), workers=1)
    with pytest.raises(EgorearError, match="seed = 0, now it is 1"):
        record(small(tmp_path / "set", frames=1, seed=1), workers=1)


def test_clip_round_trip(tmp_path: Path) -> None:
    path = record_clip(small(tmp_path / "clip", frames=6, size_px=96, fps=15.0), jpeg_quality=95)
    clip = RigClip(path)
    assert len(clip) == 6 and clip.info.views == ("front_left", "front_right", "rear_left", "rear_right")
    forward = [clip.frame(i) for i in range(6)]
    np.testing.assert_array_equal(clip.frame(2), forward[2])
    np.testing.assert_array_equal(clip.stamps_ns[:, 0], [round(i / 15 * 1e9) for i in range(6)])
    truth = clip.ground_truth
    assert truth["joints_device_m"].shape == (6, 16, 3) and truth["visible"].shape == (6, 4, 16)
    rig = clip.rig.resized(*clip.info.size_px)
    for index, camera in enumerate(rig.cameras):
        pixels = camera.model.project(
            transform_points(camera.camera_from_device, truth["joints_device_m"][3].astype(float))
        )
        seen = truth["in_view"][3, index]
        np.testing.assert_allclose(pixels[seen], truth["pixels"][3, index][seen], atol=0.05)
    with pytest.raises(EgorearError, match="exists already"):
        record_clip(small(path, frames=1))


def test_a_clip_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(EgorearError, match="'fly'"):
        record_clip(small(tmp_path / "clip"), actions=("fly",))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["ground_truth.npz", "stamps.csv"])
def test_a_damaged_file_of_a_clip_is_named(tmp_path: Path, name: str) -> None:
    shutil.copytree(resources.find("assets/demo_clip"), tmp_path / "clip", ignore=shutil.ignore_patterns("*.avi"))
    path = tmp_path / "clip" / name
    path.write_bytes(path.read_bytes()[:-100] if name.endswith(".npz") else b"")
    with pytest.raises(EgorearError, match=name):
        RigClip(tmp_path / "clip")
