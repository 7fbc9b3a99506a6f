"""sensor_msgs/Image to numpy and back, without cv_bridge.

cv_bridge breaks with NumPy 2 even for passthrough (ros-perception/vision_opencv#535), and assigning an array to
`Image.data` converts it element by element (254 ms for a 1280x1024 image); these two functions take microseconds.
Reading is `egorear_ros.bags.message_reading`; encodings unknown there go to cv_bridge where it is installed.
"""

from __future__ import annotations

import array
from typing import Any

import numpy as np
from sensor_msgs.msg import Image

from egorear_ros.bags import message_reading as messages
from egorear_ros.bags.message_reading import ENCODINGS
from egorear_ros.data.jpeg import ImageError, RgbImage


def rgb_from_message(message: Image) -> RgbImage:
    """See `egorear_ros.bags.message_reading.rgb_from_message`; encodings unknown there go to cv_bridge."""
    return messages.rgb_from_message(message, through_cv_bridge)


def fill_message(message: Image, rgb: RgbImage) -> None:
    """Write an (H, W, 3) uint8 RGB image into an image message (encoding rgb8, one memory copy)."""
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ImageError(f"expected an RGB image (H, W, 3) uint8, got shape {rgb.shape} {rgb.dtype}")
    message.height, message.width = rgb.shape[:2]
    message.encoding, message.step, message.is_bigendian = "rgb8", 3 * rgb.shape[1], 0
    data = array.array("B")
    data.frombytes(np.ascontiguousarray(rgb).data)
    message.data = data


def through_cv_bridge(message: Image) -> RgbImage:
    """Read an image message of an unusual encoding.

    Raises:
        ImageError: cv_bridge is not installed, or cannot read it either.
    """
    try:
        from cv_bridge import CvBridge
    except ImportError as error:
        raise ImageError(
            f"image encoding '{message.encoding}' is not one of {', '.join(ENCODINGS)}; "
            "set the camera driver to one of these, or install cv_bridge"
        ) from error
    bridge: Any = CvBridge()
    try:
        return np.asarray(bridge.imgmsg_to_cv2(message, "rgb8"), np.uint8)
    except Exception as error:  # CvBridgeError, TypeError, cv2.error, KeyError: it has no one kind
        raise ImageError(
            f"image encoding '{message.encoding}' cannot be read by cv_bridge ({type(error).__name__}: {error}); "
            f"set the camera driver to one of {', '.join(ENCODINGS)}"
        ) from error
