"""Plots of an evaluation. matplotlib is loaded when the first is drawn: nothing else here needs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from egorear_ros.errors import EgorearError
from egorear_ros.evaluation.measurement import Measured
from egorear_ros.evaluation.metrics import PCK_THRESHOLD_MM, joint_errors_mm, mpjpe_mm
from egorear_ros.skeleton import GROUPS, JOINTS

DPI = 110
COLORS = ("#0b7285", "#e8590c", "#5f3dc4", "#2b8a3e", "#c2255c", "#868e96")
BASELINE_COLORS = ("#adb5bd", "#495057")
CURVE_END_MM = 500
LONGEST_MM = 3 * PCK_THRESHOLD_MM


def require_matplotlib() -> None:
    """Raise EgorearError where plots cannot be drawn; to be called before the work, not after."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise EgorearError("plots need the package matplotlib: pip install 'egorear[view]'") from error


def write_plots(folder: Path, measured: Measured, summary: Mapping[str, Any]) -> dict[str, str]:
    """Draw every plot there is data for.

    Args:
        folder: where to write, existing.
        measured: answers and truth.
        summary: its figures, from `summarize`.

    Returns:
        File name -> what it shows.
    """
    plots = {"joints.png": "Error per joint", "curve.png": "Share of joints closer than a distance"}
    _joints(folder / "joints.png", summary)
    _curve(folder / "curve.png", measured)
    if sequence := longest_sequence(measured):
        plots["sequence.png"] = f"Error over time, sequence {sequence}"
        _over_time(folder / "sequence.png", measured, sequence)
    if summary["calibration"] is not None:
        plots["confidence.png"] = "What confidence promises, and what is found"
        _confidence(folder / "confidence.png", summary["calibration"])
    return plots


def longest_sequence(measured: Measured) -> str | None:
    """The sequence with the most frames, the first of equals; None where none has two."""
    names, counts = np.unique([name.sequence for name in measured.names], return_counts=True)
    return str(names[counts.argmax()]) if counts.max() > 1 else None


def _joints(path: Path, summary: Mapping[str, Any]) -> None:
    """Bars per joint: the main camera set and the front pair; the mean pose as a line over each group."""
    figure, axes = _axes(1, (9.5, 4.6))
    shown = list(summary["view_sets"])[:2]
    width = 0.8 / len(shown)
    for i, name in enumerate(shown):
        heights = list(summary["view_sets"][name]["per_joint_mm"].values())
        at = np.arange(len(JOINTS)) + width * (i - (len(shown) - 1) / 2)
        axes[0].bar(at, heights, width, label=name, color=COLORS[i])
    for color, (name, figures) in zip(BASELINE_COLORS, summary["baselines"].items(), strict=False):
        for group, joints in GROUPS.items():
            level, label = figures["per_group_mm"][group], name if group == "head" else None
            axes[0].hlines(level, joints[0] - 0.45, joints[-1] + 0.45, color=color, linewidth=2, label=label)
    axes[0].set_xticks(np.arange(len(JOINTS)), [_spaced(joint) for joint in JOINTS], rotation=40, ha="right")
    axes[0].set_ylabel("mean error (mm)")
    axes[0].legend(frameon=False, loc="upper left")
    _save(figure, path)


def _curve(path: Path, measured: Measured) -> None:
    """Cumulative share of joints over the error."""
    figure, axes = _axes(1, (7.5, 4.6))
    answers = {name: predicted.joints_m for name, predicted in measured.predictions.items()}
    for i, (name, poses) in enumerate({**answers, **measured.baselines}.items()):
        errors = np.sort(joint_errors_mm(poses, measured.truth_m).ravel())
        share = 100.0 * np.arange(1, len(errors) + 1) / len(errors)
        network = name in answers
        color = COLORS[i % len(COLORS)] if network else BASELINE_COLORS[(i - len(answers)) % 2]
        axes[0].plot(errors, share, "-" if network else "--", color=color, label=name, linewidth=1.6)
    axes[0].axvline(PCK_THRESHOLD_MM, color="#ced4da", linewidth=1, zorder=0)
    axes[0].text(PCK_THRESHOLD_MM + 5, 3, "PCK threshold", color="#868e96", fontsize=8)
    axes[0].set(xlim=(0, CURVE_END_MM), ylim=(0, 100), xlabel="error (mm)", ylabel="joints closer than that (%)")
    axes[0].legend(frameon=False, loc="lower right")
    _save(figure, path)


def _over_time(path: Path, measured: Measured, sequence: str) -> None:
    """MPJPE per frame of one sequence, with the main camera set and the next."""
    figure, axes = _axes(1, (9.5, 3.4))
    chosen = np.array([i for i, name in enumerate(measured.names) if name.sequence == sequence])
    chosen = chosen[np.argsort([measured.names[i].frame for i in chosen])]
    frames = [measured.names[i].frame for i in chosen]
    for color, (name, predicted) in zip(COLORS[:2], measured.predictions.items(), strict=False):
        error = mpjpe_mm(predicted.joints_m[chosen], measured.truth_m[chosen])
        axes[0].plot(frames, error, ".-" if len(frames) < LONGEST_MM else "-", color=color, label=name, linewidth=1.4)
    axes[0].set(xlabel=f"frame of sequence {sequence}", ylabel="MPJPE (mm)")
    axes[0].set_ylim(bottom=0)
    axes[0].legend(frameon=False)
    _save(figure, path)


def _confidence(path: Path, calibration: Mapping[str, Any]) -> None:
    """Promised against found probability, promised against found coverage, error per tenth."""
    figure, axes = _axes(3, (12.0, 4.0))
    deciles, intervals = calibration["deciles"], calibration["coverage_percent"]
    promised = [part["confidence_percent"] for part in deciles]
    _against_ideal(axes[0], promised, [part["near_percent"] for part in deciles], COLORS[0])
    axes[0].set(title="Joint within 10 cm", xlabel="confidence (%)", ylabel="found (%)")
    for group, covered in calibration["coverage_per_group"].items():
        label = "each joint group" if group == "head" else None
        axes[1].plot([float(p) for p in covered], list(covered.values()), color="#ced4da", linewidth=1, label=label)
    _against_ideal(axes[1], [float(p) for p in intervals], list(intervals.values()), COLORS[0])
    axes[1].set(title="Coordinate inside its interval", xlabel="promised (%)", ylabel="found (%)")
    axes[1].legend(frameon=False, loc="upper left")
    axes[2].bar(range(1, len(deciles) + 1), [part["error_mm"] for part in deciles], color=COLORS[0])
    axes[2].set(title="Error, from the surest joints", xlabel="tenth of all joints", ylabel="mean error (mm)")
    axes[2].set_xticks(range(1, len(deciles) + 1))
    _save(figure, path)


def _against_ideal(axes: Any, promised: list[float], found: list[float], color: str) -> None:
    axes.plot([0, 100], [0, 100], color="#868e96", linewidth=1, linestyle=":", label="ideal")
    axes.plot(promised, found, "o-", color=color, linewidth=1.6, markersize=4, clip_on=False)
    axes.set(xlim=(0, 100), ylim=(0, 100))
    axes.set_aspect("equal")


def _axes(columns: int, size: tuple[float, float]) -> tuple[Any, list[Any]]:
    """A figure without a window, and its axes."""
    require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    axes: NDArray[Any] = figure.subplots(1, columns, squeeze=False)[0]
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
        each.grid(axis="y", color="#e9ecef", linewidth=0.8)
        each.set_axisbelow(True)
    return figure, list(axes)


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, dpi=DPI, facecolor="white")


def _spaced(joint: str) -> str:
    """A joint's name in words: LeftUpLeg, left up leg."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in joint).strip()
