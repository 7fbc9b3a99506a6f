"""The body's own frame (REP-155 `body_<id>`): where the person is and which way they face, from a skeleton alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from egorear_ros.datatypes import Skeleton
from egorear_ros.skeleton import JOINTS

HIPS = (JOINTS.index("LeftUpLeg"), JOINTS.index("RightUpLeg"))
NECK = JOINTS.index("Neck")
SMALLEST_M = 1e-3


def body_pose(skeleton: Skeleton) -> npt.NDArray[np.float64] | None:
    """Pose of the body in the skeleton's frame.

    Origin midway between the hips; x forward, y to the person's left, z from the hips to the neck (REP-155, REP-103).

    Returns:
        (4, 4) frame_from_body in metres, or None where hips or neck mean nothing or coincide.
    """
    left, right = (skeleton.positions_m[joint] for joint in HIPS)
    origin = (left + right) / 2
    up, across = skeleton.positions_m[NECK] - origin, left - right
    forward = np.cross(across, up)
    lengths = [np.linalg.norm(vector) for vector in (up, across, forward)]
    if not all(skeleton.valid[joint] for joint in (*HIPS, NECK)) or not min(lengths) > SMALLEST_M**2:
        return None
    z, x = up / lengths[0], forward / lengths[2]
    pose = np.eye(4)
    pose[:3, :3] = np.stack([x, np.cross(z, x), z], -1)
    pose[:3, 3] = origin
    return pose
