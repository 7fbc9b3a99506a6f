from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from egorear_ros.cli.main import main
from egorear_ros.data.checking import check, check_folder
from egorear_ros.data.frame_sets import FrameName, FrameSets
from egorear_ros.data.opening import open_frames

LABELS = "rp_egorear_00000/1001/json_smplx_gendered"
IMAGES = "rp_egorear_00000/1001/fisheye_rgb"


def edit(path: Path, change: Callable[[dict], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def break_labels(root: Path) -> None:
    path = root / LABELS / "000000.json"
    path.write_bytes(path.read_bytes()[:-100])


def move_2d(root: Path) -> None:
    def change(content: dict) -> None:
        content["joints"]["LeftToeBase"]["camera_front_left_pts2d"][0] += 7

    edit(root / LABELS / "000001.json", change)


def lose_joint(root: Path) -> None:
    edit(root / LABELS / "000002.json", lambda content: content["joints"].pop("RightLeg"))


def lose_view(root: Path) -> None:
    def change(content: dict) -> None:
        for joint in content["joints"].values():
            del joint["camera_back_left_pts2d"]

    edit(root / LABELS / "000001.json", change)


def put_nan(root: Path) -> None:
    def change(content: dict) -> None:
        content["joints"]["Neck"]["device_pts3d"][2] = float("nan")

    edit(root / LABELS / "000001.json", change)


def resize_image(root: Path) -> None:
    cv2.imwrite(str(root / IMAGES / "camera_front_left/000001.jpg"), np.zeros((32, 32, 3), np.uint8))


def stretch_image(root: Path) -> None:
    cv2.imwrite(str(root / IMAGES / "camera_front_left/000001.jpg"), np.zeros((32, 64, 3), np.uint8))


def cut_image(root: Path) -> None:
    path = root / IMAGES / "camera_front_left/000001.jpg"
    path.write_bytes(path.read_bytes()[:-200])


DAMAGES: tuple[tuple[Callable[[Path], object], str, str], ...] = (
    (lambda root: (root / IMAGES / "camera_back_right/000002.jpg").unlink(), "missing file", "back_right/000002.jpg"),
    (break_labels, "labels", "000000.json' is broken or cut off"),
    (lose_joint, "labels", "15 of 16 joints; it lacks RightLeg"),
    (lose_view, "labels", "camera_back_left_pts2d"),
    (put_nan, "labels", "Neck is not finite"),
    (move_2d, "2D and 3D", "front_left: LeftToeBase lies 7.0 px"),
    (resize_image, "image size", "19 of 64 px, 1 of 32 px"),
    (stretch_image, "image", "has 64x32 px"),
    (cut_image, "image", "000001.jpg' is broken or cut off"),
    (lambda root: shutil.copy(root / LABELS / "000001.json", root / LABELS / "1.json"), "duplicate", "2 frames of"),
    (lambda root: (root / "test.txt").write_text("rp_egorear_00000\n"), "duplicate", "test.txt and train.txt"),
    (lambda root: (root / "train.txt").write_text("rp_egorear_00000\nrp_x\n"), "missing folder", "rp_x"),
    (lambda root: shutil.rmtree(root / "rp_egorear_00000/1001") or shutil.rmtree(root / "rp_egorear_00000/1002"),
     "missing folder", "rp_egorear_00000"),
)  # fmt: skip


@pytest.mark.parametrize(("damage", "kind", "what"), DAMAGES, ids=lambda value: value if isinstance(value, str) else "")
def test_damage_is_found(simulated: Path, damage: Callable[[Path], object], kind: str, what: str) -> None:
    assert check_folder(simulated) == ({"train": 5}, [])
    damage(simulated)
    assert [finding for finding in check_folder(simulated).findings if finding.kind == kind and what in finding.what]


def test_check_prints_counts_and_exits_1(simulated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", str(simulated)]) == 0
    assert capsys.readouterr().out == "frame sets looked at: train 5; findings: none\n"
    break_labels(simulated)
    lose_joint(simulated)
    assert main(["data", "check", str(simulated), "--most", "1"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and lines[1].startswith("... and 1 more")
    assert lines[2] == "frame sets looked at: train 5; findings: 2 labels"
    assert main(["data", "check", str(simulated), "--sample", "1"]) == 1  # the first frame, which is broken
    assert "train 1" in capsys.readouterr().out
    assert main(["data", "check", str(simulated), "--split", "val"]) == 1
    assert "empty split" in capsys.readouterr().out
    assert main(["data", "check", str(simulated / "nothing")]) == 1
    assert "no folder" in capsys.readouterr().out
    assert main(["data", "check", str(simulated), "--sample", "0"]) == 1
    assert "--sample must be" in capsys.readouterr().err


def test_rw_without_poses_is_one_finding_per_sequence(rw: Path) -> None:
    assert check_folder(rw) == ({"train": 3, "test": 1}, [])
    (rw / "2024_07_24/S1/seq_3_metadata.json").unlink()
    findings = check_folder(rw).findings
    assert [finding.kind for finding in findings] == ["camera poses"] * 2
    assert all("seq_3_metadata.json" in finding.what for finding in findings)


class InMemory:
    """The least a frame source can be."""

    def __init__(self, sets: FrameSets, views: tuple[str, ...]) -> None:
        self.sets, self.views = sets, views

    def __len__(self) -> int:
        return len(self.sets)

    def take(self, indices: np.ndarray) -> FrameSets:
        return self.sets.take(indices)

    def name(self, index: int) -> FrameName:
        return FrameName("one", index)


def test_any_source_can_be_checked(recorded: Path) -> None:
    frames = open_frames(recorded, "train")
    sets = frames.take(np.arange(5))
    assert check(InMemory(sets, frames.views)) == []
    joints = sets.joints_device_m.copy()
    joints[2] += 0.1
    joints[4, 3, 1] = np.inf
    findings = check(InMemory(dataclasses.replace(sets, joints_device_m=joints), frames.views))
    assert {(finding.kind, finding.what.split(":")[0]) for finding in findings} == {
        ("2D and 3D", "sequence one, frame 2"),
        ("labels", "sequence one, frame 4"),
    }
