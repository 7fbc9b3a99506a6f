"""The pictures that a calibration is made of: what was found in each, and how bright it is where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from egorear_ros.calibration.detection import BoardDetector, grey_of
from egorear_ros.calibration.errors import CalibrationError
from egorear_ros.calibration.views import Crop, Floats, Grey, Ids, View

THUMBNAIL = 8
"""Pixels of the picture per pixel of its thumbnail, along each side."""
DARK = 12
"""Brightest grey level, in a thumbnail, of what lies outside a lens's image circle."""


@dataclass(frozen=True)
class Picture:
    """One picture and the corners in it; none if the board was not found.

    Attributes:
        name: for messages.
        moment: see `View`.
        time_s: see `View`.
        size: width and height, pixels.
        ids: (M,) numbers of the corners.
        pixels: (M, 2), with (0, 0) at the picture's corner.
        crop: of the board; None without corners.
        thumbnail: (h, w) uint8, the picture made eight times smaller.
    """

    name: str
    moment: int | None
    time_s: float | None
    size: tuple[int, int]
    ids: Ids
    pixels: Floats
    crop: Crop | None
    thumbnail: Grey

    @classmethod
    def of(
        cls,
        image: NDArray[np.uint8],
        name: str,
        moment: int | None,
        time_s: float | None,
        detector: BoardDetector,
    ) -> Self:
        """Look for the board in an (H, W, 3) RGB picture."""
        grey = grey_of(image)
        ids, pixels = detector.detect(grey)
        height, width = grey.shape
        small = cv2.resize(
            grey, (max(1, width // THUMBNAIL), max(1, height // THUMBNAIL)), interpolation=cv2.INTER_AREA
        )
        crop = Crop.around(grey, pixels) if len(ids) else None
        return cls(name, moment, time_s, (width, height), ids, pixels, crop, np.asarray(small, np.uint8))


@dataclass(frozen=True)
class Pictures:
    """The pictures of all cameras.

    Attributes:
        of: camera name -> its pictures, in the order of the rig.
    """

    of: Mapping[str, Sequence[Picture]]

    def views(self, camera: str) -> list[View]:
        """Those that show the board."""
        return [
            View(camera, p.name, p.moment, p.time_s, p.ids, p.pixels, p.crop) for p in self.of[camera] if len(p.ids)
        ]

    def size(self, camera: str) -> tuple[int, int]:
        """Width and height of the camera's pictures.

        Raises:
            CalibrationError: there are none, or of several sizes.
        """
        sizes = {picture.size for picture in self.of[camera]}
        if len(sizes) != 1:
            text = " and ".join(f"{width}x{height}" for width, height in sorted(sizes)) or "none"
            raise CalibrationError(f"{camera}: its pictures must be of one size, got {text}")
        return sizes.pop()

    def image_circle_px(self, camera: str) -> float | None:
        """Radius of the bright disc around the picture's middle; None where the lens fills the picture's sides."""
        width, height = self.size(camera)
        brightest = np.max([picture.thumbnail for picture in self.of[camera]], axis=0)
        rows, cols = brightest.shape
        y, x = np.mgrid[:rows, :cols] + 0.5
        radius = np.hypot((x / cols - 0.5) * width, (y / rows - 0.5) * height)
        lit = brightest > DARK
        edges = np.arange(0, radius.max() + THUMBNAIL, THUMBNAIL / 2)
        ring = np.digitize(radius.ravel(), edges)
        share = np.bincount(ring, lit.ravel(), len(edges) + 1) / np.maximum(np.bincount(ring, None, len(edges) + 1), 1)
        filled = np.bincount(ring, None, len(edges) + 1) > 0
        dark = np.flatnonzero(filled & (share < 0.5) & (np.arange(len(edges) + 1) > len(edges) // 4))
        if not len(dark) or lit[filled_beyond(radius, edges[dark[0] - 1])].mean() > 0.1:
            return None
        rim = edges[dark[0] - 1] - 0.4 * THUMBNAIL  # a thumbnail's pixel is lit if a tenth of it is
        return float(min(rim, np.hypot(width, height) / 2))


def filled_beyond(radius: Floats, limit: float) -> NDArray[np.bool_]:
    """Where the radius is well beyond a limit."""
    beyond: NDArray[np.bool_] = radius > limit + 2 * THUMBNAIL
    return beyond
