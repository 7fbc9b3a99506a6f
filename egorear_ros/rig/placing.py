"""Where the device and the helmet frame lie, from the poses of the cameras."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from egorear_ros.rig.rig import HELMET_FROM_DEVICE_ROTATION, VIEWS, Rig, RigError
from egorear_ros.rig.rigid import Matrix, inverse, rigid

FRONT = VIEWS[:2]


def place_device(camera_from_reference: Mapping[str, Matrix]) -> tuple[Matrix, str]:
    """Place the device frame: midway between the front cameras, or in the first camera where there is no front pair.

    z is the mean of the two optical axes, x from the left to the right camera, made perpendicular to z.

    Args:
        camera_from_reference: camera name -> (4, 4) metres, in the rig's order.

    Returns:
        reference_from_device, (4, 4) metres, and how it was placed, for messages.

    Raises:
        RigError: the front cameras have no direction from left to right, or opposite axes.
    """
    if not set(FRONT) <= set(camera_from_reference):
        first = next(iter(camera_from_reference))
        return inverse(camera_from_reference[first]), f"the optical frame of {first} (there is no front pair)"
    left, right = (inverse(camera_from_reference[name]) for name in FRONT)
    across, forward = right[:3, 3] - left[:3, 3], left[:3, 2] + right[:3, 2]
    if np.linalg.norm(across) < 1e-4 or np.linalg.norm(forward) < 1e-3:
        raise RigError(
            "front_left and front_right lie in one place or look in opposite directions, so the device frame cannot be "
            "placed between them; check --names or give --device-from"
        )
    z = forward / np.linalg.norm(forward)
    x = across - (across @ z) * z
    if np.linalg.norm(x) < 0.1 * np.linalg.norm(across):
        raise RigError(
            "front_right lies straight ahead of front_left, so the device frame cannot be placed between them; check "
            "--names or give --device-from"
        )
    x /= np.linalg.norm(x)
    middle = (left[:3, 3] + right[:3, 3]) / 2
    return rigid(np.stack([x, np.cross(z, x), z], -1), middle), "midway between front_left and front_right"


def helmet_from_device(rig: Rig) -> Matrix:
    """Pose of the device frame in the helmet, whose origin is the middle of the four cameras, or the device's."""
    rotation = np.array(HELMET_FROM_DEVICE_ROTATION)
    if not set(VIEWS) <= set(rig.names):
        return rigid(rotation, np.zeros(3))
    middle = np.mean([rig[view].device_from_camera[:3, 3] for view in VIEWS], axis=0)
    return rigid(rotation, -rotation @ middle)
