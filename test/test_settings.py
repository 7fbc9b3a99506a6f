"""Checked settings: every wrong value is one error that names field, value and what was expected; never another one."""

from __future__ import annotations

import dataclasses
import pickle
from dataclasses import field
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from egorear_ros.errors import EgorearError
from egorear_ros.settings import Number, OneOf, OneOrMore, Switch, Whole, checked, from_yaml, require


class OvenError(EgorearError):
    """Another error."""


@checked("lamp")
class Lamp:
    power: Annotated[Number, Field(gt=0, le=100, description="watts", examples=[40])] = 15.0


@checked("oven", OvenError)
class Oven:
    name: Annotated[str, Field(min_length=1)]
    shelves: Annotated[Whole, Field(ge=1, le=6)] = 3
    heat: Annotated[tuple[Annotated[str, OneOf(("top", "bottom", "fan"))], ...], OneOrMore] = ("fan",)
    door: Literal["left", "right"] = "left"
    minutes: Annotated[Whole | None, Field(ge=1)] = None
    offsets: dict[str, Number] = field(default_factory=dict)
    lit: Switch = True
    lamp: Lamp = Lamp()

    def __post_init__(self) -> None:
        require(self.lit or self.lamp == Lamp(), self, "lit", "true where a lamp is named")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "field 'name' is missing"),
        ({"name": ""}, "name is '', expected text that is not empty"),
        ({"name": 3}, "name is 3, expected text"),
        ({"shelves": 7}, "shelves is 7, expected a whole number from 1 to 6"),
        ({"shelves": 2.0}, "shelves is 2.0, expected a whole number from 1 to 6"),
        ({"shelves": True}, "shelves is True, expected a whole number from 1 to 6"),
        ({"shelves": 10**400}, "expected a whole number from 1 to 6"),
        ({"heat": ["top", "side"]}, r"heat\[1\] is 'side', expected one of top, bottom, fan"),
        ({"door": "up"}, "door is 'up', expected one of left, right"),
        ({"minutes": 0}, "minutes is 0, expected a whole number, at least 1, or none"),
        ({"offsets": {"a": "x"}}, "offsets.a is 'x', expected a number"),
        ({"offsets": {1: 2}}, "offsets has the name 1, expected text"),
        ({"offsets": {"a": 10**400}}, r"offsets.a is 1000+\.\.\., expected a number"),
        ({"shelves": 10**5000}, "shelves is a number of thousands of digits, expected a whole number from 1 to 6"),
        ({"lit": 1}, "lit is 1, expected true or false"),
        ({"lit": False, "lamp": {"power": 1}}, "lit is False, expected true where a lamp is named"),
        ({"lamp": 5}, "lamp is 5, expected names mapped to values"),
        ({"lamp": {"power": 0}}, "lamp.power is 0, expected watts: a number above 0, at most 100, for example 40"),
        ({"lamp": {"power": float("nan")}}, "lamp.power is nan, expected watts"),
        ({"lamp": {"powr": 1}}, r"unknown field 'lamp.powr', did you mean 'power'\?"),
        ({"lamp": {"colour": 1}}, "unknown field 'lamp.colour'; lamp has power"),
        ({"shelfs": 3}, r"unknown field 'shelfs', did you mean 'shelves'\?"),
        ({"xyz": 3}, "unknown field 'xyz'; known are name, shelves, heat"),
        ({"shelves": 0, "door": 1}, "shelves is 0, .*; door is 1, expected"),
    ],
)
def test_what_is_wrong_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(OvenError, match=f"^oven: .*{message}") as caught:
        from_yaml(Oven, {"name": "mine", **values} if values else values)
    assert caught.value.__cause__ is None and "\n" not in str(caught.value)


def test_yaml_and_numpy_values_mean_what_they_say() -> None:
    made = from_yaml(
        Oven, {"name": "a", "shelves": "4", "heat": "top", "minutes": None, "door": None, "lamp": {"power": "1e1"}}
    )
    assert made == Oven("a", 4, ("top",), lamp=Lamp(10.0))
    assert Oven("a", np.int64(2), offsets={"x": np.float32(0.5)}) == Oven("a", 2, offsets={"x": 0.5})
    assert type(Oven("a", np.int64(2)).shelves) is int
    with pytest.raises(OvenError, match=r"^oven: shelves is 9"):
        Oven("a", 9)


def test_they_are_frozen_dataclasses() -> None:
    made = Oven("a", minutes=2)
    assert pickle.loads(pickle.dumps(made)) == made == dataclasses.replace(made)
    assert Oven(**{**dataclasses.asdict(made), "lamp": {"power": 3}}).lamp == Lamp(3.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.shelves = 2  # type: ignore[misc]
    with pytest.raises(OvenError, match="shelves is 0"):
        dataclasses.replace(made, shelves=0)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_subnormal=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from([each.name for each in dataclasses.fields(Oven)]) | st.text(max_size=4) | st.integers()


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(NAMES, PLAIN, max_size=4))
def test_nothing_but_our_error_comes_out(content: dict[Any, Any]) -> None:
    try:
        made = from_yaml(Oven, {"name": "mine", **content})
    except OvenError as error:
        assert str(error).startswith("oven: ")
    else:
        assert 1 <= made.shelves <= 6 and set(made.heat) <= {"top", "bottom", "fan"}
