"""Apache Parquet: the columns of `columns` with their types, and what they were made from as metadata."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from egorear_ros.export.columns import columns
from egorear_ros.export.job import Export


def write(path: Path, export: Export, progress: Callable[[int], None]) -> None:
    """Write the file."""
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.table(columns(export))
    facts = {
        "recording": export.recording.name,
        "model": export.model,
        "frame": export.body.sequence.frame_id,
        "rig": export.rig.name,
    }
    parquet.write_table(table.replace_schema_metadata({**(table.schema.metadata or {}), **facts}), path)
