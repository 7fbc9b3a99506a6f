"""Repair a recording that was cut off: `egorear bag repair OLD NEW` writes a whole bag and leaves the old one alone."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    text = "write all that can be read of a bag that was cut off as a whole new one"
    action = actions.add_parser("repair", help=text, description=text)
    action.add_argument("old", type=Path, help="bag folder, .partial folder or .mcap file; it is only read")
    action.add_argument("new", type=Path, help="folder of the new bag")


def run(args: argparse.Namespace) -> int:
    """Repair, and say how much was saved."""
    from egorear_ros.bags.repair import repair

    result = repair(args.old, args.new)
    for topic, reason in result.left_out.items():
        print(f"topic '{topic}' left out: {reason}", file=sys.stderr)
    print(result.remark.partition(";")[0])
    print(f"{sum(result.counts.values())} messages on {len(result.counts)} topics in '{args.new}'")
    return 0
