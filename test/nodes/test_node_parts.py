"""The small parts of nodes by themselves: mailbox, problem log, rates, parameters."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
import yaml

from egorear_ros import resources
from egorear_ros.graph.description import NODE_CLASSES, GraphOptions, build_graph
from egorear_ros.graph.main import node_class
from egorear_ros.nodes.health import REPEAT_LOG_S, Problems
from egorear_ros.nodes.mailbox import Mailbox
from egorear_ros.nodes.rates import Percentiles, RateMeter
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


def test_the_parameter_file_holds_every_parameter_with_its_default() -> None:
    """Beside those that follow from launch arguments, which it must not set."""
    content = yaml.safe_load(resources.find("config/egorear.yaml").read_text())
    from_arguments = {"rig", "source", "view", "views", "loop_frames", "loop_seconds", "loop_start", "start_with"}
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
