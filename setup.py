"""Build of the ROS package `egorear` (ament_python): installs the shared files and the node executables.

Metadata and dependencies are in pyproject.toml; this file holds what colcon needs and pyproject.toml cannot say.
"""

from pathlib import Path

from setuptools import setup

NAME = "egorear"
SHARED_FOLDERS = ("assets", "config", "launch", "rviz")


def shared_files() -> list[tuple[str, list[str]]]:
    """Every file of the shared folders, to be installed under share/egorear as they lie here."""
    files: dict[str, list[str]] = {}
    for folder in SHARED_FOLDERS:
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                files.setdefault(f"share/{NAME}/{path.parent}", []).append(str(path))
    return list(files.items())


setup(
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        *shared_files(),
    ],
)
