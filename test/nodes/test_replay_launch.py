"""replay.launch.py, where the real `launch` is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from egorear_ros import resources
from egorear_ros.capture.clip_to_bag import clip_to_bag

from .. import recording

pytest.importorskip("launch.actions")
pytest.importorskip("launch_ros.actions")


def test_it_plays_images_and_truth_and_nothing_else(tmp_path: Path) -> None:
    recorded = recording.make(tmp_path)
    clip_to_bag(str(recorded.clip), tmp_path / "walk", "helmet", jpeg_quality=90)
    graph, player = commands(tmp_path / "walk")
    assert {"--source=", "--evaluate", "--use-sim-time", "--transport=compressed", "--namespace=helmet"} <= set(graph)
    assert player[:4] == ["ros2", "bag", "play", str(tmp_path / "walk")]
    assert set(player[player.index("--topics") + 1 :]) == {
        "/helmet/ground_truth",
        *(f"/helmet/{view}/image_raw/compressed" for view in ("front_left", "front_right", "rear_left", "rear_right")),
    }


def commands(bag: Path) -> tuple[list[str], list[str]]:
    """Command lines of the graph and of the player."""
    from launch.actions import ExecuteProcess, TimerAction

    from launch import LaunchContext

    path = resources.find("launch/replay.launch.py")
    spec = importlib.util.spec_from_file_location("replay", path)
    assert spec is not None and spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    context = LaunchContext()
    defaults = {name: default for name, (default, _) in module.ARGUMENTS.items() if default is not None}
    context.launch_configurations.update({**defaults, "bag": str(bag)})
    actions = module.start(context)
    (timer,) = [action for action in actions if isinstance(action, TimerAction)]
    found = [action for action in [*actions, *timer.actions] if isinstance(action, ExecuteProcess)]
    first, second = ([part[0].perform(context) for part in action.cmd] for action in found)
    return first, second
