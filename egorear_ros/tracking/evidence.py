"""What the temporal part is told about a frame: a per-frame estimate and the cues beyond the images, as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from egorear_ros.inference import InputError, PoseEstimate
from egorear_ros.network.temporal import FrameCues
from egorear_ros.skeleton import NUM_HEATMAP_JOINTS
from egorear_ros.tracking.wearer import NUM_LENGTHS

Array = NDArray[Any]

STATURES_M: Final = (1.0, 2.5)
UNIT_TOLERANCE: Final = 0.05


def check_stature(stature_m: float | None) -> float | None:
    """Return it.

    Raises:
        InputError: no height of a person.
    """
    if stature_m is not None and not STATURES_M[0] <= stature_m <= STATURES_M[1]:
        raise InputError(
            f"stature_m is {stature_m:g}, expected {STATURES_M[0]:g} to {STATURES_M[1]:g} metres, "
            "or nothing where it is not known"
        )
    return stature_m


def check_down(gravity_device: Array | Sequence[float] | None) -> Array | None:
    """(3,) unit vector, or None where it is not known.

    Raises:
        InputError: no unit vector.
    """
    if gravity_device is None:
        return None
    down = np.asarray(gravity_device, np.float64)
    length = float(np.linalg.norm(down)) if down.shape == (3,) else float("nan")
    if not abs(length - 1.0) <= UNIT_TOLERANCE:
        raise InputError(
            f"gravity_device is {np.array2string(down, precision=3)}, expected a unit vector (3,) that points down in "
            "the device frame; an accelerometer at rest points up: divide its reading by minus its length"
        )
    return down / length


def check_estimate(estimate: PoseEstimate) -> None:
    """See that the temporal part can work on an estimate.

    Raises:
        InputError: the network does not say how sure it is.
    """
    if not np.isfinite(estimate.joints_std_m).all():
        raise InputError(
            "tracking needs standard deviations, which this network does not give: use egorear-s, or no tracker"
        )


def frame_cues(
    estimate: PoseEstimate,
    views: Sequence[str],
    time_s: float,
    down: Array | None,
    lengths: tuple[Array, float],
    stature_m: float | None,
) -> FrameCues:
    """One frame, with B and T of 1.

    Args:
        estimate: of the per-frame network.
        views: of the temporal part.
        time_s: seconds.
        down: unit vector in the device frame, or None.
        lengths: (10,) metres and how well they are known.
        stature_m: height of the wearer, or None.
    """
    none = np.zeros(NUM_HEATMAP_JOINTS, np.float32)
    length_m, weight = lengths
    arrays = {
        "pose_m": estimate.joints_device_m,
        "log_std": np.log(estimate.joints_std_m),
        "scores": np.stack([estimate.scores_2d.get(view, none) for view in views]),
        "view_mask": np.array([view in estimate.scores_2d for view in views]),
        "down": np.zeros(3) if down is None else down,
        "lengths_m": np.zeros(NUM_LENGTHS) if weight == 0 else length_m,
        "lengths_weight": np.array(weight),
        "stature_m": np.array(stature_m or 0.0),
    }
    tensors = {key: torch.from_numpy(array.astype(np.float32))[None, None] for key, array in arrays.items()}
    return FrameCues(time_s=torch.tensor([[time_s]], dtype=torch.float64), **tensors)
