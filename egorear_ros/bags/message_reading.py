"""What ROS messages say, read without ROS.

Any object with the fields of the message will do: those of rclpy, and those a bag is read into. The live graph and the
evaluation of bags read images and skeletons here, so that both see the same pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import cv2
import numpy as np

from egorear_ros.data.jpeg import ImageError, RgbImage
from egorear_ros.datatypes import CameraFrame, Skeleton, Skeleton2D
from egorear_ros.errors import EgorearError
from egorear_ros.skeleton import HEATMAP_JOINTS, JOINTS

NANOSECONDS: Final = 1_000_000_000

OtherDecoder = Callable[[Any], RgbImage]

# encoding -> (channels, OpenCV conversion to RGB or None)
ENCODINGS: Final[dict[str, tuple[int, int | None]]] = {
    "rgb8": (3, None),
    "bgr8": (3, cv2.COLOR_BGR2RGB),
    "rgba8": (4, cv2.COLOR_RGBA2RGB),
    "bgra8": (4, cv2.COLOR_BGRA2RGB),
    "mono8": (1, cv2.COLOR_GRAY2RGB),
    "8UC1": (1, cv2.COLOR_GRAY2RGB),
    "8UC3": (3, cv2.COLOR_BGR2RGB),  # OpenCV's own order
    "bayer_rggb8": (1, cv2.COLOR_BayerRGGB2RGB),
    "bayer_bggr8": (1, cv2.COLOR_BayerBGGR2RGB),
    "bayer_gbrg8": (1, cv2.COLOR_BayerGBRG2RGB),
    "bayer_grbg8": (1, cv2.COLOR_BayerGRBG2RGB),
}


class MessageError(EgorearError):
    """A message that does not say what its type promises."""


def stamp_to_ns(stamp: Any) -> int:
    """ROS time to integer nanoseconds."""
    return int(stamp.sec) * NANOSECONDS + int(stamp.nanosec)


def camera_frame_from_message(view: str, message: Any, other: OtherDecoder | None = None) -> CameraFrame:
    """Read a sensor_msgs/Image or, undecoded, a sensor_msgs/CompressedImage.

    Args:
        view: which camera's image it is.
        message: the message.
        other: reads raw images of encodings that are not in `ENCODINGS`.

    Raises:
        ImageError: the message names no size its data has, or an unknown encoding.
    """
    stamp_ns = stamp_to_ns(message.header.stamp)
    if hasattr(message, "encoding"):
        return CameraFrame(view, stamp_ns, rgb_from_message(message, other))
    return CameraFrame(view, stamp_ns, jpeg=bytes(message.data))


def rgb_from_message(message: Any, other: OtherDecoder | None = None) -> RgbImage:
    """Read a sensor_msgs/Image.

    Args:
        message: the message.
        other: called with messages whose encoding is not in `ENCODINGS`.

    Returns:
        (H, W, 3) uint8 RGB. For encoding rgb8 without row padding it shares the message's memory (no copy).

    Raises:
        ImageError: too little data for the stated size, or an unknown encoding.
    """
    if message.encoding not in ENCODINGS:
        if other is not None:
            return other(message)
        raise ImageError(f"image encoding '{message.encoding}' is not one of {', '.join(ENCODINGS)}")
    channels, conversion = ENCODINGS[message.encoding]
    height, width, step = message.height, message.width, message.step or message.width * channels
    if width < 1 or height < 1 or step < width * channels or len(message.data) < step * height:
        raise ImageError(
            f"image message says {width}x{height} '{message.encoding}' with step {step}, "
            f"but holds {len(message.data)} bytes"
        )
    rows: RgbImage = np.frombuffer(message.data, np.uint8)[: step * height].reshape(height, step)
    pixels = rows[:, : width * channels].reshape(height, width, channels)
    return pixels if conversion is None else np.asarray(cv2.cvtColor(pixels, conversion), np.uint8)


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
