"""Metrics of poses and heatmaps, as the official EgoRear code computes them: poses in metres, errors in millimetres.

Every pose metric is per frame, over all 16 joints; the figure of a data set is the mean over its frames.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.skeleton import GROUPS

Array = NDArray[Any]

PCK_THRESHOLD_MM: Final = 150.0
AUC_THRESHOLDS_MM: Final[Array] = np.linspace(0.0, PCK_THRESHOLD_MM, 31)


def joint_errors_mm(predicted_m: Array, truth_m: Array) -> Array:
    """Euclidean error of each joint: (..., J, 3) and (..., J, 3) in metres -> (..., J) in mm."""
    return 1000.0 * np.linalg.norm(np.asarray(predicted_m) - np.asarray(truth_m), axis=-1)


def mpjpe_mm(predicted_m: Array, truth_m: Array) -> Array:
    """Mean per-joint position error: (..., J, 3) twice -> (...)."""
    return joint_errors_mm(predicted_m, truth_m).mean(axis=-1)


def pa_mpjpe_mm(predicted_m: Array, truth_m: Array) -> Array:
    """MPJPE after aligning each frame's prediction by rotation, scale and translation: (..., J, 3) twice -> (...)."""
    return mpjpe_mm(procrustes_align(predicted_m, truth_m), truth_m)


def procrustes_align(predicted_m: Array, truth_m: Array) -> Array:
    """Move each prediction by the similarity transform that brings it closest to the truth (no reflection).

    Args:
        predicted_m: (..., J, 3).
        truth_m: (..., J, 3).

    Returns:
        (..., J, 3) float64.
    """
    predicted, truth = np.asarray(predicted_m, dtype=np.float64), np.asarray(truth_m, dtype=np.float64)
    center, target_center = predicted.mean(axis=-2, keepdims=True), truth.mean(axis=-2, keepdims=True)
    source, target = predicted - center, truth - target_center
    u, singular, vt = np.linalg.svd(np.swapaxes(source, -2, -1) @ target)
    sign = np.sign(np.linalg.det(u @ vt))
    flip = np.stack([np.ones_like(sign), np.ones_like(sign), sign], axis=-1)  # the weakest axis pays for det = +1
    rotation = (u * flip[..., None, :]) @ vt
    scale = (singular * flip).sum(axis=-1) / (source**2).sum(axis=(-2, -1))
    return scale[..., None, None] * (source @ rotation) + target_center


def group_errors_mm(predicted_m: Array, truth_m: Array) -> dict[str, Array]:
    """MPJPE of each joint group of `skeleton.GROUPS`: (..., 16, 3) twice -> name -> (...)."""
    errors = joint_errors_mm(predicted_m, truth_m)
    return {name: errors[..., list(joints)].mean(axis=-1) for name, joints in GROUPS.items()}


def pck_percent(predicted_m: Array, truth_m: Array, threshold_mm: float = PCK_THRESHOLD_MM) -> Array:
    """Percentage of joints closer than the threshold: (..., J, 3) twice -> (...)."""
    return 100.0 * (joint_errors_mm(predicted_m, truth_m) < threshold_mm).mean(axis=-1)


def auc_percent(predicted_m: Array, truth_m: Array) -> Array:
    """Mean of PCK over 31 thresholds from 0 to 150 mm: (..., J, 3) twice -> (...)."""
    return np.mean([pck_percent(predicted_m, truth_m, float(t)) for t in AUC_THRESHOLDS_MM], axis=0)


def heatmap_l1(predicted: Array, truth: Array) -> Array:
    """Sum of absolute differences over views, joints and pixels: (B, V, J, h, w) twice -> (B,)."""
    return np.abs(predicted - truth).sum(axis=(1, 2, 3, 4))


def heatmap_positive_l1(predicted: Array, truth: Array) -> Array:
    """`heatmap_l1` where the true heatmap is positive: (B, V, J, h, w) twice -> (B,)."""
    return (np.abs(predicted - truth) * (truth > 0)).sum(axis=(1, 2, 3, 4))


def heatmap_mse(predicted: Array, truth: Array) -> float:
    """Mean squared difference of all maps (B, V, J, h, w)."""
    return float(np.mean((predicted - truth) ** 2))


def peak_mse(predicted: Array, truth: Array) -> float:
    """Mean squared difference of the peaks' (x, y), in heatmap pixels, of maps (B, V, J, h, w).

    As in the official code only joints whose true map reaches 1 count, but the mean divides by all of them.
    """
    difference = (_peaks(predicted) - _peaks(truth)) ** 2
    seen = truth.max(axis=(-2, -1)) >= 1.0
    return float((difference * seen[..., None]).mean())


def _peaks(maps: Array) -> Array:
    """(..., h, w) -> (..., 2) as (x, y) of the maximum, float64."""
    index = maps.reshape(*maps.shape[:-2], -1).argmax(axis=-1)
    y, x = np.divmod(index, maps.shape[-1])
    return np.stack([x, y], axis=-1).astype(np.float64)
