"""Messages of rclpy to the core's dataclasses and back.

What bags hold too is mapped in `bags.message_writing` and `bags.message_reading`; frame sets here, status in
`nodes.status_messages`.

Raw images are not copied on the way in: the dataclass shares the message's memory.
"""

from __future__ import annotations

import array
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Pose, TransformStamped
from sensor_msgs.msg import CameraInfo

from egorear_msgs import msg
from egorear_ros.bags import message_writing
from egorear_ros.bags.message_reading import (
    NANOSECONDS,
    MessageError,
    nanoseconds,
    skeleton_2d_from_message,
    skeleton_from_message,
    stamp_to_ns,
)
from egorear_ros.datatypes import JPEG_FORMAT, CameraFrame, FrameSet, Skeleton, Skeleton2D
from egorear_ros.nodes.images import fill_message, rgb_from_message
from egorear_ros.nodes.ros_messages import make
from egorear_ros.rig import frame_prefix_of
from egorear_ros.rig.camera_info import CameraInfoFields
from egorear_ros.rig.rig import StaticTransform

__all__ = [
    "MessageError",
    "camera_info_from_message",
    "camera_info_to_message",
    "frame_set_from_message",
    "frame_set_to_message",
    "point_to_message",
    "pose_to_message",
    "skeleton_2d_from_message",
    "skeleton_2d_to_message",
    "skeleton_from_message",
    "skeleton_to_message",
    "stamp_from_ns",
    "stamp_to_ns",
    "transforms_to_messages",
]


def stamp_from_ns(stamp_ns: int) -> Time:
    """Integer nanoseconds to ROS time."""
    time: Time = message_writing.time(stamp_ns, make)
    return time


def frame_set_from_message(message: msg.FrameSet) -> FrameSet:
    """Read a FrameSet.

    Raises:
        MessageError: the view mask contradicts the frames.
        ImageError: an image contradicts its size.
    """
    frames = tuple(_camera_frame_from_message(frame) for frame in message.frames)
    spread_s = stamp_to_ns(message.spread) / NANOSECONDS
    frame_set = FrameSet(stamp_to_ns(message.header.stamp), frames, spread_s, message.header.frame_id)
    if frame_set.view_mask != tuple(message.view_mask):
        raise MessageError(
            f"frame set has view_mask {list(message.view_mask)}, but images of {list(frame_set.view_mask)} are in it"
        )
    return frame_set


def frame_set_to_message(frame_set: FrameSet) -> msg.FrameSet:
    """Write a FrameSet."""
    message = msg.FrameSet()
    message.header.stamp, message.header.frame_id = stamp_from_ns(frame_set.stamp_ns), frame_set.frame_id
    prefix = frame_prefix_of(frame_set.frame_id)
    message.frames = [_camera_frame_to_message(frame, prefix) for frame in frame_set.frames]
    message.view_mask = list(frame_set.view_mask)
    message.spread = message_writing.duration(nanoseconds(frame_set.spread_s), make)
    return message


def skeleton_to_message(skeleton: Skeleton) -> msg.Skeleton:
    """Write a Skeleton."""
    return message_writing.skeleton(skeleton, make)


def skeleton_2d_to_message(skeleton: Skeleton2D) -> msg.Skeleton2D:
    """Write a Skeleton2D."""
    return message_writing.skeleton_2d(skeleton, make)


def camera_info_to_message(fields: CameraInfoFields, frame_id: str, stamp_ns: int) -> CameraInfo:
    """Write a CameraInfo with the stamp and frame of its image."""
    return message_writing.camera_info(fields, stamp_ns, frame_id, make)


def camera_info_from_message(message: CameraInfo) -> CameraInfoFields:
    """Read a CameraInfo."""
    k, r, p = (tuple(float(value) for value in matrix) for matrix in (message.k, message.r, message.p))
    return CameraInfoFields(message.width, message.height, tuple(message.d), k, r, p, message.distortion_model)


def transforms_to_messages(transforms: Iterable[StaticTransform], stamp_ns: int) -> list[TransformStamped]:
    """Write the edges of a TF tree, stamped."""
    return [message_writing.transform(transform, stamp_ns, make) for transform in transforms]


def pose_to_message(parent_from_child: npt.NDArray[np.float64]) -> Pose:
    """Write a (4, 4) pose in metres."""
    orientation = message_writing.quaternion(parent_from_child, make)
    return Pose(position=point_to_message(parent_from_child[:3, 3]), orientation=orientation)


def point_to_message(position_m: npt.NDArray[np.floating]) -> Point:
    """Write a (3,) position in metres."""
    return message_writing.point(position_m, make)


def _camera_frame_from_message(message: msg.CameraFrame) -> CameraFrame:
    raw = message.image.width > 0
    image: npt.NDArray[np.uint8] | None = rgb_from_message(message.image) if raw else None
    jpeg = b"" if raw else bytes(message.compressed.data)
    told = message.compressed.format or JPEG_FORMAT
    skew_s = stamp_to_ns(message.skew) / NANOSECONDS
    return CameraFrame(message.view, stamp_to_ns(message.stamp), image, jpeg, skew_s, told)


def _camera_frame_to_message(frame: CameraFrame, frame_prefix: str) -> msg.CameraFrame:
    skew = message_writing.duration(nanoseconds(frame.skew_s), make)
    message = msg.CameraFrame(view=frame.view, stamp=stamp_from_ns(frame.stamp_ns), skew=skew)
    target: Any = None
    if frame.image is not None:
        target = message.image
        fill_message(target, frame.image)
    elif frame.jpeg:
        target = message.compressed
        target.format, target.data = frame.jpeg_format, array.array("B", frame.jpeg)
    if target is not None:
        target.header.stamp, target.header.frame_id = message.stamp, f"{frame_prefix}{frame.view}_optical_frame"
    return message
