"""How `make` finds its environment: which ROS distribution, where it goes, what it installs."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


bootstrap = load("bootstrap")


@pytest.fixture
def nothing_sourced(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROS_DISTRO", "AMENT_PREFIX_PATH"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("asked", "folder", "lock"),
    [
        (None, ".venv", "requirements.lock"),
        ("jazzy", ".venv", "requirements.lock"),
        ("kilted", ".venv-kilted", "requirements-kilted.lock"),
    ],
)
def test_each_distribution_has_its_own_place(nothing_sourced: None, asked: str | None, folder: str, lock: str) -> None:
    environment = bootstrap.detect(None, asked)
    assert environment.venv == ROOT / folder and environment.lock == ROOT / lock
    assert environment.lock.is_file()


def test_another_distribution_than_the_sourced_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DISTRO", "jazzy")
    monkeypatch.setenv("AMENT_PREFIX_PATH", "/opt/ros/jazzy")
    with pytest.raises(bootstrap.StepFailedError, match="ROS=kilted was asked for, but this shell has ROS 2 jazzy"):
        bootstrap.detect(None, "kilted")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "config/fastdds_shared_memory.xml"),
        ({"FASTRTPS_DEFAULT_PROFILES_FILE": "/mine.xml"}, "/mine.xml"),
        ({"FASTDDS_DEFAULT_PROFILES_FILE": "/mine.xml"}, "/mine.xml"),
    ],
)
def test_the_wrapper_sets_the_profile_under_both_names(given: dict[str, str], expected: str, tmp_path: Path) -> None:
    script = tmp_path / "egorear-env"
    script.write_text(bootstrap.WRAPPER.format(venv=tmp_path, profile="config/fastdds_shared_memory.xml"))
    command = 'echo "$FASTDDS_DEFAULT_PROFILES_FILE $FASTRTPS_DEFAULT_PROFILES_FILE"'
    environment = {"PATH": "/usr/bin:/bin", **given}
    result = subprocess.run(
        ["sh", str(script), "sh", "-c", command], env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == [expected, expected]


def test_the_lock_files_differ_in_ros_only() -> None:
    """All but ROS has been tested in the same versions."""

    def pins(name: str) -> tuple[set[str], set[str]]:
        lines = {line for line in (ROOT / name).read_text().splitlines() if "==" in line}
        ros = {line for line in lines if line.startswith("ros-")}
        return lines - ros, ros

    jazzy, kilted = pins("requirements.lock"), pins("requirements-kilted.lock")
    assert jazzy[0] == kilted[0]
    assert not [line for line in jazzy[1] if "kilted" in line] and not [line for line in kilted[1] if "jazzy" in line]


def test_both_distributions_bring_the_same_packages() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    changed = {"python-cmake-module", "ament-cmake-ros-core"}
    for jazzy, kilted in (("ros", "ros-kilted"), ("ros-build", "ros-kilted-build")):
        names = [{re.sub("^ros-(jazzy|kilted)-", "", item) for item in extras[extra]} for extra in (jazzy, kilted)]
        assert names[0] ^ names[1] <= changed, jazzy
