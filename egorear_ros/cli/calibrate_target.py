"""Print a calibration board: a PDF at true size, and the .yaml that describes it to `egorear calibrate`."""

from __future__ import annotations

import argparse
from pathlib import Path

from egorear_ros.calibration import board_yaml, parse_board
from egorear_ros.calibration.target_pdf import PAPERS_MM, board_pdf
from egorear_ros.errors import EgorearError
from egorear_ros.result_file import check_result_file, write_whole

BOARDS = {
    "charuco": {
        "A4": "charuco:8x5,square=0.032,marker=0.024", "letter": "charuco:7x5,square=0.032,marker=0.024",
        "A3": "charuco:9x6,square=0.042,marker=0.0315", "tabloid": "charuco:9x6,square=0.04,marker=0.03",
        "A2": "charuco:9x6,square=0.06,marker=0.045", "A1": "charuco:11x7,square=0.07,marker=0.0525",
        "A0": "charuco:11x7,square=0.1,marker=0.075",
    },
    "aprilgrid": {
        "A4": "aprilgrid:4x3,tag=0.04", "letter": "aprilgrid:4x3,tag=0.04", "A3": "aprilgrid:6x4,tag=0.047",
        "tabloid": "aprilgrid:6x4,tag=0.045", "A2": "aprilgrid:6x4,tag=0.07", "A1": "aprilgrid:6x4,tag=0.1",
        "A0": "aprilgrid:6x4,tag=0.14",
    },
}  # fmt: skip
"""Boards that fill a paper with squares large enough for the rim of a fisheye."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add("--out", required=True, type=Path, metavar="BOARD.pdf", help="file to write; BOARD.yaml is put next to it")
    add("--paper", choices=PAPERS_MM, default="A3", help="larger boards need fewer pictures (default A3)")
    add(
        "--board",
        default="charuco",
        metavar="BOARD",
        help="charuco (the default), aprilgrid, or a board of your own sizes",
    )


def run(args: argparse.Namespace) -> int:
    """Write the PDF and the description."""
    check_result_file(args.out, "--out")
    if args.out.suffix != ".pdf":
        raise EgorearError(f"--out: '{args.out}' must end in .pdf")
    board = parse_board(BOARDS[args.board][args.paper] if args.board in BOARDS else args.board)
    content = board_pdf(board, args.paper)
    write_whole(args.out, content)
    description = args.out.with_suffix(".yaml")
    write_whole(description, board_yaml(board).encode())
    width, height = board.size_m
    print(f"{board.text()}: {1000 * width:.0f} x {1000 * height:.0f} mm on {args.paper}")
    print(f"written: {args.out}, {description}; print at 100 %, then put the lengths you measure into the .yaml")
    return 0
