"""sensor_msgs/Image to numpy and back, without cv_bridge.

cv_bridge breaks with NumPy 2 even for passthrough (ros-perception/vision_opencv#535), and assigning an array to
`Image.data` converts it element by element (254 ms for a 1280x1024 image); these two functions take microseconds.
Encodings unknown here go to cv_bridge where it is installed.
"""

from __future__ import annotations

import array
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import Image

from egorear_ros.errors import EgorearError

RgbImage = npt.NDArray[np.uint8]

# encoding -> (channels, OpenCV conversion to RGB or None)
ENCODINGS: dict[str, tuple[int, int | None]] = {
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


class ImageError(EgorearError):
    """An image message that contradicts itself or has an encoding we cannot read."""


def rgb_from_message(message: Image) -> RgbImage:
    """Read an image message.

    Returns:
        (H, W, 3) uint8 RGB. For encoding rgb8 without row padding it shares the message's memory (no copy).

    Raises:
        ImageError: too little data for the stated size, or an encoding neither we nor cv_bridge know.
    """
    if message.encoding not in ENCODINGS:
        return _through_cv_bridge(message)
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


def fill_message(message: Image, rgb: RgbImage) -> None:
    """Write an (H, W, 3) uint8 RGB image into an image message (encoding rgb8, one memory copy)."""
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ImageError(f"expected an RGB image (H, W, 3) uint8, got shape {rgb.shape} {rgb.dtype}")
    message.height, message.width = rgb.shape[:2]
    message.encoding, message.step, message.is_bigendian = "rgb8", 3 * rgb.shape[1], 0
    data = array.array("B")
    data.frombytes(np.ascontiguousarray(rgb).data)
    message.data = data


def decode_jpeg(data: bytes, view: str) -> RgbImage:
    """Decode a compressed image to (H, W, 3) uint8 RGB.

    Raises:
        ImageError: it cannot be decoded.
    """
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if decoded is None:
        raise ImageError(f"camera '{view}': compressed image of {len(data)} bytes cannot be decoded")
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def _through_cv_bridge(message: Image) -> RgbImage:
    try:
        from cv_bridge import CvBridge
    except ImportError as error:
        raise ImageError(
            f"image encoding '{message.encoding}' is not one of {', '.join(ENCODINGS)}; "
            "set the camera driver to one of these, or install cv_bridge"
        ) from error
    bridge: Any = CvBridge()
    return np.asarray(bridge.imgmsg_to_cv2(message, "rgb8"), np.uint8)
