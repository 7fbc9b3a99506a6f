"""Run the live graph: cameras, synchronizer, pose node and skeleton view, without `ros2 launch`."""

from __future__ import annotations

import argparse
import os
import sys

from egorear_ros import resources
from egorear_ros.nodes.graph import NAMESPACE, GraphOptions, build_graph


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments; they are those of bringup.launch.py."""
    parser.add_argument(
        "--source",
        default="sim:0",
        help="clip:DIR, bag:PATH, sim:SEED, a text with {view} in it, or one device or file per camera separated by "
        "commas; empty: images come from other nodes (default: %(default)s)",
    )
    parser.add_argument("--rig", default="ego4view", help="name or file of the rig (default: %(default)s)")
    parser.add_argument("--views", nargs="+", default=[], metavar="VIEW", help="use only these cameras (default: all)")
    parser.add_argument("--transport", default="", choices=("raw", "compressed"), help="images between nodes")
    parser.add_argument("--model", default="", help="network: shipped name or .safetensors file")
    parser.add_argument("--device", default="", choices=("auto", "cpu", "cuda"), help="where the network runs")
    parser.add_argument("--params-file", default="", help="ROS parameter file (default: config/egorear.yaml)")
    parser.add_argument("--namespace", default=NAMESPACE, help="ROS namespace (default: %(default)s)")
    parser.add_argument("--evaluate", action="store_true", help="compare with the topic ground_truth")
    parser.add_argument("--use-sim-time", action="store_true", help="take time from /clock")
    parser.add_argument("--processes", action="store_true", help="one process per node instead of one for all")
    parser.add_argument("--log-level", default="info", choices=("debug", "info", "warn", "error"))


def run(args: argparse.Namespace) -> int:
    """Run until a signal; 1 when the graph cannot live."""
    from egorear_ros.nodes.main import run_composed
    from egorear_ros.nodes.supervisor import Supervisor, node_commands

    options = GraphOptions(
        rig=args.rig,
        source=args.source,
        model=args.model,
        device=args.device,
        views=tuple(args.views),
        transport=args.transport,
        evaluate=args.evaluate,
        use_sim_time=args.use_sim_time,
    )
    parameter_file = args.params_file or str(resources.find("config/egorear.yaml"))
    os.environ.setdefault("FASTRTPS_DEFAULT_PROFILES_FILE", str(resources.find("config/fastdds_shared_memory.xml")))
    ros_args = ["--ros-args", "--params-file", parameter_file, "--log-level", args.log_level]
    if args.processes:
        return Supervisor(node_commands(build_graph(options), args.namespace, ros_args)).run()
    return run_composed(options, [sys.argv[0], *ros_args], args.namespace)
