"""Build of the ROS package `egorear` (ament_python): installs the shared files and the node executables.

Metadata and dependencies are in pyproject.toml; this file holds what colcon needs and pyproject.toml cannot say.
"""

import os
import sys
from pathlib import Path

from setuptools import setup

NAME = "egorear"
MESSAGES = "egorear_msgs"
SHARED_FOLDERS = ("assets", "config", "launch", "rviz", f"{MESSAGES}/msg")


def require_messages() -> None:
    """Stop a `colcon build` that has left out egorear_msgs; colcon would call the workspace complete.

    It does so when called without our colcon_defaults.yaml: it looks for no package below this one.
    """
    building = os.environ.get("COLCON") and {"build", "install", "develop"} & set(sys.argv)
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    marker = Path("share", "ament_index", "resource_index", "rosidl_interfaces", MESSAGES)
    if building and not any((Path(prefix) / marker).is_file() for prefix in prefixes if prefix):
        sys.exit(
            f"{NAME} needs {MESSAGES}, which this build leaves out. From the workspace's root:\n"
            f"  COLCON_DEFAULTS_FILE={Path.cwd()}/colcon_defaults.yaml colcon build"
        )


def shared_files() -> list[tuple[str, list[str]]]:
    """Every file of the shared folders, to be installed under share/egorear as they lie here."""
    files: dict[str, list[str]] = {}
    for folder in SHARED_FOLDERS:
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                files.setdefault(f"share/{NAME}/{path.parent}", []).append(str(path))
    return list(files.items())


def commands() -> list[tuple[str, list[str]]]:
    """`bin/egorear` of a workspace, which makes colcon put `bin` on PATH; pip makes that command by itself."""
    return [("bin", [f"resource/bin/{NAME}"])] if os.environ.get("COLCON") else []


require_messages()
setup(
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        *shared_files(),
        *commands(),
    ],
)
