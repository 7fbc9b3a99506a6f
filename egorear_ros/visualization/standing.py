"""Stands the wearer on a floor, for viewers: skeletons are relative to the helmet, and a helmet looks up and down.

Nothing measures gravity here. Up is where trunk and legs point on average over some seconds, and the lower foot is on
the floor: a person who lies for long, or jumps, is drawn wrongly. Only pictures use it, never a file or a message.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from egorear_ros.body import BODY_JOINTS
from egorear_ros.body.rotations import shortest_arc

Float64 = npt.NDArray[np.float64]

UP_TIME_S: Final = 8.0
"""Up follows with this time constant: leaning and bending are seen, the way a helmet sits is not."""

FLOOR_TIME_S: Final = 0.3
SOLE_M: Final = 0.05
"""From an ankle or toe joint down to the floor."""

LONGEST_STEP_S: Final = 1.0
_INDEX: Final = {name: index for index, name in enumerate(BODY_JOINTS)}
_LOW: Final = [_INDEX[f"{side}{joint}"] for side in ("Left", "Right") for joint in ("Foot", "ToeBase")]
_ANKLES: Final = [_INDEX["LeftFoot"], _INDEX["RightFoot"]]


class Standing:
    """Follows up and the floor."""

    def __init__(self) -> None:
        self._up: Float64 | None = None
        self._floor_m = 0.0
        self._stamp_ns = 0

    def floor_from_helmet(self, positions_m: Float64, stamp_ns: int) -> Float64:
        """Where the helmet is above the floor, from the joints of one moment.

        Args:
            positions_m: (20, 3) of `BODY_JOINTS`, helmet frame.
            stamp_ns: acquisition time; a jump back starts nothing anew.

        Returns:
            (4, 4) metres: z up from the floor, below the helmet's origin x and y are 0.
        """
        neck, hips = positions_m[_INDEX["Neck"]], positions_m[_INDEX["Hips"]]
        trunk, whole = neck - hips, neck - positions_m[_ANKLES].mean(0)
        up = trunk / max(float(np.linalg.norm(trunk)), 1e-6) + whole / max(float(np.linalg.norm(whole)), 1e-6)
        step_s = min(abs(stamp_ns - self._stamp_ns) / 1e9, LONGEST_STEP_S)
        self._stamp_ns = stamp_ns
        first = self._up is None
        self._up = up if self._up is None else self._up + (up - self._up) * (1 - np.exp(-step_s / UP_TIME_S))
        length = float(np.linalg.norm(self._up))
        pose = np.eye(4)
        if length > 1e-6:
            pose[:3, :3] = shortest_arc(self._up / length, np.array((0.0, 0.0, 1.0)))
        lowest = float((positions_m[_LOW] @ pose[2, :3]).min()) - SOLE_M
        share = 1.0 if first else 1 - float(np.exp(-step_s / FLOOR_TIME_S))
        self._floor_m += (lowest - self._floor_m) * share
        pose[2, 3] = -self._floor_m
        return pose
