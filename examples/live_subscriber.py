"""Live subscriber: print the head and the hands of every skeleton that a running graph publishes. Needs ROS 2.

egorear run                                   # in one terminal: a simulated helmet, or --source=0,2,4,6
python examples/live_subscriber.py            # in another
python examples/live_subscriber.py --count 1  # ends after one skeleton
"""

from __future__ import annotations

import argparse
from typing import Any

import rclpy
from rclpy.node import Node

from egorear_msgs.msg import Skeleton

SHOWN = ("Head", "LeftHand", "RightHand")


class SkeletonPrinter(Node):
    """Prints skeletons.

    Attributes:
        received: how many have come.
    """

    def __init__(self, topic: str) -> None:
        super().__init__("skeleton_printer")
        self.received = 0
        self.create_subscription(Skeleton, topic, self._show, 5)

    def _show(self, message: Any) -> None:
        self.received += 1
        stamp = message.header.stamp
        joints = dict(zip(message.joint_names, message.positions, strict=True))
        texts = [f"{name} ({p.x:.2f}, {p.y:.2f}, {p.z:.2f})" for name in SHOWN for p in [joints[name]]]
        print(f"{stamp.sec}.{stamp.nanosec:09d} {message.header.frame_id}: {', '.join(texts)}", flush=True)


def main() -> None:
    """Listen until Ctrl-C, or until --count skeletons have come."""
    parser = argparse.ArgumentParser(description="Print the skeletons of a running graph.")
    parser.add_argument("--topic", default="/egorear/skeleton", help="default: %(default)s")
    parser.add_argument("--count", type=int, default=0, help="end after this many (default: never)")
    args = parser.parse_args()
    rclpy.init()
    node = SkeletonPrinter(args.topic)
    try:
        while not args.count or node.received < args.count:
            rclpy.spin_once(node)
    except KeyboardInterrupt:
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
