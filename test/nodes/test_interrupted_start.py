"""Starts that come to nothing: Ctrl-C while a node's libraries are imported, and nodes that cannot be built."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
import weakref
from pathlib import Path

import pytest
from rclpy.node import Node

from egorear_ros.errors import EgorearError
from egorear_ros.graph.running import run_nodes


@pytest.mark.parametrize(
    ("library", "number"),
    [("_rclpy_pybind11", signal.SIGINT), ("libtorch_cpu", signal.SIGINT), ("libtorch_cpu", signal.SIGTERM)],
)
def test_a_signal_during_the_imports_ends_a_node_without_a_word(
    private_ros_network: None, library: str, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "egorear_ros.graph.process", "pose_node"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as node:
        try:
            maps, deadline = Path(f"/proc/{node.pid}/maps"), time.monotonic() + 60
            while library not in maps.read_text() and time.monotonic() < deadline:
                time.sleep(0.001)
            assert time.monotonic() < deadline, "the library was never loaded"
            node.send_signal(number)
            output, _ = node.communicate(timeout=30)
        finally:
            node.kill()
    assert node.returncode == 0 and output == "", output


class HalfBuilt(Node):
    """Fails when it already has something that talks to ROS."""

    made: weakref.ref[HalfBuilt] | None = None

    def __init__(self) -> None:
        super().__init__("half_built")
        HalfBuilt.made = weakref.ref(self)
        self.create_timer(1.0, self.work)
        self.itself = self  # a circle, as callbacks make them
        raise EgorearError("there is no such camera")

    def work(self) -> None:
        """Nothing."""


def test_a_node_that_cannot_be_built_is_destroyed_while_ros_runs(
    private_ros_network: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    destroyed: list[bool] = []

    def destroy(node: Node) -> None:
        destroyed.append(node.context.ok())
        super(HalfBuilt, node).destroy_node()

    monkeypatch.setattr(HalfBuilt, "destroy_node", destroy)
    gc.disable()  # the collector must not come first
    try:
        assert run_nodes(lambda: [HalfBuilt()]) == 1
    finally:
        gc.enable()
    assert destroyed == [True] and "cannot start: there is no such camera" in capsys.readouterr().err


def test_a_process_that_hangs_in_a_driver_ends_with_its_status() -> None:
    """`leave` does not wait for threads, and flushes what was printed."""
    code = (
        "import threading, time; from egorear_ros.graph.ending import leave;"
        "threading.Thread(target=time.sleep, args=(60,)).start(); print('printed'); leave(3)"
    )
    environment = {**os.environ, "PYTHONUNBUFFERED": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False, env=environment
    )
    assert (done.returncode, done.stdout) == (3, "printed\n")


BUSY = """
import sys, time
from pathlib import Path
import rclpy
from rclpy.node import Node
from egorear_ros.graph.running import run_nodes

def block():
    print("busy", flush=True)
    time.sleep(60)  # goes on after a signal

class Results(Node):
    def __init__(self):
        super().__init__("results")
        self.create_timer(0.01, block)
    def close(self):
        Path(sys.argv[1]).write_text("results")

run_nodes(BUILD, [])
"""


@pytest.mark.parametrize(
    ("build", "written"), [("lambda: block() or []", False), ("lambda: [Results()]", True)], ids=["building", "running"]
)
def test_ctrl_c_ends_a_process_whose_main_thread_is_busy(
    private_ros_network: None, tmp_path: Path, build: str, written: bool
) -> None:
    """Importing, or loading a network; what other nodes have is written."""
    command = [sys.executable, "-c", BUSY.replace("BUILD", build), str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "busy\n"
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 0 and "Traceback" not in errors, errors
    assert (tmp_path / "out").exists() == written
