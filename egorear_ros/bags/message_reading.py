"""What ROS messages say, read without ROS.

Any object with the fields of the message will do: those of rclpy, and those a bag is read into. The live graph and the
evaluation of bags read images and skeletons here, so that both see the same pixels.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from egorear_ros.data.encodings import rgb_from_message
from egorear_ros.datatypes import CameraFrame, Skeleton, Skeleton2D
from egorear_ros.errors import EgorearError
from egorear_ros.skeleton import HEATMAP_JOINTS, JOINTS

NANOSECONDS: Final = 1_000_000_000


class MessageError(EgorearError):
    """A message that does not say what its type promises."""


def stamp_to_ns(stamp: Any) -> int:
    """ROS time to integer nanoseconds."""
    return int(stamp.sec) * NANOSECONDS + int(stamp.nanosec)


def camera_frame_from_message(view: str, message: Any) -> CameraFrame:
    """Read a sensor_msgs/Image or, undecoded, a sensor_msgs/CompressedImage.

    Args:
        view: which camera's image it is.
        message: the message.

    Raises:
        ImageError: the message names no size its data has, or an unknown encoding.
    """
    stamp_ns = stamp_to_ns(message.header.stamp)
    if hasattr(message, "encoding"):
        return CameraFrame(view, stamp_ns, rgb_from_message(message))
    return CameraFrame(view, stamp_ns, jpeg=bytes(message.data), jpeg_format=message.format)


def skeleton_from_message(message: Any) -> Skeleton:
    """Read an egorear_msgs/Skeleton.

    Raises:
        MessageError: its joints are not ours in our order.
    """
    check_joints("skeleton", message.joint_names, JOINTS)
    return Skeleton(
        stamp_ns=stamp_to_ns(message.header.stamp),
        positions_m=np.array([[point.x, point.y, point.z] for point in message.positions]),
        confidence=np.array(message.confidence, np.float32),
        covariance_m2=np.array(message.covariance, np.float32).reshape(len(JOINTS), 3, 3),
        valid=np.array(message.valid, np.bool_),
        views=tuple(message.views),
        frame_id=message.header.frame_id,
        skeleton_id=message.skeleton_id,
        stage_seconds=dict(zip(message.stage_names, message.stage_seconds, strict=True)),
    )


def skeleton_2d_from_message(message: Any) -> Skeleton2D:
    """Read an egorear_msgs/Skeleton2D.

    Raises:
        MessageError: its joints are not ours in our order.
    """
    check_joints("2D skeleton", message.joint_names, HEATMAP_JOINTS)
    return Skeleton2D(
        stamp_ns=stamp_to_ns(message.header.stamp),
        view=message.view,
        pixels=np.array(message.pixels, np.float32).reshape(-1, 2),
        score=np.array(message.score, np.float32),
        image_size=(message.image_width, message.image_height),
        frame_id=message.header.frame_id,
    )


def check_joints(what: str, names: Iterable[str], expected: tuple[str, ...]) -> None:
    """Raise MessageError unless the names are the expected ones in their order."""
    if tuple(names) != expected:
        raise MessageError(f"{what} message has joints {', '.join(names)}; expected {', '.join(expected)}")
