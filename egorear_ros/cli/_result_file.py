"""Results as files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from egorear_ros.errors import EgorearError


def write_json(path: Path, result: dict[str, Any]) -> None:
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
        partial.unlink(missing_ok=True)
