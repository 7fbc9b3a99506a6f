"""Width and height that a compressed image promises, before anything is decoded."""

from __future__ import annotations

import io
import struct
import warnings
from typing import Final

from PIL import Image, UnidentifiedImageError

JPEG: Final = b"\xff\xd8"
PNG: Final = b"\x89PNG\r\n\x1a\n"
OTHERS: Final = ("BMP", "WEBP", "TIFF", "PPM", "JPEG2000", "GIF", "SUN")
"""Other formats that OpenCV decodes, as Pillow calls them."""
FRAME_MARKERS: Final = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
ALONE: Final = {0x01, *range(0xD0, 0xD9)}
"""JPEG markers without a length."""
SCAN, END = 0xDA, 0xD9


def image_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) of a JPEG, PNG or other image; None where it is none, or ends before it says its size.

    JPEG and PNG are read here, within microseconds and from any thread, as every frame of a camera passes.
    """
    if data.startswith(JPEG):
        return _jpeg_size(data)
    if data.startswith(PNG):
        return _png_size(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large images, which the caller refuses
            with Image.open(io.BytesIO(data), formats=OTHERS) as image:
                return image.size
    except Image.DecompressionBombError:
        return 1 << 31, 1 << 31
    except (UnidentifiedImageError, OSError, ValueError, struct.error, LookupError, ArithmeticError, TypeError):
        return None


def _png_size(data: bytes) -> tuple[int, int] | None:
    """From the first chunk, if all chunks are there: OpenCV takes memory for whatever length one claims."""
    at = len(PNG)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        at += 12 + int(length)
        if kind == b"IEND":
            width, height = struct.unpack_from(">II", data, 16)
            return (width, height) if at <= len(data) and len(data) >= 24 else None
    return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """From the first frame header; as libjpeg does, whatever lies between the segments is skipped."""
    at = len(JPEG)
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        marker = data[at + 1]
        at += 1 if marker == 0xFF else 2
        if marker in (SCAN, END):
            return None
        if marker in FRAME_MARKERS:
            if at + 7 > len(data):
                return None
            height, width = struct.unpack_from(">HH", data, at + 3)
            return width, height
        if marker not in (0x00, 0xFF) and marker not in ALONE and at + 2 <= len(data):
            at += max(int(struct.unpack_from(">H", data, at)[0]), 2)
    return None
