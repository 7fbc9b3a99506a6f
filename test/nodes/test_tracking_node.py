"""The pose node tracks: it says what its skeletons rest on, and a new wearer starts anew."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from rclpy.parameter import Parameter

from egorear_ros.datatypes import CameraFrame, FrameSet
from egorear_ros.inference import PoseEstimate
from egorear_ros.nodes.pose_node import PoseNode
from egorear_ros.rig import DEVICE_FRAME, VIEWS

from .. import recording


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recording.write_tracked_model(tmp_path_factory.mktemp("models"))


@pytest.fixture
def nodes(private_ros_network: None) -> Iterator[list[Any]]:
    rclpy.init()
    made: list[Any] = []
    yield made
    for node in made:
        node.close()
        node.destroy_node()
    rclpy.shutdown()


def started(nodes: list[Any], **parameters: Any) -> tuple[Any, list[PoseEstimate]]:
    values = {
        "autostart": False,
        "temporal": True,
        "device": "cpu",
        "engine": "torch",
        "silence_warning": 3600.0,
        **parameters,
    }
    node = PoseNode(parameter_overrides=[Parameter(name, value=value) for name, value in values.items()])
    nodes.append(node)
    heard: list[PoseEstimate] = []
    node.listeners.append(lambda estimate, stamp_ns: heard.append(estimate))
    node.trigger_configure()
    node.trigger_activate()
    return node, heard


def submit(node: Any, heard: list[PoseEstimate], stamp_ns: int) -> PoseEstimate:
    image = np.full((64, 64, 3), 90, np.uint8)
    count = len(heard)
    node.submit(FrameSet(stamp_ns, tuple(CameraFrame(view, stamp_ns, image) for view in VIEWS), 0.0, DEVICE_FRAME))
    deadline = time.monotonic() + 30.0
    while len(heard) == count and time.monotonic() < deadline:
        time.sleep(0.01)
    return heard[-1]


def test_skeletons_are_tracked_and_diagnostics_say_what_they_rest_on(nodes: list[Any], model: Path) -> None:
    node, heard = started(nodes, model=str(model))
    assert node._figures()["temporal"] == "nothing yet"
    first, second = submit(node, heard, 10**9), submit(node, heard, 10**9 + 33_000_000)
    assert first.velocity_m_s is not None and second.velocity_m_s is not None
    assert node._figures()["temporal"] == "past frames, bone lengths"
    plain, single = started(nodes, model=str(model), temporal=False)
    assert plain._figures()["temporal"] == "off"
    alone = submit(plain, single, 10**9)
    assert alone.velocity_m_s is None
    np.testing.assert_allclose(first.joints_device_m, alone.joints_device_m + 0.5 * alone.joints_std_m, atol=1e-4)


def test_a_height_set_while_running_is_that_of_a_new_wearer(nodes: list[Any], model: Path) -> None:
    node, heard = started(nodes, model=str(model), stature_m=1.6)
    for stamp_ns in (10**9, 10**9 + 33_000_000):
        submit(node, heard, stamp_ns)
    assert node._figures()["temporal"] == "past frames, bone lengths, stature"
    (result,) = node.set_parameters([Parameter("stature_m", value=1.8)])
    assert result.successful and node._figures()["temporal"] == "stature"
    (result,) = node.set_parameters([Parameter("stature_m", value=0.3)])
    assert "stature_m is 0.3" in node._health.problems.current() and node._figures()["temporal"] == "stature"
    (result,) = node.set_parameters([Parameter("stature_m", value=180.0)])
    assert not result.successful and "2.5" in result.reason


def test_a_network_without_standard_deviations_works_frame_by_frame(nodes: list[Any], tmp_path: Path) -> None:
    node, heard = started(nodes, model=recording.write_tiny_model(tmp_path / "tiny.safetensors"))
    assert submit(node, heard, 10**9).velocity_m_s is None
    assert node._figures()["temporal"] == "off: the network gives no standard deviations"
    assert not node._health.problems.counts, "a healthy start complains of nothing"
