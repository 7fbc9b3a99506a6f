"""Shipped files are found wherever egorear is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from egorear_ros import resources


def test_a_wheel_without_built_messages_still_has_their_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = tmp_path / "share" / "egorear" / "egorear_msgs"
    (texts / "msg").mkdir(parents=True)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    assert texts in list(resources.share_directories(resources.MESSAGES))
    built = tmp_path / "share" / "egorear_msgs"
    built.mkdir()
    found = list(resources.share_directories(resources.MESSAGES))
    assert found.index(built) < found.index(texts), "built messages come first"
