"""The tracker against single frames and a One-Euro filter: errors, jitter, lag, hidden joints, intervals.

    python benchmarks/tracking.py --data shards/test_mocap --tune shards/val_mocap --work runs/tracker

`--data` are sequences at 30 Hz of people nobody trained on; `--tune` are tracks on which the One-Euro filter's settings
are chosen. Encoded tracks are kept in WORK/encoded. Gravity is known to 1.5 degrees, stature to 1 cm.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from egorear_ros.evaluation.calibration import coverage_percent
from egorear_ros.evaluation.metrics import joint_errors_mm
from egorear_ros.evaluation.motion import jitter_m_s2, lag_errors, lag_s
from egorear_ros.evaluation.one_euro import OneEuro
from egorear_ros.inference.models import find_weights
from egorear_ros.network.weights import load_weights, sha256_of
from egorear_ros.tracking.tracker import PoseTracker, find_temporal, load_temporal
from egorear_ros.tracking.wearer import WearerLengths, running_lengths
from egorear_ros.training.track_batches import Chances, cues_of, disturbed, stacked
from egorear_ros.training.tracks import Tracks, encoded_tracks

Array = NDArray[Any]
Answer = tuple[Array, Array, Array | None]
"""Poses, standard deviations and velocities of a track, (T, 16, 3)."""
Method = Callable[[Tracks, int, Tracks | None], Answer]
"""Takes a track, which variant of views, and another track of the same person; gives its answer."""

CUTOFFS_HZ = (0.5, 1.0, 2.0, 4.0, 8.0)
BETAS = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
LAG_MARGIN_S = 0.001
LOST_SHARE = 0.1
IMAGE_PX, COST_FRAMES = 256, 90


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--tune", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--model", default="egorear-s")
    parser.add_argument("--tracker", type=Path, help="weights of the temporal part (default: the model's)")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    parser.add_argument("--cost", action="store_true", help="also measure what a frame costs with and without")
    args = parser.parse_args()
    torch.set_num_threads(1)
    weights = find_weights(args.model)
    network, _ = load_weights(weights)
    name, cache = sha256_of(weights)[:8], args.work / "encoded"
    tracker = Tracker(args.tracker or find_temporal(args.model))
    tune = encoded_tracks(args.tune, network, name, cache)
    euro = tuned(tune, tracker)
    print(f"One-Euro filter with the tracker's lag on {args.tune.name}: {euro}")
    result: dict[str, Any] = {"one_euro": vars(euro), "data": {}}
    for folder in args.data:
        tracks = encoded_tracks(folder, network, name, cache, one_lost=True)
        result["data"][folder.name] = report(folder.name, tracks, methods(tracker, euro))
    if args.cost:
        result["cost"] = cost(args.model)
        print(f"\nCPU time of a frame set: {result['cost']}")
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


class Tracker:
    """The temporal part as methods."""

    def __init__(self, weights: Path) -> None:
        self.network = load_temporal(weights)

    def method(self, down: bool = False, stature: bool = False, known: bool = False, both_ways: bool = False) -> Method:
        """One choice of cues; `known`: the bone lengths were measured in the person's other sequence before."""

        @torch.inference_mode()
        def answer(track: Tracks, variant: int, sister: Tracks | None) -> Answer:
            before = None
            if known and sister is not None:
                before = WearerLengths.measured(sister.pose_m[:, 0], sister.std_m[:, 0], sister.time_s)
            lengths = running_lengths(track.pose_m[:, variant], track.std_m[:, variant], track.time_s, before)
            if both_ways:
                lengths = tuple(np.broadcast_to(part[-1:], part.shape) for part in lengths)  # type: ignore[assignment]
            piece = cues_of(track, variant, lengths, {"down": down, "stature": stature})
            piece = disturbed(piece, np.random.default_rng(len(track.time_s)), Chances())
            found = self.network(stacked([piece]).cues, both_ways)
            return found.pose_m[0].numpy(), found.log_std[0].exp().numpy(), found.velocity_m_s[0].numpy()

        return answer


def per_frame(track: Tracks, variant: int, sister: Tracks | None) -> Answer:
    """What the tracker is given."""
    return track.pose_m[:, variant], track.std_m[:, variant], None


def filtered(euro: OneEuro) -> Method:
    """Per frame, smoothed."""
    return lambda track, variant, sister: (
        euro(track.pose_m[:, variant], track.time_s), track.std_m[:, variant], None
    )  # fmt: skip


def methods(tracker: Tracker, euro: OneEuro) -> dict[str, Method]:
    """The rows of the table."""
    return {
        "per frame": per_frame,
        "One-Euro filter": filtered(euro),
        "tracker": tracker.method(),
        "tracker, gravity": tracker.method(down=True),
        "tracker, gravity, stature": tracker.method(down=True, stature=True),
        "tracker, gravity, learnt lengths": tracker.method(down=True, known=True),
        "smoother": tracker.method(both_ways=True),
        "smoother, gravity, stature": tracker.method(down=True, stature=True, both_ways=True),
    }


def tuned(tracks: Tracks, tracker: Tracker) -> OneEuro:
    """The filter with the least jitter among those that lag no more than the tracker."""
    limit_s = measured(tracks, tracker.method())["lag_ms"] / 1000.0 + LAG_MARGIN_S
    choices = [OneEuro(cutoff, beta) for cutoff in CUTOFFS_HZ for beta in BETAS]
    figures = {choice: measured(tracks, filtered(choice)) for choice in choices}
    quick = [choice for choice in choices if figures[choice]["lag_ms"] / 1000.0 <= limit_s] or [choices[-1]]
    return min(quick, key=lambda choice: figures[choice]["jitter_m_s2"])


def report(name: str, tracks: Tracks, rows: dict[str, Method]) -> dict[str, Any]:
    """Measure and print all rows in all scenes."""
    slow = thinned(tracks)
    scenes = {"30 Hz": (tracks, 0), "12 Hz, 10 % lost": (slow, 0), "30 Hz, a camera lost for 3 s": (tracks, 1)}
    result: dict[str, Any] = {}
    for scene, (data, variant) in scenes.items():
        only = lost(data) if variant else np.ones(len(data.time_s), bool)
        result[scene] = {row: measured(data, method, variant, only) for row, method in rows.items()}
        print_table(f"{name}, {scene} ({len(data)} tracks, {only.sum()} frames)", result[scene])
    only = lost(tracks)
    whole = {row: measured(tracks, method, 0, only)["mpjpe_mm"] for row, method in rows.items()}
    result["rise when a camera is lost (%)"] = {
        row: round(100 * (result["30 Hz, a camera lost for 3 s"][row]["mpjpe_mm"] / error - 1), 1)
        for row, error in whole.items()
    }
    print(f"{name}, error rises when a camera is lost for 3 s by (%): {result['rise when a camera is lost (%)']}")
    return result


def lost(tracks: Tracks) -> Array:
    """(N,) whether a camera is lost in the second variant."""
    return np.asarray(~tracks.view_mask[:, 1].all(axis=-1))


def thinned(tracks: Tracks) -> Tracks:
    """Every second and third frame in turn, 12 Hz; of these a tenth at random is lost."""
    kept = []
    for first, last in zip(tracks.start[:-1], tracks.start[1:], strict=True):
        frames = first + np.concatenate([[0], np.cumsum(np.resize([2, 3], last - first))])
        frames = frames[frames < last]
        arrives = np.random.default_rng(int(first)).random(len(frames)) >= LOST_SHARE
        kept.append(frames[arrives])
    chosen = tracks.frames(np.concatenate(kept))
    return Tracks(**{**vars(chosen), "start": np.cumsum([0, *(len(part) for part in kept)])})


def pairs(tracks: Tracks) -> Iterator[tuple[Tracks, Tracks | None]]:
    """Every track, and the other one of its person."""
    for index in range(len(tracks)):
        other = index ^ 1
        yield tracks.track(index), tracks.track(other) if other < len(tracks) else None


def measured(tracks: Tracks, method: Method, variant: int = 0, only: Array | None = None) -> dict[str, float]:
    """The figures of one row.

    Args:
        tracks: whole ones.
        method: what to measure.
        variant: of the views.
        only: (N,) frames that count for errors and intervals; jitter and lag are those of whole tracks.
    """
    found = [(method(track, variant, other), track) for track, other in pairs(tracks)]
    pose, std = (np.concatenate([answer[part] for answer, _ in found]) for part in (0, 1))
    chosen = np.ones(len(pose), bool) if only is None else only
    errors = joint_errors_mm(pose, tracks.joints_m)[chosen]
    hidden = tracks.hidden[chosen]
    jitter = np.concatenate([jitter_m_s2(answer[0], track.joints_m, track.time_s) for answer, track in found])
    lags = np.nansum([lag_errors(answer[0], track.joints_m, track.time_s) for answer, track in found], axis=0)
    velocity = [answer[2] - track.velocity_m_s for answer, track in found if answer[2] is not None]
    return {
        "mpjpe_mm": round(float(errors.mean()), 2),
        "hidden_mm": round(float(errors[hidden].mean()), 2),
        "visible_mm": round(float(errors[~hidden].mean()), 2),
        "jitter_m_s2": round(float(jitter.mean()), 2),
        "lag_ms": round(1000 * lag_s(lags), 1),
        "velocity_m_s": round(float(np.linalg.norm(np.concatenate(velocity), axis=-1).mean()), 3)
        if velocity
        else np.nan,
        "in_90_percent": coverage_percent((pose - tracks.joints_m)[chosen], std[chosen])["90"],
    }


def cost(model: str) -> dict[str, float]:
    """Median CPU milliseconds of the per-frame network and of the temporal part behind it, in turn on one image."""
    tracker = PoseTracker.from_pretrained(model, device="cpu")
    rng, spent = np.random.default_rng(0), []
    images = {view: rng.integers(0, 256, (IMAGE_PX, IMAGE_PX, 3), np.uint8) for view in tracker.estimator.views}
    for frame in range(COST_FRAMES):
        times = [time.process_time()]
        estimate = tracker.estimator.estimate(images)
        times.append(time.process_time())
        tracker.temporal.update(estimate, round(frame * 1e9 / 30), [0.0, 0.0, 1.0])
        times.append(time.process_time())
        spent.append(np.diff(times))
    network, temporal = (round(float(ms), 2) for ms in 1000 * np.median(spent[COST_FRAMES // 3 :], axis=0))
    return {"per_frame_ms": network, "temporal_ms": temporal, "percent": round(100 * temporal / network, 1)}


def print_table(title: str, rows: dict[str, dict[str, float]]) -> None:
    """Markdown, as docs/tracking.md has it."""
    names = list(next(iter(rows.values())))
    print(f"\n{title}\n\n| | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    for row, figures in rows.items():
        print(f"| {row} | {' | '.join(f'{figures[name]:g}' for name in names)} |")


if __name__ == "__main__":
    main()
