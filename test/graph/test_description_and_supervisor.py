"""The graph without ROS: its description, the supervisor of its processes, the signals that end them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from egorear_ros.errors import EgorearError
from egorear_ros.graph.description import GraphOptions, NodeSpec, build_graph
from egorear_ros.graph.signals import ending_signals
from egorear_ros.graph.supervisor import Supervisor, how_it_ended, node_commands
from egorear_ros.rig import VIEWS


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
        "import sys; from egorear_ros.graph.supervisor import Supervisor;"
        f"sys.exit(Supervisor({{'/egorear/child': [sys.executable, '-c', {child!r}]}}).run())"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        number = int(process.stdout.readline())
        process.send_signal(signal.SIGHUP)
        assert process.wait(20) == 0
    assert not Path(f"/proc/{number}").exists()


def test_what_ended_a_node_is_told() -> None:
    told: list[tuple[str, str]] = []
    ends = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]
    assert Supervisor({"/egorear/pose": ends}, lambda name, text: told.append((name, text))).run() == 1
    assert told[0] == ("/egorear/pose", "/egorear/pose was ended by SIGKILL; it is started again")
    assert how_it_ended(3) == "ended with status 3" and how_it_ended(-63) == "was ended by signal 63"


def test_nodes_do_not_outlive_a_supervisor_that_is_killed() -> None:
    child = (
        "import os, time; from egorear_ros.graph.process import end_with_supervisor; end_with_supervisor();"
        "print(os.getpid(), flush=True); time.sleep(60)"
    )
    code = (
        "from egorear_ros.graph.supervisor import Supervisor;"
        f"Supervisor({{'/egorear/child': [{sys.executable!r}, '-c', {child!r}]}}).run()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        number = int(process.stdout.readline())
        process.kill()
        process.wait()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{number}").exists() and "Z" not in state_of(number) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert time.monotonic() < deadline, "it lives on"


def state_of(pid: int) -> str:
    """The kernel's letter for what a process does; Z where it has ended and nobody has asked for its status."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


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
    assert kinds[4:] == ["synchronizer_node", "pose_node", "skeleton_view_node", "body_node", "evaluation_node"]
    assert not any(spec.kind == "body_node" for spec in build_graph(GraphOptions(body=False)))
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
