"""Services whose work takes seconds, answered beside everything else a node does.

A service callback holds up its executor: while it works no other message is taken in. A coroutine would not, but the
EventsExecutor of rclpy 7.1 never resumes one. So such services get a small node, an executor and a thread of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

PATIENCE_S = 5.0


class SlowServices:
    """Services of a node that may take long; one call at a time.

    Args:
        owner: node under whose name they appear; remappings of its services apply.
        services: name, for example "~/load_model" -> (service type, callback as for `Node.create_service`).
    """

    def __init__(self, owner: Node, services: dict[str, tuple[Any, Callable[[Any, Any], Any]]]) -> None:
        self._node = Node(
            f"_{owner.get_name()}_services",  # the underscore hides it from `ros2 node list`
            namespace=owner.get_namespace(),
            context=owner.context,
            use_global_arguments=False,
            enable_rosout=False,
            start_parameter_services=False,
        )
        for name, (kind, callback) in services.items():
            self._node.create_service(kind, owner.resolve_service_name(name), callback)
        self._executor = SingleThreadedExecutor(context=owner.context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, name="slow services", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more calls; one that is being answered gets a moment to end."""
        self._executor.shutdown(PATIENCE_S)
        self._thread.join(PATIENCE_S)
        if not self._thread.is_alive():
            self._node.destroy_node()

    def _spin(self) -> None:
        with suppress(ExternalShutdownException):
            self._executor.spin()
