"""A picture of a rig from above and from the side, with its fields of view; matplotlib is loaded when it is drawn."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from egorear_ros.result_file import write_whole
from egorear_ros.rig import Rig, RigCamera
from egorear_ros.rig.rigid import transform_points

DPI = 110
COLORS = ("#0b7285", "#e8590c", "#5f3dc4", "#2b8a3e", "#c2255c", "#868e96")
SIDES = (
    ("from above", 1, 0, "left  y (cm)", "forward  x (cm)"),
    ("from the wearer's right", 0, 2, "forward  x (cm)", "up  z (cm)"),
)
"""Title, horizontal and vertical axis of `helmet_link`, and their labels."""


def write_rig_picture(rig: Rig, path: Path) -> None:
    """Draw the cameras in the helmet frame, and the limits of what they see, into a PNG file.

    Raises:
        ImportError: matplotlib is not installed.
        EgorearError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5.5), dpi=DPI, layout="constrained")
    places = np.array([transform_points(rig.helmet_from_device, c.device_from_camera[:3, 3]) for c in rig.cameras])
    reach_m = max(0.1, float(np.ptp(places, axis=0).max()) / 2)
    for axes, (title, across, up, x_label, y_label) in zip(figure.subplots(1, 2), SIDES, strict=True):
        for camera, color in zip(rig.cameras, COLORS * len(rig.cameras), strict=False):
            _draw(axes, rig, camera, (across, up), reach_m, color)
        axes.set(title=title, xlabel=x_label, ylabel=y_label, aspect="equal")
        if across == 1:
            axes.invert_xaxis()  # left is +y
        axes.grid(alpha=0.3)
    figure.axes[0].legend(loc="best", fontsize=8)
    figure.suptitle(f"rig {rig.name}: arrows along the optical axes, shaded what each camera sees")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    write_whole(path, buffer.getvalue())


def _draw(axes: Any, rig: Rig, camera: RigCamera, plane: tuple[int, int], reach_m: float, color: str) -> None:
    helmet_from_camera = rig.helmet_from_device @ camera.device_from_camera
    at = 100 * helmet_from_camera[list(plane), 3]
    angle = math.degrees(camera.model.max_angle_rad)
    axes.plot(*at, "o", color=color, label=f"{camera.name} ({2 * angle:.0f}°)")
    axis = 70 * reach_m * helmet_from_camera[list(plane), 2]
    axes.annotate("", at + axis, at, arrowprops={"arrowstyle": "->", "color": color, "lw": 1.8})
    axes.fill(*_outline(helmet_from_camera, camera.model.max_angle_rad, plane, reach_m), color=color, alpha=0.12, lw=0)


def _outline(
    helmet_from_camera: NDArray[np.float64], angle_rad: float, plane: tuple[int, int], reach_m: float
) -> NDArray[np.float64]:
    """(2, N) cm: the directions of the drawing's plane that the camera sees, as a sector around it."""
    turn = np.linspace(0, 2 * math.pi, 361)
    directions = np.zeros((361, 3))
    directions[:, plane[0]], directions[:, plane[1]] = np.cos(turn), np.sin(turn)
    seen = directions @ helmet_from_camera[:3, 2] >= math.cos(angle_rad)
    at = helmet_from_camera[list(plane), 3]
    rim = at + 0.8 * reach_m * directions[:, list(plane)] * seen[:, None]
    return 100 * rim.T
