"""The nodes' tests: skipped without ROS 2, which `egorear doctor` reports."""

from __future__ import annotations

from ..ros_network import make, node, private_ros_network

__all__ = ["make", "node", "private_ros_network"]

collect_ignore_glob: list[str] = []
try:
    import rclpy  # noqa: F401

    import egorear_msgs.msg  # noqa: F401
except ImportError:
    collect_ignore_glob.append("test_*.py")
