"""Measure egorear-s weights on frame sets made by `egorear render-shards`, with all views and with cameras lost."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--model", default="egorear-s", help="name of a shipped model or a .safetensors file")
    parser.add_argument("--data", nargs="+", type=Path, required=True, metavar="DIR", help="folders of shards")
    parser.add_argument("--json", type=Path, help="file to write the figures to")


def run(args: argparse.Namespace) -> int:
    """Print one table per folder."""
    from rich.console import Console

    from egorear_ros.errors import EgorearError
    from egorear_ros.inference.estimator import find_weights
    from egorear_ros.network import load_weights
    from egorear_ros.network.egorear_s import EgoRearS
    from egorear_ros.network.weights import sha256_of
    from egorear_ros.training.shards import read_shards
    from egorear_ros.training.validation import evaluate

    weights = find_weights(args.model)
    network, _ = load_weights(weights)
    if not isinstance(network, EgoRearS):
        raise EgorearError(f"'{args.model}' is no egorear-s network")
    results = {}
    for folder in args.data:
        results[folder.name] = evaluate(network, read_shards([folder]), network.mean_pose_m.numpy())
        Console().print(_table(folder.name, results[folder.name]))
    if args.json:
        content = {"weights_sha256": sha256_of(weights), "results": results}
        args.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 0


def _table(name: str, result: dict[str, Any]) -> Table:
    """Errors by views, and the floor."""
    from rich import box
    from rich.table import Table

    table = Table("views", title=f"{name}, {result['sets']} frame sets", box=box.SIMPLE_HEAD)
    for column in ("MPJPE (mm)", "PA-MPJPE (mm)"):
        table.add_column(column, justify="right")
    for views, error in result["mpjpe_mm"].items():
        table.add_row(views, f"{error:.1f}", f"{result['pa_mpjpe_mm'][views]:.1f}")
    table.add_row("mean pose of the training data", f"{result['mean_pose_mm']:.1f}", "")
    return table
