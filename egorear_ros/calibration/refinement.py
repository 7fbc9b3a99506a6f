"""Corners to some hundredths of a pixel: the known pattern around each corner is fitted to the image.

A first calibration says how each corner's surroundings look, bent by the lens as they are. Only a shift, a gain and an
offset per corner remain, which are found by least squares. Unlike a search for crossing edges this is not misled by the
markers beside the corners, works where the rim of a fisheye squeezes the squares to few pixels, and finds corners
whose marker could not be read. How well pattern and image agree says whether the corner is there at all.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from egorear_ros.calibration.boards import Board

Floats = NDArray[np.float64]
Projection = Callable[[Floats], Floats]
"""(..., 3) metres in the board frame to (..., 2) pixels."""

SIDE = 17
"""Samples along each side of the square around a corner that is compared."""
REACH = {"charuco": 0.5, "aprilgrid": 0.75}
"""Half the side of that square in units of the corners' pitch."""
PASSES = 3
TEXELS_PER_CELL = 8
BLUR_PX = 0.8
"""Standard deviation of the blur that the pattern is given: lens and pixel together."""
LEAST_AGREEMENT = 0.8
"""Correlation of pattern and image below which a corner counts as hidden."""
LARGEST_SHIFT_PX = 3.0
HALF_X, HALF_Y = np.array([0.5, 0.0]), np.array([0.0, 0.5])


class Refiner:
    """Refines the corners of one board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        cells, side_m = board.modules()
        white = np.pad(~cells, 2, constant_values=True).astype(np.float32)
        self._texture = np.kron(white, np.ones((TEXELS_PER_CELL, TEXELS_PER_CELL), np.float32))
        self._texel_m, self._margin_m = side_m / TEXELS_PER_CELL, 2 * side_m
        reach = REACH[board.kind] * board.pitch_m
        across = np.linspace(-reach, reach, SIDE)
        self._offsets = np.stack([*np.meshgrid(across, across), np.zeros((SIDE, SIDE))], -1).reshape(-1, 3)
        self._step_m = float(across[1] - across[0])
        spread = np.array([-1.5, -0.5, 0.5, 1.5]) * 0.894 * BLUR_PX  # four points with the blur's variance
        self._spread = np.stack(np.meshgrid(spread, spread), -1).reshape(-1, 2)

    def refine(self, grey: NDArray[np.uint8], ids: NDArray[np.int64], project: Projection) -> tuple[Floats, Floats]:
        """Find corners near where they are expected.

        Args:
            grey: (H, W).
            ids: (M,) numbers of the corners.
            project: of the camera and the board's expected pose.

        Returns:
            (M, 2) pixels, NaN for corners that are hidden, blurred away or elsewhere; (M,) agreement, -1..1.
        """
        corners = self._board.corners_m[ids]
        expected = project(corners)
        samples = project(corners[:, None] + self._offsets)
        jacobian = self._jacobian(corners, expected, project)
        pattern = self._pattern(corners, np.asarray(np.linalg.inv(jacobian), np.float64))
        shift, agreement = np.zeros((len(ids), 2)), np.zeros(len(ids))
        for _ in range(PASSES):
            step, agreement = _step(grey, samples + shift[:, None], pattern)
            shift = np.clip(shift + step, -2 * LARGEST_SHIFT_PX, 2 * LARGEST_SHIFT_PX)
        lost = (agreement < LEAST_AGREEMENT) | (np.linalg.norm(shift, axis=-1) > LARGEST_SHIFT_PX)
        found: Floats = np.where(lost[:, None], np.nan, expected + shift)
        return found, agreement

    def _jacobian(self, corners: Floats, expected: Floats, project: Projection) -> Floats:
        """(M, 2, 2) pixels per metre on the board."""
        columns = [(project(corners + self._step_m * axis) - expected) / self._step_m for axis in np.eye(3)[:2]]
        return np.stack(columns, -1)

    def _pattern(self, corners: Floats, metres_per_pixel: Floats) -> Floats:
        """(M, S) brightness of the pattern around each corner, 0..1, blurred as in the image."""
        blur = np.einsum("mij,kj->mki", metres_per_pixel, self._spread)
        at = corners[:, None, None, :2] + self._offsets[None, :, None, :2] + blur[:, None]
        texel = ((at + self._margin_m) / self._texel_m - 0.5).astype(np.float32)
        values = cv2.remap(
            self._texture,
            texel[..., 0].reshape(len(corners), -1),
            texel[..., 1].reshape(len(corners), -1),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return values.reshape(texel.shape[:-1]).mean(-1, dtype=np.float64)


def _step(grey: NDArray[np.uint8], samples: Floats, pattern: Floats) -> tuple[Floats, Floats]:
    """Shift in pixels that brings image and pattern closer, (M, 2), and their correlation, (M,)."""
    image = _sampled(grey, samples)
    slope_x = _sampled(grey, samples + HALF_X) - _sampled(grey, samples - HALF_X)
    slope_y = _sampled(grey, samples + HALF_Y) - _sampled(grey, samples - HALF_Y)
    design = np.stack([slope_x, slope_y, pattern, np.ones_like(pattern)], -1)
    # image + slope . shift = gain * pattern + offset
    normal = np.einsum("msi,msj->mij", design, design) + 1e-6 * np.eye(4)
    solution = np.linalg.solve(normal, np.einsum("msi,ms->mi", design, image)[..., None])[..., 0]
    centred = [array - array.mean(-1, keepdims=True) for array in (image, pattern)]
    product = (centred[0] * centred[1]).sum(-1)
    length = np.sqrt((centred[0] ** 2).sum(-1) * (centred[1] ** 2).sum(-1))
    return np.clip(-solution[:, :2], -1, 1), product / np.maximum(length, 1e-9)


def _sampled(grey: NDArray[np.uint8], pixels: Floats) -> Floats:
    at = (pixels - 0.5).astype(np.float32)  # OpenCV counts from the middle of the first pixel
    return cv2.remap(grey, at[..., 0], at[..., 1], cv2.INTER_CUBIC).astype(np.float64)
