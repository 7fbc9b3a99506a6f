"""What a ROS CameraInfo says of a camera, without ROS; `nodes/` copies it into the message."""

from __future__ import annotations

from dataclasses import dataclass

from egorear_ros.rig.camera import CameraModel
from egorear_ros.rig.equidistant import EquidistantModel, fit_equidistant
from egorear_ros.rig.rig import RigError

EQUIDISTANT = "equidistant"
"""Name of the distortion model in sensor_msgs/distortion_models; OpenCV calls it fisheye."""


@dataclass(frozen=True)
class CameraInfoFields:
    """Fields of sensor_msgs/CameraInfo. `k` and `p` are row-major, in pixels; `d` is (k1, k2, k3, k4)."""

    width: int
    height: int
    d: tuple[float, ...]
    k: tuple[float, ...]
    r: tuple[float, ...]
    p: tuple[float, ...]
    distortion_model: str = EQUIDISTANT


def camera_info_fields(camera: CameraModel) -> CameraInfoFields:
    """Describe any camera model as an equidistant CameraInfo (fitted where it is not equidistant already)."""
    model = camera if isinstance(camera, EquidistantModel) else fit_equidistant(camera)[0]
    f, (cx, cy) = model.focal_px, model.center_px
    return CameraInfoFields(
        width=model.width,
        height=model.height,
        d=model.distortion,
        k=(f, 0.0, cx, 0.0, f, cy, 0.0, 0.0, 1.0),
        r=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
        p=(f, 0.0, cx, 0.0, 0.0, f, cy, 0.0, 0.0, 0.0, 1.0, 0.0),
    )


def camera_from_info(info: CameraInfoFields, image_circle_radius_px: float, max_angle_rad: float) -> EquidistantModel:
    """Build the camera model from CameraInfo fields; the lens's circle and field of view are not in the message.

    Raises:
        RigError: not an equidistant calibration, or one this model cannot hold (skew, fx and fy that differ).
    """
    if info.distortion_model != EQUIDISTANT:
        raise RigError(
            f"CameraInfo has distortion model '{info.distortion_model}', a fisheye rig needs '{EQUIDISTANT}'"
        )
    fx, skew, cx, _, fy, cy = info.k[:6]
    if abs(skew) > 1e-9 or abs(fx - fy) > 1e-3 * abs(fx):
        raise RigError(f"CameraInfo has fx={fx}, fy={fy}, skew={skew}; this model needs fx = fy and no skew")
    if len(info.d) != 4:
        raise RigError(f"CameraInfo has {len(info.d)} distortion coefficients, '{EQUIDISTANT}' has 4")
    k1, k2, k3, k4 = info.d
    return EquidistantModel(
        info.width,
        info.height,
        (cx, cy),
        image_circle_radius_px,
        max_angle_rad,
        focal_px=fx,
        distortion=(k1, k2, k3, k4),
    )
