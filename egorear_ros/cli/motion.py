"""Motion capture: import BVH and ASF/AMC files into a library for `egorear simulate --motion`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    imported = actions.add_parser("import", help="read every .bvh and .amc below a folder into one library file")
    imported.add_argument("dir", type=Path, help="folder with motion files; an .amc needs its .asf beside it")
    imported.add_argument("out", type=Path, help="library to write, e.g. motions.npz")
    imported.add_argument("--fps", type=float, default=30.0, help="frame rate of the library (default 30)")
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
    clips, errors = import_folder(args.dir, args.out, args.fps)
    for error in errors:
        print(f"left out: {error}", file=sys.stderr)
    seconds = sum(clip.duration_s for clip in clips)
    print(f"{args.out}: {len(clips)} clips, {seconds / 60:.1f} minutes; {len(errors)} files left out")
    return 0
