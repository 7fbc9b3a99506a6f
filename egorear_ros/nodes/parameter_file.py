"""What a ROS parameter file says, read and checked without ROS: offline commands obey the live graph's file.

Both forms of ROS are read: `/egorear/synchronizer: {ros__parameters: ...}` and the same names nested. The shipped
config/egorear.yaml, which holds every parameter with its default, says which nodes and parameters there are.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from egorear_ros.errors import EgorearError
from egorear_ros.plain_data import PlainDataError, read_yaml
from egorear_ros.resources import find

SHIPPED: Final = "config/egorear.yaml"
BELOW: Final = "ros__parameters"
FROM_ARGUMENTS: Final[Mapping[str, Any]] = {
    **{"rig": "", "source": "", "view": "", "views": [""]},
    **{"loop_frames": 0, "loop_seconds": 0.0, "loop_start": 0, "start_with": ""},
}
"""Parameters that follow from arguments and are not in the shipped file, with values of their types."""
OF_EVERY_NODE: Final = {"use_sim_time": False, "start_type_description_service": True}
QUALITY: Final = "qos_overrides"
KINDS: Final = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}

Section = tuple[str, Mapping[str, Any]]


def node_parameters(path: Path, node: str) -> dict[str, Any]:
    """Parameters of a node, full name with leading slash; `*` and `**` in the file as in ROS, later sections win.

    Raises:
        EgorearError: the file cannot be read, or holds what `check_parameter_file` refuses.
    """
    values: dict[str, Any] = {}
    for pattern, section in _checked(path):
        if re.fullmatch(_expression(pattern), node):
            values.update(section)
    return values


def check_parameter_file(path: Path, nodes: Iterable[str] = ()) -> None:
    """Look for mistakes in a parameter file.

    Args:
        path: the file.
        nodes: full names of the nodes there may be; a section for none of them is refused. Empty: any namespace.

    Raises:
        EgorearError: it cannot be read, names a node or parameter that there is not (says the nearest), or gives one a
            value of another type.
    """
    names = list(nodes)
    for pattern, _ in _checked(path):
        if names and not any(re.fullmatch(_expression(pattern), name) for name in names):
            near = difflib.get_close_matches(pattern, names, 1, 0.0)[0]
            raise EgorearError(f"parameter file '{path}': there is no node '{pattern}'; the nearest is '{near}'")


def check_names(node: str, given: Iterable[str], own: Iterable[str]) -> None:
    """Refuse parameters a node was given that neither it nor, as with a section for all nodes, another one has.

    Raises:
        EgorearError: there is one; says the nearest.
    """
    everywhere = {name for parameters in _known().values() for name in parameters}
    for name in given:
        if name not in own and name not in everywhere and name.split(".")[0] != QUALITY:
            raise EgorearError(f"{node}: there is no parameter '{name}'{_nearest(name, own)}")


def _checked(path: Path) -> list[Section]:
    try:
        content = read_yaml(path) or {}
    except PlainDataError as error:
        raise EgorearError(f"parameter file '{path}' {error}") from error
    sections = list(_sections(path, "", content))
    return [(pattern, _section(path, pattern, section)) for pattern, section in sections]


def _sections(path: Path, above: str, content: Any) -> Iterator[Section]:
    """Node patterns with their parameters, nested names joined."""
    if not isinstance(content, dict) or (not content and above):
        raise EgorearError(f"'{path}' is no ROS parameter file: each entry is a node with '{BELOW}' below it")
    for name, inner in content.items():
        if name == BELOW and above:
            yield above, inner
        else:
            yield from _sections(path, f"{above}/{str(name).strip('/')}", inner)


def _section(path: Path, pattern: str, section: Any) -> dict[str, Any]:
    """Parameters of a node pattern, checked; numbers that YAML takes for text (1e-3) are numbers, as for ROS."""
    where = f"parameter file '{path}', {pattern}"
    last = pattern.rpartition("/")[2]
    known = _known()
    if last in ("*", "**"):
        allowed: dict[str, Any] = {name: value for node in known.values() for name, value in node.items()}
    elif last in known:
        allowed = known[last]
    else:
        raise EgorearError(f"parameter file '{path}': there is no node '{last}'{_nearest(last, known)}")
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise EgorearError(f"{where}: expected parameters and their values, got {section!r}")
    values = {}
    for name, value in section.items():
        if str(name).split(".")[0] == QUALITY:
            values[name] = value
        elif name not in allowed:
            raise EgorearError(f"{where}: there is no parameter '{name}'{_nearest(str(name), allowed)}")
        else:
            values[name] = _value(f"{where}: '{name}'", value, allowed[name])
    return values


@lru_cache(maxsize=1)
def _known() -> dict[str, dict[str, Any]]:
    """Node name -> parameter -> default."""
    content = yaml.safe_load(find(SHIPPED).read_text(encoding="utf-8"))
    return {
        pattern.rpartition("/")[2]: {**OF_EVERY_NODE, **FROM_ARGUMENTS, **section[BELOW]}
        for pattern, section in content.items()
    }


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1, 0.0)
    return f"; the nearest is '{near[0]}'" if near else ""


def _value(where: str, value: Any, default: Any) -> Any:
    """A value of a parameter as its type takes it.

    Raises:
        EgorearError: it is of another type.
    """
    if isinstance(default, list):
        kind = type(default[0])
        if not isinstance(value, list) or any(_fitted(item, kind) is None for item in value):
            example = "[0.01]" if kind is float else "[front_left]"
            raise EgorearError(f"{where} must be a list, such as {example}, got {value!r}")
        return [_fitted(item, kind) for item in value]
    fitted = _fitted(value, type(default))
    if fitted is None:
        hint = f'; write "{value}"' if isinstance(default, str) and isinstance(value, int | float) else ""
        raise EgorearError(f"{where} must be {KINDS[type(default)]}, got {value!r}{hint}")
    return fitted


def _fitted(value: Any, kind: type) -> Any:
    """The value if it is of a kind, a whole number also where any will do; None if not."""
    if kind is float and isinstance(value, str):
        with suppress(ValueError):
            return float(value)  # 1e-3 is text for YAML 1.1, a number for ROS
        return None
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < 1 << 63 else None
    return value if isinstance(value, kind) and isinstance(value, bool) == (kind is bool) else None


def _expression(pattern: str) -> str:
    """A node pattern as a regular expression: `**` any number of name parts, `*` one."""
    expression = re.escape(pattern if pattern.startswith("/") else f"/{pattern}")
    return expression.replace(r"/\*\*", "(/[^/]+)*").replace(r"\*", "[^/]+")
