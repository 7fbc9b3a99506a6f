"""The wearer's bone lengths, measured while the helmet is worn."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.skeleton import JOINTS

Array = NDArray[Any]

BONES: Final[tuple[tuple[tuple[str, str], ...], ...]] = (
    (("Head", "Neck"),),
    (("Neck", "LeftArm"), ("Neck", "RightArm")),
    (("LeftArm", "RightArm"),),
    (("LeftArm", "LeftForeArm"), ("RightArm", "RightForeArm")),
    (("LeftForeArm", "LeftHand"), ("RightForeArm", "RightHand")),
    (("LeftArm", "LeftUpLeg"), ("RightArm", "RightUpLeg")),
    (("LeftUpLeg", "RightUpLeg"),),
    (("LeftUpLeg", "LeftLeg"), ("RightUpLeg", "RightLeg")),
    (("LeftLeg", "LeftFoot"), ("RightLeg", "RightFoot")),
    (("LeftFoot", "LeftToeBase"), ("RightFoot", "RightToeBase")),
)
"""The lengths that are measured; left and right count as one. The distance of shoulder and hip is nearly one."""

NUM_LENGTHS: Final = len(BONES)
HALF_KNOWN_S: Final = 4.0
"""After so many seconds the weight of the lengths is one half."""

FORGET_S: Final = 60.0
"""Frames older than this count less and less, so that a wrong start, or another wearer, is forgotten."""

_SIDES: Final = tuple((bone[0], bone[-1]) for bone in BONES)
_ENDS: Final = np.array([[[JOINTS.index(end) for end in side] for side in bone] for bone in _SIDES])


def measured_lengths(joints_m: Array, std_m: Array) -> tuple[Array, Array]:
    """Bone lengths of single frames, and how much each counts.

    Args:
        joints_m, std_m: (..., 16, 3) metres.

    Returns:
        (..., 10) metres and (..., 10) weights, 1/m^2: the inverse variance of the ends.
    """
    starts, ends = _ENDS[..., 0], _ENDS[..., 1]  # (10, 2): bone, side
    length = np.linalg.norm(joints_m[..., starts, :] - joints_m[..., ends, :], axis=-1)
    variance = np.square(std_m).mean(axis=-1)
    weight = 1.0 / (variance[..., starts] + variance[..., ends])
    total = weight.sum(axis=-1)
    return (weight * length).sum(axis=-1) / total, total


class WearerLengths:
    """A running mean of bone lengths.

    Attributes:
        seconds: how long they have been measured.
        sum_m: (10,) weighted sum of the lengths.
        total: (10,) sum of the weights.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.sum_m = np.zeros(NUM_LENGTHS)
        self.total = np.zeros(NUM_LENGTHS)

    def add(self, joints_m: Array, std_m: Array, interval_s: float) -> None:
        """Take one frame.

        Args:
            joints_m, std_m: (16, 3) metres, of the per-frame network.
            interval_s: time since the frame before, seconds; the first frame of all has 0.
        """
        length, weight = measured_lengths(joints_m, std_m)
        keep = np.exp(-interval_s / FORGET_S)
        self.sum_m = keep * self.sum_m + weight * length
        self.total = keep * self.total + weight
        self.seconds += interval_s

    @classmethod
    def measured(cls, joints_m: Array, std_m: Array, time_s: Array) -> WearerLengths:
        """Measure a whole track, shorter than `FORGET_S`: (T, 16, 3) metres twice and (T,) seconds."""
        wearer = cls()
        length, weight = measured_lengths(joints_m, std_m)
        wearer.total = weight.sum(axis=0)
        wearer.sum_m = (weight * length).sum(axis=0)
        wearer.seconds = float(time_s[-1] - time_s[0])
        return wearer

    @property
    def lengths_m(self) -> Array:
        """(10,) metres; zeros before the first frame."""
        return np.divide(self.sum_m, self.total, out=np.zeros(NUM_LENGTHS), where=self.total > 0)

    @property
    def weight(self) -> float:
        """How well they are known, 0 to 1."""
        return float(known_weight(self.seconds))


def running_lengths(
    joints_m: Array, std_m: Array, time_s: Array, before: WearerLengths | None = None
) -> tuple[Array, Array]:
    """What `WearerLengths` says after each frame of a track, all at once.

    Args:
        joints_m, std_m: (T, 16, 3) metres.
        time_s: (T,) seconds; the track must be far shorter than hours.
        before: what was measured before the track began.

    Returns:
        (T, 10) metres and (T,) weights.
    """
    wearer = before or WearerLengths()
    length, weight = measured_lengths(joints_m, std_m)
    since = (time_s - time_s[0])[:, None]
    grown = np.exp(since / FORGET_S)
    total = wearer.total + np.cumsum(grown * weight, axis=0)
    mean = (wearer.sum_m + np.cumsum(grown * weight * length, axis=0)) / total
    return mean, known_weight(wearer.seconds + since[:, 0])


def known_weight(seconds: Array | float) -> Any:
    """How well lengths are known that were measured for so long: 0 to 1."""
    return seconds / (seconds + HALF_KNOWN_S)
