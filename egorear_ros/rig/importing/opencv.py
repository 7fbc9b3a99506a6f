"""OpenCV's FileStorage (yml, xml, json) with what calibration programs write into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from egorear_ros.rig.fields import numbers
from egorear_ros.rig.importing.file_storage import parse_file_storage
from egorear_ros.rig.importing.found import FoundCamera, Image, image_of_matrix, pose_of, size_of, whole
from egorear_ros.rig.rigid import rigid

MATRIX = ("K", "camera_matrix", "cameraMatrix", "Camera_Matrix", "CameraMatrix", "intrinsic_matrix", "M")
DISTORTION = (
    "D", "distortion_coefficients", "Distortion_Coefficients", "distCoeffs", "dist_coeffs", "distortion",
)  # fmt: skip
WIDTH = ("image_width", "image_Width", "imageWidth", "width", "img_width")
HEIGHT = ("image_height", "image_Height", "imageHeight", "height", "img_height")
SIZE = ("image_size", "imageSize", "size", "resolution")


def is_opencv(text: str) -> bool:
    """Whether a text is a FileStorage."""
    start = text.lstrip("\ufeff \t\r\n")
    return start.startswith(("%YAML:1", "%YAML 1")) or "opencv-matrix" in text or "<opencv_storage" in text


def is_plain(content: Any) -> bool:
    """Whether a YAML or JSON content has OpenCV's matrices as plain lists."""
    return isinstance(content, Mapping) and any(isinstance(content.get(name), list) for name in MATRIX)


def read_opencv(content: str | Mapping[str, Any]) -> list[FoundCamera]:
    """Return the file's camera, or the two of a stereo calibration with K1, D1, K2, D2, R, T.

    Four distortion coefficients are those of OpenCV's fisheye model, five and eight those of its pinhole model; with
    `xi` it is the omnidir model.

    Raises:
        ValueError: a mistake, named.
    """
    fields = parse_file_storage(content) if isinstance(content, str) else dict(content)
    if not any(name in fields for name in MATRIX) and any(f"{name}1" in fields for name in MATRIX):
        return _stereo(fields)
    name = str(fields.get("camera_name", "") or "")
    return [FoundCamera(name or "the camera", name, _lens(fields, ""))]


def _stereo(fields: dict[str, Any]) -> list[FoundCamera]:
    first, second = _lens(fields, "1"), _lens(fields, "2")
    rotation, translation = _first(fields, ("R",)), _first(fields, ("T",))
    turn = np.reshape(numbers({rotation: np.ravel(fields[rotation]).tolist()}, rotation, 9), (3, 3))
    place = numbers({translation: np.ravel(fields[translation]).tolist()}, translation, 3)
    pose = pose_of(rigid(turn, np.array(place)), "R and T")
    return [FoundCamera("camera 1", "", first, np.eye(4)), FoundCamera("camera 2", "", second, pose)]


def _lens(fields: dict[str, Any], suffix: str) -> Any:
    image = _image(fields, suffix)
    key = _first(fields, tuple(f"{name}{suffix}" for name in DISTORTION))
    d = numbers({key: np.ravel(fields[key]).tolist()}, key)
    mirror = f"xi{suffix}"
    if mirror in fields:
        return image.omni(numbers({mirror: np.ravel(fields[mirror]).tolist()}, mirror, 1)[0], d)
    if fields.get("fisheye_model") == 0:  # OpenCV's own calibration sample says so
        return image.omni(0.0, d)
    hint = " ".join(str(fields.get(name, "")) for name in ("distortion_model", "camera_model", "model")).lower()
    if len(d) == 4 and not any(word in hint for word in ("radtan", "plumb", "pinhole")):
        return image.equidistant(d)
    return image.omni(0.0, d)


def _image(fields: dict[str, Any], suffix: str) -> Image:
    key = _first(fields, tuple(f"{name}{suffix}" for name in MATRIX))
    values = numbers({key: np.ravel(fields[key]).tolist()}, key, 9)
    for size in SIZE:
        if size in fields:
            return image_of_matrix(*size_of({size: np.ravel(fields[size]).tolist()}, size), values)
    width, height = _first(fields, WIDTH), _first(fields, HEIGHT)
    return image_of_matrix(whole(fields, width), whole(fields, height), values)


def _first(fields: dict[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        if name in fields:
            return name
    raise ValueError(
        f"missing field '{names[0]}' (also known as {', '.join(names[1:])})".replace(" (also known as )", "")
    )
