"""The launch files against the real launch packages, where they are installed (PyPI has no wheels of them)."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

launch = pytest.importorskip("launch")
launch_ros = pytest.importorskip("launch_ros")

from egorear_ros.nodes.graph import GraphOptions, build_graph  # noqa: E402

LAUNCH = Path(__file__).parents[1] / "launch"


@pytest.fixture
def bringup() -> Any:
    spec = importlib.util.spec_from_file_location("bringup", LAUNCH / "bringup.launch.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def started(bringup: Any, **arguments: str) -> list[Any]:
    context = launch.LaunchContext()
    for name, (default, _) in bringup.ARGUMENTS.items():
        context.launch_configurations[name] = arguments.get(name, default)
    return list(bringup.start(context))


def test_every_argument_is_declared_with_default_and_description(bringup: Any) -> None:
    declared = [e for e in bringup.generate_launch_description().entities if hasattr(e, "default_value")]
    assert [d.name for d in declared] == list(bringup.ARGUMENTS)
    assert all(d.description and d.default_value is not None for d in declared)


def test_one_process_per_node_starts_the_nodes_of_the_graph(bringup: Any) -> None:
    nodes = started(bringup, composition="false", source="a,b,c,d", evaluate="true")
    specs = build_graph(GraphOptions(source="a,b,c,d", evaluate=True))
    assert [node.node_executable for node in nodes] == [spec.kind for spec in specs]
    assert all(node.node_package == "egorear" for node in nodes)


def test_composition_starts_one_process_that_ends_the_launch(bringup: Any) -> None:
    process, handler = started(bringup, source="sim:0")
    assert isinstance(process, launch.actions.ExecuteProcess)
    assert isinstance(handler, launch.actions.RegisterEventHandler)


def test_rviz_and_recording_come_when_asked_for(bringup: Any) -> None:
    plain = started(bringup)
    both = started(bringup, rviz="true", record="bag")
    assert len(both) == len(plain) + 2
