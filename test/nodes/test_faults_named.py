"""Faults that nothing but the diagnostics can show: each is named there, and counted."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sensor_msgs.msg import Image

from egorear_msgs import srv
from egorear_ros.capture import CapturedFrame, FrameSource
from egorear_ros.datatypes import CameraFrame
from egorear_ros.nodes import camera_node
from egorear_ros.nodes.camera_node import CameraNode
from egorear_ros.nodes.health import Health
from egorear_ros.nodes.overload import Overload
from egorear_ros.nodes.pose_node import PoseNode
from egorear_ros.nodes.synchronizer_node import SynchronizerNode
from egorear_ros.rig import VIEWS

from ..ros_network import Make


def status_of(node: Any) -> Any:
    """What the node publishes on /diagnostics now."""
    published: list[Any] = []
    publisher, node._health._publisher = (
        node._health._publisher,
        type("P", (), {"publish": staticmethod(published.append)}),
    )
    node._health.publish()
    node._health._publisher = publisher
    return published[-1].status[0]


def test_a_network_that_does_not_keep_up_is_named() -> None:
    overload, keeps_up = Overload(), Overload()
    said = [overload.tick(10 * second, 4 * second, 0.15) for second in range(6)]
    assert not any(said[:3]) and "12 of the last 30 frame sets were skipped" in said[3] and "150 ms" in said[3]
    assert not any(keeps_up.tick(10 * second, second, 0.09) for second in range(6))


def test_a_refused_model_is_in_the_diagnostics(make: Make, tmp_path: Path) -> None:
    pose = make(PoseNode, autostart=False)
    answer = pose._load_model(srv.LoadModel.Request(model=f"{tmp_path}/bad.safetensors"), srv.LoadModel.Response())
    status = status_of(pose)
    assert not answer.success and status.level == status.WARN
    assert "bad.safetensors' was not taken in" in status.message


def test_images_that_cannot_be_read_are_counted(make: Make) -> None:
    synchronizer = make(SynchronizerNode)
    for _ in range(3):
        synchronizer._receive("rear_left", Image(height=64, width=64, step=192, encoding="rgb8", data=b"short"))
    unreadable = {part.task: part.figures["unreadable"] for part in synchronizer._parts()}
    assert unreadable["rear_left"] == 3 and unreadable["rear_right"] == 0


def test_a_clock_that_is_set_and_one_that_is_not_the_machines_are_named(make: Make) -> None:
    synchronizer = make(SynchronizerNode)
    image, now_ns = np.zeros((8, 8, 3), np.uint8), time.time_ns()
    for k in range(6):
        for view in VIEWS:
            stamp_ns = now_ns + k * 10**6 - (k >= 3) * 100 * 10**9
            synchronizer.take(CameraFrame(view, stamp_ns, image))
    for _ in range(2):
        synchronizer._judge_frames()
    status = status_of(synchronizer)
    assert status.level == status.WARN and re.search(
        r"all cameras: the stamps jumped (99|100)\.\d+ s back", status.message
    )


def test_what_a_camera_leaves_out_is_counted(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    class Camera(FrameSource):
        number = 0

        def read(self) -> CapturedFrame:
            self.number += 1
            time.sleep(0.01)
            shape = (32, 64, 3) if self.number % 2 else (64, 64, 3)
            return CapturedFrame(time.time_ns(), np.zeros(shape, np.uint8), replaced=self.number == 4)

    monkeypatch.setattr(camera_node, "open_source", lambda *args: Camera())
    camera = make(CameraNode, source="0")
    deadline = time.monotonic() + 20
    while camera._figures()["frames"] < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    figures = camera._figures()
    assert figures["frames"] >= 3 and figures["frames of a wrong size"] >= 3 and figures["replaced frames"] == 1


def test_all_problems_of_the_moment_are_shown_and_a_new_condition_at_once(node: Any) -> None:
    health = Health(node, dict, "testing")
    published: list[Any] = []
    health._publisher = type("P", (), {"publish": staticmethod(published.append)})
    health.problems.report("a", "first")
    health.problems.report("b", "second")
    health.stand("c", "third", True)
    assert published[-1].status[0].message == "third; second; first"
    health.stand("c", "third", True)
    assert len(published) == 1, "it is not new any more"
