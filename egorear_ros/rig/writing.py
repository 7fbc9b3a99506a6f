"""Writing a rig as the YAML that `load_rig` reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from egorear_ros.rig.lens_yaml import lens_content
from egorear_ros.rig.loading import FORMAT
from egorear_ros.rig.rig import Rig


def rig_yaml(rig: Rig) -> str:
    """Return the text of a rig file, format `egorear-rig/1`; `load_rig` reads it back unchanged.

    Raises:
        RigError: a camera model that rig files do not know.
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
