"""Starting and ending nodes: mistakes in one line, everything closed whatever happens."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from egorear_ros.errors import EgorearError
from egorear_ros.graph import main
from egorear_ros.graph.description import NodeSpec
from egorear_ros.graph.running import close_nodes, run_nodes, stopped_by_signals
from egorear_ros.nodes.evaluation_node import EvaluationNode
from egorear_ros.nodes.parameters import Parameter, Parameters

NUMBERS = (
    Parameter("rate", 0.0, "Hz.", 0.0, 240.0),
    Parameter("offsets", [0.0], "s."),
    Parameter("port", 9090, "Port.", 1024, 64000),
)


class Numbers(Node):
    """A node with some parameters."""

    def __init__(self, **values: Any) -> None:
        super().__init__("numbers", parameter_overrides=[RosParameter(k, value=v) for k, v in values.items()])
        self.settings = Parameters(self, NUMBERS)


def test_an_integer_is_a_float_where_one_is_expected(node: Any) -> None:
    numbers = Numbers(rate=30, offsets=[0, -1])
    assert numbers.settings.values() == {"rate": 30.0, "offsets": [0.0, -1.0], "port": 9090}
    assert [type(v) for v in (numbers.settings["rate"], *numbers.settings["offsets"])] == [float] * 3
    assert numbers.describe_parameter("rate").floating_point_range[0].to_value == 240.0
    numbers.destroy_node()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"rate": "fast"}, "'rate' to 'fast' of type 'STRING', expecting type 'DOUBLE'"),
        ({"rate": 300}, "'rate' must be between 0.0 and 240.0, got 300"),
        ({"rate": -1.0}, "-1.0"),
        ({"port": 1.5}, "'port' to '1.5' of type 'DOUBLE', expecting type"),
    ],
)
def test_a_bad_start_value_is_one_line(
    private_ros_network: None, values: dict[str, Any], reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_nodes(lambda: [Numbers(**values)], seconds=0.1) == 1
    said = [line for line in capfd.readouterr().err.splitlines() if line.startswith("cannot start: ")]
    assert len(said) == 1 and "/numbers: " in said[0] and reason in said[0]


def test_a_missing_parameter_file_is_one_line(
    private_ros_network: None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_nodes(lambda: [], ["--ros-args", "--params-file", f"{tmp_path}/none.yaml"], 0.1) == 1
    error = capfd.readouterr().err
    assert f"cannot start: failed to initialize rcl: Couldn't parse params file: '--params-file {tmp_path}/" in error
    assert "parser.c" not in error.partition("cannot start")[2]


class Stub:
    """Stands for a node; says when it is closed and destroyed."""

    def __init__(self, name: str, log: list[str], close: Callable[[], None] = lambda: None) -> None:
        self._name, self._log, self._close = name, log, close

    def get_fully_qualified_name(self) -> str:
        return self._name

    def close(self) -> None:
        self._log.append(f"close {self._name}")
        self._close()

    def destroy_node(self) -> None:
        self._log.append(f"destroy {self._name}")


def fail() -> None:
    raise EgorearError("'out.json' cannot be written")


def test_every_node_is_closed_whatever_another_raises(capsys: pytest.CaptureFixture[str]) -> None:
    log: list[str] = []
    nodes: list[Any] = [Stub("a", log, fail), Stub("b", log)]
    assert not close_nodes(nodes)
    assert log == ["close a", "destroy a", "close b", "destroy b"]
    assert capsys.readouterr().err == "a: 'out.json' cannot be written\n"


def test_what_was_composed_is_closed_when_a_later_node_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []

    def make(spec: NodeSpec, namespace: str) -> Any:
        return fail() if spec.name == "c" else Stub(spec.name, log)

    monkeypatch.setattr(main, "make_node", make)
    with pytest.raises(EgorearError, match="cannot be written"):
        main.compose([NodeSpec("camera_node", name) for name in "abc"])
    assert log == ["close a", "destroy a", "close b", "destroy b"]


def test_the_evaluations_folder_is_missed_at_the_start(node: Any) -> None:
    with pytest.raises(EgorearError, match="output: there is no folder 'nowhere'"):
        EvaluationNode(parameter_overrides=[RosParameter("output", value="nowhere/out.json")])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_graph_in_order(number: int) -> None:
    missed: list[int] = []
    before = signal.signal(number, lambda *args: missed.append(number))
    try:
        with stopped_by_signals() as stop:
            os.kill(os.getpid(), number)
            assert stop.done() and not missed
    finally:
        signal.signal(number, before)


def test_under_nohup_the_graph_outlives_its_terminal() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopped_by_signals() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop.done()
    finally:
        signal.signal(signal.SIGHUP, before)
