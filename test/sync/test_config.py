"""Validation of the settings: the message names the thing, the bad value and the remedy."""

from __future__ import annotations

from typing import Any

import pytest

from egorear_ros.errors import EgorearError
from egorear_ros.sync import SyncConfig


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cameras": ()}, r"cameras is \(\), expected a list that is not empty"),
        ({"cameras": ("a", "a")}, "each name once, 'a' comes twice"),
        ({"cameras": ("a", "")}, r"cameras\[1\] is '', expected text that is not empty"),
        ({"tolerance": -0.001}, "tolerance is -0.001, expected seconds: a number, at least 0, for example 0.005"),
        ({"tolerance": float("nan")}, "tolerance is nan"),
        ({"deadline": "soon"}, "deadline is 'soon', expected seconds"),
        ({"deadline": float("inf")}, "deadline is inf"),
        ({"clock_jump": 0.0}, "clock_jump is 0.0, expected seconds: a number, at least 0.001"),
        ({"offsets": {"c": 0.1}}, "offsets: unknown camera 'c'; known are a, b"),
        ({"offsets": {"a": None}}, "offsets.a is None, expected seconds"),
        ({"minimum_views": 0}, "minimum_views is 0, expected a whole number, at least 1"),
        ({"minimum_views": 3}, "minimum_views is 3, expected a whole number from 1 to 2, all cameras"),
        ({"queue_length": 1}, "queue_length is 1, expected a whole number from 2 to 10000"),
        ({"queue_length": 8.0}, "queue_length is 8.0"),
        ({"lost_after": True}, "lost_after is True"),
        ({"tolerence": 1.0}, "unknown field 'tolerence', did you mean 'tolerance'"),
    ],
)
def test_exception(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(EgorearError, match=f"^sync: .*{message}"):
        SyncConfig(**{"cameras": ("a", "b"), **settings})


def test_lists_are_accepted_and_copied() -> None:
    offsets = {"a": 0.1}
    config = SyncConfig(["a", "b"], offsets=offsets)  # type: ignore[arg-type]
    offsets["a"] = 0.2
    assert config.cameras == ("a", "b")
    assert config.offset_ns("a") == 100_000_000
    assert config.offset_ns("b") == 0


@pytest.mark.parametrize(
    ("cameras", "given", "expected"), [("a", {}, 1), ("abcd", {}, 2), ("abcd", {"minimum_views": 4}, 4)]
)
def test_minimum_views(cameras: str, given: dict[str, int], expected: int) -> None:
    assert SyncConfig(tuple(cameras), **given).minimum_views == expected
