"""Check what egorear-s promises: every figure, on as many data sets as are named, from two weights files.

    python benchmarks/egorear_sim_claims.py --refined A.safetensors --unrefined B.safetensors --training DIR ... \
        --validation DIR --test DIR --out claims

`--unrefined` is the same network trained the same way with `refinement_layers: 0`; without it the claim about the
refinement is left out. Writes claims.md and claims.json, the evaluations included, whole or not at all.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from egorear_ros.data.opening import open_frames
from egorear_ros.errors import EgorearError
from egorear_ros.evaluation.baselines import MEAN_POSE, NEAREST, TrainingPoses, learn_by_heart
from egorear_ros.evaluation.loading import camera_sets, load_pose_network
from egorear_ros.evaluation.measurement import Measured, measure, spread
from egorear_ros.evaluation.metrics import mpjpe_mm
from egorear_ros.evaluation.summary import summarize
from egorear_ros.evaluation.tables import Table, all_tables
from egorear_ros.evaluation.view_sets import ALL, FRONT_PAIR
from egorear_ros.rig import VIEWS

MOST_MM = 60.0
MOST_OF_FRONT_PAIR = 0.85
MOST_WITH_ONE_LOST = 1.25
COVERED_PERCENT = (85.0, 95.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refined", required=True, help="egorear-s weights, or the name of a shipped model")
    parser.add_argument("--unrefined", help="the same without refinement")
    parser.add_argument("--training", nargs="+", required=True, help="training data, for the baselines")
    parser.add_argument("--validation", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--sets", type=int, help="at most so many frame sets of each, evenly spread")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, required=True, help="new folder")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    try:
        check(args)
    except EgorearError as error:
        raise SystemExit(str(error)) from error


def check(args: argparse.Namespace) -> None:
    """Evaluate both weights on both data sets, print and write."""
    if args.out.exists():
        raise EgorearError(f"'{args.out}' is there already; name a new folder")
    training = learn_by_heart([open_frames(folder, "train", VIEWS) for folder in args.training])
    text, content = ["# What egorear-s promises, and what was found", ""], {}
    for name, folder, split in (("val", args.validation, "val"), ("test", args.test, "test")):
        refined = evaluated(args.refined, folder, split, args.sets, training)
        unrefined = evaluated(args.unrefined, folder, split, args.sets) if args.unrefined else None
        table, summary = claim_table(f"{name}: {folder.name}", refined, unrefined), summarize(refined)
        table.rows.extend(budget_rows(args))
        tables = [table, *unrefined_tables(unrefined), *all_tables(summary)]
        text += [f"## {name}: {folder.name}, {len(refined)} frame sets", "", *(each.markdown() for each in tables)]
        content[name] = {"claims": [list(row) for row in table.rows], "refined": summary}
        if unrefined is not None:
            content[name]["unrefined"] = summarize(unrefined)
        print(table.markdown(), flush=True)
    write(args.out, "\n".join(text), content)
    print(f"everything: {args.out / 'claims.md'}")


def evaluated(
    model: str, folder: Path, split: str, sets: int | None, training: TrainingPoses | None = None
) -> Measured:
    network, config, _ = load_pose_network(model)
    source = spread(open_frames(folder, split, config.views), sets)
    return measure(network, source, camera_sets(config), training)


def claim_table(title: str, refined: Measured, unrefined: Measured | None) -> Table:
    """One row per claim: what is promised, what was found, whether it holds."""
    summary = summarize(refined)
    errors = {name: figures["mpjpe_mm"] for name, figures in summary["view_sets"].items()}
    compared, calibration = summary["compared"], summary["calibration"]
    rows = [
        row("MPJPE with 4 views (mm)", f"at most {MOST_MM:.0f}", f"{errors[ALL]:.1f}", errors[ALL] <= MOST_MM),
        row("MPJPE with the front pair (mm)", "", f"{errors[FRONT_PAIR]:.1f}", None),
        row(
            "4 views / front pair",
            f"at most {MOST_OF_FRONT_PAIR}",
            f"{compared['front_pair_ratio']:.3f}",
            compared["front_pair_ratio"] <= MOST_OF_FRONT_PAIR,
        ),
        row(
            "one random camera lost / 4 views",
            f"at most {MOST_WITH_ONE_LOST}",
            f"{compared['one_lost_ratio']:.3f} ({compared['one_lost_mm']:.1f} mm)",
            compared["one_lost_ratio"] <= MOST_WITH_ONE_LOST,
        ),
        *(
            row(f"lost {lost} / 4 views", "", f"{error / errors[ALL]:.3f} ({error:.1f} mm)", None)
            for lost, error in one_lost(refined, errors)
        ),
    ]
    if unrefined is not None:
        rows += refinement_rows(refined, unrefined)
    for baseline in (MEAN_POSE, NEAREST):
        floor = summary["baselines"][baseline]["mpjpe_mm"]
        rows.append(row(f"floor: {baseline} (mm)", "above 4 views", f"{floor:.1f}", floor > errors[ALL]))
    tenths = " ".join(f"{part['error_mm']:.0f}" for part in calibration["deciles"])
    rows.append(row("error per tenth of confidence (mm)", "rises", tenths, calibration["monotone"]))
    covered, (low, high) = calibration["coverage_percent"], COVERED_PERCENT
    promised = f"{low:.0f} to {high:.0f}"
    rows.append(row("inside the 90 % interval (%)", promised, str(covered["90"]), low <= covered["90"] <= high))
    return Table(title, ["figure", "promised", "found", "holds"], rows)


def refinement_rows(refined: Measured, unrefined: Measured) -> list[list[str]]:
    """The refined error below the unrefined, per camera set; with the difference's standard error over sequences."""
    rows = []
    for name in (ALL, FRONT_PAIR):
        with_it, without = (mpjpe_mm(each.predictions[name].joints_m, each.truth_m) for each in (refined, unrefined))
        difference, error = paired(with_it - without, [where.sequence for where in refined.names])
        count = len({where.sequence for where in refined.names})
        found = f"{with_it.mean():.1f} - {without.mean():.1f} = {difference:+.1f} +- {error:.1f} ({count} sequences)"
        rows.append(row(f"with - without refinement, {name} (mm)", "below 0", found, difference < 0))
    return rows


def budget_rows(args: argparse.Namespace) -> list[list[str]]:
    """What the cards say both networks were given: an ablation needs the same."""
    if not args.unrefined:
        return []
    cards = [load_pose_network(model, "cpu")[2].source for model in (args.refined, args.unrefined)]
    steps = [card.get("training", {}).get("steps", card.get("budget", {}).get("steps")) for card in cards]
    found = f"{steps[0]} and {steps[1]}, kept {cards[0].get('step', '?')} and {cards[1].get('step', '?')}"
    return [row("steps with and without refinement", "equal", found, steps[0] == steps[1])]


def paired(difference: np.ndarray, sequences: list[str]) -> tuple[float, float]:
    """Mean, and its standard error when sequences, not frames, are independent; NaN for a single sequence."""
    names = np.array(sequences)
    sums = np.array([(difference[names == name] - difference.mean()).sum() for name in sorted(set(sequences))])
    scale = len(sums) / (len(sums) - 1) if len(sums) > 1 else np.nan
    return float(difference.mean()), float(np.sqrt(scale * (sums**2).sum()) / len(difference))


def one_lost(measured: Measured, errors: dict[str, float]) -> list[tuple[str, float]]:
    return [
        (measured.views[mask.index(False)], errors[name])
        for name, mask in measured.masks.items()
        if mask.count(False) == 1
    ]


def unrefined_tables(unrefined: Measured | None) -> list[Table]:
    if unrefined is None:
        return []
    rows = [[name, f"{each['mpjpe_mm']:.1f}"] for name, each in summarize(unrefined)["view_sets"].items()]
    return [Table("Without refinement", ["answered from", "MPJPE (mm)"], rows)]


def row(figure: str, promised: str, found: str, holds: bool | None) -> list[str]:
    return [figure, promised, found, {True: "yes", False: "NO", None: ""}[holds]]


def write(out: Path, text: str, content: dict[str, Any]) -> None:
    partial = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        partial.mkdir(parents=True)
        (partial / "claims.md").write_text(text, encoding="utf-8")
        (partial / "claims.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


if __name__ == "__main__":
    main()
