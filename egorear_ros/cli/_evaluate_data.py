"""`egorear evaluate --data`: a network on a labelled data set, with every camera set, beside the baselines."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table as RichTable

from egorear_ros.cli._progress import ProgressBar
from egorear_ros.data.opening import open_frames
from egorear_ros.data.shards import PATTERN, recorded_split
from egorear_ros.errors import EgorearError
from egorear_ros.evaluation.baselines import TrainingPoses, learn_by_heart
from egorear_ros.evaluation.loading import camera_sets, load_pose_network
from egorear_ros.evaluation.measurement import demands_extrinsics, measure, spread
from egorear_ros.evaluation.summary import summarize
from egorear_ros.evaluation.tables import (
    Table,
    confidence_table,
    error_table,
    group_table,
    interval_table,
    visibility_table,
)
from egorear_ros.inference import DEFAULT_MODEL
from egorear_ros.result_file import write_json
from egorear_ros.rig import load_rig

WIDTH = 100
"""Columns the widest table needs; a narrower terminal breaks its lines, which is better than its words."""


def evaluate_data(args: argparse.Namespace) -> int:
    """Evaluate, print the tables, and write figures and report if asked to."""
    model = args.model or DEFAULT_MODEL
    network, config, card = load_pose_network(model, args.device or "auto")
    masks = camera_sets(config, args.views)
    split = split_of(args.data, args.split)
    source = spread(open_frames(args.data, split, config.views), args.sets)
    with ProgressBar("training data") as bar:
        training = _training(args.training, config.views, bar) if args.training else None
        bar.begin("frame sets", len(source))
        measured = measure(network, source, masks, training, args.extrinsics == "data", bar.advance)
    summary = summarize(measured)
    as_built = args.extrinsics == "data" or demands_extrinsics(network)
    facts = {
        "model": f"{model} (sha256 {card.sha256[:12]})",
        "data": f"{args.data.name}, {len(measured)} frame sets",
        "split": split or "not recorded",
        "extrinsics": "the data's own" if as_built else "the rig's drawing",
        "training data of the baselines": ", ".join(Path(folder).name for folder in args.training) or "not given",
    }
    # Files before tables: who pipes the console into `head` must not lose them.
    if args.json is not None:
        write_json(args.json, {"measured": facts, **summary})
    if args.out is not None:
        from egorear_ros.visualization.evaluation_report import write_report

        rig = load_rig(getattr(config, "rig", "ego4view"))
        write_report(args.out, measured, summary, facts, (rig, source))
        print(f"report: {args.out / 'report.md'}")
    tables = [error_table(summary), group_table(summary), visibility_table(summary)]
    print_tables([*tables, confidence_table(summary), interval_table(summary)])
    return 0


def split_of(folder: Path, asked: str | None) -> str | None:
    """The split that is evaluated: of shards the one they were rendered for, of a data set "test" unless asked.

    Returns:
        None for shards that do not say which one they are of.

    Raises:
        EgorearError: the shards are of another split than was asked for.
    """
    if not any(folder.glob(PATTERN)):
        return asked or "test"
    recorded = recorded_split(folder)
    if asked and recorded and asked != recorded:
        raise EgorearError(f"--split {asked}: the shards in '{folder}' are of split {recorded}; leave out --split")
    return recorded or asked


def print_tables(tables: list[Table | None]) -> None:
    """Print the tables there is data for."""
    console = Console(width=max(Console().width, WIDTH))
    for table in tables:
        if table is not None:
            shown = RichTable(title=table.title, box=box.SIMPLE_HEAD, padding=(0, 1), title_justify="left")
            for i, column in enumerate(table.columns):
                shown.add_column(column, justify="right" if i else "left", no_wrap=True)
            for row in table.rows:
                shown.add_row(*row)
            console.print(shown)
            if table.note:
                console.print(table.note)


def _training(folders: list[str], views: tuple[str, ...], bar: ProgressBar) -> TrainingPoses:
    """Read training data, and show on the bar how far that is."""
    sources = [open_frames(folder, "train", views) for folder in folders]
    bar.begin("training data", sum(len(source) for source in sources))
    return learn_by_heart(sources, bar.advance)
