"""Points of one frame set that two cameras see: found by their looks alone, so that no rig file has a say in them.

SIFT features (OpenCV's) keep their description when the image is turned, which cameras with opposite mounts need.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from egorear_ros.rig.rig import Rig

Rgb = npt.NDArray[np.uint8]
Float = npt.NDArray[np.float64]

WORKING_WIDTH_PX: Final = 192
"""Images are brought to this width: a pixel of a usual fisheye is 1 degree then, features are found to a part of it."""

FEATURES: Final = 300
CONTRAST: Final = 0.02
"""SIFT's threshold, a little below its default: dim rooms have features too."""

RATIO: Final = 0.85
"""Lowe's ratio of the nearest description to the second nearest."""

RIM: Final = 0.95
"""Share of the image circle's radius that is looked at; the rim itself looks alike in all cameras."""


@dataclass(frozen=True)
class Matches:
    """N pairs of image points that show the same thing, of one or several frame sets.

    Attributes:
        images: (N, 2) int, numbers of the two images in the rig's order, the lower one first.
        uv: (N, 2, 2) float64, x and y in the two images as share of their width and height.
    """

    images: npt.NDArray[np.int64]
    uv: Float

    def __len__(self) -> int:
        return len(self.images)

    def touching(self, image: int) -> npt.NDArray[np.bool_]:
        """(N,) which pairs have a point in this image."""
        return np.asarray((self.images == image).any(axis=1))


def joined(parts: Sequence[Matches]) -> Matches:
    """All pairs of several."""
    empty = Matches(np.empty((0, 2), np.int64), np.empty((0, 2, 2)))
    parts = [empty, *parts]
    return Matches(np.concatenate([p.images for p in parts]), np.concatenate([p.uv for p in parts]))


class Matcher:
    """Finds `Matches` in the images of a rig.

    Args:
        rig: whose cameras' order numbers the images; of its lenses only the image circle is used.
    """

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._sift: Any = cv2.SIFT.create(FEATURES, contrastThreshold=CONTRAST)
        self._masks: dict[tuple[int, int, int], Rgb] = {}

    def __call__(self, images: Mapping[str, Rgb]) -> Matches:
        """Match every pair of images.

        Args:
            images: view -> (H, W, 3) uint8 RGB; views the rig does not have are ignored.
        """
        there = [(i, images[view]) for i, view in enumerate(self._rig.names) if view in images]
        found = {i: self._features(i, image) for i, image in there}
        parts = [self._pair(a, b, found) for a, b in itertools.combinations(found, 2)]
        return joined([part for part in parts if part is not None])

    def _features(self, number: int, image: Rgb) -> tuple[Float, npt.NDArray[np.float32]]:
        """(K, 2) positions as shares of the image, (K, 128) descriptions (square roots of SIFT's, unit length)."""
        height = round(image.shape[0] * WORKING_WIDTH_PX / image.shape[1])
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        if image.shape[1] > WORKING_WIDTH_PX:
            gray = cv2.resize(gray, (WORKING_WIDTH_PX, height), interpolation=cv2.INTER_AREA)
        points, descriptions = self._sift.detectAndCompute(gray, self._mask(number, gray.shape[1], gray.shape[0]))
        if not points:
            return np.empty((0, 2)), np.empty((0, 128), np.float32)
        at = (np.array([point.pt for point in points]) + 0.5) / (gray.shape[1], gray.shape[0])
        length = descriptions.sum(axis=1, keepdims=True)
        return at, np.sqrt(descriptions / np.maximum(length, 1e-6))

    def _mask(self, number: int, width: int, height: int) -> Rgb:
        key = number, width, height
        if key not in self._masks:
            model = self._rig.cameras[number].model
            mask: Any = np.zeros((height, width), np.uint8)
            radius = round(RIM * model.image_circle_radius_px * width / model.width)
            self._masks[key] = cv2.circle(mask, (width // 2, height // 2), radius, 255, -1)
        return self._masks[key]

    def _pair(self, a: int, b: int, found: dict[int, tuple[Float, npt.NDArray[np.float32]]]) -> Matches | None:
        """Nearest neighbours of each other that are clearly nearer than the second nearest."""
        (at_a, of_a), (at_b, of_b) = found[a], found[b]
        if len(at_a) < 2 or len(at_b) < 2:
            return None
        distance = np.sqrt(np.maximum(2.0 - 2.0 * (of_a @ of_b.T), 0.0))
        nearest = distance.argmin(axis=1)
        rows = np.arange(len(at_a))
        two = np.partition(distance, 1, axis=1)
        chosen = (distance.argmin(axis=0)[nearest] == rows) & (two[:, 0] < RATIO * two[:, 1])
        uv = np.stack([at_a[chosen], at_b[nearest[chosen]]], axis=1)
        return Matches(np.tile([a, b], (len(uv), 1)), uv)
