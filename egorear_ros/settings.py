"""Settings that check themselves: dataclasses validated by pydantic, whose findings become one EgorearError.

For example::

    @checked("training configuration")
    class TrainingConfig:
        steps: Annotated[Whole | None, Field(ge=1)] = None

    TrainingConfig(steps=0)     # training configuration: steps is 0, expected a whole number, at least 1, or none
    TrainingConfig(step=10)     # training configuration: unknown field 'step', did you mean 'steps'?

Types and ranges stand in the annotations; what depends on several fields is checked in `__post_init__` by `require`.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeVar, Union, cast, dataclass_transform, get_args, get_origin

import annotated_types as limits
from pydantic import BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, Strict, ValidationError
from pydantic.dataclasses import dataclass
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from egorear_ros.errors import EgorearError, unknown

T = TypeVar("T")

WORDS: Final[dict[Any, str]] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    tuple: "a list",
    dict: "names mapped to values",
}
"""What a field of this type expects; a nested dataclass expects what a dict does."""

LONGEST: Final = 120
"""Characters shown of a value."""
CONSEQUENCES: Final = ("default_factory_not_called",)
"""Findings that only follow from others."""


def _whole(value: object) -> object:
    """NumPy's numbers as Python's; no fraction and no bool, which pydantic would take for numbers."""
    if isinstance(value, bool) or (isinstance(value, Real) and not isinstance(value, Integral)):
        raise PydanticCustomError("whole", "not a whole number")
    return int(value) if isinstance(value, Integral) else value


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise PydanticCustomError("number", "not a number")
    try:
        return float(value) if isinstance(value, Real) else value
    except OverflowError:
        raise PydanticCustomError("number", "too large") from None


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


@dataclasses.dataclass(frozen=True)
class OneOf:
    """Constraint of a text: one of these names."""

    names: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic check it."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, value: str) -> str:
        if value not in self.names:
            raise PydanticCustomError("one_of", "not one of the names")
        return value


Whole = Annotated[int, BeforeValidator(_whole)]
"""A whole number; also as text, which YAML makes of `'100'`."""
Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
"""A finite number; also as text, which YAML 1.1 makes of `1e-3`."""
Switch = Annotated[bool, Strict()]
"""True or false, and not 0, 1 or "yes"."""
OneOrMore = BeforeValidator(_listed)
"""Of a tuple: a single value is a list of one."""


@dataclass_transform(frozen_default=True, field_specifiers=(Field, dataclasses.field))
def checked(what: str | None = None, error: type[EgorearError] = EgorearError) -> Callable[[type[T]], type[T]]:
    """Make a class a frozen dataclass whose values are validated on construction.

    Args:
        what: what an error begins with; None for the class's name, empty for nothing.
        error: raised for values that do not fit. It names every field with its value and what was expected, and for
            an unknown field the nearest name.
    """

    def decorate(cls: type[T]) -> type[T]:
        start = f"{cls.__name__ if what is None else what}: ".removeprefix(": ")
        made: Any = dataclass(frozen=True, config=ConfigDict(extra="forbid"))(cls)
        build = made.__init__

        @functools.wraps(build)
        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807, it becomes the class's
            try:
                build(self, *args, **kwargs)
            except ValidationError as found:
                raise error(start + "; ".join(_messages(made, found))) from None

        made.__init__ = __init__
        made.__checked__ = (start, error)
        return cast(type[T], made)

    return decorate


def require(condition: bool, config: Any, field: str, expected: str) -> None:
    """Check what depends on more than one field of checked settings; for their `__post_init__`.

    Raises:
        EgorearError: the condition does not hold; of the class that the settings raise.
    """
    if not condition:
        start, error = type(config).__checked__
        raise error(f"{start}{field} is {_shown(getattr(config, field))}, expected {expected}")


def from_yaml(cls: type[T], content: Mapping[Any, Any]) -> T:
    """Build checked settings from a mapping of a YAML file.

    An entry without a value counts as left out, except where None is a value of the field.

    Raises:
        EgorearError: what `cls` raises.
    """
    return cls(**_given(cls, content))


def checked_names(cls: type[Any], content: Mapping[Any, Any], where: str = "") -> None:
    """Check the names of fields in part of a file, whose values are not used now.

    Raises:
        EgorearError: of the class that the settings raise, for a name that is not a field's.
    """
    start, error = cls.__checked__
    for key in content:
        if str(key) not in cls.__pydantic_fields__:
            raise error(f"{start}{unknown('field', f'{where}{key}', cls.__pydantic_fields__)}")


def _given(cls: Any, content: Mapping[Any, Any]) -> dict[str, Any]:
    given = {}
    for key, value in content.items():
        hint = _hint(cls, str(key))
        if value is None and hint is not None and NoneType not in _alternatives(hint):
            continue
        nested = isinstance(value, Mapping) and dataclasses.is_dataclass(hint)
        given[str(key)] = _given(hint, value) if nested else value
    return given


def _messages(cls: Any, found: ValidationError) -> Iterator[str]:
    errors = found.errors(include_url=False)
    for error in errors:
        if error["type"] not in CONSEQUENCES or len(errors) == 1:
            yield _message(cls, error)


def _message(cls: Any, error: ErrorDetails) -> str:
    first, *rest = error["loc"]
    if isinstance(first, int):  # given by its place
        first = list(cls.__pydantic_fields__)[first]
    path: list[int | str] = [first, *rest]
    if error["type"] == "missing":
        return f"field '{_name(cls, path)}' is missing"
    if error["type"] == "unexpected_keyword_argument":
        owner = functools.reduce(lambda owner, part: _hint(owner, str(part)), path[:-1], cls)
        return unknown("field", _name(cls, path), list(owner.__pydantic_fields__), _name(cls, path[:-1]))
    if path[-1] == "[key]":
        return f"{_name(cls, path[:-2])} has the name {_shown(error['input'])}, expected text"
    return f"{_name(cls, path)} is {_shown(error['input'])}, expected {_expected(cls, path)}"


def _shown(value: object) -> str:
    """A value as Python writes it, cut where it is long."""
    try:
        text = repr(value)
    except ValueError:  # a whole number of thousands of digits
        return "a number of thousands of digits"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _name(cls: Any, path: list[int | str]) -> str:
    """`augmentation.occluders`, `drops[1]`; a field's title, where it has one, is what the user knows it by."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    info = cls.__pydantic_fields__.get(path[0]) if path else None
    return "".join([info.title, *parts[1:]] if info and info.title else parts).removeprefix(".")


def _hint(cls: Any, name: str) -> Any:
    """A field's annotation without its constraints; None if there is no such field."""
    info = cls.__pydantic_fields__.get(name)
    return None if info is None else info.annotation


def _expected(cls: Any, path: list[int | str]) -> str:
    """What the field at a path takes, in words."""
    name, *rest = path
    info = cls.__pydantic_fields__[name]
    if rest and dataclasses.is_dataclass(info.annotation):
        return _expected(info.annotation, rest)
    hint, metadata = info.annotation, [*info.metadata, info]
    for _ in rest:  # a value of a list or of a mapping
        hint, metadata = _plain([other for other in get_args(hint) if other is not Ellipsis][-1])
    words = _words(hint, metadata)
    for said in (m for m in metadata if isinstance(m, FieldInfo)):
        words = f"{said.description}: {words}" if said.description else words
        words = f"{words}, for example {said.examples[0]!r}" if said.examples else words
    return words


def _words(hint: Any, metadata: list[Any]) -> str:
    kinds = [kind for kind in _alternatives(hint) if kind is not NoneType]
    kind, inner = _plain(kinds[0])
    if get_origin(kind) is Literal:
        words = f"one of {', '.join(map(str, get_args(kind)))}"
    elif choice := next((m for m in [*inner, *metadata] if isinstance(m, OneOf)), None):
        words = f"one of {', '.join(choice.names)}"
    else:
        words = WORDS.get(get_origin(kind) or kind, WORDS[dict]) + _range([*inner, *metadata])
    return f"{words}, or none" if len(kinds) < len(_alternatives(hint)) else words


def _range(metadata: list[Any]) -> str:
    low = next((m.ge for m in metadata if isinstance(m, limits.Ge)), None)
    high = next((m.le for m in metadata if isinstance(m, limits.Le)), None)
    words = "" if low is None or high is None else f" from {low} to {high}"
    for m in metadata:
        match m:
            case limits.Ge() if high is None:
                words += f", at least {m.ge}"
            case limits.Le() if low is None:
                words += f", at most {m.le}"
            case limits.MinLen():
                words += " that is not empty"
            case limits.Gt():
                words += f" above {m.gt}"
            case limits.Lt():
                words += f", below {m.lt}"
            case limits.MultipleOf():
                words += f", a multiple of {m.multiple_of}"
    return words


def _plain(hint: Any) -> tuple[Any, list[Any]]:
    """An annotation without its constraints, and these."""
    if get_origin(hint) is not Annotated:
        return hint, []
    return hint.__origin__, [
        part for m in hint.__metadata__ for part in ([*m.metadata, m] if isinstance(m, FieldInfo) else [m])
    ]


def _alternatives(hint: Any) -> tuple[Any, ...]:
    """Of "int | None" both; of anything else itself."""
    return get_args(hint) if get_origin(hint) in (UnionType, Union) else (hint,)
