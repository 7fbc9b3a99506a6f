"""Images of a data set on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from egorear_ros.data.frame_sets import DataError
from egorear_ros.data.messages import ImageError, RgbImage, decode_jpeg

JPEG_END: Final = b"\xff\xd9"
PNG_END: Final = b"IEND"
TAIL_BYTES: Final = 1024
"""Some cameras write a few more bytes behind the end."""


def find_image(folder: Path, stem: str, endings: Sequence[str]) -> Path:
    """The first of `folder/stem + ending` that exists.

    Raises:
        DataError: none does.
    """
    for ending in endings:
        path = folder / f"{stem}{ending}"
        if path.is_file():
            return path
    raise DataError(f"'{folder / stem}{endings[0]}' is missing (nor is there one with {', '.join(endings[1:])})")


def read_image(path: Path, size_px: int | None = None) -> RgbImage:
    """Read a JPEG or PNG.

    Args:
        path: of the file.
        size_px: width and height to average it down to; None: as it is.

    Returns:
        (S, S, 3) uint8 RGB.

    Raises:
        DataError: it cannot be read or decoded, is not square, or is smaller than `size_px`.
    """
    try:
        data = path.read_bytes()
        image = decode_jpeg(data if is_whole(data) else b"", path.name)  # OpenCV's decoder knows PNG, too
    except OSError as error:
        raise DataError(f"image '{path}' cannot be read: {error.strerror}") from error
    except ImageError as error:
        raise DataError(f"image '{path}' is broken or cut off") from error
    height, width = image.shape[:2]
    if height != width:
        raise DataError(f"image '{path}' has {width}x{height} px; expected a square one, as the fisheye rigs have")
    if size_px is None or size_px == width:
        return image
    if size_px > width:
        raise DataError(f"image '{path}' has {width} px; it cannot be averaged down to {size_px}")
    return np.asarray(cv2.resize(image, (size_px, size_px), interpolation=cv2.INTER_AREA), np.uint8)


def is_whole(data: bytes) -> bool:
    """Whether a JPEG or PNG has its end: OpenCV fills what is cut off a JPEG with grey and says nothing."""
    return any(end in data[-TAIL_BYTES:] for end in (JPEG_END, PNG_END))
