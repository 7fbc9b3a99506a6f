"""Calibrations of other programs: what a rig makes of them, against the files' own definitions."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from scipy.spatial.transform import Rotation

from egorear_ros.rig import VIEWS, Rig, RigError, load_rig
from egorear_ros.rig.doubts import doubts
from egorear_ros.rig.importing import ImportOptions, import_rig
from egorear_ros.rig.rigid import inverse, rigid

from .calibration_files import DATA, FOUR


def directions(angle_deg: float, count: int = 1500) -> np.ndarray:
    rng = np.random.default_rng(0)
    angle, turn = math.radians(angle_deg) * np.sqrt(rng.random(count)), rng.uniform(0, 2 * math.pi, count)
    return 1.3 * np.stack([np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn), np.cos(angle)], -1)


def kalibr_pixels(camera: dict[str, Any], points: np.ndarray) -> np.ndarray:
    """Kalibr's formulas, from its wiki and the papers it names."""
    x, y, z = points.T
    values, model = camera["intrinsics"], camera["camera_model"]
    d = camera.get("distortion_coeffs") or [0, 0, 0, 0]
    fx, fy, cx, cy = values[-4:]
    length = np.linalg.norm(points, axis=-1)
    if model == "ds":
        xi, alpha = values[:2]
        d2 = np.sqrt(x**2 + y**2 + (xi * length + z) ** 2)
        below = alpha * d2 + (1 - alpha) * (xi * length + z)
    elif model == "eucm":
        alpha, beta = values[:2]
        below = alpha * np.sqrt(beta * (x**2 + y**2) + z**2) + (1 - alpha) * z
    elif model == "omni":
        below = z + values[0] * length
    else:
        below = z
    mx, my = x / below, y / below
    if camera["distortion_model"] == "equidistant":
        r, theta = np.hypot(x, y), np.arctan2(np.hypot(x, y), z)
        bent = theta * (1 + d[0] * theta**2 + d[1] * theta**4 + d[2] * theta**6 + d[3] * theta**8)
        mx, my = x / r * bent, y / r * bent
    elif camera["distortion_model"] == "radtan":
        k1, k2, p1, p2 = d
        r2 = mx**2 + my**2
        mx, my = (
            mx * (1 + k1 * r2 + k2 * r2**2) + 2 * p1 * mx * my + p2 * (r2 + 2 * mx**2),
            my * (1 + k1 * r2 + k2 * r2**2) + 2 * p2 * mx * my + p1 * (r2 + 2 * my**2),
        )
    return np.stack([fx * mx + cx, fy * my + cy], -1)


CHAIN_LENSES: dict[str, dict[str, Any]] = {
    "eucm": {"camera_model": "eucm", "distortion_model": "none", "distortion_coeffs": [],
             "intrinsics": [0.61, 1.07, 300.2, 301.9, 640.3, 509.1]},
    "omni": {"camera_model": "omni", "distortion_model": "radtan", "distortion_coeffs": [-0.08, 0.03, 0.0009, -0.0012],
             "intrinsics": [1.42, 760.1, 757.7, 633.9, 515.2]},
    "pinhole-radtan": {"camera_model": "pinhole", "distortion_model": "radtan",
                       "distortion_coeffs": [-0.02, 0.004, 0.0005, -0.0004],
                       "intrinsics": [420.1, 421.7, 650.2, 500.9]},
}  # fmt: skip


def chain(lens: dict[str, Any], with_imu: bool = False) -> dict[str, Any]:
    """A camchain of four cameras with poses drawn at random, and the poses from camera 0 under "truth"."""
    rng = np.random.default_rng(5)
    content, before = {}, np.eye(4)
    imu = rigid(Rotation.random(rng=1).as_matrix(), [0.01, 0.02, -0.03])
    truth = []
    for i, place in enumerate([(0, 0, 0), (0.12, 0, 0), (0, 0.37, 0), (0.12, 0.37, 0)]):
        turn = Rotation.from_euler("zyx", [math.pi * (i > 1), *rng.normal(0, 0.05, 2)]).as_matrix()
        from_first = inverse(rigid(turn, np.array(place, float) + rng.normal(0, 0.003, 3))) if i else np.eye(4)
        content[f"cam{i}"] = {**lens, "resolution": [1280, 1024], "rostopic": f"/cam{i}/image_raw"}
        if with_imu:
            content[f"cam{i}"]["T_cam_imu"] = (from_first @ imu).tolist()
        elif i:
            content[f"cam{i}"]["T_cn_cnm1"] = (from_first @ inverse(before)).tolist()
        truth.append(from_first)
        before = from_first
    return {"content": content, "truth": truth}


def from_first(rig: Rig) -> list[np.ndarray]:
    return [camera.camera_from_device @ rig.cameras[0].device_from_camera for camera in rig.cameras]


@pytest.mark.parametrize("name", ["camchain_equi", "camchain_ds"])
def test_kalibr_chains_of_the_cases(name: str) -> None:
    content = yaml.safe_load((DATA / f"{name}.yaml").read_text())
    expected = json.loads((DATA / f"{name}.expected.json").read_text())["camera_n_from_camera_0"]
    rig = import_rig([DATA / f"{name}.yaml"], FOUR)[0]
    assert rig.names == VIEWS
    np.testing.assert_allclose(from_first(rig), expected, atol=1e-6)
    for i, camera in enumerate(rig.cameras):
        assert (camera.model.width, camera.model.height) == (1280, 1024)
        points = directions(math.degrees(camera.model.max_angle_rad))
        np.testing.assert_allclose(camera.model.project(points), kalibr_pixels(content[f"cam{i}"], points), atol=1e-6)
    assert not doubts(rig)


@pytest.mark.parametrize("with_imu", [False, True], ids=["chain", "imu"])
@pytest.mark.parametrize("lens", CHAIN_LENSES)
def test_kalibr_chains_of_other_models(lens: str, with_imu: bool, tmp_path: Path) -> None:
    made = chain(CHAIN_LENSES[lens], with_imu)
    (tmp_path / "chain.yaml").write_text(yaml.safe_dump(made["content"]))
    rig = import_rig([tmp_path / "chain.yaml"], FOUR)[0]
    np.testing.assert_allclose(from_first(rig), made["truth"], atol=1e-9)
    model = rig.cameras[2].model
    points = directions(math.degrees(model.max_angle_rad))
    np.testing.assert_allclose(model.project(points), kalibr_pixels(made["content"]["cam2"], points), atol=1e-6)


def test_the_device_frame_lies_between_the_front_cameras() -> None:
    rig, notes = import_rig([DATA / "camchain_equi.yaml"], FOUR)
    left, right = (rig[name].device_from_camera for name in VIEWS[:2])
    np.testing.assert_allclose((left + right)[:3, 3], 0, atol=1e-12)
    assert left[0, 3] < 0 and abs(left[1, 3]) < 1e-12 and rig["rear_left"].device_from_camera[1, 3] > 0.3
    axis = left[:3, 2] + right[:3, 2]
    np.testing.assert_allclose(axis / np.linalg.norm(axis), [0, 0, 1], atol=1e-12)
    middle = np.mean([rig.helmet_from_device @ camera.device_from_camera[:, 3] for camera in rig.cameras], axis=0)
    np.testing.assert_allclose(middle[:3], 0, atol=1e-12)
    assert any("midway between front_left and front_right" in note for note in notes)
    for device_from, camera in (("rear_right", "rear_right"), ("file", "front_left")):
        moved = import_rig([DATA / "camchain_equi.yaml"], ImportOptions(VIEWS, device_from=device_from))[0]
        np.testing.assert_allclose(moved[camera].camera_from_device, np.eye(4), atol=1e-12)
        np.testing.assert_allclose(from_first(moved), from_first(rig), atol=1e-12)
    pair = import_rig([DATA / "camchain_equi.yaml"], ImportOptions(("a", "b", "c", "d")))[0]
    np.testing.assert_allclose(pair["a"].camera_from_device, np.eye(4), atol=1e-12)


def test_ocamcalib_with_its_affine_part() -> None:
    rig = import_rig([DATA / "calib_results_front_left.txt"])[0]
    assert rig.names == ("front_left",)  # as the file's name says
    model = rig.cameras[0].model
    points = directions(100)
    n = np.hypot(points[:, 0], points[:, 1])
    polynomial = [460.338573, 334.319389, 66.308739, 52.536031, 28.965735, 11.448555, 3.534604, 0.641935]
    rho = np.polynomial.polynomial.polyval(np.arctan(-points[:, 2] / n), polynomial)
    x1, y1 = points[:, 1] / n * rho, points[:, 0] / n * rho
    expected = np.stack([y1 + 0.0109 * x1 + 426.391953, 0.9981 * x1 - 0.0112 * y1 + 442.934625], -1)
    np.testing.assert_allclose(model.project(points), expected, atol=1e-9)
    assert np.linalg.norm(model.unproject(expected) - points / 1.3, axis=-1).max() < 1e-4


@pytest.mark.parametrize(("file", "skew"), [("ost.yaml", -0.8), ("opencv_fisheye.yml", 0.0)])
def test_opencvs_fisheye_from_ros_and_from_opencv(file: str, skew: float) -> None:
    model = import_rig([DATA / file])[0].cameras[0].model
    points = directions(85)
    camera_matrix = np.array([[402.6, 0, 868.3], [0, 405.9, 601.2], [0, 0, 1]])
    expected, _ = cv2.fisheye.projectPoints(
        points[:, None], np.zeros(3), np.zeros(3), camera_matrix, np.array([0.168, -0.029, 0.0006, -0.0009]),
        alpha=skew / 402.6,
    )  # fmt: skip
    np.testing.assert_allclose(model.project(points), expected[:, 0], atol=1e-6)
    assert (model.width, model.height) == (1640, 1232)


@pytest.mark.parametrize("suffix", ["yml", "xml", "json"])
@pytest.mark.parametrize("count", [4, 5, 8, 14])
def test_what_opencv_itself_writes(suffix: str, count: int, tmp_path: Path) -> None:
    path = tmp_path / f"calibration.{suffix}"
    matrix = np.array([[412.0, 0, 640.5], [0, 409.0, 360.2], [0, 0, 1]])
    d = np.zeros(count)
    d[:4] = (0.02, -0.01, 0.001, -0.0005)
    d[4:8] = (0.002, 0.01, 0.003, 0.0001)[: max(count - 4, 0)]
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    for key, value in (("image_width", 1280), ("image_height", 720), ("camera_matrix", matrix)):
        storage.write(key, value)
    storage.write("distortion_coefficients", d)
    storage.release()
    model = import_rig([path])[0].cameras[0].model
    points = directions(50)
    project = cv2.fisheye.projectPoints if count == 4 else cv2.projectPoints
    expected, _ = project(points[:, None], np.zeros(3), np.zeros(3), matrix, d)
    np.testing.assert_allclose(model.project(points), expected[:, 0], atol=1e-6)


def test_matrices_as_plain_lists(tmp_path: Path) -> None:
    fields = {"K": [[402.6, 0, 868.3], [0, 405.9, 601.2], [0, 0, 1]], "D": [[0.168], [-0.029], [0.0006], [-0.0009]],
              "image_size": [1640, 1232]}  # fmt: skip
    (tmp_path / "fisheye.json").write_text(json.dumps(fields))
    plain, stored = (
        import_rig([path])[0].cameras[0].model for path in (tmp_path / "fisheye.json", DATA / "opencv_fisheye.yml")
    )
    assert plain == stored


def test_a_stereo_calibration_is_two_cameras(tmp_path: Path) -> None:
    path = tmp_path / "stereo.yml"
    matrix = np.array([[412.0, 0, 640.5], [0, 409.0, 360.2], [0, 0, 1]])
    turn = Rotation.from_euler("y", 3, degrees=True).as_matrix()
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    storage.write("imageSize", np.array([1280.0, 720.0]))
    for key, value in (("K1", matrix), ("D1", np.zeros(4)), ("K2", matrix), ("D2", np.zeros(4)), ("R", turn)):
        storage.write(key, value)
    storage.write("T", np.array([[-120.0], [1.0], [2.0]]))
    storage.release()
    rig = import_rig([path], ImportOptions(("front_left", "front_right"), scale=1e-3))[0]
    np.testing.assert_allclose(from_first(rig)[1], rigid(turn, [-0.12, 0.001, 0.002]), atol=1e-9)
    assert rig["front_right"].device_from_camera[0, 3] == pytest.approx(0.06, abs=1e-4)


@pytest.mark.parametrize("kind", ["plumb_bob", "rational_polynomial"])
def test_ros_pinhole_cameras(kind: str, tmp_path: Path) -> None:
    d = [0.05, -0.02, 0.001, -0.0005, 0.003, 0.1, 0.01, 0.001][: 5 if kind == "plumb_bob" else 8]
    k = [412.0, 0.0, 640.5, 0.0, 409.0, 360.2, 0.0, 0.0, 1.0]
    message = {"width": 1280, "height": 720, "distortion_model": kind, "d": d, "k": k}
    (tmp_path / "info.yaml").write_text(yaml.safe_dump(message) + "---\n")
    model = import_rig([tmp_path / "info.yaml"])[0].cameras[0].model
    points = directions(45)
    expected, _ = cv2.projectPoints(points[:, None], np.zeros(3), np.zeros(3), np.reshape(k, (3, 3)), np.array(d))
    np.testing.assert_allclose(model.project(points), expected[:, 0], atol=1e-6)


def test_basalt_maps_cameras_to_the_imu(tmp_path: Path) -> None:
    poses = [rigid(Rotation.random(rng=i).as_matrix(), [0.1 * i, 0.02, -0.01]) for i in range(2)]
    entries = []
    for pose in poses:
        x, y, z, w = Rotation.from_matrix(pose[:3, :3]).as_quat()
        px, py, pz = pose[:3, 3]
        entries.append({"px": px, "py": py, "pz": pz, "qx": x, "qy": y, "qz": z, "qw": w})
    lens = {"fx": 158.3, "fy": 158.9, "cx": 254.9, "cy": 256.8, "xi": -0.18, "alpha": 0.59}
    inner = {"T_imu_cam": entries, "intrinsics": [{"camera_type": "ds", "intrinsics": lens}] * 2,
             "resolution": [[512, 512]] * 2}  # fmt: skip
    (tmp_path / "basalt.json").write_text(json.dumps({"value0": inner}))
    rig = import_rig([tmp_path / "basalt.json"], ImportOptions(("left", "right"), device_from="file"))[0]
    for camera, pose in zip(rig.cameras, poses, strict=True):
        np.testing.assert_allclose(camera.device_from_camera, pose, atol=1e-9)
        values = [-0.18, 0.59, 158.3, 158.9, 254.9, 256.8]
        kalibr = {"camera_model": "ds", "distortion_model": "none", "intrinsics": values}
        points = directions(100)
        np.testing.assert_allclose(camera.model.project(points), kalibr_pixels(kalibr, points), atol=1e-6)


def test_basalt_kb4_of_the_cases() -> None:
    model = import_rig([DATA / "basalt_kb4.json"])[0].cameras[0].model
    points = directions(80)
    matrix = np.array([[286.1, 0, 424.3], [0, 285.2, 399.8], [0, 0, 1]])
    d = np.array([-0.0061, 0.0412, -0.0395, 0.0075])
    expected, _ = cv2.fisheye.projectPoints(points[:, None], np.zeros(3), np.zeros(3), matrix, d)
    np.testing.assert_allclose(model.project(points), expected[:, 0], atol=1e-6)


def test_official_files_with_poses_from_a_rig(tmp_path: Path) -> None:
    shipped = load_rig("ego4view")
    paths = []
    for camera in shipped.cameras:
        model: Any = camera.model
        paths.append(tmp_path / f"camera_{camera.name.replace('rear', 'back')}.json")
        paths[-1].write_text(json.dumps({
            "name": f"{paths[-1].stem}_scaramuzza", "size": [872, 872], "imageCircleRadius": 436,
            "image_center": model.center_px, "polynomialC2W": model.ray_polynomial,
            "polynomialW2C": model.radius_polynomial, "affine": [1.0, 0.0, 0.0],
        }))  # fmt: skip
    with pytest.raises(RigError, match="sit: front_left, front_right, rear_left, rear_right; give --poses"):
        import_rig(paths)
    rig = import_rig(paths, ImportOptions(poses="ego4view"))[0]
    for ours, theirs in zip(rig.cameras, shipped.cameras, strict=True):
        assert ours.name == theirs.name and ours.model == theirs.model
        np.testing.assert_array_equal(ours.camera_from_device, theirs.camera_from_device)
