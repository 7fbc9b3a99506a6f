"""Bone lengths of one person, measured over a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from egorear_ros.body.sequence import SkeletonSequence
from egorear_ros.errors import EgorearError
from egorear_ros.skeleton import JOINTS

Float64 = npt.NDArray[np.float64]

STD_FLOOR_M: Final = 0.005
"""No joint is trusted more than this."""

STD_UNKNOWN_M: Final = 0.03
"""Taken where the network gives no covariance: the mean error per axis of the shipped model is of this size."""

SHORTEST_M: Final = 0.01
WIDEST_SHARE: Final = 0.98
"""Half the distance of the shoulders is at most this share of a collar bone's length."""

_MIDDLE_OF_HIPS: Final = ("LeftUpLeg", "RightUpLeg")

_BONES: Final[dict[str, tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]]] = {
    "head_m": ((("Neck",), ("Head",)),),
    "collar_m": ((("Neck",), ("LeftArm",)), (("Neck",), ("RightArm",))),
    "shoulder_width_m": ((("LeftArm",), ("RightArm",)),),
    "upper_arm_m": ((("LeftArm",), ("LeftForeArm",)), (("RightArm",), ("RightForeArm",))),
    "forearm_m": ((("LeftForeArm",), ("LeftHand",)), (("RightForeArm",), ("RightHand",))),
    "spine_m": ((_MIDDLE_OF_HIPS, ("Neck",)),),
    "hip_width_m": ((("LeftUpLeg",), ("RightUpLeg",)),),
    "thigh_m": ((("LeftUpLeg",), ("LeftLeg",)), (("RightUpLeg",), ("RightLeg",))),
    "shank_m": ((("LeftLeg",), ("LeftFoot",)), (("RightLeg",), ("RightFoot",))),
    "foot_m": ((("LeftFoot",), ("LeftToeBase",)), (("RightFoot",), ("RightToeBase",))),
}
"""Length -> pairs of ends; an end of two joints is the point midway. Left and right are measured as one."""


@dataclass(frozen=True)
class BodyLengths:
    """Lengths of a symmetric body, metres. `spine_m` goes from midway between the hips to the neck."""

    head_m: float
    collar_m: float
    shoulder_width_m: float
    upper_arm_m: float
    forearm_m: float
    spine_m: float
    hip_width_m: float
    thigh_m: float
    shank_m: float
    foot_m: float

    @property
    def hip_half_width_m(self) -> float:
        """From the middle to a hip joint."""
        return self.hip_width_m / 2

    @property
    def shoulder_half_width_m(self) -> float:
        """How far a shoulder is to the side of the neck in the rest pose."""
        return min(self.shoulder_width_m / 2, WIDEST_SHARE * self.collar_m)

    @property
    def shoulder_drop_m(self) -> float:
        """How far a shoulder is below the neck in the rest pose, so that the collar bone keeps its length."""
        return float(np.sqrt(self.collar_m**2 - self.shoulder_half_width_m**2))


def measure_lengths(sequence: SkeletonSequence) -> BodyLengths:
    """Lengths as weighted medians over a recording.

    The weight of a frame is the inverse variance of the distance, from the covariances of its ends. The median keeps
    single bad frames from having a say. Noise across a bone makes measured distances a little too long; this is not
    corrected.

    Raises:
        EgorearError: a bone is valid in no frame, or has no length.
    """
    covariance = usable_covariance(sequence.covariance_m2)
    return BodyLengths(**{name: _length(name, sides, sequence, covariance) for name, sides in _BONES.items()})


def usable_covariance(covariance_m2: Float64) -> Float64:
    """(..., 3, 3) covariances with defaults where there is none, and with `STD_FLOOR_M` added to all axes."""
    known = np.isfinite(covariance_m2).all((-2, -1), keepdims=True)
    filled = np.where(known, covariance_m2, np.eye(3) * STD_UNKNOWN_M**2)
    return np.asarray(filled + np.eye(3) * STD_FLOOR_M**2, np.float64)


def weighted_median(values: Float64, weights: Float64) -> float:
    """The value at which half of the weight is reached. (N,) each, weights positive, N at least 1."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])


def _length(
    name: str, sides: Sequence[tuple[tuple[str, ...], tuple[str, ...]]], sequence: SkeletonSequence, covariance: Float64
) -> float:
    values, weights = [], []
    for start, end in sides:
        joints = [JOINTS.index(joint) for joint in (*start, *end)]
        there = sequence.valid[:, joints].all(-1)
        start_m, start_m2 = _end(start, sequence.positions_m[there], covariance[there])
        end_m, end_m2 = _end(end, sequence.positions_m[there], covariance[there])
        bone = end_m - start_m
        length = np.linalg.norm(bone, axis=-1)
        along = bone / np.maximum(length, SHORTEST_M)[:, None]
        values.append(length)
        weights.append(1 / np.maximum(np.einsum("ti,tij,tj->t", along, start_m2 + end_m2, along), STD_FLOOR_M**2))
    lengths = np.concatenate(values)
    if not len(lengths):
        raise EgorearError(
            f"bone length '{name.removesuffix('_m')}': its joints are valid in no frame of the recording"
        )
    length_m = weighted_median(lengths, np.concatenate(weights))
    if length_m < SHORTEST_M:
        raise EgorearError(
            f"bone length '{name.removesuffix('_m')}' is {length_m:.3f} m; the skeletons must be in metres"
        )
    return length_m


def _end(names: tuple[str, ...], positions_m: Float64, covariance_m2: Float64) -> tuple[Float64, Float64]:
    """(T, 3) mean of the named joints and its (T, 3, 3) covariance."""
    joints = [JOINTS.index(name) for name in names]
    return positions_m[:, joints].mean(1), covariance_m2[:, joints].sum(1) / len(joints) ** 2
