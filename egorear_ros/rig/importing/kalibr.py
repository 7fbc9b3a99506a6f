"""Kalibr's camchain.yaml: `T_cn_cnm1` maps points of the camera before into this one, `T_cam_imu` those of the IMU."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from egorear_ros.rig.camera import CameraModel
from egorear_ros.rig.fields import named, numbers
from egorear_ros.rig.importing.found import FoundCamera, Image, pose_of, size_of
from egorear_ros.rig.rig import VIEWS
from egorear_ros.rig.rigid import Matrix

MODELS = {
    ("pinhole", "equidistant"): 4,
    ("pinhole", "radtan"): 4,
    ("pinhole", "none"): 0,
    ("omni", "radtan"): 4,
    ("omni", "none"): 0,
    ("ds", "none"): 0,
    ("eucm", "none"): 0,
}
"""Camera and distortion model -> number of distortion coefficients."""


def is_kalibr(content: Any) -> bool:
    """Whether a YAML content is a camchain."""
    return isinstance(content, Mapping) and any(
        isinstance(camera, Mapping) and ("camera_model" in camera or "T_cn_cnm1" in camera)
        for camera in content.values()
    )


def read_kalibr(content: Any) -> list[FoundCamera]:
    """Cameras of a camchain in the order of their numbers; the reference is cam0, or the IMU.

    Raises:
        ValueError: a mistake, named.
    """
    if not isinstance(content, Mapping):
        raise ValueError("a Kalibr camchain maps cam0, cam1, ... to cameras")
    keys = sorted((key for key in map(str, content) if re.fullmatch(r"cam\d+", key)), key=lambda key: int(key[3:]))
    if not keys or keys != [f"cam{i}" for i in range(len(keys))]:
        raise ValueError(f"a Kalibr camchain has cam0, cam1, ... without a gap, got {', '.join(map(str, content))}")
    overlaps = {f"cam{i}" for key in keys for i in _overlaps(content[key])}
    if not overlaps <= set(keys):
        raise ValueError(
            f"cam_overlaps names {sorted(overlaps - set(keys))[0]}, which is not there; is the file complete?"
        )
    lenses = [named(f"camera '{key}'", _lens, content[key]) for key in keys]
    poses = _poses(keys, content)
    names = [_view(content[key]) for key in keys]
    return [FoundCamera(*parts) for parts in zip(keys, names, lenses, poses, strict=True)]


def _overlaps(camera: Any) -> list[Any]:
    overlaps = camera.get("cam_overlaps") if isinstance(camera, Mapping) else None
    return overlaps if isinstance(overlaps, list) else []


def _view(camera: Mapping[str, Any]) -> str:
    """The view that the topic is named after, or ""."""
    return next((view for view in VIEWS if view in str(camera.get("rostopic", ""))), "")


def _poses(keys: list[str], content: Mapping[str, Any]) -> list[Matrix]:
    from_imu = all("T_cam_imu" in content[key] for key in keys)
    chained = all("T_cn_cnm1" in content[key] for key in keys[1:])
    if from_imu and not (chained and len(keys) > 1):
        return [pose_of(content[key]["T_cam_imu"], f"camera '{key}': T_cam_imu") for key in keys]
    poses: list[Matrix] = [np.eye(4)]
    for key in keys[1:]:
        if "T_cn_cnm1" not in content[key]:
            raise ValueError(f"camera '{key}': missing field 'T_cn_cnm1' (its pose from the camera before)")
        poses.append(pose_of(content[key]["T_cn_cnm1"], f"camera '{key}': T_cn_cnm1") @ poses[-1])
    return poses


def _lens(camera: Any) -> CameraModel:
    if not isinstance(camera, Mapping):
        raise ValueError(f"expected a mapping, got {type(camera).__name__}")
    for field in ("camera_model", "intrinsics", "resolution"):
        if field not in camera:
            raise ValueError(f"missing field '{field}'")
    kind = (str(camera["camera_model"]), str(camera.get("distortion_model", "none") or "none"))
    if kind[0] in {"ds", "eucm"}:
        kind = (kind[0], "none")
    if kind not in MODELS:
        known = ", ".join("-".join(pair) for pair in MODELS)
        raise ValueError(f"unknown model '{kind[0]}' with distortion '{kind[1]}'; known are {known}")
    count = MODELS[kind]
    distortion = numbers(camera, "distortion_coeffs", count) if count else ()
    own = {"omni": 1, "ds": 2, "eucm": 2}.get(kind[0], 0)
    values = numbers(camera, "intrinsics", 4 + own)
    fx, fy, cx, cy = values[own:]
    image = Image(*size_of(camera, "resolution"), (fx, fy), (cx, cy))
    if kind[0] == "ds":
        return image.double_sphere(*values[:2])
    if kind[0] == "eucm":
        return image.extended_unified(*values[:2])
    if kind == ("pinhole", "equidistant"):
        return image.equidistant(distortion)
    return image.omni(values[0] if kind[0] == "omni" else 0.0, distortion)
