"""Results as JSON files: of commands, and of the live evaluation."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from egorear_ros.errors import EgorearError


def check_folder(path: Path, option: str) -> None:
    """See that a result can be written before the work for it begins.

    Raises:
        EgorearError: the file's folder is not there; names the option.
    """
    if not path.absolute().parent.is_dir():
        raise EgorearError(f"{option}: there is no folder '{path.parent}'")


def write_json(path: Path, result: Mapping[str, Any]) -> None:
    """Write the result, whole or not at all.

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
        partial.unlink(missing_ok=True)
