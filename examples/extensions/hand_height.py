"""A node of one's own, here a viewer: says how high the hands are above the hips; see docs/newcomer.md.

egorear run --source sim:0 --nodes hand_height:HandHeight
"""

from __future__ import annotations

from typing import Any

from rclpy.node import Node

from egorear_msgs.msg import Skeleton
from egorear_ros.nodes.conversions import skeleton_from_message
from egorear_ros.skeleton import JOINTS


class HandHeight(Node):
    """Listens to `skeleton` of the graph's namespace.

    Attributes:
        line: what was said last.
    """

    def __init__(self, name: str = "hand_height", **node_options: Any) -> None:
        super().__init__(name, **node_options)
        self.line = ""
        self.create_subscription(Skeleton, "skeleton", self._show, 10)

    def _show(self, message: Skeleton) -> None:
        down_m = skeleton_from_message(message).positions_m[:, 2]  # the device frame's z points down
        hips_m = (down_m[JOINTS.index("LeftUpLeg")] + down_m[JOINTS.index("RightUpLeg")]) / 2
        heights = [f"{side} {hips_m - down_m[JOINTS.index(f'{side}Hand')]:+.2f} m" for side in ("Left", "Right")]
        self.line = f"hands above the hips: {', '.join(heights)}"
        self.get_logger().info(self.line)
