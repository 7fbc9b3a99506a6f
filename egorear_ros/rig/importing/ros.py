"""ROS: ost.yaml of camera_calibration, and CameraInfo messages as `ros2 topic echo` prints them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from egorear_ros.rig.camera_info import COEFFICIENTS, PLUMB_BOB
from egorear_ros.rig.fields import numbers
from egorear_ros.rig.importing.found import FoundCamera, image_of_matrix, whole

KEYS = (
    ("image_width", "width"),
    ("image_height", "height"),
    ("camera_matrix", "k", "K"),
    ("distortion_coefficients", "d", "D"),
)


def is_ros(content: Any) -> bool:
    """Whether a YAML content is an ost.yaml or a CameraInfo."""
    return isinstance(content, Mapping) and "distortion_model" in content and not {"cam0"} & set(content)


def read_ros(content: Any) -> list[FoundCamera]:
    """Return the file's camera.

    Raises:
        ValueError: a mistake, named.
    """
    if not isinstance(content, Mapping):
        raise ValueError("a ROS calibration is a mapping with image_width, camera_matrix, distortion_model, ...")
    width_key, height_key, matrix_key, d_key = (_key(content, *names) for names in KEYS)
    if "distortion_model" not in content:
        raise ValueError("missing field 'distortion_model'")
    kind = str(content["distortion_model"])
    if kind not in COEFFICIENTS:
        raise ValueError(f"unknown distortion_model '{kind}'; known are {', '.join(sorted(COEFFICIENTS))}")
    image = image_of_matrix(
        whole(content, width_key), whole(content, height_key), _numbers(content[matrix_key], matrix_key)
    )
    d = _numbers(content[d_key], d_key)
    if (kind != PLUMB_BOB and len(d) != COEFFICIENTS[kind]) or len(d) not in {0, 4, 5, 8}:
        raise ValueError(f"distortion_model '{kind}' has {COEFFICIENTS[kind]} coefficients, '{d_key}' has {len(d)}")
    lens = image.equidistant(d) if COEFFICIENTS[kind] == 4 else image.omni(0.0, d)
    name = str(content.get("camera_name", "") or "")
    return [FoundCamera(name or "the camera", name, lens)]


def _key(content: Mapping[str, Any], *names: str) -> str:
    for name in names:
        if name in content:
            return name
    raise ValueError(f"missing field '{names[0]}'")


def _numbers(value: Any, key: str) -> tuple[float, ...]:
    if isinstance(value, Mapping):
        if "data" not in value:
            raise ValueError(f"'{key}' has no 'data'")
        rows, cols = value.get("rows"), value.get("cols")
        data = value["data"]
        if isinstance(rows, int) and isinstance(cols, int) and isinstance(data, list) and rows * cols != len(data):
            raise ValueError(f"'{key}' says {rows} x {cols} numbers, has {len(data)}")
        value = data
    return numbers({key: value}, key) if value else ()
