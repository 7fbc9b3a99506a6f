"""Where the files that ship with egorear lie: configuration, rigs, assets, launch and RViz files.

The same tree is used from a checkout, from a wheel and from a colcon workspace; only this module knows the difference.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from egorear_ros.errors import EgorearError

PACKAGE = "egorear"
MESSAGES = "egorear_msgs"


def share_directories(package: str = PACKAGE) -> Iterator[Path]:
    """Yield the folders that may hold the shared files of one of our two packages, the most specific first."""
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "package.xml").is_file():
        yield checkout if package == PACKAGE else checkout / package
    prefixes = [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix]
    # Where the messages are not built, our wheel's copy of their texts still lets bags be read.
    for inner in (Path(package), *([Path(PACKAGE, MESSAGES)] if package == MESSAGES else [])):
        yield from (share for prefix in prefixes if prefix and (share := Path(prefix) / "share" / inner).is_dir())


def find(relative_path: str, package: str = PACKAGE) -> Path:
    """Return the path of a shipped file or folder, such as ``"config/rigs/ego4view.yaml"``.

    Raises:
        EgorearError: no installation of the package on this machine holds it.
    """
    for directory in share_directories(package):
        candidate = directory / relative_path
        if candidate.exists():
            return candidate
    searched = ", ".join(str(directory) for directory in share_directories(package)) or "no folder at all"
    raise EgorearError(
        f"'{relative_path}' is not in this installation of {package} (searched {searched}); install it again"
    )
