"""List the networks egorear can build, with their parameters and the cost of one frame set."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("names", nargs="*", help="networks to list; all if none is named")


def run(args: argparse.Namespace) -> int:
    """Print name, views, parameters in millions, and floating-point operations of one frame set."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from egorear_ros.network import config_of, list_models
    from egorear_ros.network.cost import cost_of

    table = Table(
        box=box.SIMPLE_HEAD, padding=0, caption="FLOPs: 2 x multiply-adds of convolutions and matrix products"
    )
    table.add_column("network", no_wrap=True)
    for column in ("views", "parameters (M)", "GFLOP"):
        table.add_column(column, justify="right")
    for name in args.names or list_models():
        cost = cost_of(config_of(name))
        table.add_row(name, str(cost.views), f"{cost.parameters / 1e6:.2f}", f"{cost.flops / 1e9:.2f}")
    Console().print(table)
    return 0
