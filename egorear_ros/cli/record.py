"""Record the running graph, or turn a rig clip into a recording: an MCAP bag, without the tools of ROS."""

from __future__ import annotations

import argparse
from pathlib import Path

from egorear_ros.graph.description import NAMESPACE
from egorear_ros.topics import clean_namespace


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("out", type=Path, help="folder of the new bag")
    parser.add_argument("--clip", metavar="DIR", help="record this rig clip instead of the running graph")
    parser.add_argument("--images", default="raw", choices=("raw", "compressed"), help="which images (default: raw)")
    parser.add_argument("--jpeg-quality", type=int, default=90, help="of a clip's compressed images (default: 90)")
    parser.add_argument("--namespace", default=NAMESPACE, help="namespace of the graph (default: %(default)s)")
    parser.add_argument("--use-sim-time", action="store_true", help="take recording times from /clock")


def run(args: argparse.Namespace) -> int:
    """Record until a signal, or until the clip ends."""
    namespace = clean_namespace(args.namespace)
    return record_clip(args, namespace) if args.clip else record_graph(args, namespace)


def record_clip(args: argparse.Namespace, namespace: str) -> int:
    """Write the clip's bag."""
    from egorear_ros.bags.clip_to_bag import clip_to_bag
    from egorear_ros.errors import EgorearError

    if not 1 <= args.jpeg_quality <= 100:
        raise EgorearError(f"--jpeg-quality must be between 1 and 100, got {args.jpeg_quality}")
    quality = args.jpeg_quality if args.images == "compressed" else None
    counts = clip_to_bag(args.clip, args.out, namespace, quality)
    print(f"{sum(counts.values())} messages on {len(counts)} topics in {args.out}")
    return 0


def record_graph(args: argparse.Namespace, namespace: str) -> int:
    """Record what the graph publishes."""
    from rclpy.parameter import Parameter

    from egorear_ros.graph.running import run_nodes
    from egorear_ros.nodes.recorder_node import RecorderNode

    recorders = []

    def build() -> list[RecorderNode]:
        clock = [Parameter("use_sim_time", value=args.use_sim_time)]
        recorders.append(RecorderNode(args.out, namespace, args.images, parameter_overrides=clock))
        return recorders

    status = run_nodes(build, [])
    if recorders and recorders[0].error is not None:
        raise recorders[0].error
    return status
