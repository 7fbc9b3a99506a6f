"""What a ROS parameter file says to one node, read without ROS: offline commands obey the live graph's file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from egorear_ros.errors import EgorearError


def node_parameters(path: Path, node: str) -> dict[str, Any]:
    """Parameters of a node, full name with leading slash; `*` and `**` in the file as in ROS, later sections win.

    Raises:
        EgorearError: the file cannot be read, or is no parameter file.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        sections = {str(pattern): dict(section["ros__parameters"]) for pattern, section in content.items()}
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise EgorearError(f"parameter file '{path}' cannot be read: {error}") from error
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise EgorearError(
            f"'{path}' is no ROS parameter file: each entry is a node with 'ros__parameters' below it"
        ) from error
    values: dict[str, Any] = {}
    for pattern, section in sections.items():
        if re.fullmatch(_expression(pattern), node):
            values.update(section)
    return values


def _expression(pattern: str) -> str:
    """A node pattern as a regular expression: `**` any number of name parts, `*` one."""
    expression = re.escape(pattern if pattern.startswith("/") else f"/{pattern}")
    return expression.replace(r"/\*\*", "(/[^/]+)*").replace(r"\*", "[^/]+")
