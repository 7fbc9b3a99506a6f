"""Basalt's calibration.json: `T_imu_cam` maps points of a camera to the IMU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from egorear_ros.rig.camera import CameraModel
from egorear_ros.rig.fields import named, number
from egorear_ros.rig.importing.found import FoundCamera, Image, size_of
from egorear_ros.rig.rigid import Matrix, inverse, rigid

OWN = {
    "kb4": ("k1", "k2", "k3", "k4"),
    "ds": ("xi", "alpha"),
    "eucm": ("alpha", "beta"),
    "ucm": ("alpha",),
    "pinhole": (),
    "pinhole-radtan8": ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6"),
}
"""Camera type -> its fields beyond fx, fy, cx, cy."""


def is_basalt(content: Any) -> bool:
    """Whether a JSON content is a Basalt calibration."""
    inner = content.get("value0", content) if isinstance(content, Mapping) else None
    return isinstance(inner, Mapping) and ("T_imu_cam" in inner or "intrinsics" in inner)


def read_basalt(content: Any) -> list[FoundCamera]:
    """Cameras in the file's order; the reference is the IMU.

    Raises:
        ValueError: a mistake, named.
    """
    inner = content.get("value0", content) if isinstance(content, Mapping) else None
    if not isinstance(inner, Mapping):
        raise ValueError("a Basalt calibration is a JSON object with 'value0'")
    lists = {}
    for key in ("intrinsics", "resolution", "T_imu_cam"):
        if not isinstance(inner.get(key), list) or not inner[key]:
            raise ValueError(f"missing field '{key}', a list with one entry per camera")
        lists[key] = inner[key]
    counts = {key: len(value) for key, value in lists.items()}
    if len(set(counts.values())) > 1:
        raise ValueError("lists of different lengths: " + ", ".join(f"'{k}' {n}" for k, n in counts.items()))
    found = []
    for i, (lens, size, pose) in enumerate(zip(*lists.values(), strict=True)):
        label = f"cam{i}"
        camera = named(f"camera '{label}'", _lens, (lens, size))
        imu_from_camera = named(f"camera '{label}': T_imu_cam", _pose, pose)
        found.append(FoundCamera(label, "", camera, inverse(imu_from_camera)))
    return found


def _lens(entry_and_size: tuple[Any, Any]) -> CameraModel:
    entry, size = entry_and_size
    if not isinstance(entry, Mapping) or "camera_type" not in entry or not isinstance(entry.get("intrinsics"), Mapping):
        raise ValueError("expected 'camera_type' and 'intrinsics'")
    kind, fields = str(entry["camera_type"]), entry["intrinsics"]
    if kind not in OWN:
        raise ValueError(f"unknown camera_type '{kind}'; known are {', '.join(OWN)}")
    fx, fy, cx, cy = (number(fields, key) for key in ("fx", "fy", "cx", "cy"))
    own = [number(fields, key) for key in OWN[kind]]
    image = Image(*size_of({"resolution": size}, "resolution"), (fx, fy), (cx, cy))
    if kind == "kb4":
        return image.equidistant(own)
    if kind == "ds":
        return image.double_sphere(*own)
    if kind in {"eucm", "ucm"}:
        return image.extended_unified(own[0], own[1] if kind == "eucm" else 1.0)
    return image.omni(0.0, own)


def _pose(entry: Any) -> Matrix:
    if not isinstance(entry, Mapping):
        raise ValueError("expected px, py, pz, qx, qy, qz, qw")
    quaternion = np.array([number(entry, key) for key in ("qx", "qy", "qz", "qw")])
    if abs(np.linalg.norm(quaternion) - 1) > 1e-3:
        raise ValueError(f"the quaternion's length is {np.linalg.norm(quaternion):.4g}, it must be 1")
    position = [number(entry, key) for key in ("px", "py", "pz")]
    return rigid(Rotation.from_quat(quaternion).as_matrix(), position)
