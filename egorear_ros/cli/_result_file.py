"""Results as JSON files."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from egorear_ros.errors import EgorearError


def check_json(path: Path | None) -> None:
    """Refuse, before the work, a file that could not be written after it.

    Raises:
        EgorearError: it is a folder, or there is no folder for it.
    """
    if path is None:
        return
    if path.is_dir():
        raise EgorearError(f"--json: '{path}' is a folder; name a file")
    if not path.absolute().parent.is_dir():
        raise EgorearError(f"--json: there is no folder '{path.parent}'")


def write_json(path: Path, result: dict[str, Any]) -> None:
    """Write the result, whole or not at all; see `check_json`.

    Raises:
        EgorearError: it cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise EgorearError(f"'{path}' cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):  # where nothing could be written there is nothing to remove
            partial.unlink()
