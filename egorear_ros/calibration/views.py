"""What is known of one picture of the board: which corners, where, when, and the pixels around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]
Grey = NDArray[np.uint8]


@dataclass(frozen=True)
class Crop:
    """The part of a picture that shows the board; keeps little of what many pictures would take.

    Attributes:
        left, top: of the part in the picture, pixels.
        grey: (H, W) uint8.
    """

    left: int
    top: int
    grey: Grey

    @classmethod
    def around(cls, grey: Grey, pixels: Floats, share: float = 0.6, least_px: int = 40) -> Self:
        """Cut out what lies around (M, 2) pixels, larger than their extent by a share of it on every side."""
        low, high = pixels.min(0), pixels.max(0)
        more = np.maximum(share * (high - low).max(), least_px)
        left, top = np.maximum(low - more, 0).astype(int)
        right, bottom = np.ceil(high + more).astype(int)
        return cls(int(left), int(top), grey[top:bottom, left:right].copy())

    @property
    def origin(self) -> Floats:
        """(2,) of the part's corner in the picture, pixels."""
        return np.array([self.left, self.top], float)

    def contains(self, pixels: Floats, margin: float = 3.0) -> NDArray[np.bool_]:
        """Whether (M, 2) pixels of the picture lie in the part, by a margin."""
        height, width = self.grey.shape
        at = pixels - self.origin
        inside = (at > margin) & (at < np.array([width, height]) - margin)
        return np.asarray(inside.all(-1))


@dataclass(frozen=True)
class View:
    """The board in one picture of one camera.

    Attributes:
        camera: name.
        name: of the picture, for messages.
        moment: pictures of several cameras with the same number were taken at one time; None if it shares none.
        time_s: when it was taken, by the camera's own clock; None where that is unknown.
        ids: (M,) numbers of the corners.
        pixels: (M, 2), with (0, 0) at the picture's corner.
        crop: pixels of the picture around the board.
    """

    camera: str
    name: str
    moment: int | None
    time_s: float | None
    ids: Ids
    pixels: Floats
    crop: Crop | None = None
