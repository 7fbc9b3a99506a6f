"""The set-up takes the faster installer where there is one, and pip where that fails."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools import bootstrap


def fake(folder: Path, name: str, status: int) -> str:
    """A program that notes its arguments and exits with `status`."""
    path = folder / name
    path.write_text(f'#!/bin/sh\necho "{name} $*" >> "{folder}/calls"\nexit {status}\n')
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(("uv", "asked"), [(None, ["pip"]), (0, ["uv"]), (1, ["uv", "pip"])])
def test_uv_installs_where_it_can(
    uv: int | None, asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "python").symlink_to(fake(tmp_path, "pip", 0))
    if uv is not None:
        fake(tmp_path, "uv", uv)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    environment = bootstrap.Environment(tmp_path / "venv", sys.executable, None)
    bootstrap.install(environment, ["numpy==2"], "no network?")
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [call.split()[0] for call in calls] == asked
    assert all(call.endswith("numpy==2") for call in calls)


def test_what_nobody_can_install_is_the_remedy_with_the_last_tools_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        bootstrap, "installers", lambda environment: [["false"], ["sh", "-c", "echo no such thing; false"]]
    )
    with pytest.raises(bootstrap.StepFailedError, match="no network") as failure:
        bootstrap.install(bootstrap.Environment(tmp_path, sys.executable, None), [], "no network?")
    assert failure.value.log == "no such thing"
