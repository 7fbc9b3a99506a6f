"""Pictures of a calibration board through any lens, with blur, noise and JPEG, for benchmark and tests.

Every sample of a pixel is followed along its viewing ray to the board's plane, where the pattern says black or white.
So the picture is exact for the lens whose rays are used, however it bends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from egorear_ros.calibration.boards import Board
from egorear_ros.data.jpeg import decode_jpeg, encode_jpeg
from egorear_ros.rig.rigid import Matrix, inverse

Image = NDArray[np.uint8]
TEXELS_PER_CELL, COARSE_PX = 6, 8
BLACK, WHITE, PAPER_MARGIN_M = 0.08, 0.92, 0.02


class Lens(Protocol):
    """What is needed of a lens; every `CameraModel` has it."""

    width: int
    height: int
    image_circle_radius_px: float

    def unproject(self, pixels: NDArray[np.float64], /) -> NDArray[np.float64]:
        """(..., 2) pixels to (..., 3) viewing rays."""


@dataclass(frozen=True)
class Imperfections:
    """What a real camera adds.

    Attributes:
        blur_px: standard deviation of the lens's blur.
        noise: standard deviation of the sensor's noise, grey levels.
        jpeg_quality: 1..100; 0 for none.
        light: brightness of white paper, 0..1.
    """

    blur_px: float = 0.7
    noise: float = 3.0
    jpeg_quality: int = 90
    light: float = 0.85


class BoardRenderer:
    """Renders one board through one lens.

    Args:
        board: what to show.
        lens: through which.
        samples: per pixel, along each side.
    """

    def __init__(self, board: Board, lens: Lens, samples: int = 3) -> None:
        self._lens, self._samples = lens, samples
        cells, side_m = board.modules()
        margin = max(1, round(PAPER_MARGIN_M / side_m))
        paper = np.pad(~cells, margin, constant_values=True).astype(np.float32)
        self._paper = np.kron(paper, np.ones((TEXELS_PER_CELL, TEXELS_PER_CELL), np.float32))
        self._texel_m = side_m / TEXELS_PER_CELL
        self._margin_m = margin * side_m
        self._coarse = lens.unproject(_grid(slice(0, lens.height), slice(0, lens.width), 1 / COARSE_PX))
        y, x = np.mgrid[: lens.height, : lens.width] + 0.5
        radius = np.hypot(x - lens.width / 2, y - lens.height / 2)
        self._circle = np.clip(lens.image_circle_radius_px - radius, 0, 1).astype(np.float32)

    def render(self, camera_from_board: Matrix, rng: np.random.Generator, real: Imperfections) -> Image:
        """The board as this camera sees it.

        Args:
            camera_from_board: (4, 4), metres.
            rng: source of noise and background.
            real: what the camera adds.

        Returns:
            (H, W, 3) uint8 RGB.
        """
        light = self._blended(camera_from_board, self._background(rng)) * real.light * self._circle
        if real.blur_px > 0:
            light = cv2.GaussianBlur(light, (0, 0), real.blur_px)
        grey = 255 * light + rng.normal(0, real.noise, light.shape)
        image = np.repeat(np.clip(grey + 0.5, 0, 255).astype(np.uint8)[..., None], 3, -1)
        return decode_jpeg(encode_jpeg(image, real.jpeg_quality), "rendered") if real.jpeg_quality else image

    def _background(self, rng: np.random.Generator) -> NDArray[np.float32]:
        size = (self._lens.width, self._lens.height)
        coarse = [rng.uniform(0.15, 0.6, (n, n)).astype(np.float32) for n in (5, 23)]
        return np.mean([cv2.resize(grey, size, interpolation=cv2.INTER_CUBIC) for grey in coarse], axis=0)

    def _blended(self, camera_from_board: Matrix, background: NDArray[np.float32]) -> NDArray[np.float32]:
        board_from_camera = inverse(camera_from_board)
        if board_from_camera[2, 3] > 0:
            return background  # the back of the board is not printed; as if nobody held it
        rows, cols = self._extent(board_from_camera)
        if rows.stop == 0:
            return background
        light = background.copy()
        texel, hit = self._texels(self._lens.unproject(_grid(rows, cols, self._samples)), board_from_camera)
        value = cv2.remap(self._paper, texel[..., 0], texel[..., 1], cv2.INTER_LINEAR)
        value, share = (self._pixels(array) for array in (np.where(hit, value, 0), hit.astype(np.float32)))
        light[rows, cols] = BLACK * share + (WHITE - BLACK) * value + (1 - share) * light[rows, cols]
        return light

    def _extent(self, board_from_camera: Matrix) -> tuple[slice, slice]:
        """Rows and columns of the picture that may show the board, found on every eighth pixel."""
        hit = self._texels(self._coarse, board_from_camera)[1]
        rows, cols = np.flatnonzero(hit.any(1)), np.flatnonzero(hit.any(0))
        if not len(rows):
            return slice(0, 0), slice(0, 0)
        height, width = self._lens.height, self._lens.width
        return (
            slice(max(0, COARSE_PX * (rows[0] - 2)), min(height, COARSE_PX * (rows[-1] + 3))),
            slice(max(0, COARSE_PX * (cols[0] - 2)), min(width, COARSE_PX * (cols[-1] + 3))),
        )

    def _texels(
        self, rays: NDArray[np.float64], board_from_camera: Matrix
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Where rays meet the paper, in its pixels, and whether they do."""
        eye, rays = board_from_camera[:3, 3], rays @ board_from_camera[:3, :3].T
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = -eye[2] / rays[..., 2]
            texel = (eye[:2] + reach[..., None] * rays[..., :2] + self._margin_m) / self._texel_m - 0.5
        height, width = self._paper.shape
        hit = (reach > 0) & (texel >= 0).all(-1) & (texel[..., 0] <= width - 1) & (texel[..., 1] <= height - 1)
        return np.where(hit[..., None], texel, 0).astype(np.float32), hit

    def _pixels(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        n = self._samples
        shape = (samples.shape[0] // n, n, samples.shape[1] // n, n)
        return samples.reshape(shape).mean((1, 3), dtype=np.float32)


def _grid(rows: slice, cols: slice, per_pixel: float) -> NDArray[np.float64]:
    """(H, W, 2) places in a part of a picture, so many per pixel along each side."""
    y = rows.start + (np.arange(round((rows.stop - rows.start) * per_pixel)) + 0.5) / per_pixel
    x = cols.start + (np.arange(round((cols.stop - cols.start) * per_pixel)) + 0.5) / per_pixel
    return np.stack(np.meshgrid(x, y), -1)
