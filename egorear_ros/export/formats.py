"""Which suffix is written by what, and whether this machine can."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple

from egorear_ros.errors import EgorearError
from egorear_ros.export.job import Export
from egorear_ros.export.whole import whole_file

Progress = Callable[[int], None]
Writer = Callable[[Path, Export, Progress], None]


class Format(NamedTuple):
    """A file format.

    Attributes:
        module: in this folder; its function `write(path, export, progress)` writes the file.
        needs: library that must be installed; empty for none.
        extra: of egorear that installs it.
        images: whether the recording's images are read again for it.
    """

    module: str
    needs: str = ""
    extra: str = ""
    images: bool = False


FORMATS: Final[dict[str, Format]] = {
    ".npz": Format("arrays"),
    ".csv": Format("table_csv"),
    ".parquet": Format("table_parquet", "pyarrow", "export"),
    ".bvh": Format("bvh"),
    ".glb": Format("gltf", "pygltflib", "export"),
    ".trc": Format("trc"),
    ".urdf": Format("urdf"),
    ".mcap": Format("bag", images=True),
    ".rrd": Format("rerun_file", "rerun", "view", images=True),
    ".mp4": Format("video", images=True),
}

SUFFIXES: Final[tuple[str, ...]] = tuple(FORMATS)


def check_output(path: Path) -> None:
    """See that a file can be written before the work for it begins.

    Raises:
        EgorearError: unknown suffix, missing library or folder.
    """
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise EgorearError(f"output '{path}': suffix '{path.suffix}' is not one of {', '.join(SUFFIXES)}")
    if form.needs and importlib.util.find_spec(form.needs) is None:
        raise EgorearError(f"writing {path.suffix} needs {form.needs}: pip install 'egorear[{form.extra}]'")
    if path.is_dir():
        raise EgorearError(f"output '{path}' is a folder; name a file")
    if not path.absolute().parent.is_dir():
        raise EgorearError(f"output '{path}': there is no folder '{path.parent}'")


def work(paths: Sequence[Path], export: Export) -> int:
    """How often `write` will call its progress for these files, about."""
    again = sum(FORMATS[path.suffix.lower()].images for path in paths)
    return again * export.recording.total


def write(path: Path, export: Export, progress: Progress = lambda frames: None) -> None:
    """Write a file in the format of its suffix. A file of that name is replaced once the new one is complete.

    Args:
        path: the file.
        export: what is written.
        progress: called with 1 for every frame of the recording that is read again.

    Raises:
        EgorearError: see `check_output`; or the file cannot be written.
    """
    check_output(path)
    writer: Writer = import_module(f"egorear_ros.export.{FORMATS[path.suffix.lower()].module}").write
    with whole_file(path) as partial:
        writer(partial, export, progress)
