"""The rows as lines of a table, and the part of docs/reliability.md that this command writes."""

from __future__ import annotations

import argparse
import math
import os
import platform
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.faults.matrix import Row

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- written by python -m benchmarks.faults -->", "<!-- end -->"
TEMPORARY = re.compile(rf"{re.escape(tempfile.gettempdir())}/tmp\w+")
"""Folders that are there for one run only."""

SHOWN = 160
"""Characters of a message that are shown."""


def line(row: Row) -> str:
    """For the terminal."""
    account = row.account
    fates = ", ".join(f"{name} {count}" for name, count in account.fates.items()) or "nothing lost"
    return (
        f"{row.name}: named after {row.named_s:.1f} s, recovered after {row.recovered_s:.1f} s, {account.sent} in, "
        f"{account.skeletons} skeletons, {fates}, unexplained {account.unexplained}, {row.warnings} warnings, "
        f"{row.died} died | {row.said}"
    )


def write_page(rows: Sequence[Row], args: argparse.Namespace) -> None:
    """Put the table into the page, between its marks."""
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    partial = PAGE.with_suffix(".partial")
    partial.write_text(f"{head}{BEGIN}\n{_table(rows, args)}\n{END}{tail}", encoding="utf-8")
    partial.replace(PAGE)


def _table(rows: Sequence[Row], args: argparse.Namespace) -> str:
    head = "fault | named after | images in | skeletons | lost, and where | unexplained | warnings | well again after"
    return "\n".join(
        [
            f"Four cameras of {args.size} px at {args.rate:g} Hz, {os.cpu_count()} cores ({platform.machine()}), "
            f"load average {os.getloadavg()[2]:.0f} over the last quarter of an hour: other work ran beside it.",
            "",
            f"| {head} |",
            "|" + "---|" * (head.count("|") + 1),
            *map(_row, rows),
            "",
            f"{sum(row.died for row in rows)} crashes, {sum(row.account.unexplained for row in rows)} frames "
            f"unexplained; the slowest fault was named after {max(_known(row.named_s) for row in rows):.1f} s.",
            "",
            "What `/diagnostics` said first:",
            "",
            *(f"- {row.name}: `{_short(row.said)}`" for row in rows if row.said),
        ]
    )


def _row(row: Row) -> str:
    fates = ", ".join(f"{name} {count}" for name, count in row.account.fates.items()) or "-"
    counts = (row.account.sent or "-", row.account.skeletons or "-")
    return (
        f"| {row.name} | {_seconds(row.named_s)} | {counts[0]} | {counts[1]} | {fates} | {row.account.unexplained} | "
        f"{row.warnings} | {_seconds(row.recovered_s)} |"
    )


def _seconds(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.1f} s"


def _known(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def _short(text: str) -> str:
    text = TEMPORARY.sub("DIR", text.replace("`", "'"))
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
