"""sensor_msgs/Image to numpy and back, without cv_bridge.

cv_bridge breaks with NumPy 2 even for passthrough (ros-perception/vision_opencv#535), and assigning an array to
`Image.data` converts it element by element (254 ms for a 1280x1024 image); these two functions take microseconds.
Reading is `egorear_ros.data.encodings`, for topics and bags alike.
"""

from __future__ import annotations

import array

import numpy as np
from sensor_msgs.msg import Image

from egorear_ros.data.encodings import ImageError, RgbImage, rgb_from_message

__all__ = ["ImageError", "RgbImage", "fill_message", "rgb_from_message"]


def fill_message(message: Image, rgb: RgbImage) -> None:
    """Write an (H, W, 3) uint8 RGB image into an image message (encoding rgb8, one memory copy)."""
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ImageError(f"expected an RGB image (H, W, 3) uint8, got shape {rgb.shape} {rgb.dtype}")
    message.height, message.width = rgb.shape[:2]
    message.encoding, message.step, message.is_bigendian = "rgb8", 3 * rgb.shape[1], 0
    data = array.array("B")
    data.frombytes(np.ascontiguousarray(rgb).data)
    message.data = data
