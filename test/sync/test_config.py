"""Validation of the settings: the message names the thing, the bad value and the remedy."""

from __future__ import annotations

from typing import Any

import pytest

from egorear_ros.errors import EgorearError
from egorear_ros.sync import SyncConfig


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cameras": ()}, "cameras is empty"),
        ({"cameras": ("a", "a")}, "camera 'a' is named twice"),
        ({"cameras": ("a", "")}, "camera name '' is not a non-empty string"),
        ({"tolerance": -0.001}, "tolerance is -0.001; give seconds, at least 0"),
        ({"tolerance": float("nan")}, "tolerance is nan"),
        ({"deadline": "soon"}, "deadline is 'soon'; give seconds"),
        ({"deadline": float("inf")}, "deadline is inf"),
        ({"clock_jump": 0.0}, "clock_jump is 0.0; give seconds, at least 0.001"),
        ({"offsets": {"c": 0.1}}, "offset for unknown camera 'c'; cameras are a, b"),
        ({"offsets": {"a": None}}, "offset of camera 'a' is None; give seconds"),
        ({"min_views": 0}, "min_views is 0; give a whole number from 1 to 2"),
        ({"min_views": 3}, "min_views is 3; give a whole number from 1 to 2"),
        ({"queue_length": 1}, "queue_length is 1; give a whole number from 2 to 10000"),
        ({"queue_length": 8.0}, "queue_length is 8.0"),
        ({"lost_after": True}, "lost_after is True"),
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


@pytest.mark.parametrize(("cameras", "min_views", "fewest"), [("a", None, 1), ("abcd", None, 2), ("abcd", 4, 4)])
def test_fewest_views(cameras: str, min_views: int | None, fewest: int) -> None:
    assert SyncConfig(tuple(cameras), min_views=min_views).fewest_views == fewest
