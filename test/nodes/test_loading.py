"""A model that takes long to load: frame sets that come over DDS go on becoming skeletons meanwhile."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from egorear_msgs import msg, srv
from egorear_ros.datatypes import CameraFrame, FrameSet
from egorear_ros.errors import EgorearError
from egorear_ros.nodes import pose_node
from egorear_ros.nodes.bounded import within
from egorear_ros.nodes.conversions import frame_set_to_message
from egorear_ros.rig import DEVICE_FRAME, VIEWS

from .. import recording
from . import live
from .slow_model import SLOW_S
from .test_ros_manners import running

UNDER_WAY = 4
"""Skeletons that may still arrive of frame sets taken in before the load began; about 40 arrive on an idle machine."""


def test_the_old_model_serves_while_a_new_one_loads(node: Any, tmp_path: Path) -> None:
    model = recording.write_tiny_model(tmp_path / "tiny.safetensors")
    listener = live.Listener(node, {"skeleton": (msg.Skeleton, 10)})
    publisher = node.create_publisher(msg.FrameSet, "frame_set", 2)
    node.create_timer(0.05, lambda: publisher.publish(frame_set_to_message(frame_set())))
    client = node.create_client(srv.LoadModel, "pose/load_model")
    command = [sys.executable, "-m", "test.nodes.slow_model", "--ros-args", "-r", "__node:=pose"]
    command += ["-p", f"model:={model}", "-p", "device:=cpu"]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2]) as process:
        try:
            assert listener.wait_for(lambda m: len(m["skeleton"]) > 3)
            served, answer = load(listener, client, f"slow:{model}")
            assert answer.success and answer.active_model == f"slow:{model}"
            assert served > UNDER_WAY
            served, answer = load(listener, client, "slow:nosuch")
            assert not answer.success and "nosuch" in answer.message
            assert answer.active_model == f"slow:{model}" and served > UNDER_WAY
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0


def frame_set() -> FrameSet:
    stamp_ns, image = time.time_ns(), np.zeros((64, 64, 3), np.uint8)
    return FrameSet(stamp_ns, tuple(CameraFrame(view, stamp_ns, image) for view in VIEWS), 0.0, DEVICE_FRAME)


def load(listener: live.Listener, client: Any, model: str) -> tuple[int, Any]:
    """Skeletons that came while `model` was loading, and the service's answer."""
    assert client.wait_for_service(10)
    before, started = len(listener.messages["skeleton"]), time.monotonic()
    future = client.call_async(srv.LoadModel.Request(model=model))
    assert listener.wait_for(lambda m: future.done(), 30)
    assert time.monotonic() - started >= SLOW_S
    return len(listener.messages["skeleton"]) - before, future.result()


class Network:
    """In the place of an estimator: works until it may end."""

    engine = SimpleNamespace(name="test", proof="")

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()

    def warm_up(self) -> None:
        """Nothing to warm."""

    def estimate_frames(self, frames: Any) -> Any:
        self.begun.set()
        self.may_end.wait(60)
        raise EgorearError("no pose")


def answer_of(pose: Any, model: str) -> Any:
    return pose._load_model(srv.LoadModel.Request(model=model), srv.LoadModel.Response())


def test_a_network_that_is_never_idle_is_swapped_all_the_same(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A swap that waits for the end of an estimate may never come where the next one begins at once."""
    busy, fresh = Network(), Network()
    networks = iter([busy, fresh])
    monkeypatch.setattr(pose_node.PoseEstimator, "from_pretrained", lambda *_, **__: next(networks))
    with running("pose_node", autostart=False, check_rig=False, load_timeout=30.0) as pose:
        pose.trigger_configure()
        pose.trigger_activate()
        pose.submit(frame_set())
        assert busy.begun.wait(30)
        answer = within(30.0, lambda: answer_of(pose, "fresh"))
        assert answer.success and answer.active_model == "fresh"
        pose.submit(frame_set())
        busy.may_end.set()
        fresh.may_end.set()
        assert fresh.begun.wait(30), "and works"


def test_a_model_that_never_loads_is_answered_in_time(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hangs = threading.Event()

    def load(model: str, *_: Any, **__: Any) -> Any:
        if model == "hangs":
            hangs.wait(60)
        return Network()

    monkeypatch.setattr(pose_node.PoseEstimator, "from_pretrained", load)
    with running("pose_node", autostart=False, check_rig=False, load_timeout=1.0, model="first") as pose:
        pose.trigger_configure()
        answer = within(30.0, lambda: answer_of(pose, "hangs"))
        assert not answer.success and "'hangs' was not loaded within 1 s" in answer.message
        assert answer.active_model == "first"
        hangs.set()  # it comes after all
        assert answer_of(pose, "second").active_model == "second"
        assert pose._model_name == "second", "a load that came too late is dropped"


def test_what_a_bounded_work_raises_is_the_callers() -> None:
    with pytest.raises(EgorearError, match="no such thing"):
        within(30.0, lambda: (_ for _ in ()).throw(EgorearError("no such thing")))
    assert within(30.0, lambda: 3) == 3
