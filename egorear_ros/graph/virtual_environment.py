"""The active virtual environment: Ubuntu's `ros2` runs the system's Python, which has neither torch nor rosbags.

Imports no ROS.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def interpreter() -> str:
    """Python of the active virtual environment; this one's where none is active."""
    python = Path(os.environ.get("VIRTUAL_ENV", ""), "bin", "python")
    return str(python) if "VIRTUAL_ENV" in os.environ and python.exists() else sys.executable


def add_libraries() -> None:
    """Let this interpreter find the active environment's libraries too, after its own."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    folder = Path(os.environ.get("VIRTUAL_ENV", ""), "lib", version, "site-packages")
    if "VIRTUAL_ENV" in os.environ and folder.is_dir() and str(folder) not in sys.path:
        sys.path.append(str(folder))
