"""Show a rig: its cameras, where they sit, and how well the equidistant model of CameraInfo fits them."""

from __future__ import annotations

import argparse
import math

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from egorear_ros.rig import Rig, RigCamera, fit_equidistant, load_rig


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("rig", nargs="?", default="ego4view", help="name of a shipped rig, or a rig .yaml file")


def run(args: argparse.Namespace) -> int:
    """Print the rig's cameras with the errors of the equidistant fit and of the round trip, in pixels."""
    rig = load_rig(args.rig)
    Console().print(rig_table(rig))
    return 0


def rig_table(rig: Rig) -> Table:
    """One row per camera: size, field of view, position, fit error and round-trip error."""
    table = Table(title=f"rig {rig.name}", caption=rig.source or None, box=box.SIMPLE_HEAD, padding=0)
    for column in ("camera", "image", "view", "at x y z (cm)"):
        table.add_column(column, no_wrap=True)
    for column in ("fit max px", "fit rms px", "round trip px"):
        table.add_column(column, justify="right", no_wrap=True)
    for camera in rig.cameras:
        error = fit_equidistant(camera.model)[1]
        table.add_row(
            camera.name,
            f"{camera.model.width}x{camera.model.height}",
            f"{2 * math.degrees(camera.model.max_angle_rad):.1f}°",
            " ".join(f"{100 * value:.0f}" for value in camera.device_from_camera[:3, 3]),
            f"{np.abs(error).max():.3f}",
            f"{np.sqrt(np.mean(error**2)):.3f}",
            f"{round_trip_error(camera):.4f}",
        )
    return table


def round_trip_error(camera: RigCamera, radii: int = 200, directions: int = 36) -> float:
    """Largest distance in pixels between a pixel of the image circle and the projection of its ray."""
    model = camera.model
    radius, turn = np.meshgrid(
        np.linspace(0, model.image_circle_radius_px, radii), np.linspace(0, 2 * math.pi, directions)
    )
    offset = np.stack([radius * np.cos(turn), radius * np.sin(turn)], -1)
    pixels = offset + np.asarray(model.center_px)
    return float(np.linalg.norm(model.project(model.unproject(pixels)) - pixels, axis=-1).max())
