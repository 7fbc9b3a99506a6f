"""Rig and calibration files: what loads, and how a mistake is reported."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from egorear_ros import resources
from egorear_ros.rig import (
    DEVICE_FRAME,
    HELMET_FRAME,
    OFFICIAL_NAMES,
    VIEWS,
    OCamModel,
    RigError,
    load_official_calibration,
    load_rig,
    load_rw_extrinsics,
)
from egorear_ros.rig.rigid import inverse, quaternion_xyzw


@pytest.fixture
def ego4view() -> dict[str, Any]:
    content = yaml.safe_load(resources.find("config/rigs/ego4view.yaml").read_text())
    assert isinstance(content, dict)
    return content


def official_json(model: OCamModel) -> dict[str, Any]:
    return {
        "name": "camera_front_left_scaramuzza",
        "size": [model.width, model.height],
        "imageCircleRadius": model.image_circle_radius_px,
        "image_center": list(model.center_px),
        "polynomialC2W": list(model.ray_polynomial),
        "polynomialW2C": list(model.radius_polynomial),
        "affine": [1.0, 0.0, 0.0],
    }


def break_pose(content: dict[str, Any]) -> None:
    content["cameras"]["rear_left"]["camera_from_device"]["rotation"][0][0] = 1


MISTAKES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "old format": (lambda c: c.update(format="egorear-rig/0"), "format is 'egorear-rig/0'"),
    "no cameras": (lambda c: c.update(cameras={}), "'cameras' must map"),
    "unknown field": (lambda c: c.update(camera={}), "unknown field 'camera'"),
    "unknown model": (
        lambda c: c["cameras"]["rear_left"].update(model="pinhole"),
        "camera 'rear_left': 'model' must be",
    ),
    "wrong size": (lambda c: c["cameras"]["rear_left"].update(image_size=[872]), "rear_left': 'image_size' must be 2"),
    "zero size": (lambda c: c["cameras"]["rear_left"].update(image_size=[0, 872]), "image size 0x872"),
    "missing lens": (lambda c: c["cameras"]["rear_left"].pop("center"), "rear_left': missing field 'center'"),
    "missing pose": (
        lambda c: c["cameras"]["rear_left"].pop("camera_from_device"),
        "missing field 'camera_from_device'",
    ),
    "NaN": (lambda c: c["cameras"]["rear_left"].update(center=[float("nan"), 1]), "'center' must be 2 finite numbers"),
    "text": (lambda c: c["cameras"]["rear_left"].update(center="middle"), "'center' must be 2 finite numbers"),
    "not monotonic": (
        lambda c: c["cameras"]["rear_left"]["radius_polynomial"].__setitem__(1, -300.0),
        "camera 'rear_left': radius polynomial is not monotonic",
    ),
    "not a rotation": (break_pose, "camera 'rear_left': camera_from_device: not a rotation matrix: determinant is -1"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_rig_file_is_one_clear_error(mistake: str, ego4view: dict[str, Any], tmp_path: Path) -> None:
    spoil, message = MISTAKES[mistake]
    spoil(ego4view)
    path = tmp_path / "rig.yaml"
    path.write_text(yaml.safe_dump(ego4view))
    with pytest.raises(RigError, match="rig.yaml") as caught:
        load_rig(path)
    assert message in str(caught.value)


@pytest.mark.parametrize("content", ["", "[1, 2", "a: b", "- 1"])
def test_a_file_that_is_no_rig_is_one_clear_error(content: str, tmp_path: Path) -> None:
    path = tmp_path / "rig.yaml"
    path.write_text(content)
    with pytest.raises(RigError, match="rig.yaml"):
        load_rig(path)


def test_a_rig_that_does_not_exist() -> None:
    with pytest.raises(RigError, match="no rig 'helmet'; shipped are ego4view, unrealego"):
        load_rig("helmet")
    with pytest.raises(RigError, match="cannot be read"):
        load_rig("nowhere.yaml")


def test_a_rig_file_round_trips_through_its_own_numbers(ego4view: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "rig.yaml"
    path.write_text(yaml.safe_dump(ego4view, sort_keys=False))
    again, shipped = load_rig(path), load_rig("ego4view")
    assert again.names == shipped.names == VIEWS
    for a, b in zip(again.cameras, shipped.cameras, strict=True):
        assert a.model == b.model
        np.testing.assert_array_equal(a.camera_from_device, b.camera_from_device)


def test_equidistant_cameras_load(ego4view: dict[str, Any], tmp_path: Path) -> None:
    camera = ego4view["cameras"]["front_left"]
    ego4view["cameras"] = {
        "only": {
            "model": "equidistant",
            "image_size": [640, 640],
            "image_circle_radius": 320,
            "center": [320, 321],
            "focal_length": 210,
            "distortion": [0.01, 0, 0, 0],
            "max_angle_deg": 88,
            "camera_from_device": camera["camera_from_device"],
        }
    }
    path = tmp_path / "rig.yaml"
    path.write_text(yaml.safe_dump(ego4view))
    rig = load_rig(path)
    assert rig.names == ("only",)
    np.testing.assert_allclose(rig.cameras[0].model.project(np.array([0.0, 0.0, 1.0])), [320, 321])


def test_official_calibration_json_gives_the_shipped_camera(tmp_path: Path) -> None:
    model = load_rig("ego4view")["front_left"].model
    assert isinstance(model, OCamModel)
    path = tmp_path / "camera.json"
    path.write_text(json.dumps(official_json(model)))
    assert load_official_calibration(path) == model
    path.write_text(path.read_text()[:100])
    with pytest.raises(RigError, match="not valid JSON"):
        load_official_calibration(path)
    path.write_text("{}")
    with pytest.raises(RigError, match="no key 'size'"):
        load_official_calibration(path)


def test_rw_extrinsics_replace_the_rigs(tmp_path: Path) -> None:
    rig = load_rig("ego4view")
    matrices = {f"device_to_{OFFICIAL_NAMES[c.name]}": inverse(c.camera_from_device).tolist() for c in rig.cameras}
    path = tmp_path / "seq_1_metadata.json"
    path.write_text(json.dumps({"coord_transformation_matrix": matrices}))
    moved = rig.with_extrinsics(load_rw_extrinsics(path))
    np.testing.assert_allclose(moved["rear_left"].camera_from_device, inverse(rig["rear_left"].camera_from_device))
    del matrices["device_to_camera_back_left"]
    path.write_text(json.dumps({"coord_transformation_matrix": matrices}))
    with pytest.raises(RigError, match="no matrix 'device_to_camera_back_left'"):
        load_rw_extrinsics(path)


def test_subset_keeps_order_and_names_unknown_views() -> None:
    rig = load_rig("ego4view")
    assert rig.subset(["rear_right", "front_left"]).names == ("rear_right", "front_left")
    with pytest.raises(RigError, match="no camera 'top'; it has front_left"):
        rig.subset(["top"])
    with pytest.raises(RigError, match="'front_left' is used twice"):
        rig.subset(["front_left", "front_left"])
    with pytest.raises(RigError, match="no cameras"):
        rig.subset([])
    with pytest.raises(RigError, match="no extrinsics for camera 'front_left'"):
        rig.with_extrinsics({})


def test_static_frames_put_the_cameras_where_the_paper_says() -> None:
    rig = load_rig("ego4view")
    helmet_from = {HELMET_FRAME: np.eye(4)}
    for edge in rig.static_transforms():
        helmet_from[edge.child] = helmet_from[edge.parent] @ edge.parent_from_child
    assert set(helmet_from) == {HELMET_FRAME, DEVICE_FRAME, *(f"{view}_optical_frame" for view in VIEWS)}
    x, y, _ = (helmet_from[f"{view}_optical_frame"][:3, 3] for view in VIEWS[:3])
    assert x[1] == pytest.approx(0.06) and y[1] == pytest.approx(-0.06)  # left is +y
    front, rear = helmet_from["front_left_optical_frame"], helmet_from["rear_left_optical_frame"]
    assert front[0, 3] - rear[0, 3] == pytest.approx(0.37) and rear[1, 3] == pytest.approx(0.06)
    for view in VIEWS:  # every optical axis points down
        np.testing.assert_allclose(helmet_from[f"{view}_optical_frame"][:3, 2], [0, 0, -1], atol=1e-12)
    # images have the head at their bottom edge: image down points backward in front, forward in the rear
    np.testing.assert_allclose(front[:3, 1], [-1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(rear[:3, 1], [1, 0, 0], atol=1e-12)


def test_quaternion_is_in_ros_order() -> None:
    turn = np.eye(4)
    turn[:2, :2] = [[0, -1], [1, 0]]  # 90 degrees about z
    np.testing.assert_allclose(quaternion_xyzw(turn), [0, 0, 0.5**0.5, 0.5**0.5], atol=1e-12)
