from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from egorear_ros.rig import OFFICIAL_NAMES, VIEWS, load_rig
from egorear_ros.rig.rigid import transform_points
from egorear_ros.simulator.recorder import Recording, record
from egorear_ros.skeleton import JOINTS


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five frames in two sequences of one person, 64 px, as `egorear simulate` writes them."""
    out = tmp_path_factory.mktemp("recorded") / "set"
    record(Recording(out, frames=5, sequence_frames=3, size_px=64, motion_blur=False), workers=1)
    return out


@pytest.fixture
def simulated(recorded: Path, tmp_path: Path) -> Path:
    """A copy of `recorded` that a test may damage."""
    return Path(shutil.copytree(recorded, tmp_path / "set"))


def rw_poses(sequence: int) -> dict[str, np.ndarray]:
    """Camera poses of an RW sequence: the rig's, shifted by something of the sequence's own."""
    poses = {camera.name: camera.camera_from_device.copy() for camera in load_rig("ego4view").cameras}
    for pose in poses.values():
        pose[:3, 3] += [0.01 * sequence, -0.02, 0.005]
    return poses


def rw_joints_m(sequence: int, frame: int) -> np.ndarray:
    rng = np.random.default_rng([sequence, frame])
    return rng.uniform([-0.4, -0.2, -0.3], [0.4, 0.5, 1.2], (16, 3))


def write_rw_frame(folder: Path, sequence: int, frame: int, ending: str) -> None:
    """One frame as RW keeps it: centimetres, pixels of 872, images as PNG (or what `ending` says)."""
    joints_m = rw_joints_m(sequence, frame)
    joints: dict[str, dict[str, Any]] = {
        name: {"trans": [0.0, 0.0, 0.0], "device_pts3d": (100 * joints_m[j]).tolist()} for j, name in enumerate(JOINTS)
    }
    poses = rw_poses(sequence)
    for number, (view, official) in enumerate(OFFICIAL_NAMES.items()):
        camera = load_rig("ego4view")[view]
        pixels = camera.model.project(transform_points(poses[view], joints_m))
        for j, name in enumerate(JOINTS):
            joints[name][f"{official}_pts2d"] = pixels[j].tolist()
        images = folder / "fisheye_rgb" / official
        images.mkdir(parents=True, exist_ok=True)
        red_blue = np.zeros((16, 16, 3), np.uint8)
        red_blue[..., 2], red_blue[..., 0] = 200, 40 * number  # OpenCV writes BGR
        cv2.imwrite(str(images / f"frame_{frame:04d}{ending}"), red_blue)
    labels = folder / "json_smplx"
    labels.mkdir(exist_ok=True)
    (labels / f"frame_{frame:04d}.json").write_text(json.dumps({"camera_pose": [], "joints": joints}))


@pytest.fixture
def rw(tmp_path: Path) -> Path:
    """A tiny Ego4View-RW below a folder with a '-' in its name; two sequences that share a metadata file, and one."""
    root = tmp_path / "my-data" / "Ego4View-RW"
    for number, sequence, frames, ending in (
        (1, "2024_07_24/S1/seq_3-0", (9, 10), ".png"),
        (1, "2024_07_24/S1/seq_3-1", (2,), ".jpg"),
        (2, "2024_07_25/S2/seq_1-0", (0,), ".png"),
    ):
        for frame in frames:
            write_rw_frame(root / sequence, number, frame, ending)
        matrices = {f"device_to_{OFFICIAL_NAMES[view]}": rw_poses(number)[view].tolist() for view in VIEWS}
        metadata = (root / sequence).with_name(f"{Path(sequence).name.partition('-')[0]}_metadata.json")
        metadata.write_text(json.dumps({"coord_transformation_matrix": matrices}))
    (root / "train.txt").write_text("2024_07_24/S1/seq_3-1\n2024_07_24/S1/seq_3-0\n")
    (root / "validation.txt").write_text("")
    (root / "test.txt").write_text("2024_07_25/S2/seq_1-0\n")
    return root
