"""Pixels of sensor_msgs/Image and sensor_msgs/CompressedImage to RGB: one code for live topics and for bags.

Any object with the fields of the message will do. Encodings are those of sensor_msgs/image_encodings and what camera
drivers write beside them; those that are not here go to cv_bridge where it is installed.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from egorear_ros.data.image_header import image_size
from egorear_ros.errors import EgorearError

RgbImage = npt.NDArray[np.uint8]
Pixels = npt.NDArray[Any]
MOST_PIXELS: Final = 1 << 25
"""Of a compressed image, more than 8K video has: a file of a kilobyte may promise gigabytes."""


class ImageError(EgorearError):
    """An image message that contradicts itself or has an encoding we cannot read."""


@dataclass(frozen=True)
class Encoding:
    """How the pixels of an encoding lie in memory, and what makes RGB of them.

    Attributes:
        channels: values per pixel of a row.
        to_rgb: OpenCV's conversion, a function of (H, W, C) and (H, W) pixels, or None where they are RGB already.
        bits: of a value, 8 or 16; 16 bits are scaled to 8 over the whole range, as cv_bridge does.
        rows: rows of the message per row of the image, in halves: 3 where colour planes follow those of brightness.
        even: the image's width, and its height where it has colour planes, must be even.
    """

    channels: int
    to_rgb: int | Callable[[Pixels], Pixels] | None
    bits: int = 8
    rows: int = 2
    even: bool = False


def _from_nv24(pixels: Pixels) -> Pixels:
    """Brightness and, at full size, interleaved colour planes below it; BT.601 in video range, as OpenCV's NV12."""
    height = pixels.shape[0] // 3
    width = pixels.shape[1]
    y = 1.164 * (pixels[:height].astype(np.float32) - 16)
    u, v = np.moveaxis(pixels[height:].reshape(height, width, 2).astype(np.float32) - 128, -1, 0)
    rgb = np.stack([y + 1.596 * v, y - 0.813 * v - 0.391 * u, y + 2.018 * u], -1)
    return np.asarray(np.clip(np.rint(rgb), 0, 255), np.uint8)


_BAYER: Final = {
    "rggb": cv2.COLOR_BayerRGGB2RGB,
    "bggr": cv2.COLOR_BayerBGGR2RGB,
    "gbrg": cv2.COLOR_BayerGBRG2RGB,
    "grbg": cv2.COLOR_BayerGRBG2RGB,
}
_UYVY: Final = Encoding(2, cv2.COLOR_YUV2RGB_UYVY, even=True)
_YUY2: Final = Encoding(2, cv2.COLOR_YUV2RGB_YUY2, even=True)
ENCODINGS: Final[Mapping[str, Encoding]] = {
    "rgb8": Encoding(3, None),
    "bgr8": Encoding(3, cv2.COLOR_BGR2RGB),
    "rgba8": Encoding(4, cv2.COLOR_RGBA2RGB),
    "bgra8": Encoding(4, cv2.COLOR_BGRA2RGB),
    "mono8": Encoding(1, cv2.COLOR_GRAY2RGB),
    "8UC1": Encoding(1, cv2.COLOR_GRAY2RGB),
    "8UC3": Encoding(3, cv2.COLOR_BGR2RGB),  # OpenCV's own order
    "8UC4": Encoding(4, cv2.COLOR_BGRA2RGB),
    "rgb16": Encoding(3, None, 16),
    "bgr16": Encoding(3, cv2.COLOR_BGR2RGB, 16),
    "rgba16": Encoding(4, cv2.COLOR_RGBA2RGB, 16),
    "bgra16": Encoding(4, cv2.COLOR_BGRA2RGB, 16),
    "mono16": Encoding(1, cv2.COLOR_GRAY2RGB, 16),
    **{f"bayer_{order}{bits}": Encoding(1, code, bits) for order, code in _BAYER.items() for bits in (8, 16)},
    **dict.fromkeys(("yuv422", "uyvy"), _UYVY),
    **dict.fromkeys(("yuv422_yuy2", "yuyv", "yuyv422"), _YUY2),
    "nv12": Encoding(1, cv2.COLOR_YUV2RGB_NV12, rows=3, even=True),
    "nv21": Encoding(1, cv2.COLOR_YUV2RGB_NV21, rows=3, even=True),
    "nv24": Encoding(1, _from_nv24, rows=6),
}
"""Encoding of sensor_msgs/Image -> its pixels. 16UC1 is not here: depth cameras send distances with it."""


def rgb_from_message(message: Any) -> RgbImage:
    """Read a sensor_msgs/Image.

    Returns:
        (H, W, 3) uint8 RGB. For encoding rgb8 without row padding it shares the message's memory (no copy).

    Raises:
        ImageError: too little data for the stated size, or an encoding nobody here can read.
    """
    known = ENCODINGS.get(message.encoding) or ENCODINGS.get(message.encoding.lower())
    if known is None:
        return through_cv_bridge(message)
    pixels = _in_8_bits(_pixels(message, known))
    if known.to_rgb is None:
        return pixels
    if callable(known.to_rgb):
        return np.asarray(known.to_rgb(pixels), np.uint8)
    return _converted(pixels, known.to_rgb, f"image message of {message.width}x{message.height} '{message.encoding}'")


def _converted(pixels: Pixels, code: int, what: str) -> RgbImage:
    """Pixels through one of OpenCV's conversions.

    Raises:
        ImageError: it takes none of this size, as a mosaic of a single row.
    """
    try:
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), code), np.uint8)
    except cv2.error as error:
        raise ImageError(f"{what} has a size that cannot be converted to RGB") from error


def _pixels(message: Any, known: Encoding) -> Pixels:
    """(rows, W, C) pixels of a message, (rows, W) of one channel, without row padding and as its byte order says."""
    width, height, size = message.width, message.height, known.bits // 8
    step = message.step or width * known.channels * size
    rows = height * known.rows // 2
    too_small = width < 1 or height < 1 or step < width * known.channels * size or len(message.data) < step * rows
    if known.even and (width % 2 or (known.rows != 2 and height % 2)):
        raise ImageError(f"image message says {width}x{height} '{message.encoding}', which has even sizes only")
    if too_small:
        raise ImageError(
            f"image message says {width}x{height} '{message.encoding}' with step {step}, "
            f"but holds {len(message.data)} bytes"
        )
    lines = np.frombuffer(message.data, np.uint8)[: step * rows].reshape(rows, step)
    values: Pixels = lines[:, : width * known.channels * size]
    if size == 2:
        values = np.ascontiguousarray(values).view(np.dtype(">u2" if message.is_bigendian else "<u2"))
    return values if known.channels == 1 else values.reshape(rows, width, known.channels)


def _in_8_bits(pixels: Pixels) -> RgbImage:
    """16-bit values over their whole range to 8 bits; others as they are."""
    if pixels.dtype.itemsize == 1:
        return pixels
    return np.asarray((pixels.astype(np.uint32) + 128) // 257, np.uint8)


def through_cv_bridge(message: Any) -> RgbImage:
    """Read an image message of an unusual encoding with cv_bridge, which needs no running ROS.

    Raises:
        ImageError: cv_bridge is not installed, or cannot read it either.
    """
    try:
        bridge: Any = importlib.import_module("cv_bridge").CvBridge()
    except ImportError as error:
        raise ImageError(
            f"image encoding '{message.encoding}' is not one of {', '.join(ENCODINGS)}; "
            "set the camera driver to one of these, or install cv_bridge"
        ) from error
    try:
        return np.asarray(bridge.imgmsg_to_cv2(message, "rgb8"), np.uint8)
    except Exception as error:  # CvBridgeError, TypeError, cv2.error, KeyError: it has no one kind
        raise ImageError(
            f"image encoding '{message.encoding}' cannot be read by cv_bridge ({type(error).__name__}: {error}); "
            f"set the camera driver to one of {', '.join(ENCODINGS)}"
        ) from error


def decode_jpeg(data: bytes, view: str, image_format: str = "") -> RgbImage:
    """Decode a compressed image (JPEG, PNG or what else OpenCV knows) to (H, W, 3) uint8 RGB.

    An EXIF orientation is ignored: the calibration is that of the sensor's rows and columns.

    Args:
        data: the file's bytes.
        view: whose image it is, for messages.
        image_format: `format` of sensor_msgs/CompressedImage: "jpeg", or as image_transport writes it, such as
            "rgb8; jpeg compressed bgr8" or "bayer_rggb8; jpeg compressed ".

    Raises:
        ImageError: it cannot be decoded, or is of a format that is no picture of colours.
    """
    before, _, after = image_format.partition(";")
    raw, compressed = before.strip().lower(), after.strip().lower()
    if "compresseddepth" in image_format.lower() or raw in ("16uc1", "32fc1"):
        raise ImageError(f"camera '{view}': compressed image of format '{image_format}' holds distances, no colours")
    target = compressed.partition("compressed")[2].strip()
    if raw.startswith("bayer_") and (not target or target.startswith("bayer_")):
        return _demosaiced(data, view, raw, image_format)
    decoded = _decoded(data, view, cv2.IMREAD_COLOR, image_format)
    # What image_transport compresses is in the order it names behind "compressed"; OpenCV wrote it as if it were BGR.
    is_rgb = bool(compressed) and raw.startswith(("rgb", "bgr")) and not target.startswith("bgr")
    return decoded if is_rgb else np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def bgr_to_rgb(image: Pixels) -> RgbImage:
    """What OpenCV reads, (H, W, 3) BGR or (H, W) grey, to (H, W, 3) uint8 RGB."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB if image.ndim == 2 else cv2.COLOR_BGR2RGB), np.uint8)


def needs_reading(data: bytes, image_format: str) -> bool:
    """Whether somebody who decodes a JPEG in the usual way would show another image than `decode_jpeg`."""
    exif = b"Exif\x00" in data[:65536]
    usual = ";" not in image_format or image_format.strip().endswith("compressed bgr8")
    return exif or not usual or not data.startswith(b"\xff\xd8")


def _decoded(data: bytes, view: str, flags: int, image_format: str) -> Pixels:
    flags |= cv2.IMREAD_IGNORE_ORIENTATION
    size = image_size(data)
    if size is not None and size[0] * size[1] > MOST_PIXELS:
        raise ImageError(
            f"camera '{view}': compressed image says {size[0]}x{size[1]} px, the limit is {MOST_PIXELS} pixels"
        )
    try:
        decoded = None if size is None else cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:  # a header that promises too large an image
        decoded = None
    if decoded is None:
        named = f" of format '{image_format}'" if image_format not in ("", "jpeg") else ""
        raise ImageError(f"camera '{view}': compressed image of {len(data)} bytes{named} cannot be decoded")
    return decoded


def _demosaiced(data: bytes, view: str, raw: str, image_format: str) -> RgbImage:
    """A compressed image that holds a sensor's mosaic as grey values."""
    code = _BAYER.get(raw.removeprefix("bayer_").rstrip("0123456789"))
    if code is None:
        raise ImageError(f"camera '{view}': compressed image of format '{image_format}' has an unknown colour mosaic")
    what = f"camera '{view}': compressed image of format '{image_format}'"
    mosaic = _decoded(data, view, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH, image_format)
    if mosaic.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"{what} holds values of type {mosaic.dtype}, no pixels of 8 or 16 bits")
    return _converted(_in_8_bits(mosaic), code, what)
