"""The arrows of docs/architecture.md: who may import whom. Read off the source, nothing is imported."""

from __future__ import annotations

import ast
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "egorear_ros"

BASE = {
    "errors",
    "extensions",
    "plain_data",
    "resources",
    "settings",
    "result_file",
    "topics",
    "skeleton",
    "datatypes",
    "rig",
}
"""The bottom: everything may import these."""

ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "plain_data": {"errors"},
    "resources": {"errors"},
    "settings": {"errors"},
    "extensions": {"errors"},
    "result_file": {"errors"},
    "topics": {"errors"},
    "skeleton": set(),
    "datatypes": {"skeleton"},
    "rig": {"errors", "extensions", "plain_data", "resources", "skeleton"},
    "sync": BASE,
    "network": BASE,
    "data": BASE,
    "simulator": {*BASE, "data"},
    "bags": {*BASE, "data"},
    "capture": {*BASE, "data", "bags", "simulator"},
    "inference": {*BASE, "network", "data"},
    "tracking": {*BASE, "network", "data", "inference"},
    "evaluation": {*BASE, "network", "data", "bags", "inference", "tracking", "sync"},
    "training": {*BASE, "network", "data", "evaluation", "simulator", "inference", "tracking"},
    "benchmarking": {*BASE, "network", "data", "inference", "evaluation"},
    "calibration": {*BASE, "data", "bags", "capture"},
    "visualization": {*BASE, "body", "calibration", "data", "evaluation"},
    "body": BASE,
    "estimation": {*BASE, "sync", "data", "bags", "inference", "tracking", "body"},
    "export": {*BASE, "sync", "data", "bags", "body", "estimation", "visualization"},
    "nodes": {
        *BASE, "sync", "data", "bags", "body", "capture", "inference", "tracking", "evaluation", "visualization",
    },
    "graph": {*BASE, "capture", "inference", "nodes"},
    "cli": {
        *BASE, "sync", "network", "data", "bags", "simulator", "capture", "inference", "tracking", "evaluation",
        "training", "benchmarking", "visualization", "nodes", "graph", "body", "estimation", "export",
        "calibration",
    },
}  # fmt: skip

ROS = {
    "rclpy", "egorear_msgs", "sensor_msgs", "std_msgs", "std_srvs", "geometry_msgs", "visualization_msgs", "tf2_msgs",
    "tf2_ros",
    "diagnostic_msgs", "builtin_interfaces", "rcl_interfaces", "lifecycle_msgs", "ament_index_python", "launch",
    "launch_ros", "cv_bridge", "message_filters",
}  # fmt: skip


ARCHITECTURE = ROOT.parent / "docs" / "architecture.md"


def arrows() -> str:
    """The table above as docs/architecture.md shows it: who may import whom."""
    lines = [f"base: {', '.join(sorted(BASE))}"]
    for own, allowed in ALLOWED.items():
        others = sorted(allowed - BASE)
        inner = sorted(allowed & BASE) if own in BASE else ["base"]
        line = f"{own} -> {', '.join([*inner, *others]) or '(nothing)'}"
        lines += textwrap.wrap(line, 110, subsequent_indent=" " * (len(own) + 4))
    return "\n".join(lines)


def test_the_documentation_draws_the_arrows() -> None:
    assert f"```\n{arrows()}\n```" in ARCHITECTURE.read_text(encoding="utf-8"), (
        f"put this into docs/architecture.md:\n{arrows()}"
    )


def test_the_arrows_have_no_circle() -> None:
    done: set[str] = set()
    while len(done) < len(ALLOWED):
        ready = {own for own, allowed in ALLOWED.items() if own not in done and allowed - {own} <= done}
        assert ready, f"these import each other in a circle: {sorted(set(ALLOWED) - done)}"
        done |= ready


def modules() -> list[Path]:
    return sorted(
        path for path in ROOT.rglob("*.py") if path.parent != ROOT or path.stem not in {"__init__", "__main__"}
    )


def concept(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imported(path: Path) -> Iterator[str]:
    """Dotted names a module imports, wherever in it."""
    for item in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(item, ast.Import):
            yield from (alias.name for alias in item.names)
        elif isinstance(item, ast.ImportFrom):
            assert item.level == 0, f"{path}: relative import"
            yield from (f"{item.module}.{alias.name}" for alias in item.names)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_arrows(path: Path) -> None:
    own = concept(path)
    assert own in ALLOWED, (
        f"'{own}' is a new folder: say in this file what it may import, and in docs/architecture.md why"
    )
    for name in imported(path):
        top, *rest = name.split(".")
        if top == "egorear_ros" and rest and rest[0] != "__version__":
            assert rest[0] == own or rest[0] in ALLOWED[own], f"{own} must not import {name}"
        if own not in {"nodes", "graph", "cli"}:
            assert top not in ROS, f"{own} must not import {name}: only nodes/ and graph/ speak ROS"


def test_the_core_loads_without_ros_and_the_lower_half_without_torch() -> None:
    """What the source says holds at run time too: no hidden import pulls them in."""
    code = (
        "import sys, egorear_ros.rig, egorear_ros.datatypes, egorear_ros.cli.main;"
        "print('torch' in sys.modules, 'rclpy' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False", "False"]


def test_the_graph_is_read_without_ros() -> None:
    """Launch files and offline commands read the graph's description where there is no rclpy."""
    code = (
        "import sys; sys.modules['rclpy'] = sys.modules['launch'] = None;"
        "from egorear_ros.graph import arguments, description, rviz_view, signals, supervisor;"
        "from egorear_ros.graph import virtual_environment;"
        "print(len(description.build_graph(description.GraphOptions(source='0,1,2,3'))))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(result.stdout) > len("0123")
