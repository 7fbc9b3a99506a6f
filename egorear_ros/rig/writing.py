"""Writing a rig as the YAML that `load_rig` reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from egorear_ros.rig.camera import CameraModel
from egorear_ros.rig.equidistant import EquidistantModel
from egorear_ros.rig.loading import FORMAT
from egorear_ros.rig.ocam import OCamModel
from egorear_ros.rig.rig import Rig, RigError


def rig_yaml(rig: Rig) -> str:
    """Return the text of a rig file, format `egorear-rig/1`; `load_rig` reads it back unchanged.

    Raises:
        RigError: a camera is neither an OCamModel nor an EquidistantModel.
    """
    return yaml.safe_dump(rig_content(rig), sort_keys=False)


def rig_content(rig: Rig) -> dict[str, Any]:
    """Return a rig as the mapping its YAML file holds."""
    return {
        "format": FORMAT,
        "name": rig.name,
        "source": rig.source,
        "helmet_from_device": pose_content(rig.helmet_from_device),
        "cameras": {
            camera.name: {**lens_content(camera.model), "camera_from_device": pose_content(camera.camera_from_device)}
            for camera in rig.cameras
        },
    }


def pose_content(matrix: NDArray[np.floating]) -> dict[str, Any]:
    """Rotation and translation of a (4, 4) matrix."""
    return {"rotation": matrix[:3, :3].tolist(), "translation": matrix[:3, 3].tolist()}


def lens_content(model: CameraModel) -> dict[str, Any]:
    """A camera model as its YAML mapping."""
    common = {
        "image_size": [model.width, model.height],
        "image_circle_radius": float(model.image_circle_radius_px),
        "center": [float(value) for value in model.center_px],
    }
    if isinstance(model, OCamModel):
        return {
            "model": "ocam",
            **common,
            "ray_polynomial": list(model.ray_polynomial),
            "radius_polynomial": list(model.radius_polynomial),
        }
    if isinstance(model, EquidistantModel):
        return {
            "model": "equidistant",
            **common,
            "focal_length": float(model.focal_px),
            "distortion": list(model.distortion),
            "max_angle_deg": float(np.degrees(model.max_angle_rad)),
        }
    raise RigError(f"cannot write a camera of type {type(model).__name__} to a rig file")
