"""The person as a robot description (.urdf), sized to the wearer; the angles of its joints are in .npz and .csv."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from egorear_ros.body import robot_description
from egorear_ros.export.job import Export


def write(path: Path, export: Export, progress: Callable[[int], None]) -> None:
    """Write the file."""
    path.write_text(robot_description(export.body.offsets_m), encoding="utf-8")
