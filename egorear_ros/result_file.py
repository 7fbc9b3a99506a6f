"""Results as files: of commands, and of the live evaluation."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from egorear_ros.errors import EgorearError


def check_result_file(path: Path, option: str) -> None:
    """See that a result can be written before the work for it begins.

    Raises:
        EgorearError: the path is a folder, or there is no folder for it; names the option.
    """
    if path.is_dir():
        raise EgorearError(f"{option}: '{path}' is a folder; name a file")
    if not path.absolute().parent.is_dir():
        raise EgorearError(f"{option}: there is no folder '{path.parent}'")


def write_json(path: Path, result: Mapping[str, Any]) -> None:
    """Write the result, whole or not at all.

    Raises:
        EgorearError: it cannot be written.
    """
    write_whole(path, (json.dumps(result, indent=2) + "\n").encode())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all.

    Raises:
        EgorearError: it cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise EgorearError(f"'{path}' cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):  # where nothing could be written there is nothing to remove
            partial.unlink()


def write_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays as npz, whole or not at all.

    Raises:
        EgorearError: it cannot be written.
    """
    content = io.BytesIO()
    np.savez(content, **arrays)
    write_whole(path, content.getvalue())
