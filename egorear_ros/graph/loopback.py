"""A frame set sent to another process and back: shows that messages, DDS discovery and transport work on this machine.

``python -m egorear_ros.graph.loopback`` prints the round-trip time in milliseconds and exits with 0, or with 1 after
ten seconds of silence. `egorear doctor` runs it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import rclpy

from egorear_msgs import msg
from egorear_ros.datatypes import CameraFrame, FrameSet
from egorear_ros.nodes.conversions import frame_set_to_message
from egorear_ros.rig import DEVICE_FRAME, VIEWS

TIMEOUT_S = 10.0
IMAGE_SIZE = 256


def echo() -> None:
    """Send every frame set back until the process is stopped."""
    rclpy.init()
    node = rclpy.create_node("egorear_loopback_echo")
    publisher = node.create_publisher(msg.FrameSet, "egorear_loopback/back", 5)
    node.create_subscription(msg.FrameSet, "egorear_loopback/out", publisher.publish, 5)
    rclpy.spin(node)


def round_trip_s() -> float | None:
    """Seconds a frame set of four 256x256 images takes to the echo process and back; None when it never returns."""
    rclpy.init()
    node = rclpy.create_node("egorear_loopback")
    returned: list[float] = []
    node.create_subscription(msg.FrameSet, "egorear_loopback/back", lambda _: returned.append(time.monotonic()), 5)
    publisher = node.create_publisher(msg.FrameSet, "egorear_loopback/out", 5)
    message = frame_set_to_message(_frame_set())
    deadline, best = time.monotonic() + TIMEOUT_S, None
    for _ in range(5):  # the first ones include discovery
        returned.clear()
        while not returned and time.monotonic() < deadline:
            sent = time.monotonic()
            publisher.publish(message)
            rclpy.spin_once(node, timeout_sec=0.2)
        if returned:
            best = min(best or TIMEOUT_S, returned[0] - sent)
    node.destroy_node()
    rclpy.shutdown()
    return best


def main() -> int:
    """Start the echo process, measure, print, stop it."""
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    with subprocess.Popen([sys.executable, "-m", __spec__.name, "--echo"]) as process:
        try:
            seconds = round_trip_s()
        finally:
            process.terminate()
    if seconds is None:
        return 1
    print(f"{1e3 * seconds:.1f}")
    return 0


def _frame_set() -> FrameSet:
    image = np.zeros((IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    return FrameSet(0, tuple(CameraFrame(view, 0, image) for view in VIEWS), 0.0, DEVICE_FRAME)


if __name__ == "__main__":
    if "--echo" in sys.argv:
        echo()
    else:
        sys.exit(main())
