"""What a ROS CameraInfo says of a camera, without ROS; `nodes/` copies it into the message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from egorear_ros.rig.camera import CameraModel
from egorear_ros.rig.equidistant import EquidistantModel
from egorear_ros.rig.fitting import fit_equidistant
from egorear_ros.rig.omni import OmniModel
from egorear_ros.rig.rig import RigError
from egorear_ros.rig.view_range import half_diagonal, with_view_range

EQUIDISTANT: Final = "equidistant"
"""Name of the distortion model in sensor_msgs/distortion_models; OpenCV calls it fisheye."""

PLUMB_BOB, RATIONAL = "plumb_bob", "rational_polynomial"
COEFFICIENTS: Final[dict[str, int]] = {EQUIDISTANT: 4, "fisheye": 4, PLUMB_BOB: 5, RATIONAL: 8}
"""Distortion models that are read, with their number of coefficients."""


@dataclass(frozen=True)
class CameraInfoFields:
    """Fields of sensor_msgs/CameraInfo. `k` and `p` are row-major, in pixels; `d` has as many numbers as the model."""

    width: int
    height: int
    d: tuple[float, ...]
    k: tuple[float, ...]
    r: tuple[float, ...]
    p: tuple[float, ...]
    distortion_model: str = EQUIDISTANT


def camera_info_fields(camera: CameraModel) -> CameraInfoFields:
    """Describe any camera model as a CameraInfo: exactly where it can be said, else by a fitted equidistant model.

    Raises:
        RigError: no equidistant model comes near the lens.
    """
    if isinstance(camera, OmniModel) and camera.xi == 0:
        return _pinhole_fields(camera)
    if isinstance(camera, EquidistantModel) and camera.is_symmetric:
        return _fields(camera, camera.distortion, EQUIDISTANT)
    try:
        model = fit_equidistant(camera)[0]
    except ValueError as error:
        raise RigError(f"the lens cannot be described as a CameraInfo, its calibration looks wrong: {error}") from error
    return _fields(model, model.distortion, EQUIDISTANT)


def _pinhole_fields(camera: OmniModel) -> CameraInfoFields:
    if len(camera.distortion) == 8:
        return _fields(camera, camera.distortion, RATIONAL)
    return _fields(camera, (*camera.distortion, 0.0)[:5], PLUMB_BOB)


def _fields(model: EquidistantModel | OmniModel, d: tuple[float, ...], distortion_model: str) -> CameraInfoFields:
    (fx, fy), (cx, cy) = model.focal_px, model.center_px
    return CameraInfoFields(
        width=model.width,
        height=model.height,
        d=d,
        k=(fx, model.skew_px, cx, 0.0, fy, cy, 0.0, 0.0, 1.0),
        r=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
        p=(fx, model.skew_px, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0),
        distortion_model=distortion_model,
    )


def camera_from_info(
    info: CameraInfoFields, image_circle_radius_px: float | None = None, max_angle_rad: float | None = None
) -> EquidistantModel | OmniModel:
    """Build the camera model from CameraInfo fields.

    Args:
        info: of an equidistant (fisheye), plumb_bob or rational_polynomial camera.
        image_circle_radius_px: of the lens, which the message lacks; None to derive it, see `with_view_range`.
        max_angle_rad: half field of view, likewise.

    Raises:
        RigError: another distortion model, or numbers that are no camera.
    """
    if info.distortion_model not in COEFFICIENTS:
        raise RigError(
            f"distortion model '{info.distortion_model}' is unknown; known are {', '.join(sorted(COEFFICIENTS))}"
        )
    try:
        fx, skew, cx, fy, cy = _camera_matrix(info.k)
        lens = _lens(info, (cx, cy), (fx, fy), skew)
        return with_view_range(lens, image_circle_radius_px, max_angle_rad)
    except ValueError as error:
        raise RigError(f"CameraInfo: {error}") from error


def _camera_matrix(k: Sequence[float]) -> tuple[float, float, float, float, float]:
    """(fx, skew, cx, fy, cy) of a row-major 3 x 3 matrix."""
    if len(k) != 9:
        raise ValueError(f"the camera matrix must have 9 numbers, got {len(k)}")
    fx, skew, cx, yx, fy, cy, *last = k
    if abs(yx) > 1e-9 or [round(value, 9) for value in last] != [0, 0, 1]:
        raise ValueError(f"the camera matrix must be fx skew cx / 0 fy cy / 0 0 1, got {list(k)}")
    return fx, skew, cx, fy, cy


def _lens(
    info: CameraInfoFields, center: tuple[float, float], focal: tuple[float, float], skew: float
) -> EquidistantModel | OmniModel:
    count, d = COEFFICIENTS[info.distortion_model], tuple(info.d)
    if info.distortion_model == PLUMB_BOB and len(d) in {0, 4}:
        d = d or (0.0,) * 5
    elif len(d) != count:
        raise ValueError(f"distortion model '{info.distortion_model}' has {count} coefficients, got {len(d)}")
    size = (info.width, info.height, center, half_diagonal(info.width, info.height), 1e-3)
    if count == 4:
        k1, k2, k3, k4 = d
        return EquidistantModel(*size, focal_px=focal, skew_px=skew, distortion=(k1, k2, k3, k4))
    return OmniModel(*size, focal_px=focal, skew_px=skew, xi=0.0, distortion=d)
