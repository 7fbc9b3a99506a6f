"""Reading npz files of which nobody knows whether they are whole, or written in good will."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.data.frame_sets import DataError

UNPACKED_BASE: Final = 128 << 20
UNPACKED_FACTOR: Final = 32
"""An entry may be unpacked to so many bytes, and so many times the file's size more: zeros shrink to a thousandth."""


def read_npz(path: Path, without: Collection[str] = ()) -> dict[str, NDArray[Any]]:
    """Read every array of a file but those named.

    Raises:
        DataError: it is no npz file, damaged, holds objects, or unpacks to more than its size allows.
    """
    try:
        limit = UNPACKED_BASE + UNPACKED_FACTOR * path.stat().st_size
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            entries = [entry for entry in archive.infolist() if entry.filename.removesuffix(".npy") not in without]
            if sum(entry.file_size for entry in entries) > limit:
                raise ValueError(f"it unpacks to more than {limit >> 20} MiB")
            return {entry.filename.removesuffix(".npy"): _array(archive, entry) for entry in entries}
    except (OSError, ValueError, TypeError, EOFError, MemoryError) as error:
        raise DataError(f"'{path}' cannot be read as npz: {error}") from error
    except (zipfile.BadZipFile, zlib.error, RuntimeError, SyntaxError, LookupError, OverflowError) as error:
        # RuntimeError: encrypted, or of another zip version; SyntaxError: the text of a header is no Python
        raise DataError(f"'{path}' cannot be read as npz: it is damaged ({error})") from error


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(entry) as file:
        _, _, shape, dtype = array_header(file)
    if int(np.prod(shape, dtype=object)) * dtype.itemsize > entry.file_size:
        raise ValueError(f"array '{entry.filename}' has shape {shape}, but {entry.file_size} bytes")
    with archive.open(entry) as file:
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))


def array_header(file: IO[bytes]) -> tuple[int, bool, tuple[int, ...], np.dtype[Any]]:
    """Version, whether columns come first, shape and type of the npy array that begins here; moves to its data.

    Raises:
        ValueError: it is none, or holds objects.
    """
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(file)
    if dtype.hasobject:
        raise ValueError("it holds objects, not numbers")
    if any(size < 0 for size in shape):
        raise ValueError(f"its shape is {shape}")
    return version[0], fortran, shape, dtype


Shapes = Mapping[str, tuple[str, tuple[int | str, ...]]]
"""Array -> kinds of its numbers, as numpy's letters ("iu" whole, "f" floating, "b" flags, "U" text), and its shape;
text in a shape stands for a size that is the same wherever it stands."""


def check_arrays(arrays: Mapping[str, NDArray[Any]], expected: Shapes, finite: bool = True) -> None:
    """See that arrays are of the kinds and shapes that are expected.

    Args:
        arrays: by name; those that are not expected are not looked at.
        expected: see `Shapes`.
        finite: whether all numbers must be.

    Raises:
        ValueError: one is not; names it.
    """
    sizes: dict[str, int] = {}
    for name, (kinds, shape) in expected.items():
        if name not in arrays:
            continue
        array = arrays[name]
        fits = array.ndim == len(shape) and array.dtype.kind in kinds
        for size, wanted in zip(array.shape, shape, strict=False):
            fits = fits and size == (sizes.setdefault(wanted, size) if isinstance(wanted, str) else wanted)
        if not fits:
            wanted_shape = tuple(sizes.get(size, size) if isinstance(size, str) else size for size in shape)
            raise ValueError(f"array '{name}' is {array.dtype} of shape {array.shape}, expected shape {wanted_shape}")
        if finite and array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"array '{name}' has numbers that are not finite")
