"""Motion capture: import BVH and ASF/AMC files into a library for `egorear simulate --motion`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from egorear_ros.cli._options import check_ranges
from egorear_ros.errors import EgorearError

if TYPE_CHECKING:
    from egorear_ros.simulator.motion.variants import Reading

RATES_HZ = (1.0, 2000.0)
SAID_OF = 3
"""A note about more files than this is said of the first ones only; the number of all is said at the end."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    imported = actions.add_parser("import", help="read every .bvh and .amc below a folder into one library file")
    imported.add_argument(
        "dir", type=Path, help="folder with motion files, or one file; an .amc needs its .asf beside it"
    )
    imported.add_argument("out", type=Path, help="library to write, e.g. motions.npz")
    imported.add_argument(
        "--fps", type=float, help="frame rate of files that do not say theirs, as AMC (default: 120, and said)"
    )
    imported.add_argument("--library-fps", type=float, default=30.0, help="frame rate of the library (default 30)")
    imported.add_argument(
        "--joint-map",
        type=Path,
        metavar="FILE",
        help="joints of a skeleton that is not known, in the form of config/motion/joint_map.yaml",
    )
    imported.add_argument(
        "--up", help="axis of the files that points up: x, y, z, -x, -y or -z (default: seen from them)"
    )
    imported.add_argument(
        "--unit", help="unit of the files: m, cm, mm, inch, or its length in metres (default: as stated)"
    )
    listed = actions.add_parser("list", help="show the clips of a library")
    listed.add_argument("library", type=Path)


def run(args: argparse.Namespace) -> int:
    """Import or list."""
    from egorear_ros.simulator.motion.importing import import_folder
    from egorear_ros.simulator.motion.library import load_library

    if args.action == "list":
        for clip in load_library(args.library).clips:
            print(f"{clip.name:12} {clip.split:6} {clip.duration_s:7.1f} s  {clip.action}")
        return 0
    check_ranges(args, fps=RATES_HZ, library_fps=RATES_HZ)
    clips, errors = import_folder(args.dir, args.out, args.library_fps, _reading(args), print_once())
    for error in errors:
        print(f"left out: {error}", file=sys.stderr)
    seconds = sum(clip.duration_s for clip in clips)
    print(f"{args.out}: {len(clips)} clips, {seconds / 60:.1f} minutes; {len(errors)} files left out")
    return 0


def _reading(args: argparse.Namespace) -> Reading:
    """What the user says about the files.

    Raises:
        EgorearError: an unknown axis or unit, or a joint map that is none.
    """
    from egorear_ros.simulator.motion.axes import AXES, UNITS_M
    from egorear_ros.simulator.motion.joint_map import load_joint_map
    from egorear_ros.simulator.motion.variants import Reading

    up = args.up.lower() if args.up else None
    if up is not None and up not in AXES:
        raise EgorearError(f"--up must be one of {', '.join(AXES)}, got '{args.up}'")
    unit_m = None
    if args.unit is not None:
        try:
            unit_m = UNITS_M.get(args.unit) or float(args.unit)
        except ValueError:
            unit_m = 0.0
        if not 1e-6 <= unit_m <= 1e3:
            raise EgorearError(f"--unit must be one of {', '.join(UNITS_M)} or a length in metres, got '{args.unit}'")
    return Reading(load_joint_map(args.joint_map), up, args.fps, unit_m)


def print_once() -> Callable[[str], None]:
    """A function that prints notes, each kind for the first few files."""
    seen: dict[str, int] = {}

    def note(text: str) -> None:
        kind = text.partition(": ")[2]
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] <= SAID_OF:
            more = " (said of no further files)" if seen[kind] == SAID_OF else ""
            print(f"note: {text}{more}", file=sys.stderr)

    return note
