"""The results table of EgoRear-Sim: the paper's rows, trained with one budget, measured on one set.

    python benchmarks/egorear_sim.py train --data DIR ... --validation DIR --steps N --runs runs/sim
    python benchmarks/egorear_sim.py table --weights runs/sim/weights.yaml --data DIR [--training DIR ...] --out FILE

`train` trains row by row with `egorear train`, every row for the same number of steps in all, split evenly over the
networks it is made of (a stage may train several); it can be stopped and called again. `weights.yaml`, which it keeps
up to date, may be written by hand instead: a mapping of rows to weights files, one
per seed. `table` says which rows have none.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from egorear_ros.data.opening import open_frames
from egorear_ros.errors import EgorearError
from egorear_ros.evaluation.baselines import learn_by_heart
from egorear_ros.evaluation.loading import PoseNetwork, load_pose_network
from egorear_ros.evaluation.measurement import measure, spread
from egorear_ros.evaluation.metrics import mpjpe_mm, pa_mpjpe_mm
from egorear_ros.evaluation.prediction import batches
from egorear_ros.evaluation.tables import Table
from egorear_ros.evaluation.view_sets import ViewMask
from egorear_ros.network import EgoRearConfig, EgoRearSConfig, config_of, list_models
from egorear_ros.network.registry import VIEW_SETS
from egorear_ros.rig import VIEWS
from egorear_ros.training.stages import Job, jobs_of

SYSTEMS = {
    "EgoPoseFormer": ("egoposeformer-{views}", "egoposeformer-{views}+refinement"),
    "EgoTAP": ("egotap-{views}", "egotap-{views}+refinement"),
    "EgoRear's own": ("egorear-{views}-unrefined", "egorear-{views}"),
}
"""Lifter -> registry names without and with refinement."""

COMPACT = ("egorear-s-unrefined", "egorear-s")
"""One network serves all camera sets."""

HEADINGS = {
    "front": "2 front",
    "front-rear_left": "2 front + rear_left",
    "front-rear_right": "2 front + rear_right",
    "4view": "2 front + 2 rear",
}


class Answer(NamedTuple):
    """MPJPE and PA-MPJPE of one seed, mm."""

    mpjpe: float
    pa_mpjpe: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    configure_train(commands.add_parser("train", help="train the rows that have no weights yet"))
    configure_table(commands.add_parser("table", help="measure the rows that have weights"))
    args = parser.parse_args()
    try:
        (train if args.command == "train" else table)(args)
    except EgorearError as error:
        raise SystemExit(str(error)) from error


def configure_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", nargs="+", required=True, help="as of `egorear train`")
    parser.add_argument("--validation", required=True)
    parser.add_argument("--configs", type=Path, default=Path("config/training"), help="folder of egorear.yaml etc.")
    parser.add_argument("--steps", type=int, required=True, help="budget of a row: optimiser steps of all its networks")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--rows", nargs="+", default=all_rows(), metavar="ROW", help=f"of {', '.join(all_rows())}")
    parser.add_argument("--runs", type=Path, default="runs/egorear_sim")


def configure_table(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--weights", type=Path, required=True, help="YAML: row -> weights files")
    parser.add_argument("--data", type=Path, required=True, help="EgoRear-Sim: `egorear simulate --benchmark test`")
    parser.add_argument("--split", default="test")
    parser.add_argument("--training", nargs="*", default=[], help="training data, for the baselines")
    parser.add_argument("--sets", type=int, help="at most so many frame sets, evenly spread")
    parser.add_argument("--out", type=Path, help="Markdown file")


def all_rows() -> list[str]:
    """Everything that can be trained: names of the registry, and the two compact networks."""
    names = [name.format(views=views) for names in SYSTEMS.values() for name in names for views in VIEW_SETS]
    return [*COMPACT, *(name for name in names if name in list_models())]


def train(args: argparse.Namespace) -> None:
    """Train every row and seed that is not finished; keep weights.yaml up to date."""
    for row in args.rows:
        if row not in all_rows():
            raise EgorearError(f"there is no row '{row}'; known are {', '.join(all_rows())}")
    for seed in args.seeds:
        for row in args.rows:
            out = args.runs / f"{row}-seed{seed}"
            if not (out / "finished").exists():
                train_row(row, seed, out, args)
                (out / "finished").touch()
            add_weights(args.runs / "weights.yaml", row, weights_of(row, out))


def train_row(row: str, seed: int, out: Path, args: argparse.Namespace) -> None:
    """Run `egorear train` for each stage; finished stages and steps are not repeated."""
    out.mkdir(parents=True, exist_ok=True)
    config = out / "config.yaml"
    config.write_text(yaml.safe_dump(row_config(row, seed, args)), encoding="utf-8")
    steps = max(args.steps // len(jobs_of_row(row)), 1)
    for stage in stages_of(row):
        command = [sys.executable, "-m", "egorear_ros", "train", "--config", str(config), "--out", str(out)]
        command += ["--data", *args.data, "--validation", args.validation, "--steps", str(steps)]
        command += [] if row in COMPACT else ["--system", row, "--stage", stage]
        command += ["--resume"] if row not in COMPACT or (out / "last.pt").exists() else []
        print(" ".join(command), flush=True)
        if subprocess.run(command, check=False).returncode:
            raise EgorearError(f"row '{row}' stopped in stage {stage}; mend what it says and call this again")


def row_config(row: str, seed: int, args: argparse.Namespace) -> dict[str, Any]:
    """The shipped configuration of the row's system, with this seed; of the compact ones with or without refinement."""
    name = COMPACT[1] if row in COMPACT else row.partition("-")[0]
    content: dict[str, Any] = yaml.safe_load((args.configs / f"{name}.yaml").read_text(encoding="utf-8"))
    content["seed"] = seed
    if row in COMPACT:
        layers = 0 if row.endswith("unrefined") else EgoRearSConfig().refinement_layers
        content["network"] = {**content.get("network", {}), "refinement_layers": layers}
    return content


def stages_of(row: str) -> tuple[str, ...]:
    """Stages of a row; a system without refinement has no second."""
    return ("all",) if row in COMPACT else tuple(sorted({str(job.stage) for job in jobs_of_row(row)}))


def jobs_of_row(row: str) -> tuple[Job, ...]:
    """What a row trains, one after the other."""
    return jobs_of(config_of(COMPACT[1] if row in COMPACT else row))


def weights_of(row: str, out: Path) -> Path:
    return out / "best.safetensors" if row in COMPACT else out / "stage3" / "best.safetensors"


def add_weights(path: Path, row: str, weights: Path) -> None:
    known: dict[str, list[str]] = yaml.safe_load(path.read_text()) if path.exists() else {}
    known.setdefault(row, [])
    if str(weights) not in known[row]:
        known[row].append(str(weights))
    partial = path.with_suffix(".partial")
    partial.write_text(yaml.safe_dump(known), encoding="utf-8")
    partial.replace(path)


def table(args: argparse.Namespace) -> None:
    """Measure, print, write."""
    weights = read_weights(args.weights)
    answers = {name: measured(name, weights, args) for name in all_rows()}
    rows = [
        [lifter, "with" if i else "without", *(cell(name, views, answers) for views in VIEW_SETS)]
        for lifter, names in {"egorear-s": COMPACT, **SYSTEMS}.items()
        for i, name in enumerate(names)
    ]
    rows += baselines(args)
    title = f"{args.data.name}: MPJPE (PA-MPJPE) in mm"
    text = Table(title, ["lifter", "refinement", *HEADINGS.values()], rows).markdown() + "\n" + budgets(weights)
    print(text)
    if args.out is not None:
        partial = args.out.with_name(f".{args.out.name}.{os.getpid()}")
        partial.write_text(text, encoding="utf-8")
        partial.replace(args.out)


def read_weights(path: Path) -> dict[str, list[str]]:
    """Row -> weights files, every row known and every network the row's."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise EgorearError(f"'{path}' cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise EgorearError(f"'{path}' must map rows to weights files")
    unknown = sorted(set(content) - set(all_rows()))
    if unknown:
        raise EgorearError(f"'{path}' has an unknown row '{unknown[0]}'; known are {', '.join(all_rows())}")
    return {row: [files] if isinstance(files, str) else list(files) for row, files in content.items()}


def measured(row: str, weights: dict[str, list[str]], args: argparse.Namespace) -> dict[str, list[Answer]]:
    """Camera set -> one answer per seed, of a row that has weights."""
    found: dict[str, list[Answer]] = {}
    for file in weights.get(row, []):
        network, config, _ = load_pose_network(file)
        check_row(row, config, file)
        source = spread(open_frames(args.data, args.split, config.views), args.sets)
        result = measure(network, source, masks_of(row, config))
        for views, answer in result.predictions.items():
            errors = mpjpe_mm(answer.joints_m, result.truth_m), pa_mpjpe_mm(answer.joints_m, result.truth_m)
            found.setdefault(views, []).append(Answer(*(float(error.mean()) for error in errors)))
    return found


def check_row(row: str, config: PoseNetwork, file: str) -> None:
    """Refuse weights of another system than the row's: a table with mixed-up rows looks as good as a right one."""
    if row in COMPACT:
        fits = isinstance(config, EgoRearSConfig) and bool(config.refinement_layers) == (row == COMPACT[1])
    else:
        wanted = config_of(row)
        fits = type(config) is type(wanted) and config.views == wanted.views and refined(config) == refined(wanted)
        if isinstance(config, EgoRearConfig) and isinstance(wanted, EgoRearConfig):
            fits = fits and config.proposal == wanted.proposal
    if not fits:
        raise EgorearError(f"'{file}' holds another network than row '{row}': {config}")


def refined(config: Any) -> bool:
    return bool(config.refinement)


def masks_of(row: str, config: PoseNetwork) -> dict[str, ViewMask]:
    """Camera sets a row's network is measured with: its own, or, of the compact ones, all."""
    if row not in COMPACT:
        return {next(name for name, views in VIEW_SETS.items() if views == config.views): (True,) * len(config.views)}
    return {name: tuple(view in views for view in config.views) for name, views in VIEW_SETS.items()}


def cell(name: str, views: str, answers: dict[str, dict[str, list[Answer]]]) -> str:
    row = name.format(views=views)
    if row not in answers:
        return "no such system"
    seeds = answers[row].get(views, [])
    return text_of(seeds) if seeds else "no weights"


def text_of(seeds: list[Answer]) -> str:
    """Mean over the seeds, with their standard deviation where there are several."""
    errors = np.array(seeds)
    spread_mm = f" +- {errors[:, 0].std(ddof=1):.1f}" if len(seeds) > 1 else ""
    return f"{errors[:, 0].mean():.1f}{spread_mm} ({errors[:, 1].mean():.1f})"


def baselines(args: argparse.Namespace) -> list[list[str]]:
    """Rows of the answers that need no network."""
    if not args.training:
        return []
    training = learn_by_heart([open_frames(folder, "train", VIEWS) for folder in args.training])
    truths, nearest = [], {views: [] for views in VIEW_SETS}
    for sets in batches(spread(open_frames(args.data, args.split, VIEWS), args.sets)):
        truths.append(sets.joints_device_m)
        for name, views in VIEW_SETS.items():
            nearest[name].append(training.nearest_pose_m(sets, tuple(view in views for view in VIEWS)))
    truth = np.concatenate(truths)
    mean = text_of([answer(np.broadcast_to(training.mean_pose_m(), truth.shape), truth)])
    found = [text_of([answer(np.concatenate(parts), truth)]) for parts in nearest.values()]
    return [["mean pose", "", *[mean] * len(VIEW_SETS)], ["nearest picture", "", *found]]


def answer(poses_m: Any, truth_m: Any) -> Answer:
    return Answer(float(mpjpe_mm(poses_m, truth_m).mean()), float(pa_mpjpe_mm(poses_m, truth_m).mean()))


def budgets(weights: dict[str, list[str]]) -> str:
    """What the cards say the rows were given."""
    rows = []
    for row, files in weights.items():
        for file in files:
            _, _, card = load_pose_network(file, "cpu")
            training = card.source.get("training", {})
            facts = [training.get(key, "?") for key in ("train_sets", "batch", "steps", "seed")]
            rows.append(
                [row, *map(str, facts), str(card.source.get("step", "?")), str(card.source.get("seconds", "?"))]
            )
    columns = ["row", "train sets", "batch", "steps of the last stage", "seed", "step kept", "its seconds"]
    return Table("Budgets, as the weights' cards say", columns, rows).markdown()


if __name__ == "__main__":
    main()
