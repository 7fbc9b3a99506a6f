"""How sure an estimate is, from what the network gives: standard deviations, or at least heatmaps."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import erf

from egorear_ros.skeleton import HEATMAP_JOINTS, JOINTS

Array = npt.NDArray[np.float32]

NECK_HEATMAP = HEATMAP_JOINTS.index("Neck")
HEAD = JOINTS.index("Head")

NEAR_M: Final = 0.1


def confidence_from_std(std_m: Array) -> Array:
    """Probability that a joint is within 10 cm of its estimate, for normal errors of these standard deviations.

    Args:
        std_m: (..., 3) metres, per axis; their mean square is used for all three.

    Returns:
        (...,) float32, 0 to 1; NaN where the deviation is.
    """
    reach = NEAR_M / np.sqrt(np.mean(np.square(std_m, dtype=np.float64), axis=-1))
    # The distance of a normal error from its mean follows Maxwell's distribution; this is its cumulative function.
    probability = erf(reach / np.sqrt(2)) - np.sqrt(2 / np.pi) * reach * np.exp(-(reach**2) / 2)
    return np.asarray(probability, np.float32)


def confidence_from_scores(scores: Array) -> Array:
    """(16,) confidences from (V, 15) heatmap maxima: the best view's; the head, which has no map, takes the neck's."""
    best = scores.max(0).clip(0, 1)
    return np.insert(best, HEAD, best[NECK_HEATMAP]).astype(np.float32)
