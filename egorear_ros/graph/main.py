"""Running the graph: one node by itself, or all nodes composed in one process.

In one process frames pass as Python objects from camera to synchronizer to pose node; nothing is copied or serialised
on the way, and topics are filled only for those who listen.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from rclpy.node import Node
from rclpy.parameter import Parameter

from egorear_ros.errors import EgorearError
from egorear_ros.graph.description import NAMESPACE, NODE_CLASSES, GraphOptions, NodeSpec, build_graph
from egorear_ros.graph.running import close_nodes, run_nodes
from egorear_ros.topics import full_name


def node_class(kind: str) -> Any:
    """Class of a kind of node.

    Raises:
        EgorearError: another package's node that cannot be imported.
    """
    module, _, name = NODE_CLASSES.get(kind, kind).partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        if kind in NODE_CLASSES:
            raise
        raise EgorearError(f"node '{kind}' cannot be imported: {error}; it must be installed here") from error


def make_node(spec: NodeSpec, namespace: str) -> Node:
    """Make a node with the parameters of its spec over those of the parameter file."""
    overrides = [Parameter(name, value=value) for name, value in spec.parameters.items()]
    below = full_name(namespace, spec.namespace)
    node: Node = node_class(spec.kind)(name=spec.name, namespace=below, parameter_overrides=overrides)
    return node


def compose(specs: Sequence[NodeSpec], namespace: str = NAMESPACE) -> list[Node]:
    """Make all nodes and connect those that hand frames on; where one cannot be made, the others are closed again."""
    nodes: list[tuple[str, Any]] = []
    try:
        for spec in specs:
            nodes.append((spec.kind, make_node(spec, namespace)))
        _connect(nodes)
    except BaseException:
        close_nodes(node for _, node in nodes)
        raise
    return [node for _, node in nodes]


def _connect(nodes: Sequence[tuple[str, Any]]) -> None:
    """Let nodes hand frames on directly, given with their kinds."""
    by_kind: dict[str, Any] = dict(nodes)
    synchronizer, pose = by_kind.get("synchronizer_node"), by_kind.get("pose_node")
    if synchronizer is not None:
        for kind, node in nodes:
            if kind == "camera_node":
                synchronizer.listen_to(node)
        if pose is not None:
            pose.listen_to(synchronizer)
    for kind, node in nodes:  # views, ours and those of other packages
        if kind == "browser_view_node" or (kind not in NODE_CLASSES and hasattr(node, "listen_to")):
            node.listen_to([other for _, other in nodes if other is not node])


def run_composed(options: GraphOptions, ros_args: Sequence[str], namespace: str = NAMESPACE) -> int:
    """Run the whole graph in this process until a signal; returns the exit status."""
    return run_nodes(lambda: compose(build_graph(options), namespace), ros_args)


def run_single(kind: str, ros_args: Sequence[str] | None = None) -> int:
    """Run one node until a signal; returns the exit status."""
    return run_nodes(lambda: [node_class(kind)()], ros_args)
