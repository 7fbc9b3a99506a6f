"""What YAML says, as what a field of a configuration wants: the obvious meaning, or one clear error."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from contextlib import suppress
from types import NoneType, UnionType
from typing import Any, Final

from egorear_ros.errors import EgorearError

WORDS: Final[dict[Any, str]] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    tuple: "a list",
    dict: "names mapped to values",
}


def fitted(content: Mapping[str, Any], cls: type[Any], where: str = "") -> dict[str, Any]:
    """Fit every value to its field of a dataclass.

    A number that YAML takes for text (1e-3, "100") is one; a single value is a list of one; an entry without a value is
    as if it were left out, except where None means something. Fields of other types are left as they are.

    Args:
        content: values by names of fields, all known.
        cls: the dataclass.
        where: what stands before the field's name in an error.

    Raises:
        EgorearError: a value of another type.
    """
    hints = typing.get_type_hints(cls)
    given = {key: value for key, value in content.items() if value is not None or NoneType in _kinds(hints[key])}
    return {key: _fitted(f"{where}{key}", value, hints[key]) for key, value in given.items()}


def _fitted(name: str, value: Any, hint: Any) -> Any:
    kind = next((kind for kind in WORDS if kind in _kinds(hint)), None)
    if kind is None or value is None:
        return value
    if kind is tuple:
        parts = value if isinstance(value, list | tuple) else [value]
        return tuple(_fitted(name, part, typing.get_args(hint)[0]) for part in parts)
    if kind in (int, float) and isinstance(value, str):
        with suppress(ValueError):
            return kind(value)
    if not _is(value, kind):
        raise EgorearError(f"training configuration: {name} is {value!r}, expected {WORDS[kind]}")
    return value


def _kinds(hint: Any) -> tuple[Any, ...]:
    """The plain types of a hint: of "int | None" both, of "tuple[int, ...]" tuple."""
    if isinstance(hint, UnionType):
        return typing.get_args(hint)
    return (typing.get_origin(hint) or hint,)


def _is(value: Any, kind: type[Any]) -> bool:
    if kind in (int, float) and isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if kind is float else kind)
