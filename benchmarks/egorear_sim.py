"""The results table of EgoRear-Sim: the paper's rows, trained with one budget, measured on one set.

    python benchmarks/egorear_sim.py train --data DIR ... --validation DIR --steps N --runs runs/sim
    python benchmarks/egorear_sim.py table --weights runs/sim/weights.yaml --data DIR [--training DIR ...] --out FILE

`train` trains row by row with `egorear train`, every network of a stage for the same number of steps, and what several
rows need only once; see `egorear_sim_rows.py`. It can be stopped and called again. `weights.yaml`, which it keeps up to
date, may be written by hand instead: a mapping of rows to weights files, one per seed. `table` says which rows have
none.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.egorear_sim_claims import paired
from benchmarks.egorear_sim_rows import COMPACT, SYSTEMS, all_rows, train
from egorear_ros.data.opening import open_frames
from egorear_ros.errors import EgorearError
from egorear_ros.evaluation.baselines import learn_by_heart
from egorear_ros.evaluation.loading import PoseNetwork, load_pose_network
from egorear_ros.evaluation.measurement import measure, spread
from egorear_ros.evaluation.metrics import mpjpe_mm, pa_mpjpe_mm
from egorear_ros.evaluation.prediction import batches
from egorear_ros.evaluation.tables import Table
from egorear_ros.evaluation.view_sets import ViewMask
from egorear_ros.network import EgoRearConfig, EgoRearSConfig, config_of
from egorear_ros.network.registry import VIEW_SETS
from egorear_ros.rig import VIEWS

HEADINGS = {
    "front": "2 front",
    "front-rear_left": "2 front + rear_left",
    "front-rear_right": "2 front + rear_right",
    "4view": "2 front + 2 rear",
}

MORE_VIEWS = {views: heading for views, heading in HEADINGS.items() if views != "front"}

LIFTERS = {"egorear-s": COMPACT, **SYSTEMS}
"""Lifter -> its row without and with refinement."""

LABELS = {
    name: (lifter, refinement)
    for lifter, names in LIFTERS.items()
    for name, refinement in zip(names, ("without", "with"), strict=True)
}
"""Row -> what the first two columns call it."""

DIFFERENCE = "MPJPE in mm, with its standard error over sequences"


class Errors(NamedTuple):
    """MPJPE and PA-MPJPE of each frame set, mm, and the sequence it is of."""

    mpjpe: NDArray[np.float32]
    pa_mpjpe: NDArray[np.float32]
    sequences: list[str]


Measurements = dict[str, dict[str, list[Errors]]]
"""Row -> camera set -> one per seed."""


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
    parser.add_argument("--steps", type=int, nargs="+", required=True, help="of each network; or three, one per stage")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--rows", nargs="+", default=all_rows(), metavar="ROW", help=f"of {', '.join(all_rows())}")
    parser.add_argument("--runs", type=Path, default=Path("runs/egorear_sim"))


def configure_table(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--weights", type=Path, required=True, help="YAML: row -> weights files")
    parser.add_argument("--data", type=Path, required=True, help="EgoRear-Sim: `egorear simulate --benchmark test`")
    parser.add_argument("--split", default="test")
    parser.add_argument("--training", nargs="*", default=[], help="training data, for the baselines")
    parser.add_argument("--sets", type=int, help="at most so many frame sets, evenly spread")
    parser.add_argument("--out", type=Path, help="Markdown file")


def table(args: argparse.Namespace) -> None:
    """Measure, print, write."""
    weights = read_weights(args.weights)
    found = {name: measured(name, weights, args) for name in all_rows()}
    title, columns = f"{args.data.name}: MPJPE (PA-MPJPE) in mm", ["lifter", "refinement"]
    tables = [
        Table(title, [*columns, *HEADINGS.values()], [*rows_of(found), *baselines(args)]),
        Table(f"With - without refinement: {DIFFERENCE}", ["lifter", *HEADINGS.values()], refinement_rows(found)),
        Table(f"More views - front pair: {DIFFERENCE}", [*columns, *MORE_VIEWS.values()], view_rows(found)),
        budgets(weights),
    ]
    text = "\n".join(table.markdown() for table in tables)
    print(text)
    if args.out is not None:
        partial = args.out.with_name(f".{args.out.name}.{os.getpid()}")
        partial.write_text(text, encoding="utf-8")
        partial.replace(args.out)


def rows_of(found: Measurements) -> list[list[str]]:
    """One row per lifter, without and with refinement."""
    return [[*labels, *(cell(name, views, found) for views in VIEW_SETS)] for name, labels in LABELS.items()]


def refinement_rows(found: Measurements) -> list[list[str]]:
    """What refinement changes, per lifter and camera set."""
    return [
        [lifter, *(difference(with_it, without, views, views, found) for views in VIEW_SETS)]
        for lifter, (without, with_it) in LIFTERS.items()
    ]


def view_rows(found: Measurements) -> list[list[str]]:
    """What the rear cameras change, per lifter."""
    return [
        [*labels, *(difference(name, name, views, "front", found) for views in MORE_VIEWS)]
        for name, labels in LABELS.items()
    ]


def difference(name: str, other: str, views: str, other_views: str, found: Measurements) -> str:
    """Mean difference of two rows on the same frame sets, with its standard error over sequences."""
    one, two = (seeds_of(row, where, found) for row, where in ((name, views), (other, other_views)))
    if not one or not two:
        return ""
    per_set = [np.mean([seed.mpjpe for seed in seeds], axis=0) for seeds in (one, two)]
    mean, error = paired(per_set[0] - per_set[1], one[0].sequences)
    return f"{mean:+.1f} +- {error:.1f} ({100 * mean / per_set[1].mean():+.0f} %)"


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


def measured(row: str, weights: dict[str, list[str]], args: argparse.Namespace) -> dict[str, list[Errors]]:
    """Camera set -> errors of each seed, of a row that has weights."""
    found: dict[str, list[Errors]] = {}
    for file in weights.get(row, []):
        network, config, _ = load_pose_network(file)
        check_row(row, config, file)
        source = spread(open_frames(args.data, args.split, config.views), args.sets)
        result = measure(network, source, masks_of(row, config))
        for views, answer in result.predictions.items():
            sequences = [name.sequence for name in result.names]
            found.setdefault(views, []).append(errors_of(answer.joints_m, result.truth_m, sequences))
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


def cell(name: str, views: str, found: Measurements) -> str:
    if name.format(views=views) not in found:
        return "no such system"
    seeds = seeds_of(name, views, found)
    return text_of(seeds) if seeds else "no weights"


def seeds_of(name: str, views: str, found: Measurements) -> list[Errors]:
    return found.get(name.format(views=views), {}).get(views, [])


def text_of(seeds: list[Errors]) -> str:
    """Mean over the seeds, with their standard deviation where there are several."""
    means = np.array([[seed.mpjpe.mean(), seed.pa_mpjpe.mean()] for seed in seeds])
    spread_mm = f" +- {means[:, 0].std(ddof=1):.1f}" if len(seeds) > 1 else ""
    return f"{means[:, 0].mean():.1f}{spread_mm} ({means[:, 1].mean():.1f})"


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
    mean = text_of([errors_of(np.broadcast_to(training.mean_pose_m(), truth.shape), truth)])
    found = [text_of([errors_of(np.concatenate(parts), truth)]) for parts in nearest.values()]
    return [["mean pose", "", *[mean] * len(VIEW_SETS)], ["nearest picture", "", *found]]


def errors_of(poses_m: Any, truth_m: Any, sequences: list[str] | None = None) -> Errors:
    return Errors(mpjpe_mm(poses_m, truth_m), pa_mpjpe_mm(poses_m, truth_m), sequences or [])


def budgets(weights: dict[str, list[str]]) -> Table:
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
    return Table("Budgets, as the weights' cards say", columns, rows)


if __name__ == "__main__":
    main()
