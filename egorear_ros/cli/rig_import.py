"""Make a rig of calibration files: Kalibr, OCamCalib, ROS, OpenCV, Basalt, official EgoRear JSON."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from rich.console import Console

from egorear_ros.cli.rig import rig_table
from egorear_ros.errors import EgorearError
from egorear_ros.result_file import check_result_file, write_whole
from egorear_ros.rig import Rig, rig_yaml
from egorear_ros.rig.doubts import doubts
from egorear_ros.rig.importing import FILE_FRAME, READERS, ImportOptions, import_rig


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="calibration files: one with all cameras, or one per camera")
    add("--out", required=True, type=Path, metavar="RIG.yaml", help="rig file to write; a picture is put next to it")
    add("--names", help="names of the cameras, with commas: front_left,front_right,rear_left,rear_right")
    add("--format", choices=READERS, help="format of the files, where it is not recognised")
    add(
        "--device-from",
        metavar="CAMERA",
        help=f"use this camera's optical frame as the device frame, or '{FILE_FRAME}' for the files' own reference "
        "(default: midway between the front cameras)",
    )
    add("--poses", metavar="RIG", help="rig file (or Ego4View-RW metadata .json) to take the poses from, by name")
    add("--image-circle", metavar="PX", help="radius of the lens's image circle; one, or one per camera with commas")
    add("--max-angle", metavar="DEG", help="half field of view; one, or one per camera with commas")
    add("--scale", type=float, default=1.0, metavar="M", help="metres per unit of length in the files (default 1)")
    add("--name", help="name of the rig (default: that of the file)")


def run(args: argparse.Namespace) -> int:
    """Read the files, print the rig, and write it with its picture."""
    check_result_file(args.out, "--out")
    if args.out.suffix not in {".yaml", ".yml"}:
        raise EgorearError(f"--out: '{args.out}' must end in .yaml")
    rig, notes = import_rig(args.files, _options(args))
    console = Console()
    for note in notes:
        console.print(note, soft_wrap=True, highlight=False, markup=False)
    console.print(rig_table(rig))
    for line in doubts(rig):
        console.print(f"[yellow]looks wrong:[/] {line}", soft_wrap=True, highlight=False)
    write_whole(args.out, rig_yaml(rig).encode())
    written = [str(args.out), *_picture(rig, args.out.with_suffix(".png"), console)]
    console.print(f"written: {', '.join(written)}", soft_wrap=True, highlight=False, markup=False)
    return 0


def _options(args: argparse.Namespace) -> ImportOptions:
    return ImportOptions(
        names=tuple(name.strip() for name in args.names.split(",")) if args.names else (),
        format_name=args.format,
        device_from=args.device_from,
        poses=args.poses,
        image_circles_px=_numbers(args.image_circle, "--image-circle"),
        max_angles_rad=tuple(math.radians(value) for value in _numbers(args.max_angle, "--max-angle")),
        scale=args.scale,
        rig_name=args.name or args.out.stem,
    )


def _numbers(text: str | None, option: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(",")) if text else ()
    except ValueError as error:
        raise EgorearError(f"{option}: '{text}' is not a number, or numbers with commas") from error


def _picture(rig: Rig, path: Path, console: Console) -> list[str]:
    """Draw the rig next to its file, where matplotlib is there."""
    from egorear_ros.visualization.rig_picture import write_rig_picture

    try:
        write_rig_picture(rig, path)
    except ImportError:
        console.print("no picture: it needs the package matplotlib: pip install 'egorear\\[view]'", soft_wrap=True)
        return []
    return [str(path)]
