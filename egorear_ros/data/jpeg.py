"""JPEG to pixels and back, and the pixels of a frame set's views."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from egorear_ros.data.parallel import for_each_view
from egorear_ros.datatypes import CameraFrame
from egorear_ros.errors import EgorearError

RgbImage = npt.NDArray[np.uint8]


class ImageError(EgorearError):
    """An image that cannot be read: damaged, of an unknown encoding, or smaller than it says."""


def images_of(frames: Iterable[CameraFrame]) -> dict[str, RgbImage]:
    """View -> (H, W, 3) uint8 RGB of the views that are there, JPEG decoded.

    Raises:
        ImageError: a JPEG cannot be decoded.
    """
    there = [frame for frame in frames if frame.present]
    images = for_each_view(lambda f: decode_jpeg(f.jpeg, f.view) if f.image is None else f.image, there)
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


def decode_jpeg(data: bytes, view: str) -> RgbImage:
    """Decode a compressed image to (H, W, 3) uint8 RGB.

    Raises:
        ImageError: it cannot be decoded.
    """
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error:  # a header that promises too large an image
        decoded = None
    if decoded is None:
        raise ImageError(f"camera '{view}': compressed image of {len(data)} bytes cannot be decoded")
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def encode_jpeg(rgb: RgbImage, quality: int) -> bytes:
    """Encode (H, W, 3) uint8 RGB; quality 1..100.

    Raises:
        RuntimeError: OpenCV cannot encode the image.
    """
    done, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError(f"OpenCV could not encode a JPEG of shape {rgb.shape}")
    return bytes(data)
