"""Where the files that ship with egorear lie: configuration, rigs, assets, launch and RViz files.

A wheel holds them inside the package, in `egorear_ros/share`, where `importlib.resources` finds them however the wheel
was installed. In a checkout (and with `pip install -e` or `colcon build --symlink-install`) they are the top-level
folders. Only this module knows the difference.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.abc import Traversable
from importlib.resources import files
from pathlib import Path

from egorear_ros.errors import EgorearError

PACKAGE = "egorear"
MESSAGES = "egorear_msgs"
INSIDE = "share"
"""Folder inside the package that setup.py fills when it builds a wheel."""


def share_directories(package: str = PACKAGE) -> Iterator[Path]:
    """Yield the folders that may hold the shared files of one of our two packages, the most specific first."""
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "package.xml").is_file():
        yield checkout if package == PACKAGE else checkout / package
    if package == PACKAGE:
        yield from _inside()
    prefixes = [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix]
    yield from (share for prefix in prefixes if prefix and (share := Path(prefix) / "share" / package).is_dir())
    if package == MESSAGES:  # where the messages are not built, our copy of their texts still lets bags be read
        yield from (folder / MESSAGES for folder in _inside())


def find(relative_path: str, package: str = PACKAGE) -> Path:
    """Return the path of a shipped file or folder, such as ``"config/rigs/ego4view.yaml"``.

    Raises:
        EgorearError: no installation of the package on this machine holds it.
    """
    for directory in share_directories(package):
        candidate = directory / relative_path
        if candidate.exists():
            return candidate
    searched = ", ".join(str(directory) for directory in share_directories(package)) or "no folder"
    raise EgorearError(
        f"'{relative_path}' is not in this installation of {package} (searched: {searched}); install it again"
    )


def _inside() -> Iterator[Path]:
    """Yield the folder inside the package, if this installation has one."""
    folder = files("egorear_ros") / INSIDE
    if folder.is_dir():
        yield folder if isinstance(folder, Path) else _unpacked()


@functools.cache
def _unpacked() -> Path:
    """Copy the files out of a zipped wheel, once per process, to a temporary folder that is removed at exit.

    `importlib.resources.as_file` does this for folders only from Python 3.12 on.
    """
    target = Path(tempfile.mkdtemp(prefix="egorear-"))
    atexit.register(shutil.rmtree, target, ignore_errors=True)
    _copy(files("egorear_ros") / INSIDE, target)
    return target


def _copy(source: Traversable, target: Path) -> None:
    for item in source.iterdir():
        if item.is_dir():
            (target / item.name).mkdir()
            _copy(item, target / item.name)
        else:
            with item.open("rb") as content, (target / item.name).open("wb") as copy:
                shutil.copyfileobj(content, copy)
