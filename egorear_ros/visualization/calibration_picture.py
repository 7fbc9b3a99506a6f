"""A picture of a calibration: where each camera saw the board, how far off the corners are, and over the radius."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np

from egorear_ros.calibration import Calibration
from egorear_ros.calibration.coverage import RING_ENDS, SECTORS
from egorear_ros.calibration.quality import RADIUS_BINS, CameraQuality
from egorear_ros.result_file import write_whole
from egorear_ros.visualization.rig_picture import COLORS

DPI = 100
ARROW_SHARE = 0.06
"""Length, as a share of the picture's width, at which an error of three times the RMS is drawn."""


def write_calibration_picture(calibration: Calibration, path: Path) -> None:
    """Draw a panel per camera, and the error over the radius below, into a PNG file.

    Raises:
        ImportError: matplotlib is not installed.
        EgorearError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    cameras = calibration.cameras
    columns = min(4, len(cameras))
    rows = math.ceil(len(cameras) / columns)
    figure = Figure(figsize=(3.6 * max(columns, 2), 3.9 * rows + 2.8), dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(rows + 1, columns, height_ratios=[*[3.9] * rows, 2.6])
    for number, (camera, color) in enumerate(zip(cameras, COLORS * len(cameras), strict=False)):
        axes = figure.add_subplot(grid[number // columns, number % columns])
        _draw_camera(axes, calibration, number, camera, color)
    _draw_radius(figure.add_subplot(grid[rows, :]), cameras)
    figure.suptitle(f"rig {calibration.rig.name}: corners, and how far the calibration puts them from there")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    write_whole(path, buffer.getvalue())


def _draw_camera(axes: Any, calibration: Calibration, number: int, camera: CameraQuality, color: str) -> None:
    coverage, solution = camera.coverage, calibration.solution
    middle = np.array([coverage.width, coverage.height]) / 2
    _draw_missing(axes, camera, middle)
    residuals = solution.residuals
    mine = np.flatnonzero(solution.bundle.camera == number)
    at = np.concatenate([solution.bundle.views[int(i)].pixels for i in mine])
    error = np.concatenate([residuals[i] for i in mine])
    scale = ARROW_SHARE * coverage.width / max(3 * camera.rms_px, 1e-9)
    axes.quiver(*at.T, *error.T, color=color, angles="xy", scale_units="xy", scale=1 / scale, width=0.003)
    turn = np.linspace(0, 2 * math.pi, 200)
    axes.plot(*(middle[:, None] + coverage.radius_px * np.stack([np.cos(turn), np.sin(turn)])), "k", lw=0.8)
    axes.set(xlim=(0, coverage.width), ylim=(coverage.height, 0), aspect="equal", xticks=[], yticks=[])
    axes.set_title(f"{camera.name}: {camera.views} pictures, {camera.rms_px:.3f} px RMS", fontsize=9)
    axes.set_xlabel(f"arrows {scale:.0f} x their length; red: no corners there", fontsize=7)


def _draw_missing(axes: Any, camera: CameraQuality, middle: np.ndarray) -> None:
    ends = np.array([0.0, *RING_ENDS]) * camera.coverage.radius_px
    width = 2 * math.pi / len(SECTORS)
    for ring, sector in np.argwhere(~camera.coverage.covered):
        turn = np.linspace((sector - 0.5) * width, (sector + 0.5) * width, 12)
        rim = np.stack([np.cos(turn), np.sin(turn)])
        outline = np.concatenate([ends[ring] * rim, ends[ring + 1] * rim[:, ::-1]], 1) + middle[:, None]
        axes.fill(*outline, color="#fa5252", alpha=0.25, lw=0)


def _draw_radius(axes: Any, cameras: tuple[CameraQuality, ...]) -> None:
    at = (np.arange(RADIUS_BINS) + 0.5) / RADIUS_BINS
    for camera, color in zip(cameras, COLORS * len(cameras), strict=False):
        axes.plot(100 * at, camera.rms_by_radius_px, "o-", color=color, label=camera.name, ms=4)
    axes.set(xlabel="distance from the picture's middle, % of the image circle", ylabel="error, px RMS", xlim=(0, 100))
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
