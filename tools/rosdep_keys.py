"""Check the dependencies of both package.xml against the index of rosdep and the released packages of ROS.

git clone --depth 1 https://github.com/ros/rosdistro && python tools/rosdep_keys.py rosdistro

Writes test/data/rosdep_keys.json: every key, and what it means on Ubuntu 24.04 or in which distributions it is a
package. A test compares package.xml with that list, without the network.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml

ROOT = Path(__file__).resolve().parent.parent
DISTRIBUTIONS = ("jazzy", "kilted")
UBUNTU = "noble"
LIST = ROOT / "test" / "data" / "rosdep_keys.json"


def main() -> int:
    """Write the list; 1 if a key is unknown."""
    index = Path(sys.argv[1])
    system: dict[str, Any] = {}
    for name in ("base", "python"):
        system |= read(index / "rosdep" / f"{name}.yaml")
    released = {name: packages(read(index / name / "distribution.yaml")) for name in DISTRIBUTIONS}
    keys = {key: meaning(key, system, released) for key in sorted(wanted_keys())}
    commit = subprocess.run(["git", "-C", str(index), "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    LIST.write_text(json.dumps({"rosdistro": commit.stdout.strip(), "keys": keys}, indent=1) + "\n")
    unknown = [key for key, found in keys.items() if not found]
    print(f"{len(keys)} keys, unknown: {', '.join(unknown) or 'none'}")
    return bool(unknown)


def read(path: Path) -> dict[str, Any]:
    """A YAML file of the index."""
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def wanted_keys() -> set[str]:
    """What both packages depend on, but for each other."""
    keys = set()
    for path in ("package.xml", "egorear_msgs/package.xml"):
        keys |= {item.text or "" for item in ElementTree.parse(ROOT / path).getroot() if item.tag.endswith("depend")}
    return keys - {"egorear_msgs"}


def packages(distribution: Mapping[str, Any]) -> set[str]:
    """Names of the packages that a distribution has released."""
    names = set()
    for repository, content in distribution["repositories"].items():
        release = content.get("release")
        names |= set(release.get("packages", [repository])) if release else set()
    return names


def meaning(key: str, system: Mapping[str, Any], released: Mapping[str, set[str]]) -> str:
    """What rosdep makes of a key; empty where it does not know it."""
    if all(key in names for names in released.values()):
        return f"ROS package in {' and '.join(released)}"
    ubuntu = system.get(key, {}).get("ubuntu")
    if isinstance(ubuntu, dict):
        ubuntu = ubuntu.get(UBUNTU, ubuntu.get("*"))
    return f"Ubuntu: {', '.join(ubuntu)}" if isinstance(ubuntu, list) else ""


if __name__ == "__main__":
    sys.exit(main())
