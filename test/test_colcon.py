"""One clone into a workspace and one `colcon build` make both packages, with what `ros2 launch` needs in place."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COLCON = Path(sys.executable).with_name("colcon")
ROS_FOLDERS = ("config", "launch", "rviz")
"""What the tools of ROS look for under share/egorear; the package itself holds all."""
pytestmark = pytest.mark.skipif(
    not COLCON.exists() or "AMENT_PREFIX_PATH" not in os.environ, reason="needs colcon and a ROS 2 environment"
)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a copy of what git has, and would have, of this tree."""
    workspace = tmp_path_factory.mktemp("ws")
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
        if (ROOT / name).is_file():
            (target := workspace / "src" / "egorear" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    return workspace


def colcon(workspace: Path, *arguments: str, defaults: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ}
    if defaults:
        environment["COLCON_DEFAULTS_FILE"] = "src/egorear/colcon_defaults.yaml"
    if not os.environ.get("ROS_DISTRO"):  # ROS 2 from wheels: the interpreter's prefix is ROS's
        environment["VIRTUAL_ENV"] = sys.prefix
    command = [str(COLCON), *arguments]
    return subprocess.run(command, cwd=workspace, env=environment, capture_output=True, text=True, check=False)


def build_arguments(workspace: Path) -> list[str]:
    if os.environ.get("ROS_DISTRO"):
        return ["build"]
    wheelfix = workspace / "src" / "egorear" / "cmake" / "wheelfix.cmake"
    options = [f"-DCMAKE_PROJECT_INCLUDE={wheelfix}", "-DBUILD_TESTING=OFF", "-DPython3_FIND_VIRTUALENV=ONLY"]
    return ["build", "--cmake-args", *options]


def test_both_packages_are_found(workspace: Path) -> None:
    listed = colcon(workspace, "list", "--names-only").stdout.split()
    assert listed == ["egorear", "egorear_msgs"]


def test_one_build_makes_both_packages(workspace: Path) -> None:
    result = colcon(workspace, *build_arguments(workspace))
    assert result.returncode == 0, result.stdout + result.stderr
    share = workspace / "install" / "egorear" / "share"
    assert (share / "ament_index" / "resource_index" / "packages" / "egorear").is_file()
    source = workspace / "src" / "egorear"
    (package,) = (workspace / "install" / "egorear").glob("lib/python3*/site-packages/egorear_ros")
    for folder in ("config", "launch", "rviz", "assets", "egorear_msgs/msg"):
        for path in (source / folder).rglob("*"):
            inside = package / "share" / path.relative_to(source)
            assert inside.exists(), f"{inside} is missing"
            for_ros = share / "egorear" / path.relative_to(source)
            assert for_ros.exists() or path.is_dir() or folder not in ROS_FOLDERS, f"{for_ros} is missing"
    executable = workspace / "install" / "egorear" / "lib" / "egorear" / "egorear"
    assert os.access(executable, os.X_OK)
    sourced = ["sh", "-c", ". install/egorear/share/egorear/package.sh && command -v egorear"]
    environment = {**os.environ, "COLCON_CURRENT_PREFIX": str(workspace / "install" / "egorear")}
    found = subprocess.run(sourced, cwd=workspace, env=environment, capture_output=True, text=True, check=False).stdout
    assert found.strip() == str(workspace / "install" / "egorear" / "bin" / "egorear"), "on PATH once sourced"
    assert executable.read_text().splitlines()[0] == "#!/usr/bin/env python3", "the active environment's, with torch"


def test_a_build_that_leaves_out_the_messages_says_so(workspace: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "AMENT_PREFIX_PATH"}
    environment["COLCON"] = "1"
    command = [sys.executable, "setup.py", "build"]
    result = subprocess.run(
        command, cwd=workspace / "src" / "egorear", env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode != 0
    assert "needs egorear_msgs" in result.stderr and "COLCON_DEFAULTS_FILE=" in result.stderr
