"""Waits until the graph can take images: the network is loaded and active, and the image topics have listeners.

``python -m egorear_ros.graph.readiness NAMESPACE TOPIC...`` exits with 0 then. replay.launch.py starts its player so.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import rclpy
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.node import Node

from egorear_ros.graph.description import POSE
from egorear_ros.topics import full_name

PERIOD_S = 0.2
REMIND_S = 30.0


def wait_until_ready(node: Node, namespace: str, topics: Sequence[str]) -> None:
    """Return when the graph is ready; says every half minute what it waits for."""
    client = node.create_client(GetState, full_name(namespace, POSE, "get_state"))
    reminded_at = time.monotonic()
    while waiting := _missing(node, client, topics):
        if time.monotonic() - reminded_at > REMIND_S:
            reminded_at = time.monotonic()
            node.get_logger().warning(f"still waiting for {waiting}")
        time.sleep(PERIOD_S)


def _missing(node: Node, client: rclpy.client.Client, topics: Sequence[str]) -> str:
    """What is not there yet; empty text if nothing."""
    for topic in topics:
        if not node.count_subscribers(topic):
            return f"a listener on {topic}"
    if not client.service_is_ready():
        return f"service {client.srv_name}"
    future = client.call_async(GetState.Request())
    rclpy.spin_until_future_complete(node, future, timeout_sec=2.0)
    answer = future.result() if future.done() else None
    active = answer is not None and answer.current_state.id == State.PRIMARY_STATE_ACTIVE
    return "" if active else "the pose node to load its network"


def main() -> int:
    """Wait for the graph named on the command line."""
    rclpy.init()
    node = rclpy.create_node("readiness")
    try:
        wait_until_ready(node, sys.argv[1], sys.argv[2:])
    except (KeyboardInterrupt, rclpy.executors.ExternalShutdownException):
        return 1
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
