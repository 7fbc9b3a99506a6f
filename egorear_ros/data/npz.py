"""Reading npz files of which nobody knows whether they are whole."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from egorear_ros.data.frame_sets import DataError


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """Read every array of a file.

    Raises:
        DataError: it is no npz file, or damaged.
    """
    try:
        with np.load(path) as content:
            return {name: content[name] for name in content.files}
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"'{path}' cannot be read as npz: {error}") from error
