"""A model that takes long to load: frame sets that come over DDS go on becoming skeletons meanwhile."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from egorear_msgs import msg, srv
from egorear_ros.datatypes import CameraFrame, FrameSet
from egorear_ros.nodes.conversions import frame_set_to_message
from egorear_ros.rig import DEVICE_FRAME, VIEWS

from .. import recording
from . import live
from .slow_model import SLOW_S

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
