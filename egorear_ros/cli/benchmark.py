"""Measure a model here: engines side by side, stages, percentiles, memory, and what they change in the pose."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

STAGES = {
    "decode": "decode",
    "preprocess": "resize",
    "network": "network",
    "postprocess": "read",
    "end_to_end": "total",
}
"""Stages in the order of the work, and what they are called in the table."""

BUSY_PERCENT = 5.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--model",
        default="egorear-s",
        help="shipped model, .safetensors file, or architecture with random weights, as egorear-4view",
    )
    parser.add_argument("--engines", nargs="+", default=["all"], metavar="ENGINE", help="names, or all (default)")
    parser.add_argument("--views", nargs="+", default=[], metavar="VIEW", help="give it only these (default: all)")
    parser.add_argument("--batch", type=int, default=1, help="frame sets at once; above 1 only the network is measured")
    parser.add_argument("--size", type=int, default=872, help="size of the camera images, px (default 872)")
    parser.add_argument("--seconds", type=float, default=3.0, help="measured time per engine and round (default 3)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each engine and the baseline (default 3)")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="where the network runs")
    parser.add_argument("--preprocessing", default="auto", help="official, fast or auto (default)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all figures here")


def run(args: argparse.Namespace) -> int:
    """Measure, print the tables, and write the figures if asked to."""
    from rich.console import Console

    from egorear_ros.benchmarking.session import check_names, compare
    from egorear_ros.benchmarking.settings import BenchmarkSettings
    from egorear_ros.result_file import check_result_file, write_json

    settings = BenchmarkSettings(
        model=args.model,
        views=tuple(args.views),
        batch=args.batch,
        size_px=args.size,
        seconds=args.seconds,
        rounds=args.rounds,
        device=args.device,
        preprocessing=args.preprocessing,
    )
    engines = check_names(settings, args.engines)
    if args.json is not None:
        check_result_file(args.json, "--json")
    console = Console()
    with console.status("starting") as status:
        result = compare(settings, engines, status.update)
    if args.json is not None:  # before the tables: who pipes the console into `head` must not lose it
        write_json(args.json, result)
    print_result(console, result)
    return 0


def print_result(console: Any, result: dict[str, Any]) -> None:
    """Print what was measured on what, and the tables."""
    machine, model, settings = result["machine"], result["model"], result["settings"]
    console.print(
        f"{machine['device']}; {machine['cpu']}, {machine['cores']} cores, {' '.join(machine['vector_flags'])}"
    )
    console.print(", ".join(f"{name} {version}" for name, version in machine["versions"].items()))
    console.print(f"{model['name']}, weights: {model['weights']}", highlight=False, soft_wrap=True)
    console.print(
        f"{len(settings['views'] or model['views'])} views, batch {settings['batch']}, images {settings['size_px']} px "
        f"resized to {model['image_size']} px ({model['preprocessing']})"
    )
    rows = [row for row in result["engines"] if row["failure"] is None]
    console.print(_stages(rows))
    console.print(_comparison(rows))
    console.print(f"Coordinates of the poses vary by {rows[0]['pose_spread_mm']:.3g} mm over the frame sets.")
    others = max((share or 0.0 for row in rows for share in row["others_percent"]), default=0.0)
    if others > BUSY_PERCENT:
        warning = (
            f"Other processes used up to {others:.0f} % of the processor meanwhile: trust ratios, not milliseconds."
        )
        console.print(warning, style="yellow", highlight=False)
    for row in result["engines"]:
        if row["failure"] is not None:
            console.print(f"{row['engine']}: not measured: {row['failure']}", style="yellow", markup=False)


def _stages(rows: list[dict[str, Any]]) -> Table:
    """Median of each stage; the whole with its percentiles."""
    stages = [stage for stage in STAGES if stage in rows[0]["stages_ms"]]
    last = stages[-1]
    names = [STAGES[stage] for stage in stages]
    table = _table(f"Milliseconds: p50 of each stage; p95 and p99 of {names[-1]}", *names, "p95", "p99", "sets/s")
    for row in rows:
        figures = row["stages_ms"]
        medians = [f"{figures[stage]['p50']:.2f}" for stage in stages]
        rest = (f"{figures[last]['p95']:.2f}", f"{figures[last]['p99']:.2f}", f"{row['sets_per_s'][last]:.1f}")
        table.add_row(row["engine"], *medians, *rest)
    return table


def _comparison(rows: list[dict[str, Any]]) -> Table:
    """Against the baseline in the same minutes; start and memory."""
    table = _table(
        f"Beside {rows[0]['engine']}: times faster, change of the pose in mm; ready after imports, after start in s",
        "network", "total", "largest", "mean", "ready", "started", "peak MiB",
    )  # fmt: skip
    for row in rows:
        speedup, change, startup = row["speedup"], row["pose_change_mm"], row["startup_s"]
        table.add_row(
            row["engine"],
            *(f"{speedup[stage]:.2f}" if stage in speedup else "" for stage in ("network", "end_to_end")),
            *(f"{change[name]:.3g}" if change else "" for name in ("largest", "mean")),
            f"{startup['load'] + startup['first_estimate']:.1f}",
            f"{startup['total']:.1f}",
            str(row["peak_memory_mib"]),
        )
    return table


def _table(title: str, *columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("engine", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right")
    return table
