"""A process that converts every message it gets to the core's dataclass and back, and sends it on."""

from __future__ import annotations

import rclpy

from egorear_msgs import msg
from egorear_ros.nodes import conversions as c
from egorear_ros.nodes import status_messages as status

TYPES = {
    "frame_set": (msg.FrameSet, c.frame_set_from_message, c.frame_set_to_message),
    "skeleton": (msg.Skeleton, c.skeleton_from_message, c.skeleton_to_message),
    "skeleton_2d": (msg.Skeleton2D, c.skeleton_2d_from_message, c.skeleton_2d_to_message),
    "synchronizer_status": (
        msg.SynchronizerStatus,
        status.synchronizer_status_from_message,
        status.synchronizer_status_to_message,
    ),
    "pose_status": (msg.PoseStatus, status.pose_status_from_message, status.pose_status_to_message),
}


def main() -> None:
    rclpy.init()
    node = rclpy.create_node("echo")
    for name, (kind, read, write) in TYPES.items():
        publisher = node.create_publisher(kind, f"{name}/back", 5)
        node.create_subscription(kind, name, lambda m, p=publisher, r=read, w=write: p.publish(w(r(m))), 5)
    rclpy.spin(node)


if __name__ == "__main__":
    main()
