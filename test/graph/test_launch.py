"""The launch files against the real launch packages, where they are installed (PyPI has no wheels of them)."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest

launch = pytest.importorskip("launch")
pytest.importorskip("launch_ros")

from egorear_ros.bags.clip_to_bag import clip_to_bag  # noqa: E402
from egorear_ros.errors import EgorearError  # noqa: E402
from egorear_ros.graph.arguments import ARGUMENTS, cleaned  # noqa: E402
from egorear_ros.graph.description import GraphOptions, build_graph  # noqa: E402

from .. import recording  # noqa: E402

LAUNCH = Path(__file__).parents[2] / "launch"
FILES = ("bringup", "demo", "replay")


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, LAUNCH / f"{name}.launch.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def declared(name: str) -> dict[str, Any]:
    entities = load(name).generate_launch_description().entities
    return {e.name: e for e in entities if isinstance(e, launch.actions.DeclareLaunchArgument)}


def started(name: str, **given: str) -> list[Any]:
    """The actions a launch file takes for these arguments."""
    context = launch.LaunchContext()
    defaults = {
        argument: launch.utilities.perform_substitutions(context, e.default_value)
        for argument, e in declared(name).items()
        if e.default_value is not None
    }
    return list(load(name).start(cleaned({**defaults, **given})))


@pytest.fixture(autouse=True)
def rviz_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with rviz2, as far as a launch file sees; returns its prefix."""
    marker = tmp_path / "prefix/share/ament_index/resource_index/packages/rviz2"
    marker.parent.mkdir(parents=True)
    marker.touch()
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path / "prefix"), prepend=os.pathsep)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configuration"))
    return tmp_path / "prefix"


def command(process: Any) -> list[str]:
    return [part[0].perform(launch.LaunchContext()) for part in process.cmd]


@pytest.mark.parametrize("name", FILES)
def test_every_argument_has_a_description(name: str) -> None:
    arguments = declared(name)
    assert arguments and all(e.description for e in arguments.values())
    assert [n for n, e in arguments.items() if e.default_value is None] == (["bag"] if name == "replay" else [])


def test_bringup_takes_what_egorear_run_takes() -> None:
    assert set(declared("bringup")) == {*ARGUMENTS, "rviz", "record"}


def test_one_process_per_node_starts_the_nodes_of_the_graph() -> None:
    actions = started("bringup", composition="false", source="0,2,4,6", evaluate="true")
    specs = build_graph(GraphOptions(source="0,2,4,6", evaluate=True))
    nodes, handlers = actions[: len(specs)], actions[len(specs) :]
    assert len(handlers) == len(nodes), "a node that ends again and again ends the launch"
    assert [node.node_executable for node in nodes] == [spec.kind for spec in specs]
    assert all(node.node_package == "egorear" for node in nodes)


def test_a_node_that_cannot_start_ends_the_launch() -> None:
    actions = started("bringup", composition="false", source="0,2,4,6")
    node, handler = actions[0], actions[len(actions) // 2]
    assert isinstance(handler, launch.actions.RegisterEventHandler)
    event = launch.events.process.ProcessExited(
        returncode=1, action=node, name="camera-1", cmd=[], cwd=None, env=None, pid=1
    )
    answers = [handler.event_handler.handle(event, launch.LaunchContext()) for _ in range(3)]
    assert [bool(answer) for answer in answers] == [False, False, True]


def test_mistakes_end_the_launch() -> None:
    for source in ("clip:/nope", "/nope/{view}.mp4"):
        with pytest.raises(Exception, match="nope"):
            started("bringup", source=source)


def test_composition_starts_one_process_that_ends_the_launch() -> None:
    process, handler = started("bringup", source="sim:0", views="front_left,rear_left", use_sim_time="true")
    given = ("--source=sim:0", "--views=front_left,rear_left", "--use-sim-time=true", "--evaluate=false")
    assert set(given) <= set(command(process))
    assert isinstance(handler, launch.actions.RegisterEventHandler)


def test_rviz_and_recording_come_when_asked_for() -> None:
    plain = started("bringup")
    both = started("bringup", rviz="true", record="bag")
    assert len(both) == len(plain) + 2, "RViz and the recorder"


@pytest.mark.parametrize(("namespace", "expression"), [("", "/.*|/tf"), ("/robot/", "/robot/.*|/tf")])
def test_the_recorder_takes_the_graphs_namespace_and_is_heard(namespace: str, expression: str) -> None:
    recorder = started("bringup", record="bag", namespace=namespace)[-1]
    assert command(recorder)[command(recorder).index("--regex") + 1].startswith(expression)
    assert launch.utilities.perform_substitutions(launch.LaunchContext(), recorder.output) == "screen"


def test_rviz_looks_where_the_graph_publishes(tmp_path: Path) -> None:
    started("bringup", rviz="true", namespace="/helmet", transport="compressed", views="front_left,rear_left")
    (view,) = (tmp_path / "configuration").rglob("*.rviz")
    text = view.read_text()
    assert "/helmet/front_left/image_raw/compressed" in text and "front_right" not in text


def test_without_rviz_the_demo_says_what_to_do(rviz_installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (rviz_installed / "share/ament_index/resource_index/packages/rviz2").unlink()
    with pytest.raises(EgorearError, match="rviz:=false"):
        started("demo")
    started("demo", rviz="false")


@pytest.mark.parametrize(("word", "processes"), [("True", 1), ("1", 1), ("False", 7), ("0", 7)])
def test_a_switch_takes_the_words_of_launch(word: str, processes: int) -> None:
    description = load("bringup").generate_launch_description()
    context = launch.LaunchContext()
    context.launch_configurations.update(composition=word, source="a,b,c,d")
    actions = [made for entity in description.entities for made in entity.visit(context) or []]
    assert sum(isinstance(action, launch.actions.ExecuteProcess) for action in actions) == processes


def test_the_demo_shows_the_bundled_clip_with_view_and_errors() -> None:
    process = started("demo")[0]
    assert {"--view=true", "--evaluate=true"} <= set(command(process))
    assert any(part.startswith("--source=clip:") and part.endswith("demo_clip") for part in command(process))
    with pytest.raises(Exception, match="no ground truth"):
        started("demo", source="0,1,2,3")


def test_replay_plays_images_and_truth_and_nothing_else(tmp_path: Path) -> None:
    recorded = recording.make(tmp_path)
    clip_to_bag(str(recorded.clip), tmp_path / "walk", "helmet", jpeg_quality=90)
    graph, _, wait, ready, _ = started("replay", bag=str(tmp_path / "walk"))
    expected = ("--source=", "--evaluate=true", "--use-sim-time=true", "--transport=compressed", "--namespace=helmet")
    assert set(expected) <= set(command(graph))
    assert command(wait)[2:4] == ["egorear_ros.graph.readiness", "helmet"]
    event = launch.events.process.ProcessExited(returncode=0, action=wait, name="", cmd=[], cwd=None, env=None, pid=1)
    (player,) = ready.event_handler.handle(event, launch.LaunchContext())
    assert command(player)[:4] == ["ros2", "bag", "play", str(tmp_path / "walk")]
    views = ("front_left", "front_right", "rear_left", "rear_right")
    assert command(wait)[4:] == [f"/helmet/{view}/image_raw/compressed" for view in views]
    chosen = started("replay", bag=str(tmp_path / "walk"), views="front_left,rear_left")[2]
    assert command(chosen)[4:] == [f"/helmet/{view}/image_raw/compressed" for view in ("front_left", "rear_left")]
    topics = command(player)[command(player).index("--topics") + 1 :]
    assert set(topics) == {"/helmet/ground_truth", *(f"/helmet/{view}/image_raw/compressed" for view in views)}
