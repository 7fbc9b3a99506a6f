"""`egorear evaluate --bag`: a recording through the live graph's synchronizer and estimator."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from egorear_ros import resources
from egorear_ros.bags.reading import Bag
from egorear_ros.cli._progress import ProgressBar
from egorear_ros.cli._temporal import refinement_of
from egorear_ros.evaluation.bag_evaluation import estimate_bag, measured_bag, summary
from egorear_ros.evaluation.summary import summarize
from egorear_ros.evaluation.tables import FIGURES
from egorear_ros.graph.description import DEFAULT_RIG, NAMESPACE
from egorear_ros.inference import DEFAULT_MODEL, PoseEstimator
from egorear_ros.nodes.parameter_file import node_parameters
from egorear_ros.result_file import write_json
from egorear_ros.rig import load_rig
from egorear_ros.skeleton import GROUPS
from egorear_ros.sync import config_from_parameters


def evaluate_bag(args: argparse.Namespace) -> int:
    """Evaluate, print the tables, and write figures and report if asked to."""
    parameter_file = Path(args.params_file or resources.find("config/egorear.yaml"))
    pose = node_parameters(parameter_file, f"/{NAMESPACE}/pose")
    rig = load_rig(args.rig or DEFAULT_RIG)
    views = rig.subset(args.views).names if args.views else rig.names
    sync = config_from_parameters(views, node_parameters(parameter_file, f"/{NAMESPACE}/synchronizer"))
    tolerance_s = sync.tolerance if args.truth_tolerance is None else args.truth_tolerance
    model = args.model or pose.get("model", DEFAULT_MODEL)
    with Bag(args.bag) as bag, ProgressBar("messages") as bar:
        if bag.remark:
            print(bag.remark, file=sys.stderr)
        device, engine = args.device or pose.get("device", "auto"), args.engine or pose.get("engine", "auto")
        estimator = PoseEstimator.from_pretrained(model, device, engine, rig=rig if args.rig else None)
        estimator.warm_up()
        started = time.perf_counter()
        refine = refinement_of(args, pose, estimator, model)
        estimates = estimate_bag(bag, estimator, sync, bar.advance, refine)
        seconds = time.perf_counter() - started
        duration_s = (bag.end_ns - bag.start_ns) / 1e9
        result = summary(bag, model, sync, estimates, tolerance_s)
    # Files before tables: who pipes the console into `head` must not lose them.
    if args.json is not None:
        write_json(args.json, result)
    if args.out is not None:
        from egorear_ros.visualization.evaluation_report import write_report

        measured = measured_bag(Path(args.bag).stem, estimates, tolerance_s)
        facts = {"recording": Path(args.bag).name, "model": model, "frames compared": str(len(measured))}
        write_report(args.out, measured, summarize(measured), facts)
        print(f"report: {args.out / 'report.md'}")
    print_tables(result)
    for text in result["rig_faults"]:
        print(f"the images do not fit the rig file '{rig.name}': {text}")
    for line in estimates.stamp_lines():
        print(line)
    frames = len(estimates.skeletons)
    speed = f"{frames / seconds:.1f} frames/s, {duration_s / seconds:.2f} x real time"
    print(f"{frames} frames in {seconds:.1f} s: {speed}")
    return 0


def print_tables(result: dict[str, Any]) -> None:
    """Print errors, counts and what could not be used, with units."""
    tables = result["tables"]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("frame sets")
    for name, figures in tables.items():
        table.add_column(f"{name} ({figures['frames']})", justify="right")
    for key, label in FIGURES.items():
        table.add_row(label, *(f"{figures[key]:.2f}" for figures in tables.values()))
    for group in GROUPS:
        table.add_row(f"MPJPE {group} (mm)", *(f"{figures['per_group_mm'][group]:.2f}" for figures in tables.values()))
    Console().print(table)
    print(", ".join(f"{name.replace('_', ' ')} {count}" for name, count in result["frames"].items()))
    for reason, count in result["problems"].items():
        print(f"not usable, {count} times: {reason}")
