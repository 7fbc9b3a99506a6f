"""The rig's static frames on /tf_static."""

from __future__ import annotations

from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from tf2_msgs.msg import TFMessage

from egorear_ros.nodes.conversions import transforms_to_messages
from egorear_ros.rig import Rig


def publish_static_frames(node: Node, rig: Rig, prefix: str = "") -> Any:
    """Publish helmet, device and cameras once, latched; returns the publisher, which lives with the node."""
    publisher = node.create_publisher(
        TFMessage, "/tf_static", QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    )
    now_ns = node.get_clock().now().nanoseconds
    publisher.publish(TFMessage(transforms=transforms_to_messages(rig.static_transforms(prefix), now_ns)))
    return publisher
