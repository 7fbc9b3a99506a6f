"""The demo: the whole graph in one process on a recorded or simulated helmet, watched by a monitor and a view."""

from __future__ import annotations

from collections.abc import Sequence

from rclpy.node import Node

from egorear_ros.errors import EgorearError
from egorear_ros.graph.description import GraphOptions, NodeSpec, build_graph
from egorear_ros.graph.main import compose
from egorear_ros.graph.running import FOREVER_S, run_nodes
from egorear_ros.inference.estimator import find_weights
from egorear_ros.nodes.monitor import Monitor


def run_demo(options: GraphOptions, monitor: Monitor, ros_args: Sequence[str], seconds: float = FOREVER_S) -> int:
    """Run the composed graph with a monitor until a signal or for some seconds; returns the exit status."""

    def build() -> list[Node]:
        nodes = compose(demo_graph(options))
        monitor.attach(nodes)
        return nodes

    return run_nodes(build, ros_args, seconds)


def demo_graph(options: GraphOptions) -> list[NodeSpec]:
    """The live graph; without the pose node where no model is at hand."""
    specs = build_graph(options)
    return [spec for spec in specs if spec.kind != "pose_node" or has_model(options.model)]


def has_model(model: str) -> bool:
    """Whether there are weights of this name."""
    try:
        return find_weights(model).is_file()
    except EgorearError:
        return False
