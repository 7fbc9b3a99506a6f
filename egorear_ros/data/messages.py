"""What ROS messages say, read without ROS.

Any object with the fields of the message will do: those of rclpy, and those a bag is read into. The live graph and the
evaluation of bags read images and skeletons here, so that both see the same pixels.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import cv2
import numpy as np

from egorear_ros.data.encodings import ENCODINGS, ImageError, RgbImage, decode_jpeg, rgb_from_message
from egorear_ros.data.parallel import for_each_view
from egorear_ros.datatypes import CameraFrame, Skeleton
from egorear_ros.errors import EgorearError
from egorear_ros.skeleton import JOINTS

__all__ = [
    "ENCODINGS",
    "NANOSECONDS",
    "ImageError",
    "MessageError",
    "RgbImage",
    "camera_frame_from_message",
    "check_joints",
    "decode_jpeg",
    "encode_jpeg",
    "images_of",
    "readable_images",
    "rgb_from_message",
    "skeleton_from_message",
    "stamp_to_ns",
]

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


def images_of(frames: Iterable[CameraFrame]) -> dict[str, RgbImage]:
    """View -> (H, W, 3) uint8 RGB of the views that are there, JPEG decoded.

    Raises:
        ImageError: a JPEG cannot be decoded.
    """
    there = [frame for frame in frames if frame.present]
    images = for_each_view(lambda f: decode_jpeg(f.jpeg, f.view, f.jpeg_format) if f.image is None else f.image, there)
    return {frame.view: image for frame, image in zip(there, images, strict=True)}


def readable_images(frames: Iterable[CameraFrame]) -> tuple[dict[str, RgbImage], dict[str, str]]:
    """As `images_of`, but a JPEG that cannot be decoded costs its view alone.

    Returns:
        View -> image of the views that are there and readable, and view -> reason of those that are not.
    """

    def decoded(frame: CameraFrame) -> RgbImage | str:
        try:
            return images_of([frame])[frame.view]
        except ImageError as error:
            return str(error)

    there = [frame for frame in frames if frame.present]
    results = dict(zip((frame.view for frame in there), for_each_view(decoded, there), strict=True))
    return (
        {view: result for view, result in results.items() if not isinstance(result, str)},
        {view: result for view, result in results.items() if isinstance(result, str)},
    )


def encode_jpeg(rgb: RgbImage, quality: int) -> bytes:
    """Encode (H, W, 3) uint8 RGB; quality 1..100.

    Raises:
        RuntimeError: OpenCV cannot encode the image.
    """
    done, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError(f"OpenCV could not encode a JPEG of shape {rgb.shape}")
    return bytes(data)


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


def check_joints(what: str, names: Iterable[str], expected: tuple[str, ...]) -> None:
    """Raise MessageError unless the names are the expected ones in their order."""
    if tuple(names) != expected:
        raise MessageError(f"{what} message has joints {', '.join(names)}; expected {', '.join(expected)}")
