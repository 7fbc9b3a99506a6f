"""`egorear view`: joints where they are, in the views they belong to."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from egorear_ros import resources
from egorear_ros.cli.main import main
from egorear_ros.data.ego4view_syn import SequenceWriter, frame_content
from egorear_ros.data.jpeg import encode_jpeg
from egorear_ros.errors import EgorearError
from egorear_ros.rig import load_rig, rig_yaml
from egorear_ros.simulator.contact_sheet import HIDDEN_COLOR, VISIBLE_COLOR, sheet_of
from egorear_ros.skeleton import JOINTS

COUNT = len(JOINTS)
PIXEL = (200.0, 120.0)


GREY = {"front_left": 0, "rear_left": 90}


def recorded(root: Path, *views: str) -> Path:
    """One frame of 100 px by a rig calibrated at 400 px, as of `egorear simulate --views`; the views differ in grey.

    All joints lie at one pixel of the calibration; the first view sees them, from the second they are hidden.
    """
    flags = {"in_view": [[1] * COUNT] * 2, "visible": [[1] * COUNT, [0] * COUNT]}
    zeros, pixels = np.zeros((COUNT, 3)), np.broadcast_to(PIXEL, (2, COUNT, 2))
    content = frame_content(views, zeros, zeros, np.zeros((2, COUNT, 3)), pixels, flags)
    images = [encode_jpeg(np.full((100, 100, 3), GREY[view], np.uint8), 95) for view in views]
    with SequenceWriter(root, "rp_a", "1001", views) as writer:
        writer.write(0, images, content)
    rig = root.with_suffix(".yaml")
    rig.write_text(rig_yaml(load_rig("ego4view").resized(400, 400)))
    (root / "simulation.yaml").write_text(yaml.safe_dump({"rig": str(rig), "views": list(views)}))
    return root


@pytest.fixture
def data_set(tmp_path: Path) -> Path:
    return recorded(tmp_path / "set", "front_left", "rear_left")


def is_like(pixel: NDArray[np.uint8], color: tuple[int, int, int]) -> bool:
    return bool(np.abs(pixel.astype(int) - color).max() < 8)


@pytest.mark.parametrize("folder", [".", "rp_a/1001"])
def test_joints_are_drawn_in_the_pixels_of_the_rigs_calibration(data_set: Path, folder: str) -> None:
    sheet = sheet_of(data_set / folder, columns=1)
    assert is_like(sheet[30, 50], VISIBLE_COLOR)
    assert is_like(sheet[30, 100 + 52], HIDDEN_COLOR) and not is_like(sheet[30, 100 + 50], VISIBLE_COLOR)


def test_flags_follow_the_views_whatever_the_order_of_recording(tmp_path: Path) -> None:
    sheet = sheet_of(recorded(tmp_path / "set", "rear_left", "front_left"), columns=1)
    rear = 0 if sheet[0, 0].max() > 45 else 100
    assert is_like(sheet[30, rear + 50], VISIBLE_COLOR), "the rear view was recorded first, and sees the joints"
    assert is_like(sheet[30, 100 - rear + 52], HIDDEN_COLOR)


def test_images_may_be_png_and_may_be_missing(data_set: Path) -> None:
    for path in data_set.rglob("*.jpg"):
        cv2.imwrite(str(path.with_suffix(".png")), np.full((100, 100, 3), 90, np.uint8))
        path.unlink()
    assert sheet_of(data_set, joints=False)[0, 0].tolist() == [90, 90, 90]
    next(data_set.rglob("*.png")).unlink()
    with pytest.raises(EgorearError, match="000000.jpg' is missing"):
        sheet_of(data_set)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--frames", "0"], "--frames must be between 1"),
        (["--columns", "0"], "--columns must be between 1"),
        (["--scale", "0"], "--scale must be between 1"),
        (["--out", "sheet.xyz"], "'sheet.xyz' is no name of a picture"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(
    data_set: Path, extra: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["view", str(data_set), *extra]) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


@pytest.mark.parametrize("joints", [True, False])
def test_pictures_are_enlarged_with_and_without_joints(data_set: Path, joints: bool) -> None:
    assert sheet_of(data_set, joints=joints, scale=3, columns=1).shape == (300, 600, 3)
    clip = resources.find("assets/demo_clip")
    small, large = (sheet_of(clip, 1, joints, scale, columns=1).shape for scale in (1, 2))
    assert large == (2 * small[0], 2 * small[1], 3)
