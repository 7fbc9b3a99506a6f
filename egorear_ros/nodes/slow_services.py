"""Services whose work takes seconds, answered beside everything else a node does.

A service callback holds up its executor: while it works no other message is taken in. A coroutine would not, but the
EventsExecutor of rclpy 7.1 never resumes one. So such services belong to the node, where `ros2 node info` shows them,
and are served by an executor and a thread of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

PATIENCE_S = 5.0


class SlowServices:
    """Services of a node that may take long; one call at a time.

    Args:
        owner: node they belong to; not yet added to an executor.
        services: name, for example "~/load_model" -> (service type, callback as for `Node.create_service`).
    """

    def __init__(self, owner: Node, services: dict[str, tuple[Any, Callable[[Any, Any], Any]]]) -> None:
        self._node = Node(
            f"_{owner.get_name()}_services",  # only for the executor; the underscore hides it from `ros2 node list`
            namespace=owner.get_namespace(),
            context=owner.context,
            use_global_arguments=False,
            enable_rosout=False,
            start_parameter_services=False,
        )
        for name, (kind, callback) in services.items():
            self._serve(owner.create_service(kind, name, callback, callback_group=ReentrantCallbackGroup()), owner)
        self._executor = SingleThreadedExecutor(context=owner.context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, name="slow services", daemon=True)
        self._thread.start()

    def _serve(self, service: Any, owner: Node) -> None:
        """Let our executor wait for a service of the owner: executors take in the lists of their nodes."""
        lists: Any = owner, self._node
        lists[0]._services.remove(service)
        lists[1]._services.append(service)

    def close(self) -> None:
        """Take no more calls; one that is being answered gets a moment to end."""
        self._executor.shutdown(PATIENCE_S)
        self._thread.join(PATIENCE_S)
        if not self._thread.is_alive():
            self._node.destroy_node()

    def _spin(self) -> None:
        with suppress(ExternalShutdownException):
            self._executor.spin()
