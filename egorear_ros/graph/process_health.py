"""What became of the graph's processes, in the log and in /diagnostics: a node that was killed cannot say so itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Final

import rclpy
from rclpy.node import Node

from egorear_ros.graph.running import init_ros
from egorear_ros.nodes.health import Health

NAME: Final = "supervisor"


class ProcessHealth:
    """The supervisor's voice, as node `supervisor` of the graph. A context manager.

    Args:
        namespace: of the graph.
        names: full names of the nodes that run in processes of their own.
        ros_args: command line, for --ros-args.
    """

    def __init__(self, namespace: str, names: list[str], ros_args: list[str]) -> None:
        init_ros(ros_args)
        self._ends = Counter(dict.fromkeys(names, 0))
        self._node = Node(NAME, namespace=namespace)
        self._health = Health(self._node, self._figures, "processes")

    def __enter__(self) -> ProcessHealth:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._node.destroy_node()
        rclpy.try_shutdown()

    def tell(self, name: str, text: str) -> None:
        """Say that a node's process has ended."""
        self._ends[name] += 1
        self._health.problems.report(name, text)
        self._health.publish()

    def attend(self) -> None:
        """Do what is due; to be called a few times per second."""
        rclpy.spin_once(self._node, timeout_sec=0.0)

    def _figures(self) -> Mapping[str, object]:
        return {f"ends of {name}": count for name, count in self._ends.items()}
