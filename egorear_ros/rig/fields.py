"""Checked reading of mappings from files: every mistake is a ValueError that names the field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from egorear_ros.errors import unknown

LARGEST = 1e9
"""No length, angle, pixel or coefficient of a lens comes near it; powers of larger ones would not be finite."""
MOST = 40
"""Numbers of a list, such as the coefficients of a polynomial."""


def is_usable(value: Any) -> bool:
    """Whether a value is a finite number that a camera or pose may have."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return -LARGEST <= value <= LARGEST  # of whole numbers too, which may be too long for a float


def named(what: str, build: Callable[[Any], Any], content: Any) -> Any:
    """Call `build(content)`; a mistake in it is reported under the name of the thing."""
    try:
        return build(content)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{what}: {error}") from error


def checked_fields(
    content: Any, required: set[str], optional: frozenset[str] | set[str] = frozenset()
) -> dict[str, Any]:
    """Return a mapping that has the required fields and no unknown ones."""
    if not isinstance(content, Mapping):
        raise ValueError(f"expected a mapping with {', '.join(sorted(required))}, got {type(content).__name__}")
    missing, strange = sorted(required - set(content)), sorted(set(map(str, content)) - required - optional)
    if missing:
        raise ValueError(f"missing field '{missing[0]}'")
    if strange:
        raise ValueError(unknown("field", strange[0], sorted(required | optional)))
    return dict(content)


def number(fields: Mapping[str, Any], key: str) -> float:
    """Return one finite number."""
    if key not in fields:
        raise ValueError(f"missing field '{key}'")
    return numbers({key: [fields[key]]}, key, 1)[0]


def numbers(fields: Mapping[str, Any], key: str, count: int | None = None) -> tuple[float, ...]:
    """Return a list of finite numbers; `count` of them, or at least one."""
    if key not in fields:
        raise ValueError(f"missing field '{key}'")
    values = fields[key]
    numeric = isinstance(values, list | tuple) and all(map(is_usable, values))
    if not numeric or not values or len(values) > MOST or (count is not None and len(values) != count):
        raise ValueError(f"'{key}' must be {count or 'a list of'} finite numbers, got {values!r}")
    return tuple(float(value) for value in values)
