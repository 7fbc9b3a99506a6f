"""Whether a network knows how wrong it is: predicted standard deviations and confidence against the errors made."""

from __future__ import annotations

from typing import Any, Final, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from egorear_ros.evaluation.metrics import joint_errors_mm
from egorear_ros.inference.confidence import NEAR_M, confidence_from_std
from egorear_ros.network.egorear_s import EgoRearS
from egorear_ros.skeleton import GROUPS

Array = NDArray[Any]

INTERVALS_PERCENT: Final = (50, 80, 90, 95)
CALIBRATED_PERCENT: Final = 90
DECILES: Final = 10


def half_width_in_std(percent: float) -> float:
    """Half width of a Laplace distribution's central interval, in standard deviations.

    Laplace because the network is trained with that distribution's likelihood.
    """
    return float(-np.log(1.0 - percent / 100.0) / np.sqrt(2.0))


def coverage_percent(error_m: Array, std_m: Array) -> dict[str, float]:
    """Share of coordinates inside their interval, for each of `INTERVALS_PERCENT`: arrays (..., 3) of equal shape."""
    ratio = np.abs(error_m) / std_m
    return {str(p): round(100.0 * float((ratio <= half_width_in_std(p)).mean()), 1) for p in INTERVALS_PERCENT}


def reliability(predicted_m: Array, truth_m: Array, std_m: Array) -> list[dict[str, float]]:
    """Sort all joints by confidence and compare each tenth with what happened.

    Args:
        predicted_m, truth_m, std_m: (N, 16, 3) metres.

    Returns:
        From the surest tenth: `confidence` and `near_percent`, the promised and the found percentage of joints within
        10 cm; `error_mm`, their mean error; `std_mm`, the root mean square of the predicted deviation per axis.
    """
    errors = joint_errors_mm(predicted_m, truth_m).ravel()
    rms = np.sqrt(np.square(std_m, dtype=np.float64).mean(axis=-1)).ravel()
    confidence = confidence_from_std(std_m).ravel()
    order = np.argsort(rms, kind="stable")
    return [
        {
            "confidence_percent": round(100.0 * float(confidence[part].mean()), 1),
            "near_percent": round(100.0 * float((errors[part] < 1000.0 * NEAR_M).mean()), 1),
            "error_mm": round(float(errors[part].mean()), 1),
            "std_mm": round(1000.0 * float(rms[part].mean()), 1),
        }
        for part in np.array_split(order, DECILES)
        if len(part)
    ]


def calibration(predicted_m: Array, truth_m: Array, std_m: Array) -> dict[str, Any]:
    """Everything about confidence: (N, 16, 3) each, metres.

    Returns:
        `coverage_percent`, of all coordinates; `coverage_per_group`; `deciles`, see `reliability`; `monotone`, whether
        the error rises from each tenth to the next.
    """
    error = np.asarray(predicted_m) - np.asarray(truth_m)
    deciles = reliability(predicted_m, truth_m, std_m)
    return {
        "coverage_percent": coverage_percent(error, std_m),
        "coverage_per_group": {
            name: coverage_percent(error[:, list(joints)], std_m[:, list(joints)]) for name, joints in GROUPS.items()
        },
        "deciles": deciles,
        "monotone": bool(np.all(np.diff([part["error_mm"] for part in deciles]) > 0)),
    }


def fit_std_scale(predicted_m: Array, truth_m: Array, std_m: Array, percent: float = CALIBRATED_PERCENT) -> float:
    """Find the factor of all standard deviations at which the interval holds what it promises.

    The quantile of the errors in units of their deviation, as in split conformal prediction: fitted on validation
    data, the interval covers `percent` of coordinates of data like them, whatever the errors' distribution.

    Args:
        predicted_m, truth_m, std_m: (N, 16, 3) metres.
        percent: the interval to fit.
    """
    ratio = np.abs(np.asarray(predicted_m) - np.asarray(truth_m)) / std_m
    return float(np.quantile(ratio, percent / 100.0)) / half_width_in_std(percent)


def scale_std(network: EgoRearS, factor: float) -> None:
    """Multiply the standard deviations a network predicts: a shift of the last layer's bias, as they are logarithms."""
    last = cast(nn.Linear, network.log_std[-1])
    with torch.no_grad():
        last.bias.add_(float(np.log(factor)))
