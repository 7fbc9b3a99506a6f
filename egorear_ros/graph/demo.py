"""The demo: the whole graph in one process on a recorded or simulated helmet, watched by a monitor and a view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rclpy.node import Node

from egorear_ros.errors import EgorearError
from egorear_ros.graph.description import GraphOptions, NodeSpec, build_graph
from egorear_ros.graph.main import compose
from egorear_ros.graph.running import FOREVER_S, run_nodes
from egorear_ros.inference.estimator import find_weights
from egorear_ros.nodes.monitor import Monitor


def run_demo(options: GraphOptions, monitor: Monitor, ros_args: Sequence[str], seconds: float = FOREVER_S) -> int:
    """Run the composed graph with a monitor; returns the exit status.

    It ends at a signal, or some seconds after the first frame set: a clip waits until the network is loaded.
    """

    def build() -> list[Node]:
        nodes = compose(demo_graph(options))
        monitor.attach(nodes)
        return nodes

    return run_nodes(build, ros_args, seconds, lambda: monitor.newest() is not None)


def demo_graph(options: GraphOptions) -> list[NodeSpec]:
    """The live graph; without the pose node where no model is at hand."""
    specs = list(build_graph(options))
    if has_model(options.model):
        return specs
    alone = {"start_with": ""}  # nobody to wait for
    return [
        replace(spec, parameters={**spec.parameters, **alone}) if "start_with" in spec.parameters else spec
        for spec in specs
        if spec.kind != "pose_node"
    ]


def has_model(model: str) -> bool:
    """Whether there are weights of this name."""
    try:
        return find_weights(model).is_file()
    except EgorearError:
        return False
