"""Show a rig: its cameras, where they sit, and what looks wrong; or compare it with calibration files."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from egorear_ros.rig import OCamModel, Rig, RigCamera, fit_equidistant, load_rig
from egorear_ros.rig.comparison import Difference, compare_rigs
from egorear_ros.rig.doubts import doubts
from egorear_ros.rig.importing import READERS, ImportOptions, rig_for_comparison
from egorear_ros.rig.lens_yaml import lens_content

ALLOWED_PX, ALLOWED_M, ALLOWED_DEG = 0.1, 1e-4, 0.01
"""Two files of one calibration differ by less: they are printed with some digits."""

NOTE = (
    "ROS px: the lens against the CameraInfo message made of it. Poly px: how far the two of an OCam file part. "
    "Neither says that this file belongs to these cameras: for that, compare with the calibration (--against)."
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("rig", nargs="?", default="ego4view", help="name of a shipped rig, or a rig .yaml file")
    parser.add_argument(
        "--against",
        nargs="+",
        metavar="FILE",
        help="calibration files (Kalibr, OCamCalib, ROS, OpenCV, Basalt) or one rig file to compare the rig with",
    )
    parser.add_argument("--names", help="names of the cameras in the --against files, with commas, in their order")
    parser.add_argument("--format", choices=READERS, help="format of the --against files, where it is not recognised")
    parser.epilog = "`egorear rig import` makes a rig of calibration files."


def run(args: argparse.Namespace) -> int:
    """Print the rig's cameras and what looks wrong; with --against the differences, and return 1 if there are any."""
    rig = load_rig(args.rig)
    console = Console()
    console.print(rig_table(rig))
    for line in doubts(rig):
        console.print(f"[yellow]looks wrong:[/] {line}", soft_wrap=True, highlight=False)
    if not args.against:
        console.print(NOTE, style="dim", highlight=False)
        return 0
    differences = compare_rigs(rig, _other(args, rig))
    console.print(difference_table(differences))
    wrong = [d.name for d in differences if _differs(d)]
    text = f"differs from the files: {', '.join(wrong)}" if wrong else "agrees with the files"
    console.print(f"{rig.name} {text}", highlight=False)
    return 1 if wrong else 0


def _other(args: argparse.Namespace, rig: Rig) -> Rig:
    if len(args.against) == 1 and args.against[0].endswith((".yaml", ".yml")):
        with Path(args.against[0]).open(encoding="utf-8", errors="replace") as file:
            if "egorear-rig/" in file.read():
                return load_rig(args.against[0])
    names = tuple(args.names.split(",")) if args.names else ()
    return rig_for_comparison(args.against, rig, ImportOptions(names, args.format), args.rig)


def rig_table(rig: Rig) -> Table:
    """One row per camera: lens, size, field of view, axis, position, and how well ROS's message can say the lens."""
    table = Table(title=f"rig {rig.name}", caption=rig.source or None, box=box.SIMPLE_HEAD, padding=0)
    for column in ("camera", "lens", "image", "view", "axis px", "at x y z (cm)"):
        table.add_column(column, no_wrap=True)
    for column in ("ROS px", "poly px"):
        table.add_column(column, justify="right")
    for camera in rig.cameras:
        model = camera.model
        table.add_row(
            camera.name,
            str(lens_content(model)["model"]),
            f"{model.width}x{model.height}",
            f"{2 * math.degrees(model.max_angle_rad):.1f}°",
            " ".join(f"{value:.1f}" for value in model.center_px),
            " ".join(f"{100 * value:.1f}" for value in camera.device_from_camera[:3, 3]),
            f"{np.abs(fit_equidistant(model)[1]).max():.3f}",
            f"{polynomial_error(camera):.3f}" if isinstance(model, OCamModel) else "-",
        )
    return table


def difference_table(differences: list[Difference]) -> Table:
    """One row per camera that was compared."""
    table = Table(title="against the calibration", box=box.SIMPLE_HEAD, padding=0)
    table.add_column("camera")
    for column in ("max px", "rms px", "position (mm)", "angle (deg)"):
        table.add_column(column, justify="right")
    for d in differences:
        numbers = (d.max_px, d.rms_px, 1000 * d.position_m, math.degrees(d.angle_rad))
        table.add_row(d.name, *(f"{value:.3f}" for value in numbers))
    return table


def _differs(d: Difference) -> bool:
    return d.max_px > ALLOWED_PX or d.position_m > ALLOWED_M or math.degrees(d.angle_rad) > ALLOWED_DEG


def polynomial_error(camera: RigCamera, radii: int = 200, directions: int = 36) -> float:
    """Largest distance in pixels between a pixel of the image circle and the projection of its ray."""
    model = camera.model
    radius, turn = np.meshgrid(
        np.linspace(0, model.image_circle_radius_px, radii), np.linspace(0, 2 * math.pi, directions)
    )
    offset = np.stack([radius * np.cos(turn), radius * np.sin(turn)], -1)
    pixels = offset + np.asarray(model.center_px)
    return float(np.linalg.norm(model.project(model.unproject(pixels)) - pixels, axis=-1).max())
