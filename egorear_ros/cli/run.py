"""Run the live graph: cameras, synchronizer, pose node and skeleton view, without `ros2 launch`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from egorear_ros.graph.arguments import (
    ARGUMENTS,
    TRUE,
    check_start,
    cleaned,
    graph_options,
    image_topics,
    parameter_file,
)
from egorear_ros.graph.description import build_graph
from egorear_ros.graph.supervisor import Supervisor, node_commands


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments, those of bringup.launch.py; a switch may be given without its value."""
    for name, argument in ARGUMENTS.items():
        default = argument.default
        options: dict[str, Any] = {"nargs": "?", "const": TRUE} if argument.is_switch else {}
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            default=default,
            type=argument.cleaned,
            choices=argument.choices or None,
            metavar=name.upper(),
            help=f"{argument.description} (default: {default or 'empty'})",
            **options,
        )


def run(args: argparse.Namespace) -> int:
    """Run until a signal; 1 when the graph cannot live."""
    from egorear_ros.graph.main import run_composed

    values = cleaned(vars(args))
    options = graph_options(values)
    check_start(values)
    if not values["source"]:
        print(f"no --source: waiting for images on {', '.join(image_topics(values))}", flush=True)
    ros_args = ["--ros-args", "--params-file", parameter_file(values), "--log-level", args.log_level]
    if args.composition == TRUE:
        return run_composed(options, [sys.argv[0], *ros_args], values["namespace"])
    return run_processes(node_commands(build_graph(options), values["namespace"], ros_args), values, ros_args)


def run_processes(commands: Mapping[str, Sequence[str]], values: Mapping[str, str], ros_args: list[str]) -> int:
    """Run one process per node until a signal; returns the exit status."""
    from egorear_ros.graph.process_health import ProcessHealth

    with ProcessHealth(values["namespace"], list(commands), [sys.argv[0], *ros_args]) as health:
        return Supervisor(commands, health.tell, health.attend).run()
