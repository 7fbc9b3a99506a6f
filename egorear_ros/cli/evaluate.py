"""Evaluate a recording: errors of a model on a bag with ground truth, deterministic and faster than real time."""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

from egorear_ros import resources
from egorear_ros.nodes.graph import NAMESPACE


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--bag", required=True, help="bag folder, or its .mcap or .db3 file")
    parser.add_argument("--model", default="", help="network: shipped name or .safetensors file (default: as live)")
    parser.add_argument("--device", default="", choices=("auto", "cpu", "cuda"), help="where the network runs")
    parser.add_argument("--engine", default="", help="how it runs, see docs/inference.md (default: as live)")
    parser.add_argument("--rig", default="ego4view", help="name or file of the rig (default: %(default)s)")
    parser.add_argument("--views", nargs="+", default=[], metavar="VIEW", help="use only these cameras (default: all)")
    parser.add_argument("--params-file", default="", help="as of the live graph (default: config/egorear.yaml)")
    parser.add_argument(
        "--truth-tolerance",
        type=float,
        metavar="SECONDS",
        help="largest distance in time of a skeleton and its ground truth (default: the synchronizer's tolerance)",
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the result here")


def run(args: argparse.Namespace) -> int:
    """Evaluate, print the tables, and write the result if asked to."""
    from rich.progress import Progress

    from egorear_ros.cli._parameter_file import node_parameters
    from egorear_ros.data.bag import Bag
    from egorear_ros.evaluation.bag import estimate_bag, summary
    from egorear_ros.inference import DEFAULT_MODEL, PoseEstimator
    from egorear_ros.rig import load_rig
    from egorear_ros.sync import config_from_parameters

    parameter_file = Path(args.params_file or resources.find("config/egorear.yaml"))
    pose = node_parameters(parameter_file, f"/{NAMESPACE}/pose")
    rig = load_rig(args.rig)
    views = rig.subset(args.views).names if args.views else rig.names
    sync = config_from_parameters(views, node_parameters(parameter_file, f"/{NAMESPACE}/synchronizer"))
    tolerance_s = sync.tolerance if args.truth_tolerance is None else args.truth_tolerance
    model = args.model or pose.get("model", DEFAULT_MODEL)
    with Bag(args.bag) as bag, Progress(transient=True) as bar:
        device, engine = args.device or pose.get("device", "auto"), args.engine or pose.get("engine", "auto")
        estimator = PoseEstimator.from_pretrained(model, device, engine)
        estimator.warm_up()
        task = bar.add_task("messages")
        started = time.perf_counter()
        estimates = estimate_bag(bag, estimator, sync, lambda messages: bar.advance(task, messages))
        seconds = time.perf_counter() - started
        duration_s = (bag.end_ns - bag.start_ns) / 1e9
        result = summary(bag, model, sync, estimates, tolerance_s)
    print_tables(result)
    frames = len(estimates.skeletons)
    speed = f"{frames / seconds:.1f} frames/s, {duration_s / seconds:.2f} x real time"
    print(f"{frames} frames in {seconds:.1f} s: {speed}")
    if args.json is not None:
        write_json(args.json, result)
    return 0


ROWS = {
    "mpjpe_mm": "MPJPE (mm)",
    "pa_mpjpe_mm": "PA-MPJPE (mm)",
    "pck_150mm_percent": "PCK at 150 mm (%)",
    "auc_percent": "AUC, 0 to 150 mm (%)",
}


def print_tables(result: dict[str, Any]) -> None:
    """Print errors, counts and what could not be used, with units."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from egorear_ros.skeleton import GROUPS

    tables = result["tables"]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("frame sets")
    for name, figures in tables.items():
        table.add_column(f"{name} ({figures['frames']})", justify="right")
    for key, label in ROWS.items():
        table.add_row(label, *(f"{figures[key]:.2f}" for figures in tables.values()))
    for group in GROUPS:
        table.add_row(f"MPJPE {group} (mm)", *(f"{figures['per_group_mm'][group]:.2f}" for figures in tables.values()))
    Console().print(table)
    print(", ".join(f"{name.replace('_', ' ')} {count}" for name, count in result["frames"].items()))
    for reason, count in result["problems"].items():
        print(f"not usable, {count} times: {reason}")


def write_json(path: Path, result: dict[str, Any]) -> None:
    """Write the result, whole or not at all."""
    from egorear_ros.errors import EgorearError

    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise EgorearError(f"'{path}' cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
