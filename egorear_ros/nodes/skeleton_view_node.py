"""skeleton_view_node: skeletons and the helmet as markers.

Topics: in `skeleton`, out `markers`, `helmet`. One marker for all joints and one for all bones per
body, with stable namespaces and ids; colour is confidence, red to green. Bodies that are no longer seen are deleted.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from builtin_interfaces.msg import Duration
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from egorear_msgs import msg
from egorear_ros.datatypes import Skeleton
from egorear_ros.errors import EgorearError
from egorear_ros.nodes.conversions import point_to_message, skeleton_from_message, stamp_from_ns
from egorear_ros.nodes.health import Health
from egorear_ros.nodes.helmet_markers import helmet_markers
from egorear_ros.nodes.parameters import FRAME_PREFIX, Parameter, Parameters
from egorear_ros.nodes.rates import RateMeter
from egorear_ros.rig import check_frame_prefix, load_rig
from egorear_ros.skeleton import BONES

PARAMETERS = (
    Parameter("rig", "ego4view", "Rig of the helmet that is drawn: name of a shipped one, or a .yaml file."),
    Parameter("minimum_confidence", 0.0, "Joints below are drawn transparent.", 0.0, 1.0, dynamic=True),
    Parameter("joint_diameter", 0.05, "Size of a joint's sphere, m.", 0.005, 0.5, dynamic=True),
    Parameter("bone_width", 0.02, "Width of a bone's line, m.", 0.002, 0.2, dynamic=True),
    Parameter("lost_after", 1.0, "A body not seen for this long is deleted, s.", 0.1, 60.0, dynamic=True),
    FRAME_PREFIX,
    Parameter("silence_warning", 3.0, "Complain when no skeleton arrives for this long, s.", 0.5, 3600.0),
)

LIFETIME_PERIODS = 3
FAINT_ALPHA = 0.15


class SkeletonViewNode(Node):
    """Draws skeletons."""

    def __init__(self, name: str = "skeleton_view_node", **node_options: Any) -> None:
        super().__init__(name, **node_options)
        self._settings = Parameters(self, PARAMETERS)
        self._rate = RateMeter()
        self._health = Health(self, self._figures, "drawing")
        self._seen: dict[str, float] = {}
        self._markers = self.create_publisher(MarkerArray, "markers", 5)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._helmet = self.create_publisher(MarkerArray, "helmet", latched)
        self._publish_helmet()
        quality = QoSProfile(depth=5)
        subscription = self.create_subscription(msg.Skeleton, "skeleton", self._receive, quality)
        self._arrived = self._health.watch(subscription, quality, self._settings["silence_warning"])
        self.create_timer(0.25, self._delete_lost)

    def _publish_helmet(self) -> None:
        prefix = check_frame_prefix(self._settings["frame_prefix"])
        self._helmet.publish(MarkerArray(markers=helmet_markers(load_rig(self._settings["rig"]), prefix)))

    def _receive(self, message: msg.Skeleton) -> None:
        self._arrived()
        try:
            skeleton = skeleton_from_message(message)
        except (EgorearError, ValueError) as error:
            self._health.problems.report("bad skeleton", str(error))
            return
        now = time.monotonic()
        self._rate.tick(now)
        self._seen[skeleton.skeleton_id] = now
        self._markers.publish(MarkerArray(markers=[self._joints(skeleton), self._bones(skeleton)]))

    def _joints(self, skeleton: Skeleton) -> Marker:
        marker = self._marker(skeleton, "joints", Marker.SPHERE_LIST, self._settings["joint_diameter"])
        drawn = [joint for joint in range(len(skeleton.valid)) if skeleton.valid[joint]]
        marker.points = [point_to_message(skeleton.positions_m[joint]) for joint in drawn]
        marker.colors = [self._color(float(skeleton.confidence[joint])) for joint in drawn]
        return marker

    def _bones(self, skeleton: Skeleton) -> Marker:
        marker = self._marker(skeleton, "bones", Marker.LINE_LIST, self._settings["bone_width"])
        for start, end in BONES:
            if skeleton.valid[start] and skeleton.valid[end]:
                for joint in (start, end):
                    marker.points.append(point_to_message(skeleton.positions_m[joint]))
                    marker.colors.append(self._color(float(skeleton.confidence[joint])))
        return marker

    def _marker(self, skeleton: Skeleton, kind: str, shape: int, size_m: float) -> Marker:
        marker = Marker(ns=f"body_{skeleton.skeleton_id}", id=MARKER_IDS[kind], type=shape, action=Marker.ADD)
        marker.header.frame_id, marker.header.stamp = skeleton.frame_id, stamp_from_ns(skeleton.stamp_ns)
        marker.pose.orientation.w = 1.0
        marker.scale.x = marker.scale.y = marker.scale.z = size_m
        lifetime_s = LIFETIME_PERIODS / max(self._rate.hz(time.monotonic()), 1.0)
        marker.lifetime = Duration(sec=int(lifetime_s), nanosec=int(lifetime_s % 1 * 1e9))
        return marker

    def _color(self, confidence: float) -> ColorRGBA:
        certain = min(max(confidence, 0.0), 1.0)
        alpha = 1.0 if certain >= self._settings["minimum_confidence"] else FAINT_ALPHA
        return ColorRGBA(r=min(1.0, 2 * (1 - certain)), g=min(1.0, 2 * certain), b=0.1, a=alpha)

    def _delete_lost(self) -> None:
        """Remove the markers of bodies not seen lately; the lifetime alone would need a viewer that honours it."""
        now = time.monotonic()
        for body in [b for b, at in self._seen.items() if now - at > self._settings["lost_after"]]:
            del self._seen[body]
            deletions = [Marker(ns=f"body_{body}", id=marker, action=Marker.DELETE) for marker in MARKER_IDS.values()]
            self._markers.publish(MarkerArray(markers=deletions))

    def _figures(self) -> Mapping[str, object]:
        return {"skeletons (Hz)": f"{self._rate.hz(time.monotonic()):.1f}", "bodies": len(self._seen)}


MARKER_IDS = {"joints": 0, "bones": 1}
