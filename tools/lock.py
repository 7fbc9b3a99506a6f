"""Write requirements.lock: the exact versions that pyproject.toml resolves to today. For maintainers, not for users.

python3.11 -m venv /some/venv && /some/venv/bin/python tools/lock.py [--apt-ros]

torch's own pins are left to torch: its CPU and its CUDA build need different packages.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# An apt ROS 2 Jazzy is compiled against Ubuntu 24.04's NumPy 1.26; OpenCV 5 needs NumPy 2.
APT_ROS = ["numpy==1.26.4", "opencv-python-headless<5"]
GPU_ONLY = ("nvidia-", "cuda-", "triton")


def main() -> None:
    """Resolve and write the lock file."""
    parser = argparse.ArgumentParser(description="Write the lock file.")
    parser.add_argument("--apt-ros", action="store_true", help="the lock file for a machine with an apt ROS 2")
    apt_ros = parser.parse_args().apt_ros
    pins = resolve(requirements(apt_ros))
    path = ROOT / ("requirements-ros-apt.lock" if apt_ros else "requirements.lock")
    path.write_text("# Written by tools/lock.py from pyproject.toml; do not edit.\n" + "\n".join(pins) + "\n")
    print(f"{path.name}: {len(pins)} packages")


def requirements(apt_ros: bool) -> list[str]:
    """Everything pyproject.toml names; with an apt ROS, without the ROS wheels."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    wanted = [item for name, items in extras.items() if not (apt_ros and name == "ros") for item in items]
    if apt_ros:
        wanted = [item for item in wanted if not item.startswith("ros-")] + APT_ROS
    return [*project["dependencies"], *wanted]


def resolve(wanted: list[str]) -> list[str]:
    """Let pip resolve, without installing, and return sorted `name==version` lines."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
    report = json.loads(subprocess.run([*command, *wanted], check=True, stdout=subprocess.PIPE, text=True).stdout)
    found = {item["metadata"]["name"].lower(): item["metadata"]["version"] for item in report["install"]}
    return sorted(
        f"{name}=={version.partition('+')[0]}" for name, version in found.items() if not name.startswith(GPU_ONLY)
    )


if __name__ == "__main__":
    main()
