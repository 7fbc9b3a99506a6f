"""Calibrate a rig from pictures of a ChArUco board or an AprilGrid: folders, a bag, or live cameras."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from egorear_ros.calibration import (
    DEFAULT_LENS,
    LENSES,
    Board,
    Calibration,
    CalibrationError,
    CalibrationOptions,
    Pictures,
    calibrate,
    camera_folders,
    parse_board,
    pictures_of_folders,
    report_content,
)
from egorear_ros.calibration.bag_pictures import is_bag, pictures_of_bag
from egorear_ros.calibration.folders import check_names
from egorear_ros.capture import CaptureOptions
from egorear_ros.cli._calibrate_live import collect
from egorear_ros.cli._progress import ProgressBar
from egorear_ros.cli.rig import rig_table
from egorear_ros.errors import EgorearError
from egorear_ros.result_file import check_result_file, write_json, write_whole
from egorear_ros.rig import VIEWS, rig_yaml
from egorear_ros.rig.doubts import doubts


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add(
        "inputs",
        nargs="*",
        type=Path,
        metavar="INPUT",
        help="a bag, a folder with a folder of pictures per camera, or one folder per camera",
    )
    add("--source", metavar="URIS", help="live cameras with commas, as of `egorear run`: 0,2,4,6")
    add("--size", metavar="WxH", help="of --source: size of the pictures to ask the cameras for, as it will be used")
    add("--keep", type=Path, metavar="DIR", help="of --source: folder for the pictures, to calibrate from them again")
    add("--seconds", type=float, help="of --source: end after this time (default: when enough was seen, or Ctrl-C)")
    add(
        "--board", required=True, metavar="BOARD", help="board .yaml, or charuco:9x6,square=0.03,marker=0.0225 (metres)"
    )
    add("--out", required=True, type=Path, metavar="RIG.yaml", help="rig file to write; the report is put next to it")
    add(
        "--names",
        help="names of the cameras, with commas, in the order of folders or sources (default: their own)",
    )
    add("--lens", choices=LENSES, default=DEFAULT_LENS, help=f"family of the lenses (default {DEFAULT_LENS})")
    add("--image-circle", type=float, metavar="PX", help="radius of the lenses' image circle (default: found)")
    parser.epilog = "`egorear calibrate target` prints a board."


def run(args: argparse.Namespace) -> int:
    """Find the board in all pictures, calibrate, print and write the rig; nothing is written where there is none."""
    check_result_file(args.out, "--out")
    if args.out.suffix not in {".yaml", ".yml"}:
        raise EgorearError(f"--out: '{args.out}' must end in .yaml")
    board, console = parse_board(args.board), Console()
    pictures, source = _pictures(args, board, console)
    circles = dict.fromkeys(pictures.of, args.image_circle) if args.image_circle else None
    options = CalibrationOptions(args.lens, circles, args.out.stem, f"egorear calibrate {source}, {board.text()}")
    try:
        calibration = calibrate(board, pictures, options)
    except CalibrationError as error:
        raise CalibrationError(f"no rig, because {error}") from error
    _print(calibration, console)
    write_whole(args.out, rig_yaml(calibration.rig).encode())
    report = args.out.with_name(f"{args.out.stem}_report.json")
    write_json(report, report_content(calibration, board))
    written = [str(args.out), str(report), *_pictures_of(calibration, args.out, console)]
    console.print(f"written: {', '.join(written)}", soft_wrap=True, highlight=False, markup=False)
    return 0


def _pictures(args: argparse.Namespace, board: Board, console: Console) -> tuple[Pictures, str]:
    """What was found, and where it comes from, for the rig file."""
    names = tuple(name.strip() for name in args.names.split(",")) if args.names else ()
    if bool(args.source) == bool(args.inputs):
        raise EgorearError("give folders or a bag, or live cameras with --source")
    if args.source:
        sources = [uri.strip() for uri in args.source.split(",")]
        names = names or VIEWS[: len(sources)]
        if len(names) != len(sources):
            raise EgorearError(f"--names has {len(names)} names for {len(sources)} sources; give one for each")
        check_names(names)
        if args.keep and args.keep.exists() and (not args.keep.is_dir() or any(args.keep.iterdir())):
            raise EgorearError(f"--keep: '{args.keep}' is not an empty folder; name another one")
        live = dict(zip(names, sources, strict=True))
        return collect(board, live, _asked(args.size), args.keep, console, args.seconds), args.source
    if args.keep or args.size or args.seconds is not None:
        raise EgorearError("--size, --keep and --seconds belong to live cameras (--source)")
    with ProgressBar("looking for the board") as bar:

        def show(camera: str, done: int, total: int) -> None:
            bar.show(done, f"{camera}, of {total}")

        if len(args.inputs) == 1 and is_bag(args.inputs[0]):
            return pictures_of_bag(board, args.inputs[0], names, show), args.inputs[0].name
        folders = camera_folders(args.inputs, names)
        return pictures_of_folders(board, folders, show), ", ".join(folder.name for folder in folders.values())


def _asked(size: str | None) -> CaptureOptions:
    if size is None:
        return CaptureOptions()
    width, _, height = size.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise EgorearError(f"--size: '{size}' must be like 1280x960")
    return CaptureOptions(width=int(width), height=int(height))


def _print(calibration: Calibration, console: Console) -> None:
    console.print(quality_table(calibration))
    for camera in calibration.cameras:
        if missing := camera.coverage.missing():
            text = f"{camera.name} saw no corners at: {'; '.join(missing)}"
            console.print(text, soft_wrap=True, highlight=False)
        if left_out := calibration.dropped[camera.name]:
            text = f"{camera.name}: {len(left_out)} picture(s) left out, their board does not agree with the lens"
            console.print(text, soft_wrap=True, highlight=False)
    console.print(f"device frame: {calibration.device_from}", soft_wrap=True, highlight=False)
    console.print(rig_table(calibration.rig))
    for line in doubts(calibration.rig):
        console.print(f"[yellow]looks wrong:[/] {line}", soft_wrap=True, highlight=False)


def quality_table(calibration: Calibration) -> Table:
    """One row per camera: how much was seen, how well it fits, how well it is known."""
    table = Table(title="calibration", box=box.SIMPLE_HEAD, padding=0)
    table.add_column("camera", no_wrap=True)
    timed = bool(calibration.offsets_s)
    columns = ["pictures", "corners", "covered", "rms px", "lens ±px", "at ±mm", "turned ±°"]
    for column in [*columns, *(["offset ms"] if timed else [])]:
        table.add_column(column, justify="right", no_wrap=True)
    for camera in calibration.cameras:
        row = [
            camera.name, str(camera.views), str(camera.corners), f"{camera.coverage.share:.0%}", f"{camera.rms_px:.3f}",
            f"{camera.lens_px:.3f}", f"{1000 * camera.position_m:.2f}", f"{math.degrees(camera.angle_rad):.3f}",
        ]  # fmt: skip
        if timed and camera.offset_s is not None and camera.offset_sd_s is not None:
            row.append(f"{1000 * camera.offset_s:+.2f} ± {1000 * camera.offset_sd_s:.2f}")
        table.add_row(*row)
    used = sum(camera.corners for camera in calibration.cameras)
    table.caption = f"{calibration.solution.corners - used} corners thrown out; ± is one standard deviation"
    return table


def _pictures_of(calibration: Calibration, out: Path, console: Console) -> list[str]:
    """Draw the rig and the report next to the file, where matplotlib is there."""
    from egorear_ros.visualization.calibration_picture import write_calibration_picture
    from egorear_ros.visualization.rig_picture import write_rig_picture

    rig, report = out.with_suffix(".png"), out.with_name(f"{out.stem}_report.png")
    try:
        write_rig_picture(calibration.rig, rig)
        write_calibration_picture(calibration, report)
    except ImportError:
        console.print("no pictures: they need the package matplotlib: pip install 'egorear\\[view]'", soft_wrap=True)
        return []
    return [str(rig), str(report)]
