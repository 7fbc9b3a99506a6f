"""A fitted body over a recording, and how far it is from the joints that it was fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from egorear_ros.body.lengths import BodyLengths
from egorear_ros.body.pose import BodyPose
from egorear_ros.body.sequence import SkeletonSequence
from egorear_ros.body.tree import FROM_SKELETON
from egorear_ros.datatypes import Skeleton
from egorear_ros.skeleton import JOINTS

Float64 = npt.NDArray[np.float64]

MILLIMETRES: Final = 1000.0


@dataclass(frozen=True)
class FitError:
    """Distance of the body's joints from the free ones, millimetres, over the valid joints of all frames.

    Attributes:
        mean_mm: mean.
        p95_mm: exceeded by one joint in twenty.
        per_joint_mm: joint -> mean; NaN where it was never valid.
    """

    mean_mm: float
    p95_mm: float
    per_joint_mm: dict[str, float]


@dataclass(frozen=True)
class FittedBody:
    """The body in every frame of a recording.

    Attributes:
        sequence: what it was fitted to.
        lengths: of its bones.
        offsets_m: (20, 3) position of each joint in its parent's frame.
        parent_from_joint: (T, 20, 3, 3) rotations; the root's is device_from_joint; identity for ends of chains.
        positions_m: (T, 20, 3) of `BODY_JOINTS`, device frame.
        device_from_joint: (T, 20, 3, 3) rotations.
    """

    sequence: SkeletonSequence
    lengths: BodyLengths
    offsets_m: Float64
    parent_from_joint: Float64
    positions_m: Float64
    device_from_joint: Float64

    @property
    def joints_m(self) -> Float64:
        """(T, 16, 3) positions of EgoRear's joints, device frame, metres."""
        return np.asarray(self.positions_m[:, list(FROM_SKELETON)], np.float64)

    def pose(self, index: int, skeleton: Skeleton) -> BodyPose:
        """The body of one frame, fitted to `skeleton`."""
        return BodyPose(
            skeleton,
            self.lengths,
            self.offsets_m,
            self.parent_from_joint[index],
            self.positions_m[index],
            self.device_from_joint[index],
        )

    def error(self) -> FitError:
        """How far the body is from the free joints."""
        distance = np.linalg.norm(self.joints_m - self.sequence.positions_m, axis=-1) * MILLIMETRES
        distance = np.where(self.sequence.valid, distance, np.nan)
        known = distance[np.isfinite(distance)]
        per_joint = {
            name: float(np.nanmean(distance[:, joint])) if np.isfinite(distance[:, joint]).any() else float("nan")
            for joint, name in enumerate(JOINTS)
        }
        return FitError(float(known.mean()), float(np.percentile(known, 95)), per_joint)
