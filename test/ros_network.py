"""Fixtures of the tests that talk to a real ROS 2."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

Make = Callable[..., Any]


@pytest.fixture(autouse=True)
def private_ros_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the test's nodes apart from everything else on this machine and network."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    monkeypatch.setenv("ROS_DOMAIN_ID", str(1 + 4 * (zlib.crc32(run.encode()) % 24) + worker % 4))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")


@pytest.fixture
def node(private_ros_network: None) -> Iterator[Any]:
    """A node with an initialised context, both gone after the test."""
    import rclpy

    rclpy.init()
    node = rclpy.create_node("test")
    yield node
    node.destroy_node()
    rclpy.shutdown()


@pytest.fixture
def make(private_ros_network: None) -> Iterator[Make]:
    """Makes nodes of a class with parameters; closes them all."""
    import rclpy
    from rclpy.parameter import Parameter

    rclpy.init()
    nodes: list[Any] = []

    def make_one(kind: Callable[..., Any], **parameters: Any) -> Any:
        overrides = [Parameter(name, value=value) for name, value in parameters.items()]
        nodes.append(kind(parameter_overrides=overrides))
        return nodes[-1]

    yield make_one
    for node in nodes:
        node.close()
        node.destroy_node()
    rclpy.try_shutdown()
