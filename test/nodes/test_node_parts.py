"""The small parts of nodes by themselves: mailbox, problem log, rates, supervisor, the graph's list."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from egorear_ros import resources
from egorear_ros.errors import EgorearError
from egorear_ros.nodes.graph import NODE_CLASSES, GraphOptions, NodeSpec, build_graph
from egorear_ros.nodes.health import REPEAT_LOG_S, Problems
from egorear_ros.nodes.mailbox import Mailbox
from egorear_ros.nodes.main import node_class
from egorear_ros.nodes.rates import Percentiles, RateMeter
from egorear_ros.nodes.signals import ending_signals
from egorear_ros.nodes.supervisor import Supervisor, node_commands
from egorear_ros.rig import VIEWS
from tools import parameter_tables


def test_mailbox_keeps_the_newest_only() -> None:
    mailbox: Mailbox[int] = Mailbox()
    for item in (1, 2, 3):
        mailbox.put(item)
    assert (mailbox.take(0.1), mailbox.replaced) == (3, 2)
    assert mailbox.take(0.01) is None


def test_closing_a_mailbox_frees_the_waiting_thread() -> None:
    mailbox: Mailbox[int] = Mailbox()
    taken: list[int | None] = []
    thread = threading.Thread(target=lambda: taken.append(mailbox.take(60)))
    thread.start()
    mailbox.close()
    thread.join(5)
    assert taken == [None]


def test_a_persisting_problem_is_logged_once_in_a_while_and_always_counted() -> None:
    now, log = [0.0], []
    problems = Problems(log.append, lambda: now[0])
    for _ in range(100):
        problems.report("bad image", "camera 'x': bad")
    problems.report("other", "something else")
    assert log == ["camera 'x': bad", "something else"]
    now[0] += REPEAT_LOG_S
    problems.report("bad image", "camera 'x': bad")
    assert log[-1] == "camera 'x': bad (101 times so far)"
    assert problems.counts == {"bad image": 101, "other": 1}
    assert problems.current() == "camera 'x': bad"
    now[0] += REPEAT_LOG_S
    assert problems.current() is None, "all is well again"


def test_rates_and_percentiles() -> None:
    rate = RateMeter()
    for tick in range(31):
        rate.tick(tick / 30)
    assert rate.hz(1.0) == pytest.approx(30)
    assert rate.hz(60.0) == 0, "nothing lately"
    percentiles = Percentiles()
    assert percentiles(50) != percentiles(50), "NaN while there is nothing"
    for value in range(101):
        percentiles.add(value)
    assert percentiles(50, 99) == (50, 99)


def test_a_node_that_keeps_crashing_ends_the_graph(capfd: pytest.CaptureFixture[str]) -> None:
    status = Supervisor({"/egorear/broken": [sys.executable, "-c", "raise SystemExit(3)"]}).run()
    assert status == 1
    error = capfd.readouterr().err
    assert "/egorear/broken ended with status 3" in error and "crashed 3 times" in error


@pytest.mark.parametrize(("namespace", "below"), [("", "/"), ("robot", "/robot")])
def test_nodes_in_processes_live_in_the_graphs_namespace(namespace: str, below: str) -> None:
    ((name, command),) = node_commands([NodeSpec("pose_node", "pose")], namespace, []).items()
    assert name == f"{below.rstrip('/')}/pose" and f"__ns:={below}" in command


def test_a_closed_terminal_ends_the_nodes() -> None:
    """They live in sessions of their own, so nobody else would tell them."""
    child = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    code = (
        "import sys; from egorear_ros.nodes.supervisor import Supervisor;"
        f"sys.exit(Supervisor({{'/egorear/child': [sys.executable, '-c', {child!r}]}}).run())"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        number = int(process.stdout.readline())
        process.send_signal(signal.SIGHUP)
        assert process.wait(20) == 0
    assert not Path(f"/proc/{number}").exists()


def test_under_nohup_a_closed_terminal_ends_nothing() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert signal.SIGHUP not in ending_signals()
    finally:
        signal.signal(signal.SIGHUP, before)
    assert {signal.SIGHUP, signal.SIGINT, signal.SIGTERM} == set(ending_signals())


def test_the_graph_has_one_node_per_camera_and_the_rest() -> None:
    specs = build_graph(GraphOptions(source="0,1,2,3", model="m.safetensors", evaluate=True))
    cameras = {spec.namespace: spec.parameters["source"] for spec in specs if spec.kind == "camera_node"}
    assert cameras == dict(zip(VIEWS, "0123", strict=True))
    kinds = [spec.kind for spec in specs]
    assert kinds[4:] == ["synchronizer_node", "pose_node", "skeleton_view_node", "evaluation_node"]
    clip = build_graph(GraphOptions(source="clip:DIR", views=("front_left", "rear_right")))
    assert [spec.namespace for spec in clip if spec.kind == "camera_node"] == ["front_left", "rear_right"]
    assert "ground_truth_node" in {spec.kind for spec in clip}
    assert not any("rig" in spec.parameters for spec in (*specs, *clip) if spec.kind == "pose_node"), "the model's own"
    (pose,) = [spec for spec in build_graph(GraphOptions(rig="unrealego")) if spec.kind == "pose_node"]
    assert pose.parameters["rig"] == "unrealego", "a rig that is named reaches the network"
    assert build_graph(GraphOptions())[0].kind == "synchronizer_node", "no source: images come from elsewhere"
    with pytest.raises(EgorearError, match="names 2 camera"):
        build_graph(GraphOptions(source="a,b"))


def test_all_cameras_play_as_many_frames_of_their_videos(tmp_path: Path) -> None:
    for view, frames in zip(VIEWS, (3, 4, 2, 3), strict=True):
        (tmp_path / view).mkdir()
        for frame in range(frames):
            cv2.imwrite(str(tmp_path / view / f"{frame}.png"), np.zeros((8, 8, 3), np.uint8))
    specs = build_graph(GraphOptions(source=f"{tmp_path}/{{view}}/%d.png"))
    assert [spec.parameters["loop_frames"] for spec in specs if spec.kind == "camera_node"] == [2] * 4
    assert "loop_frames" not in build_graph(GraphOptions(source="0,1,2,3"))[0].parameters


def test_the_parameter_file_holds_every_parameter_with_its_default() -> None:
    """Beside those that follow from launch arguments, which it must not set."""
    content = yaml.safe_load(resources.find("config/egorear.yaml").read_text())
    from_arguments = {"rig", "source", "view", "views", "loop_frames", "start_with"}
    for spec in build_graph(GraphOptions(source="sim:0", evaluate=True)):
        module = sys.modules[node_class(spec.kind).__module__]
        declared = {p.name: p.default for p in module.PARAMETERS if p.name not in from_arguments}
        assert content[f"/**/{spec.name}"]["ros__parameters"] == declared, spec.kind


def test_every_node_is_an_executable() -> None:
    import tomllib

    scripts = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["scripts"]
    assert {name for name in scripts if name.endswith("_node")} == set(NODE_CLASSES)
    for kind in NODE_CLASSES:
        assert node_class(kind).__doc__


def test_the_parameter_page_says_what_the_nodes_declare() -> None:
    assert parameter_tables.PAGE.read_text(encoding="utf-8") == parameter_tables.page(), (
        "run `egorear-env python -m tools.parameter_tables`"
    )
