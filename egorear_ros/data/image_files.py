"""Images of a data set on disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PIL import Image

from egorear_ros.data.frame_sets import DataError, MissingFileError, Resize, averaged
from egorear_ros.data.jpeg import ImageError, RgbImage, decode_jpeg

JPEG_END: Final = b"\xff\xd9"
PNG_END: Final = b"IEND"
TAIL_BYTES: Final = 1024
"""Some cameras write a few more bytes behind the end."""


def find_image(folder: Path, stem: str, endings: Sequence[str]) -> Path:
    """The first of `folder/stem + ending` that exists.

    Raises:
        MissingFileError: none does.
    """
    for ending in endings:
        path = folder / f"{stem}{ending}"
        if path.is_file():
            return path
    raise MissingFileError(f"'{folder / stem}{endings[0]}' is missing (nor is there one with {', '.join(endings[1:])})")


def read_image(path: Path, size_px: int | None = None, resize: Resize = averaged) -> RgbImage:
    """Read a JPEG or PNG.

    Args:
        path: of the file.
        size_px: width and height to make it smaller to; None: as it is.
        resize: how.

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
    _check_square(path, width, height)
    if size_px is None or size_px == width:
        return image
    if size_px > width:
        raise DataError(f"image '{path}' has {width} px; it cannot be made smaller to {size_px}")
    return resize(image, size_px)


def image_size(path: Path) -> int:
    """Width and height of a square JPEG or PNG, from its beginning; also looks whether its end is there.

    Raises:
        DataError: it cannot be read, is cut off, or is not square.
    """
    try:
        with path.open("rb") as file, Image.open(file) as image:
            width, height = image.size
            file.seek(-min(path.stat().st_size, TAIL_BYTES), os.SEEK_END)
            whole = is_whole(file.read())
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"image '{path}' cannot be read: {error}") from error
    if not whole:
        raise DataError(f"image '{path}' is broken or cut off")
    _check_square(path, width, height)
    return int(width)


def _check_square(path: Path, width: int, height: int) -> None:
    if height != width:
        raise DataError(f"image '{path}' has {width}x{height} px; expected a square one, as the fisheye rigs have")


def is_whole(data: bytes) -> bool:
    """Whether a JPEG or PNG has its end: OpenCV fills what is cut off a JPEG with grey and says nothing."""
    return any(end in data[-TAIL_BYTES:] for end in (JPEG_END, PNG_END))
