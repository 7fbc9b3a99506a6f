"""From samples to figures: one row of plain values per engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from egorear_ros.benchmarking.settings import BenchmarkSettings
from egorear_ros.benchmarking.worker import Samples, Started
from egorear_ros.evaluation.metrics import joint_errors_mm, mpjpe_mm

PERCENTILES: Final = (50, 95, 99)
COMPARED: Final = ("network", "end_to_end")
MM_PER_M: Final = 1000.0


class Run(Protocol):
    """What one engine's process gave."""

    settings: BenchmarkSettings
    engine: str
    started: Started
    samples: list[Samples]
    others_percent: list[float | None]
    peak_memory_mib: float


def baseline_row(baseline: Run) -> dict[str, Any]:
    """The row of the baseline: over all its turns."""
    return {**_own_figures(baseline, baseline.samples), "speedup": {}, "pose_change_mm": {}}


def engine_row(run: Run, baseline: Run, baseline_samples: Sequence[Samples]) -> dict[str, Any]:
    """The row of an engine.

    Args:
        run: the engine's.
        baseline: the baseline's, for its poses.
        baseline_samples: of the baseline's turns beside this engine's.
    """
    own, base = _merged(run.samples), _merged(baseline_samples)
    speedup = {stage: _round(np.median(base[stage]) / np.median(own[stage])) for stage in COMPARED if stage in own}
    change = joint_errors_mm(run.started.poses_m, baseline.started.poses_m)
    mpjpe_change = _mpjpe_mm(run.started) - _mpjpe_mm(baseline.started)
    return {
        **_own_figures(run, run.samples),
        "speedup": speedup,
        "pose_change_mm": {
            "largest": _round(change.max()),
            "mean": _round(change.mean()),
            "mpjpe": _round(mpjpe_change),
        },
    }


def failed_row(engine: str, reason: str) -> dict[str, Any]:
    """The row of an engine that cannot run here."""
    return {"engine": engine, "failure": reason}


def _own_figures(run: Run, rounds: Sequence[Samples]) -> dict[str, Any]:
    samples = _merged(rounds)
    return {
        "engine": run.engine,
        "failure": None,
        "threads": run.started.threads,
        "stages_ms": {stage: _summary(values) for stage, values in samples.items()},
        "sets_per_s": {s: _round(run.settings.batch / samples[s].mean()) for s in COMPARED if s in samples},
        "round_p50_ms": {stage: [_milliseconds(np.median(one[stage])) for one in rounds] for stage in samples},
        "others_percent": list(run.others_percent),
        "startup_s": {name: _round(seconds) for name, seconds in run.started.startup_s.items()},
        "peak_memory_mib": round(run.peak_memory_mib),
        "mpjpe_mm": _round(_mpjpe_mm(run.started)),
        "pose_spread_mm": _round(MM_PER_M * run.started.poses_m.std(axis=0).mean()),
    }


def _summary(seconds: NDArray[np.float64]) -> dict[str, float]:
    """Calls, mean and percentiles, milliseconds."""
    percentiles = np.percentile(seconds, PERCENTILES)
    return {
        "calls": len(seconds),
        "mean": _milliseconds(np.mean(seconds)),
        **{f"p{p}": _milliseconds(value) for p, value in zip(PERCENTILES, percentiles, strict=True)},
    }


def _merged(rounds: Sequence[Mapping[str, Sequence[float]]]) -> dict[str, NDArray[np.float64]]:
    return {stage: np.concatenate([one[stage] for one in rounds]) for stage in rounds[0]}


def _mpjpe_mm(started: Started) -> float:
    return float(mpjpe_mm(started.poses_m, started.truth_m).mean())


def _milliseconds(seconds: Any) -> float:
    return round(1e3 * float(seconds), 3)


def _round(value: Any) -> float:
    return round(float(value), 4)
