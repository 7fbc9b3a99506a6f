"""Labelled data: `egorear data check DIR` lists what is wrong with a data set before training does."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="list what is wrong; the exit status is 1 if anything is")
    check.add_argument("dir", type=Path, help="folder of Ego4View-Syn, Ego4View-RW, `egorear simulate` or shards")
    check.add_argument(
        "--split", choices=["train", "val", "test"], help="only this split (default: all that are there)"
    )
    check.add_argument("--views", nargs="+", metavar="VIEW", help="views that must be there (default: all four)")
    check.add_argument("--sample", type=int, metavar="N", help="look at N frame sets of each split, evenly taken")
    check.add_argument("--most", type=int, default=50, metavar="N", help="findings to print (default 50)")


def run(args: argparse.Namespace) -> int:
    """Check, print one line per finding, and return 1 if there are any."""
    from egorear_ros.data.checking import check_folder, summary
    from egorear_ros.errors import EgorearError
    from egorear_ros.rig import VIEWS

    for name, value, low in (("--sample", args.sample, 1), ("--most", args.most, 0)):
        if value is not None and value < low:
            raise EgorearError(f"{name} must be at least {low}, got {value}")
    report = check_folder(args.dir, args.split, tuple(args.views) if args.views else VIEWS, args.sample)
    for finding in report.findings[: args.most]:
        print(f"{finding.kind}: {finding.what}")
    if len(report.findings) > args.most:
        print(f"... and {len(report.findings) - args.most} more; --most N prints more of them")
    looked_at = ", ".join(f"{split} {frames}" for split, frames in report.frames.items()) or "none"
    print(f"frame sets looked at: {looked_at}; findings: {summary(report.findings) or 'none'}")
    return int(bool(report.findings))
