"""Results as JSON files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from egorear_ros.errors import EgorearError


def write_json(path: Path, result: dict[str, Any]) -> None:
    """Write the result, whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise EgorearError(f"'{path}' cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
