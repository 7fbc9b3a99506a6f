"""Namespaces as users write them, and the names below."""

from __future__ import annotations

import pytest

from egorear_ros.errors import EgorearError
from egorear_ros.topics import clean_namespace, full_name, prefix_of


@pytest.mark.parametrize("text", ["robot", "/robot", "robot/", " /robot/ "])
def test_slashes_around_a_namespace_do_not_matter(text: str) -> None:
    assert clean_namespace(text) == "robot"


def test_the_root_and_levels_are_namespaces() -> None:
    assert clean_namespace("") == clean_namespace("/") == ""
    assert clean_namespace("/robot/head") == "robot/head"
    assert full_name("", "front_left", "image_raw") == "/front_left/image_raw"
    assert full_name("robot", "", "camera") == "/robot/camera" and full_name() == "/"
    assert (prefix_of(""), prefix_of("robot")) == ("/", "/robot/")


@pytest.mark.parametrize("text", ["a//b", "my robot", "2nd", "a/2", "a-b"])
def test_what_is_no_namespace_is_named(text: str) -> None:
    with pytest.raises(EgorearError, match=f"namespace '{text}' is not a ROS name"):
        clean_namespace(text)
