"""A fitted body as ROS messages: joint states, the robot description, TF frames, a skeleton.

Names of links and joints are those of REP-155 with the body's id, `l_elbow_wearer`: see `body.rep155`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import TransformStamped
from sensor_msgs.msg import JointState

from egorear_ros.body import ANGLE_NAMES, CHAIN, BodyPose, HumanChain, robot_description, suffixed
from egorear_ros.datatypes import Skeleton
from egorear_ros.nodes.conversions import stamp_from_ns, transforms_to_messages
from egorear_ros.rig import StaticTransform


class BodyMessages:
    """The messages of one body; its names and bone lengths do not change.

    Args:
        body_id: the skeleton's id.
        chain: links and joints, sized to the person.
        frame_prefix: of the names of TF frames; the links of the robot description have none, as tools expect.
    """

    def __init__(self, body_id: str, chain: HumanChain, frame_prefix: str = "") -> None:
        self.body_id, self._prefix = body_id, frame_prefix
        self._chain = chain
        self._names = [suffixed(name, body_id) for name in ANGLE_NAMES]
        self._frames = [
            _frame(
                frame_prefix + suffixed(joint.parent, body_id),
                frame_prefix + suffixed(joint.child, body_id),
                origin.tolist(),
            )
            for joint, origin in zip(CHAIN, chain.origins_m, strict=True)
        ]

    def description(self) -> str:
        """The robot description, URDF."""
        return robot_description(self._chain.offsets_m, self.body_id)

    def joint_state(self, pose: BodyPose) -> JointState:
        """All angles, radians."""
        message = JointState(name=self._names, position=pose.angles_rad.tolist())
        message.header.stamp = stamp_from_ns(pose.skeleton.stamp_ns)
        return message

    def body_frame(self, pose: BodyPose) -> list[TransformStamped]:
        """`body_<id>` in the skeleton's frame."""
        body = self._prefix + suffixed("body", self.body_id)
        edge = StaticTransform(pose.skeleton.frame_id, body, pose.frame_from_body)
        return transforms_to_messages([edge], pose.skeleton.stamp_ns)

    def joint_frames(self, pose: BodyPose) -> list[TransformStamped]:
        """All other links, each in its parent; valid until the next call, which fills the same messages."""
        stamp: Time = stamp_from_ns(pose.skeleton.stamp_ns)
        for frame, (x, y, z, w) in zip(self._frames, self._chain.rotations(pose.angles_rad).tolist(), strict=True):
            frame.header.stamp = stamp
            rotation = frame.transform.rotation
            rotation.x, rotation.y, rotation.z, rotation.w = x, y, z, w
        return self._frames


def fitted_skeleton(pose: BodyPose) -> Skeleton:
    """The skeleton with the joints of the body in place of the free ones; all of them mean something."""
    return replace(pose.skeleton, positions_m=pose.joints_m, valid=np.ones(len(pose.skeleton.valid), np.bool_))


def _frame(parent: str, child: str, origin_m: list[float]) -> TransformStamped:
    frame = TransformStamped(child_frame_id=child)
    frame.header.frame_id = parent
    at = frame.transform.translation
    at.x, at.y, at.z = origin_m
    return frame
