"""Pixels to JPEG, and the pixels of a frame set's views."""

from __future__ import annotations

from collections.abc import Iterable

import cv2

from egorear_ros.data.encodings import ImageError, RgbImage, decode_jpeg
from egorear_ros.data.parallel import for_each_view
from egorear_ros.datatypes import CameraFrame

__all__ = ["ImageError", "RgbImage", "decode_jpeg", "encode_jpeg", "images_of", "readable_images"]


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
