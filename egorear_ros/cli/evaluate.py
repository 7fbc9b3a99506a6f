"""Evaluate a model on a labelled data set or a recording: errors, confidence, and a report with plots."""

from __future__ import annotations

import argparse
from pathlib import Path

from egorear_ros.cli._options import add_temporal_options

ONLY_DATA = ("split", "sets", "training", "extrinsics")
ONLY_BAG = ("engine", "rig", "params_file", "truth_tolerance", "smooth", "track", "per_frame", "stature_m")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", type=Path, metavar="DIR", help="data set: Ego4View, simulated, or shards")
    what.add_argument("--bag", help="recording with ground truth: bag folder, or its .mcap or .db3 file")
    parser.add_argument("--model", default="", help="network: shipped name or .safetensors file (default: as live)")
    parser.add_argument("--device", default="", choices=("auto", "cpu", "cuda"), help="where the network runs")
    parser.add_argument("--views", nargs="+", default=[], metavar="VIEW", help="use only these cameras (default: all)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures here")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write a report with tables, plots and worst frames")
    data = parser.add_argument_group("with --data")
    data.add_argument("--split", choices=("train", "val", "test"), help="default: test; of shards the one they are of")
    data.add_argument("--sets", type=int, metavar="N", help="at most N frame sets, evenly spread (default: all)")
    data.add_argument("--training", nargs="+", default=[], metavar="DIR", help="training data, for the baselines")
    data.add_argument(
        "--extrinsics",
        default="rig",
        choices=("rig", "data"),
        help="what the network is told: the rig's drawing, as a user would, or the data's own (default: %(default)s)",
    )
    bag = parser.add_argument_group("with --bag")
    bag.add_argument("--engine", default="", help="how the network runs, see docs/inference.md (default: as live)")
    bag.add_argument("--rig", default="", help="name or file of the rig (default: ego4view)")
    bag.add_argument("--params-file", default="", help="as of the live graph (default: config/egorear.yaml)")
    bag.add_argument(
        "--truth-tolerance",
        type=float,
        metavar="SECONDS",
        help="largest distance in time of a skeleton and its ground truth (default: the synchronizer's tolerance)",
    )
    add_temporal_options(bag)


def run(args: argparse.Namespace) -> int:
    """Evaluate, print the tables, and write what was asked for."""
    from egorear_ros.cli._options import refuse_options
    from egorear_ros.result_file import check_result_file

    mode, others = ("--data", ONLY_BAG) if args.bag is None else ("--bag", ONLY_DATA)
    refuse_options(args, configure, others, f"has no effect with {mode}")
    if args.json is not None:
        check_result_file(args.json, "--json")
    if args.out is not None:
        from egorear_ros.visualization.evaluation_plots import require_matplotlib
        from egorear_ros.visualization.evaluation_report import check_out

        check_out(args.out)
        require_matplotlib()
    if args.bag is not None:
        from egorear_ros.cli._evaluate_bag import evaluate_bag

        return evaluate_bag(args)
    from egorear_ros.cli._evaluate_data import evaluate_data

    return evaluate_data(args)
