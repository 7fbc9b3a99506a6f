"""The body at one moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from egorear_ros.body.angles import joint_angles
from egorear_ros.body.lengths import BodyLengths
from egorear_ros.body.tree import FROM_SKELETON
from egorear_ros.datatypes import Skeleton

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BodyPose:
    """A fitted skeleton.

    Attributes:
        skeleton: what it was fitted to.
        lengths: bone lengths in use.
        offsets_m: (20, 3) position of each joint in its parent's frame.
        parent_from_joint: (20, 3, 3) rotations; the root's is from the skeleton's frame.
        positions_m: (20, 3) of `BODY_JOINTS`, in the skeleton's frame.
        frame_from_joint: (20, 3, 3) rotations.
    """

    skeleton: Skeleton
    lengths: BodyLengths
    offsets_m: Float64
    parent_from_joint: Float64
    positions_m: Float64
    frame_from_joint: Float64

    @property
    def joints_m(self) -> Float64:
        """(16, 3) EgoRear's joints."""
        return np.asarray(self.positions_m[list(FROM_SKELETON)], np.float64)

    @property
    def angles_rad(self) -> Float64:
        """(A,) angles in the order of `ANGLE_NAMES`."""
        return np.asarray(joint_angles(self.parent_from_joint[None], self.offsets_m)[0], np.float64)

    @property
    def frame_from_body(self) -> Float64:
        """(4, 4) pose of the hips: REP-155's `body` frame."""
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = self.frame_from_joint[0], self.positions_m[0]
        return pose
