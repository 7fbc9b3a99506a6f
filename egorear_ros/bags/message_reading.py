"""What ROS messages say, read without ROS.

Any object with the fields of the message will do: those of rclpy, and those a bag is read into. The live graph and the
evaluation of bags read images and skeletons here, so that both see the same pixels.
"""

from __future__ import annotations

import math
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
        MessageError: its joints are not ours in our order, or a field has not one entry per joint.
    """
    check_joints("skeleton", message.joint_names, JOINTS)
    positions = np.array([[point.x, point.y, point.z] for point in message.positions])
    joints = len(JOINTS)
    return Skeleton(
        stamp_ns=stamp_to_ns(message.header.stamp),
        positions_m=_shaped("skeleton", "positions", positions, (joints, 3)),
        confidence=_shaped("skeleton", "confidence", np.array(message.confidence, np.float32), (joints,)),
        covariance_m2=_shaped("skeleton", "covariance", np.array(message.covariance, np.float32), (joints, 3, 3)),
        valid=_shaped("skeleton", "valid", np.array(message.valid, np.bool_), (joints,)),
        views=tuple(message.views),
        frame_id=message.header.frame_id,
        skeleton_id=message.skeleton_id,
        stage_seconds=_stage_seconds(message),
    )


def _stage_seconds(message: Any) -> dict[str, float]:
    names, seconds = message.stage_names, message.stage_seconds
    if len(names) != len(seconds):
        raise MessageError(f"skeleton message has {len(names)} stage_names and {len(seconds)} stage_seconds")
    return dict(zip(names, seconds, strict=True))


def _shaped(what: str, field: str, values: Any, shape: tuple[int, ...]) -> Any:
    """The values of a field in their shape, or MessageError."""
    if values.size != math.prod(shape):
        raise MessageError(f"{what} message has {values.size} numbers in '{field}'; expected {math.prod(shape)}")
    return values.reshape(shape)


def skeleton_2d_from_message(message: Any) -> Skeleton2D:
    """Read an egorear_msgs/Skeleton2D.

    Raises:
        MessageError: its joints are not ours in our order.
    """
    check_joints("2D skeleton", message.joint_names, HEATMAP_JOINTS)
    return Skeleton2D(
        stamp_ns=stamp_to_ns(message.header.stamp),
        view=message.view,
        pixels=_shaped("2D skeleton", "pixels", np.array(message.pixels, np.float32), (len(HEATMAP_JOINTS), 2)),
        score=_shaped("2D skeleton", "score", np.array(message.score, np.float32), (len(HEATMAP_JOINTS),)),
        image_size=(message.image_width, message.image_height),
        frame_id=message.header.frame_id,
    )


def check_joints(what: str, names: Iterable[str], expected: tuple[str, ...]) -> None:
    """Raise MessageError unless the names are the expected ones in their order."""
    if tuple(names) != expected:
        raise MessageError(f"{what} message has joints {', '.join(names)}; expected {', '.join(expected)}")
