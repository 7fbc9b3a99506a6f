"""The body in the frame of animation tools: x to the person's left, y up, z forward, origin at the helmet, metres.

The axes are those of the helmet, not of the ground: the cameras know nothing but the helmet. In the rest pose
(T-pose) the person looks along +z. Joint frames have these axes too, so rotations change their axes and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation, Slerp

from egorear_ros.export.job import Export

Float64 = npt.NDArray[np.float64]

Y_UP_FROM_BODY: Final = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
"""From x forward, y left, z up, the axes of helmet and body."""

OFF_GRID: Final = 0.02
"""Share of a period; stamps that are further off an even rate are resampled."""


@dataclass(frozen=True)
class YUpMotion:
    """A body's motion.

    Attributes:
        times_s: (T,) since the first frame.
        offsets_m: (20, 3) of each joint in its parent's frame.
        root_m: (T, 3) position of the hips.
        rotations: (T, 20, 3, 3) parent_from_joint; the root's is world_from_joint.
    """

    times_s: Float64
    offsets_m: Float64
    root_m: Float64
    rotations: Float64

    def resampled(self, period_s: float) -> YUpMotion:
        """At an even rate: the same where it is even already, else interpolated (rotations on the shortest arc)."""
        steps = self.times_s / period_s
        if len(steps) < 2 or np.abs(steps - np.arange(len(steps))).max() <= OFF_GRID:
            return self
        times = np.arange(int(steps[-1] + OFF_GRID) + 1) * period_s
        times = np.minimum(times, self.times_s[-1])
        rotations = [
            Slerp(self.times_s, Rotation.from_matrix(self.rotations[:, joint]))(times).as_matrix()
            for joint in range(self.rotations.shape[1])
        ]
        root = np.stack([np.interp(times, self.times_s, self.root_m[:, axis]) for axis in range(3)], -1)
        return YUpMotion(times, self.offsets_m, root, np.stack(rotations, 1))


def y_up_from_device(export: Export) -> Float64:
    """(4, 4) transform of points in the device frame."""
    result = np.eye(4)
    result[:3, :3] = Y_UP_FROM_BODY
    return np.asarray(result @ export.rig.helmet_from_device, np.float64)


def y_up_motion(export: Export) -> YUpMotion:
    """The fitted body's motion."""
    body, world = export.body, y_up_from_device(export)
    local = body.parent_from_joint.copy()
    root_m = body.positions_m[:, 0] @ world[:3, :3].T + world[:3, 3]
    rotations = Y_UP_FROM_BODY @ local @ Y_UP_FROM_BODY.T
    rotations[:, 0] = world[:3, :3] @ local[:, 0] @ Y_UP_FROM_BODY.T
    return YUpMotion(body.sequence.times_s, body.offsets_m @ Y_UP_FROM_BODY.T, root_m, rotations)
