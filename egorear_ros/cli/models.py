"""List the networks egorear can build, with their views and, on request, parameters and cost of one frame set."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("names", nargs="*", help="networks to list; all if none is named")
    parser.add_argument(
        "--cost", action="store_true", help="also count parameters and operations, which builds every network"
    )


def run(args: argparse.Namespace) -> int:
    """Print name, views and shipped weights; with --cost parameters in millions and operations of one frame set."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from egorear_ros.network import config_of, list_models
    from egorear_ros.network.registry import view_count

    configs = {name: config_of(name) for name in args.names or list_models()}
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("network", no_wrap=True)
    columns = ("views", "parameters (M)", "GFLOP") if args.cost else ("views", "weights")
    for column in columns:
        table.add_column(column, justify="right")
    if args.cost:
        from egorear_ros.network.cost import cost_of

        table.caption = "FLOPs: 2 x multiply-adds of convolutions and matrix products"
        for name, config in configs.items():
            cost = cost_of(config)
            table.add_row(name, str(cost.views), f"{cost.parameters / 1e6:.2f}", f"{cost.flops / 1e9:.2f}")
    else:
        table.caption = "--cost adds parameters and operations"
        shipped = _shipped()
        for name, config in configs.items():
            table.add_row(name, str(view_count(config)), "shipped" if name in shipped else "-")
    Console().print(table)
    return 0


def _shipped() -> set[str]:
    """Names of the networks whose weights come with this installation."""
    from egorear_ros import resources

    return {path.stem for path in resources.find("assets/models").glob("*.safetensors")}
