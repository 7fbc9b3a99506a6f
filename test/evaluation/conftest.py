"""A recording and its bag, shared by the tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from egorear_ros.bags.clip_to_bag import clip_to_bag

from .. import recording


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> recording.Recording:
    return recording.make(tmp_path_factory.mktemp("recording"))


@pytest.fixture(scope="session")
def bag_path(recorded: recording.Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bag") / "walk"
    clip_to_bag(str(recorded.clip), path, "egorear")
    return path
