"""Draw a contact sheet of a simulated data set or rig clip, with the joints drawn in."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("dir", type=Path, help="rig clip, data set or sequence")
    parser.add_argument("--out", type=Path, help="picture to write (default: <dir>.jpg beside the folder)")
    parser.add_argument("--frames", type=int, default=12, help="number of frames, evenly spread (default 12)")
    parser.add_argument("--columns", type=int, default=2, help="frames per row (default 2)")
    parser.add_argument("--scale", type=int, default=1, help="enlargement (default 1)")
    parser.add_argument("--no-joints", action="store_true", help="only the images")


def run(args: argparse.Namespace) -> int:
    """Write the sheet."""
    from egorear_ros.cli._options import check_ranges
    from egorear_ros.simulator.contact_sheet import check_ending, save, sheet_of

    check_ranges(args, frames=(1, 10**4), columns=(1, 10**3), scale=(1, 16))
    out = args.out or args.dir.resolve().with_suffix(".jpg")
    check_ending(out)
    save(out, sheet_of(args.dir, args.frames, not args.no_joints, args.scale, args.columns))
    print(out)
    return 0
