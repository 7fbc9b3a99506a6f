"""The table of pose errors: what is reported of many frames, the same for every way to get them."""

from __future__ import annotations

from egorear_ros.evaluation.metrics import (
    PCK_THRESHOLD_MM,
    Array,
    auc_percent,
    group_errors_mm,
    mpjpe_mm,
    pa_mpjpe_mm,
    pck_percent,
)

PCK = f"pck_{PCK_THRESHOLD_MM:.0f}mm_percent"
DECIMALS = 3


def pose_table(predicted_m: Array, truth_m: Array) -> dict[str, object]:
    """Errors of N frames, each metric the mean over frames: (N, 16, 3) twice, metres, finite, N >= 1.

    Returns:
        `frames`; `mpjpe_mm`, `pa_mpjpe_mm`, `auc_percent`, `pck_150mm_percent`; `per_group_mm`, the MPJPE of each joint
        group in the order of the paper's tables.
    """
    figures = {
        "mpjpe_mm": mpjpe_mm(predicted_m, truth_m),
        "pa_mpjpe_mm": pa_mpjpe_mm(predicted_m, truth_m),
        PCK: pck_percent(predicted_m, truth_m),
        "auc_percent": auc_percent(predicted_m, truth_m),
    }
    groups = group_errors_mm(predicted_m, truth_m)
    return {
        "frames": len(predicted_m),
        **{name: _mean(values) for name, values in figures.items()},
        "per_group_mm": {name: _mean(values) for name, values in groups.items()},
    }


def _mean(values: Array) -> float:
    return round(float(values.mean()), DECIMALS)
