"""Figures of a measurement as plain values: what report.json holds and every table is made from."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.evaluation.calibration import calibration
from egorear_ros.evaluation.measurement import Measured
from egorear_ros.evaluation.metrics import joint_errors_mm, mpjpe_mm, pa_mpjpe_mm
from egorear_ros.evaluation.pose_table import pose_table
from egorear_ros.evaluation.view_sets import FRONT_PAIR, sets_with_one_lost
from egorear_ros.skeleton import GROUPS, JOINTS

FORMAT: Final = "egorear-evaluation/1"

Array = NDArray[Any]


def summarize(measured: Measured) -> dict[str, Any]:
    """Every figure.

    Returns:
        `frames`; `main`, the camera set of the details; `view_sets`, camera set -> `pose_table` with `views`,
        `per_joint_mm` and, where known, `visibility`; `compared`, see `comparison`; `baselines`, name -> `pose_table`;
        `per_action` and `per_sequence`, name -> frames, MPJPE and PA-MPJPE; `calibration` of the main camera set, or
        None where the network predicts no deviation.
    """
    main = measured.predictions[measured.main]
    known = bool(np.isfinite(main.std_m).all())
    return {
        "format": FORMAT,
        "frames": len(measured),
        "main": measured.main,
        "view_sets": {name: _of_view_set(measured, name) for name in measured.masks},
        "compared": comparison(measured),
        "baselines": {name: pose_table(poses, measured.truth_m) for name, poses in measured.baselines.items()},
        "per_action": _per(measured, [name.action for name in measured.names]),
        "per_sequence": _per(measured, [name.sequence for name in measured.names]),
        "calibration": calibration(main.joints_m, measured.truth_m, main.std_m) if known else None,
    }


def short(summary: dict[str, Any]) -> dict[str, Any]:
    """The figures of a summary that a model card holds: errors per camera set and baseline, and confidence."""
    sets, found = summary["view_sets"], summary["calibration"]
    return {
        "sets": summary["frames"],
        "mpjpe_mm": {name: round(figures["mpjpe_mm"], 1) for name, figures in sets.items()},
        "pa_mpjpe_mm": {name: round(figures["pa_mpjpe_mm"], 1) for name, figures in sets.items()},
        "baselines_mpjpe_mm": {name: round(each["mpjpe_mm"], 1) for name, each in summary["baselines"].items()},
        "per_joint_mm": sets[summary["main"]]["per_joint_mm"],
        **summary["compared"],
        **({} if found is None else {"coverage_percent": found["coverage_percent"]}),
        **({} if found is None else {"error_by_confidence_mm": [part["error_mm"] for part in found["deciles"]]}),
    }


def comparison(measured: Measured) -> dict[str, float]:
    """How much the cameras matter, each where the camera sets are there.

    Returns:
        `front_pair_ratio`: MPJPE of all views over that of the front pair. `one_lost_mm` and `one_lost_ratio`: MPJPE
        with one random camera lost, and the same over that of all views.
    """
    errors = {name: _error(measured, name) for name in measured.masks}
    every = next((errors[name] for name, mask in measured.masks.items() if all(mask)), None)
    lost = [errors[name] for name in sets_with_one_lost(dict(measured.masks))]
    found: dict[str, float] = {}
    if every is not None and FRONT_PAIR in errors:
        found["front_pair_ratio"] = round(every / errors[FRONT_PAIR], 3)
    if every is not None and len(lost) == len(measured.views):
        found["one_lost_mm"] = round(float(np.mean(lost)), 1)
        found["one_lost_ratio"] = round(float(np.mean(lost)) / every, 3)
    return found


def visibility(errors_mm: Array, seen: Array) -> dict[str, Any]:
    """Errors of joints that at least one used view sees, and of those that none sees.

    Args:
        errors_mm: (N, 16).
        seen: (N, 16) bool.

    Returns:
        For "all" and each joint group: `seen_percent`, `seen_mm`, `hidden_mm`; None where there is no such joint.
    """
    rows = {"all": tuple(range(len(JOINTS))), **GROUPS}
    return {
        name: {
            "seen_percent": round(100.0 * float(seen[:, list(joints)].mean()), 1),
            "seen_mm": _mean(errors_mm[:, list(joints)][seen[:, list(joints)]]),
            "hidden_mm": _mean(errors_mm[:, list(joints)][~seen[:, list(joints)]]),
        }
        for name, joints in rows.items()
    }


def _of_view_set(measured: Measured, name: str) -> dict[str, Any]:
    predicted, seen = measured.predictions[name].joints_m, measured.seen(name)
    errors = joint_errors_mm(predicted, measured.truth_m)
    used = [view for view, there in zip(measured.views, measured.masks[name], strict=True) if there]
    return {
        "views": used,
        **pose_table(predicted, measured.truth_m),
        "per_joint_mm": {joint: _mean(errors[:, j]) for j, joint in enumerate(JOINTS)},
        "visibility": None if seen is None else visibility(errors, seen),
    }


def _per(measured: Measured, labels: list[str]) -> dict[str, dict[str, float]]:
    """Errors of the main camera set per label, in alphabetical order; frames without a label are left out."""
    predicted, labelled = measured.predictions[measured.main].joints_m, np.array(labels)
    error, aligned = mpjpe_mm(predicted, measured.truth_m), pa_mpjpe_mm(predicted, measured.truth_m)
    return {
        label: {
            "frames": int((labelled == label).sum()),
            "mpjpe_mm": round(float(error[labelled == label].mean()), 1),
            "pa_mpjpe_mm": round(float(aligned[labelled == label].mean()), 1),
        }
        for label in sorted(set(labels) - {""})
    }


def _error(measured: Measured, name: str) -> float:
    return float(mpjpe_mm(measured.predictions[name].joints_m, measured.truth_m).mean())


def _mean(values: Array) -> float | None:
    return round(float(values.mean()), 1) if values.size else None
