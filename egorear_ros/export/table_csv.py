"""Comma-separated values: the columns of `columns`, numbers with all their digits."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

from egorear_ros.export.columns import columns
from egorear_ros.export.job import Export


def write(path: Path, export: Export, progress: Callable[[int], None]) -> None:
    """Write the file: a header and one row per skeleton; valid is 0 or 1, unknown is empty."""
    table = columns(export)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*(_texts(column) for column in table.values()), strict=True))


def _texts(column: np.ndarray | list[str]) -> list[str]:
    if isinstance(column, list):
        return column
    if column.dtype == np.bool_:
        return [str(int(value)) for value in column]
    if column.dtype.kind == "i":
        return [str(value) for value in column.tolist()]
    return ["" if np.isnan(value) else repr(value) for value in column.tolist()]
