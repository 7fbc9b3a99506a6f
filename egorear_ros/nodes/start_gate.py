"""Holds a recorded source back until the pose node is active: a clip that plays while the network loads is lost.

Live cameras are never held back; who starts them decides.
"""

from __future__ import annotations

import threading
import time
from typing import Any, Final

from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.node import Node

from egorear_ros.topics import full_name

PERIOD_S: Final = 0.05
LONGEST_S: Final = 120.0
"""A network that is not there by then will not come: its node says why, and the images are worth seeing without."""
IDLE_S: Final = 3.0
"""Unconfigured for so long, the node is not loading: it has failed, or somebody else will configure it."""
GRID_S: Final = 1.0
"""Cameras begin at the next full second, so that the first frame set has all of them."""


class StartGate:
    """Waits for another node to become active.

    Args:
        node: that is held back; the gate must be made in the thread that spins it.
        namespace: of the other node.
        other: name of the lifecycle node; empty waits for nothing.

    Attributes:
        is_open: nothing is waited for any more.
    """

    def __init__(self, node: Node, namespace: str, other: str) -> None:
        service = full_name(namespace.strip("/"), other, "get_state")
        self._client: Any = node.create_client(GetState, service) if other else None
        self.is_open = not other
        self._node, self._other = node, other
        self._idle_since: float | None = None

    def wait(self, stopping: threading.Event) -> None:
        """Return when the other node is active or not about to be, or `stopping` is set; from any thread."""
        if self._client is None:
            return
        deadline = time.monotonic() + LONGEST_S
        while not stopping.is_set() and not self._may_start(self._state(stopping, deadline)):
            if time.monotonic() > deadline:
                self._node.get_logger().warning(f"starts without '{self._other}', which did not answer")
                break
            stopping.wait(PERIOD_S)
        stopping.wait(GRID_S - time.time() % GRID_S)
        self.is_open = True

    def _may_start(self, state: int | None) -> bool:
        if state != State.PRIMARY_STATE_UNCONFIGURED:
            self._idle_since = None
            return state == State.PRIMARY_STATE_ACTIVE
        now = time.monotonic()
        self._idle_since = self._idle_since or now
        return now - self._idle_since > IDLE_S

    def _state(self, stopping: threading.Event, deadline: float) -> int | None:
        """The other node's state; while it loads its network it does not answer."""
        if not self._client.service_is_ready():
            return None
        future = self._client.call_async(GetState.Request())
        while not future.done() and not stopping.is_set() and time.monotonic() < deadline:
            stopping.wait(PERIOD_S)
        answer = future.result() if future.done() else None
        return None if answer is None else int(answer.current_state.id)
