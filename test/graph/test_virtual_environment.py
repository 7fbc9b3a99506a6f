"""Which Python runs the nodes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from egorear_ros.graph.virtual_environment import add_libraries, interpreter


def test_the_active_environment_runs_the_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    assert interpreter() == sys.executable, "an environment that is gone"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    assert interpreter() == str(tmp_path / "bin" / "python")
    monkeypatch.delenv("VIRTUAL_ENV")
    assert interpreter() == sys.executable


def test_its_libraries_come_after_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    libraries = tmp_path / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    libraries.mkdir(parents=True)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    monkeypatch.setattr(sys, "path", list(sys.path))
    add_libraries()
    add_libraries()
    assert sys.path.count(str(libraries)) == 1 and sys.path[-1] == str(libraries)
