"""Build of the ROS package `egorear` (ament_python): puts the shared files and the node executables in place.

Metadata and dependencies are in pyproject.toml; this file holds what colcon needs and pyproject.toml cannot say.
"""

import os
import shutil
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

NAME = "egorear"
MESSAGES = "egorear_msgs"
INSIDE = Path("egorear_ros", "share")
"""Where a wheel holds the shared files; `egorear_ros.resources` looks there."""
PACKAGE_FOLDERS = ("assets", "config", "foxglove", "launch", "rviz", f"{MESSAGES}/msg")
ROS_FOLDERS = ("config", "foxglove", "launch", "rviz")
"""What the tools of ROS look for under share/egorear."""


class BuildWithSharedFiles(build_py):
    """Copies the shared files into the package that is built; a package in editable mode reads the checkout's."""

    def run(self) -> None:
        """Build, then copy."""
        super().run()
        if not self.editable_mode:
            for path in shared_files(PACKAGE_FOLDERS):
                target = Path(self.build_lib, INSIDE, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Name the copied files, too: an uninstallation removes them."""
        copied = [] if self.editable_mode else shared_files(PACKAGE_FOLDERS)
        return [*super().get_outputs(include_bytecode), *(str(Path(self.build_lib, INSIDE, path)) for path in copied)]


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


def shared_files(folders: tuple[str, ...]) -> list[Path]:
    """Every file of the folders."""
    paths = (path for folder in folders for path in sorted(Path(folder).rglob("*")))
    return [path for path in paths if path.is_file() and "__pycache__" not in path.parts]


def ros_files() -> list[tuple[str, list[str]]]:
    """What goes under share/egorear, folder by folder."""
    files: dict[str, list[str]] = {}
    for path in shared_files(ROS_FOLDERS):
        files.setdefault(f"share/{NAME}/{path.parent}", []).append(str(path))
    return list(files.items())


def commands() -> list[tuple[str, list[str]]]:
    """`bin/egorear` of a workspace, which makes colcon put `bin` on PATH; pip makes that command by itself."""
    return [("bin", [f"resource/bin/{NAME}"])] if os.environ.get("COLCON") else []


require_messages()
setup(
    cmdclass={"build_py": BuildWithSharedFiles},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        *ros_files(),
        *commands(),
    ],
)
