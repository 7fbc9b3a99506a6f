"""What is written: everything about one recording."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from egorear_ros.body import FittedBody
from egorear_ros.datatypes import Skeleton
from egorear_ros.estimation import Recording
from egorear_ros.rig import Rig
from egorear_ros.sync import SyncConfig


@dataclass(frozen=True)
class Export:
    """One recording with its skeletons and its body.

    Attributes:
        recording: the images.
        sync: how its frames were aligned: writers with images align them again.
        rig: the cameras.
        skeletons: as estimated, in order.
        times_ns: when each was ready on the recording's clock: the time of the last frame that it waited for.
        body: fitted to them.
        model: name of the network.
    """

    recording: Recording
    sync: SyncConfig
    rig: Rig
    skeletons: list[Skeleton]
    times_ns: list[int]
    body: FittedBody
    model: str

    def fitted_skeletons(self) -> dict[int, Skeleton]:
        """Stamp -> skeleton with the body's joints in place of the free ones."""
        free = {skeleton.stamp_ns: skeleton for skeleton in reversed(self.skeletons)}
        joints = self.body.joints_m
        everywhere = np.ones(joints.shape[1], np.bool_)
        return {
            stamp: replace(free[stamp], positions_m=joints[index], valid=everywhere)
            for index, stamp in enumerate(self.body.sequence.stamps_ns.tolist())
        }
