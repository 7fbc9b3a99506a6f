"""YAML and JSON files of which nobody knows whether they are whole, or written in good will.

Reading gives plain values or one `PlainDataError`; memory and time are bounded by the file's size. Without that a file
of a kilobyte can stand for gigabytes, by aliases of aliases, or hold itself.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import yaml

from egorear_ros.errors import EgorearError

LARGEST_YAML: Final = 1 << 20
"""Characters. PyYAML takes a minute for so many, and no file of settings comes near it."""
MOST_ENTRIES: Final = 500_000
"""Entries of a YAML file with its aliases written out."""


class PlainDataError(EgorearError):
    """Why a file cannot be read; the caller says which file of what kind it is."""


class _Loader(yaml.SafeLoader):
    """YAML whose numbers may be written 1e-05, as ROS and many programs do."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+0123456789.")
)


def read_yaml(path: Path) -> Any:
    """Read a YAML file of one document.

    Raises:
        PlainDataError: there is no such file, it is no text, or `parse_yaml` refuses it.
    """
    return parse_yaml(read_text(path))


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        PlainDataError: there is no such file, it is no text, or `parse_json` refuses it.
    """
    return parse_json(read_text(path))


def read_text(path: Path) -> str:
    """Read a text file without its byte-order mark.

    Raises:
        PlainDataError: there is no such file, or it is no text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise PlainDataError("cannot be read: it is no text file (UTF-8)") from error
    except OSError as error:
        raise PlainDataError(f"cannot be read: {error.strerror}") from error
    except ValueError as error:  # a path that holds a zero byte
        raise PlainDataError(f"cannot be read: {error}") from error


def parse_yaml(text: str, only_first: bool = False) -> Any:
    """Parse YAML without running anything of it.

    Args:
        text: one document, or the first of several.
        only_first: whether others may follow.

    Raises:
        PlainDataError: it is no YAML, or stands for more than its size allows.
    """
    if only_first:
        text = re.split(r"(?m)^---\s*$", text.removeprefix("---"), maxsplit=1)[0]
    if len(text) > LARGEST_YAML:
        raise PlainDataError(f"cannot be read: YAML of {len(text)} characters, the limit is {LARGEST_YAML}")
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        if _entries(node, {}) > MOST_ENTRIES:
            raise PlainDataError(f"cannot be read: its aliases stand for more than {MOST_ENTRIES} entries")
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        raise PlainDataError(f"cannot be read: it is not valid YAML ({_where(error)}); is it complete?") from error
    except RecursionError as error:
        raise PlainDataError("cannot be read: it is nested too deeply") from error
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
        # what PyYAML raises for values that are not of the kind they look like or claim, such as the day 2001-99-99
        raise PlainDataError(f"cannot be read: it holds a value that is not valid YAML ({error})") from error
    finally:
        if loader is not None:
            loader.dispose()


def parse_json(text: str) -> Any:
    """Parse JSON.

    Raises:
        PlainDataError: it is no JSON.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}: {error.msg}"
        raise PlainDataError(f"cannot be read: it is not valid JSON ({where}); is it complete?") from error
    except RecursionError as error:
        raise PlainDataError("cannot be read: it is nested too deeply") from error
    except ValueError as error:  # a whole number of thousands of digits
        raise PlainDataError(f"cannot be read: it holds a value that is not valid JSON ({error})") from error


def _entries(node: yaml.Node, known: dict[int, int]) -> int:
    """Number of entries below a node with all aliases written out."""
    number = id(node)
    if number not in known:
        known[number] = MOST_ENTRIES + 1  # while it is being counted: a node within itself has no end
        below: list[yaml.Node] = []
        if isinstance(node, yaml.SequenceNode):
            below = node.value
        elif isinstance(node, yaml.MappingNode):
            below = [part for pair in node.value for part in pair]
        known[number] = 1 + sum(_entries(part, known) for part in below)
    return known[number]


def _where(error: yaml.YAMLError) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or str(error)
    return f"line {mark.line + 1}: {problem}" if mark else str(problem)
