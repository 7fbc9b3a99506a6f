"""Where in its picture each camera has seen the board, and where it is still missing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.calibration.views import Floats

RING_ENDS: Final = (0.4, 0.7, 0.97)
"""Of the picture's radius. Beyond the last no corner can be expected whole."""
RINGS: Final = ("middle", "half way out", "rim")
SECTORS: Final = ("right", "lower right", "bottom", "lower left", "left", "upper left", "top", "upper right")
ENOUGH: Final = 3
"""Corners that make a part of the picture count as covered."""


@dataclass
class Coverage:
    """Corners by part of a picture.

    Attributes:
        width, height: of the pictures, pixels.
        radius_px: of the image circle around their middle, or half the smaller side.
        counts: (3, 8) corners by ring, from the middle outward, and sector, clockwise from the right.
    """

    width: int
    height: int
    radius_px: float
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((3, 8), np.int64))

    def add(self, pixels: Floats) -> int:
        """Count (M, 2) corners.

        Returns:
            How many parts they are the first to cover.
        """
        before = int(self.covered.sum())
        offset = pixels - np.array([self.width, self.height]) / 2
        ring = np.digitize(np.linalg.norm(offset, axis=-1) / self.radius_px, RING_ENDS)
        turn = np.arctan2(offset[:, 1], offset[:, 0]) / (2 * math.pi) * len(SECTORS)
        sector = np.rint(turn).astype(int) % len(SECTORS)
        inside = ring < len(RINGS)
        np.add.at(self.counts, (ring[inside], sector[inside]), 1)
        return int(self.covered.sum()) - before

    @property
    def covered(self) -> NDArray[np.bool_]:
        """(3, 8) whether each part has seen enough."""
        enough: NDArray[np.bool_] = self.counts >= ENOUGH
        return enough

    @property
    def share(self) -> float:
        """Part of the picture's area that is covered, 0..1."""
        ends = np.array([0.0, *RING_ENDS])
        area = np.repeat(np.diff(ends**2)[:, None], len(SECTORS), 1)
        return float((area * self.covered).sum() / area.sum())

    def missing(self, most: int = 3) -> list[str]:
        """Parts that lack corners, for people: "rim, upper left"; whole rings in one."""
        found = []
        for ring in range(len(RINGS) - 1, -1, -1):
            empty = np.flatnonzero(~self.covered[ring])
            if len(empty) == len(SECTORS):
                found.append(f"{RINGS[ring]}, everywhere")
            else:
                found += [f"{RINGS[ring]}, {SECTORS[sector]}" for sector in empty]
        return found[:most] + ([f"{len(found) - most} more"] if len(found) > most else [])


def drawn(coverage: Coverage, rows: int = 9) -> list[str]:
    """A picture of the coverage in letters: '#' covered, '+' begun, '.' nothing yet; (rows,) lines."""
    lines = []
    for row in range(rows):
        y = 2 * (row + 0.5) / rows - 1
        line = ""
        for column in range(2 * rows):  # a letter is about twice as high as wide
            x = 2 * (column + 0.5) / (2 * rows) - 1
            radius = math.hypot(x, y)
            ring = int(np.digitize(radius, RING_ENDS))
            sector = round(math.atan2(y, x) / (2 * math.pi) * len(SECTORS)) % len(SECTORS)
            count = coverage.counts[ring, sector] if ring < len(RINGS) else -1
            line += " " if count < 0 else "#" if count >= ENOUGH else "+" if count else "."
        lines.append(line)
    return lines
