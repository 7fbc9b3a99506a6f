"""The wearer for tools of ROS4HRI (REP-155): `/humans/bodies/...`, where the package `hri_msgs` is installed.

Source of names and types: REP-155 (https://www.ros.org/reps/rep-0155.html) and hri_msgs 2.0 (ROS 2). Its 18 points of
2D skeletons are OpenPose's; of eyes, ears and nose a helmet camera sees nothing, they have confidence 0.
"""

from __future__ import annotations

import importlib
import re
import time
from typing import Any, Final

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from egorear_msgs import msg
from egorear_ros.datatypes import Skeleton2D
from egorear_ros.errors import EgorearError
from egorear_ros.nodes.conversions import skeleton_2d_from_message, stamp_from_ns
from egorear_ros.nodes.health import Health
from egorear_ros.skeleton import HEATMAP_JOINTS

AUTO, ON, OFF = "auto", "on", "off"
CHOICES: Final = (AUTO, ON, OFF)
BODIES: Final = "/humans/bodies"
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
CHECK_S: Final = 0.25

POINTS: Final[dict[str, str]] = {
    "NECK": "Neck",
    **{
        f"{side}_{point}": f"{side.title()}{joint}"
        for side in ("RIGHT", "LEFT")
        for point, joint in {
            "SHOULDER": "Arm",
            "ELBOW": "ForeArm",
            "WRIST": "Hand",
            "HIP": "UpLeg",
            "KNEE": "Leg",
            "ANKLE": "Foot",
        }.items()
    },
}
"""Constant of hri_msgs/Skeleton2D -> joint."""

POINT_COUNT: Final = 18
_TOPIC_TOKEN = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def make(node: Node, health: Health, choice: str, view: str, lost_after_s: float) -> Ros4Hri | None:
    """The publishers, if they are wanted and can be made; a line says which of the two.

    Raises:
        EgorearError: `choice` is on and `hri_msgs` is not installed.
    """
    if choice == OFF:
        return None
    try:
        messages: Any = importlib.import_module("hri_msgs.msg")
    except ImportError as error:
        if choice == ON:
            raise EgorearError(
                "'ros4hri' is on, but the package hri_msgs is not installed; build it from "
                "https://github.com/ros4hri/hri_msgs (humble-devel), or set 'ros4hri' to auto or off"
            ) from error
        node.get_logger().info("hri_msgs is not installed: no topics under /humans (ROS4HRI)")
        return None
    node.get_logger().info(f"publishing {BODIES} (ROS4HRI), 2D joints of {view}")
    return Ros4Hri(node, health, messages, view, lost_after_s)


class Ros4Hri:
    """Publishes the tracked body; one at a time.

    Args:
        node: owner.
        health: where problems go.
        messages: the module `hri_msgs.msg`.
        view: camera whose 2D joints are published.
        lost_after_s: a body not seen for this long is no longer tracked.
    """

    def __init__(self, node: Node, health: Health, messages: Any, view: str, lost_after_s: float) -> None:
        self._node, self._health, self._messages, self._lost_after_s = node, health, messages, lost_after_s
        self._tracked = node.create_publisher(messages.IdsList, f"{BODIES}/tracked", LATCHED)
        self._body_id = ""
        self._seen_at = 0.0
        self._joint_states: Any = None
        self._skeleton_2d: Any = None
        self._urdf: Any = None
        node.create_subscription(msg.Skeleton2D, f"{view}/skeleton_2d", self._receive_2d, QoSProfile(depth=5))
        node.create_timer(CHECK_S, self._drop_lost)

    def is_wanted(self) -> bool:
        """Whether somebody listens to what needs the fitted body."""
        topics = (self._tracked, self._joint_states)
        return any(topic.get_subscription_count() for topic in topics if topic is not None)

    def describe(self, body_id: str, description: str) -> None:
        """Publish the body's URDF."""
        if self._adopt(body_id):
            self._urdf.publish(String(data=description))

    def publish(self, body_id: str, state: JointState) -> None:
        """Publish the joint states, and the body as tracked."""
        if not self._adopt(body_id):
            return
        if time.monotonic() - self._seen_at > self._lost_after_s:
            self._publish_tracked([body_id], state.header.stamp)
        self._seen_at = time.monotonic()
        self._joint_states.publish(state)

    def _adopt(self, body_id: str) -> bool:
        """Have publishers for this body; False where its id cannot be in the name of a topic."""
        if body_id == self._body_id:
            return True
        if not _TOPIC_TOKEN.fullmatch(body_id):
            self._health.problems.report(
                "body id",
                f"no topics under {BODIES} for body '{body_id}': names of topics have letters, digits and "
                "underscores and do not begin with a digit; set 'skeleton_id' of the pose node accordingly",
            )
            return False
        self._leave()
        self._joint_states = self._node.create_publisher(JointState, f"{BODIES}/{body_id}/joint_states", 5)
        self._skeleton_2d = self._node.create_publisher(self._messages.Skeleton2D, f"{BODIES}/{body_id}/skeleton2d", 5)
        self._urdf = self._node.create_publisher(String, f"{BODIES}/{body_id}/urdf", LATCHED)
        self._body_id = body_id
        return True

    def _leave(self) -> None:
        publishers = self._joint_states, self._skeleton_2d, self._urdf
        self._joint_states = self._skeleton_2d = self._urdf = None
        for publisher in publishers:
            if publisher is not None:
                self._node.destroy_publisher(publisher)
        self._seen_at = 0.0

    def _receive_2d(self, message: msg.Skeleton2D) -> None:
        publisher = self._skeleton_2d
        if publisher is None:
            return
        try:
            publisher.publish(self.skeleton_2d(skeleton_2d_from_message(message)))
        except (EgorearError, ValueError) as error:
            self._health.problems.report("bad 2D skeleton", str(error))

    def skeleton_2d(self, joints: Skeleton2D) -> Any:
        """hri_msgs/Skeleton2D: 0 to 1 across the image; what lies outside, or has no joint, has confidence 0."""
        message = self._messages.Skeleton2D()
        message.header.stamp, message.header.frame_id = stamp_from_ns(joints.stamp_ns), joints.frame_id
        points = [self._messages.NormalizedPointOfInterest2D(x=0.0, y=0.0, c=0.0) for _ in range(POINT_COUNT)]
        for name, joint in POINTS.items():
            index = HEATMAP_JOINTS.index(joint)
            x, y = (float(value) / size for value, size in zip(joints.pixels[index], joints.image_size, strict=True))
            if 0 <= x <= 1 and 0 <= y <= 1:
                point = points[getattr(self._messages.Skeleton2D, name)]
                point.x, point.y, point.c = x, y, min(max(float(joints.score[index]), 0.0), 1.0)
        message.skeleton = points
        return message

    def _drop_lost(self) -> None:
        if self._seen_at and time.monotonic() - self._seen_at > self._lost_after_s:
            self._seen_at = 0.0
            self._publish_tracked([], self._node.get_clock().now().to_msg())

    def _publish_tracked(self, ids: list[str], stamp: Any) -> None:
        message = self._messages.IdsList(ids=ids)
        message.header.stamp = stamp
        self._tracked.publish(message)
