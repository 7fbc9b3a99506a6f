"""Recording the live graph, and replaying a recording into it: the same skeletons for the same frames."""

from __future__ import annotations

import json
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus

from egorear_msgs import msg
from egorear_ros import resources
from egorear_ros.bags.clip_to_bag import clip_to_bag
from egorear_ros.bags.message_reading import skeleton_from_message
from egorear_ros.bags.message_types import typestore
from egorear_ros.bags.reading import Bag, find_topics
from egorear_ros.capture.bag_source import round_ns
from egorear_ros.datatypes import Skeleton
from egorear_ros.evaluation.bag_evaluation import estimate_bag
from egorear_ros.inference import PoseEstimator
from egorear_ros.rig import VIEWS
from egorear_ros.sync import SyncConfig

from .. import recording
from . import live

NAMES = ("CameraFrame", "CameraStatus", "FrameSet", "PoseStatus", "Skeleton", "Skeleton2D", "SynchronizerStatus")


@pytest.mark.parametrize("name", NAMES)
def test_type_hashes_are_those_of_rosidl(name: str) -> None:
    described = json.loads(resources.find(f"msg/{name}.json", resources.MESSAGES).read_text())["type_hashes"]
    assert described[0]["type_name"] == f"egorear_msgs/msg/{name}"
    for item in described:  # the message and all types within it
        assert typestore().hash_rihs01(item["type_name"]) == item["hash_string"], item["type_name"]


class Recorder:
    """`egorear record` as a subprocess."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "egorear_ros", "record", *arguments]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def stop(self, number: int) -> tuple[int, str, str]:
        """Send a signal; returns exit status and both outputs."""
        self.process.send_signal(number)
        try:
            output, errors = self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return self.process.returncode, output, errors


def test_replay_and_recording_give_what_the_offline_evaluation_gives(node: Any, tmp_path: Path) -> None:
    recorded = recording.make(tmp_path)
    clip_to_bag(str(recorded.clip), tmp_path / "walk", "egorear")
    with Bag(tmp_path / "walk") as bag:
        expected = offline(bag, recorded.model)
        duration_ns, start_ns = round_ns(bag, find_topics(bag, VIEWS).images.values()), bag.start_ns
    by_offset = {skeleton.stamp_ns - start_ns: skeleton for skeleton in expected}
    spread = np.ptp([skeleton.positions_m for skeleton in expected], axis=0).max()
    assert spread > 1e-6, "the network must tell the frames apart, or this test cannot fail"

    listener = live.Listener(node, {"/egorear/skeleton": (msg.Skeleton, 10)})
    recorder = Recorder(str(tmp_path / "again"))
    with live.Graph(f"--source=bag:{tmp_path}/walk", "--model", recorded.model, "--device", "cpu") as graph:
        complete = listener.wait_for(lambda m: len({offset_of(s, duration_ns) for s in whole(m)}) == len(expected))
        time.sleep(1.0)
        status, output, errors = recorder.stop(signal.SIGTERM)
        graph_status, log = graph.stop()
    assert complete and graph_status == 0, log
    assert status == 0 and "Traceback" not in errors, errors
    for skeleton in whole(listener.messages):
        np.testing.assert_array_equal(skeleton.positions_m, by_offset[offset_of(skeleton, duration_ns)].positions_m)

    assert "image_raw" in output and not list(tmp_path.glob("*.partial"))
    with Bag(tmp_path / "again") as bag:
        kinds = {topic.rpartition("/")[2] for topic in bag.topics}
        always = {
            "image_raw",
            "camera_info",
            "ground_truth",
            "skeleton",
            "skeleton_2d",
            "status",
            "tf_static",
            "helmet",
        }
        # The body node publishes once it knows the wearer's bones, which a handful of random skeletons does not tell.
        of_the_body = {"tf", "joint_states", "robot_description", "skeleton_fitted"}
        assert always | {"markers"} <= kinds <= always | {"markers"} | of_the_body
        again = [skeleton for skeleton in offline(bag, recorded.model) if skeleton.views == VIEWS]
    assert len(again) >= len(expected) // 2
    for skeleton in again:
        np.testing.assert_array_equal(skeleton.positions_m, by_offset[offset_of(skeleton, duration_ns)].positions_m)


def offline(bag: Bag, model: str) -> list[Skeleton]:
    return estimate_bag(bag, PoseEstimator.from_pretrained(model, "cpu"), SyncConfig(VIEWS)).skeletons


def whole(messages: dict[str, list[Any]]) -> list[Skeleton]:
    """Skeletons of all views; the first set after joining may lack some."""
    skeletons = [skeleton_from_message(message) for message in messages["/egorear/skeleton"]]
    return [skeleton for skeleton in skeletons if skeleton.views == VIEWS]


def offset_of(skeleton: Skeleton, duration_ns: int) -> int:
    """Time since the start of the round."""
    return skeleton.stamp_ns % duration_ns


def test_a_closed_terminal_completes_the_recording(node: Any, tmp_path: Path) -> None:
    """SIGHUP comes, and nothing can be printed any more."""
    publisher = node.create_publisher(msg.SynchronizerStatus, "/egorear/synchronizer/status", 5)
    node.create_timer(0.1, lambda: publisher.publish(msg.SynchronizerStatus()))
    recorder = Recorder(str(tmp_path / "walk"))
    output = recorder.process.stdout
    assert output is not None
    lines = iter(output.readline, "")
    assert live.Listener(node, {}).wait_for(lambda m: re.search(r"status [1-9]", next(lines, "")) is not None)
    output.close()
    recorder.process.stdout = None
    status, _, errors = recorder.stop(signal.SIGHUP)
    assert status == 0 and "Traceback" not in errors, errors
    with Bag(tmp_path / "walk") as bag:
        assert bag.counts["/egorear/synchronizer/status"] > 0


def test_a_killed_recorder_leaves_what_it_had(node: Any, tmp_path: Path) -> None:
    """SIGKILL: no footer, no metadata.yaml, a `.partial` folder; at most the last second and a bit is missing."""
    publisher, sent = node.create_publisher(msg.SynchronizerStatus, "/egorear/synchronizer/status", 5), [0]

    def send() -> None:
        sent[0] += 1
        publisher.publish(msg.SynchronizerStatus(complete_sets=sent[0]))

    node.create_timer(0.05, send)
    recorder = Recorder(str(tmp_path / "walk"))
    assert recorder.process.stdout is not None
    lines = iter(recorder.process.stdout.readline, "")
    told = live.Listener(node, {}).wait_for(lambda m: re.search(r"status ([2-9]\d|\d{3})", next(lines, "")) is not None)
    recorder.process.kill()
    recorder.process.communicate(timeout=20)
    assert told and not (tmp_path / "walk").exists()
    with Bag(tmp_path / "walk.partial") as bag:
        assert "was cut off while it was recorded: read" in bag.remark
        numbers = [m.message.complete_sets for m in bag.messages(["/egorear/synchronizer/status"])]
    assert len(numbers) >= 20 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    repaired = subprocess.run(
        [sys.executable, "-m", "egorear_ros", "bag", "repair", str(tmp_path / "walk.partial"), str(tmp_path / "new")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert repaired.returncode == 0, repaired.stderr
    with Bag(tmp_path / "new") as bag:
        assert not bag.remark and bag.counts["/egorear/synchronizer/status"] == len(numbers)


def test_a_full_disk_is_said_in_diagnostics_and_loses_nothing_that_was_written(node: Any, tmp_path: Path) -> None:
    """The file may not grow any more, as on a full disk."""
    publisher = node.create_publisher(msg.PoseStatus, "/egorear/pose/status", 5)
    node.create_timer(0.02, lambda: publisher.publish(msg.PoseStatus(model="x" * 10_000)))
    listener = live.Listener(node, {"/diagnostics": (DiagnosticArray, 50)})
    recorder = Recorder(str(tmp_path / "walk"))
    assert recorder.process.stdout is not None
    lines = iter(recorder.process.stdout.readline, "")
    assert listener.wait_for(lambda m: re.search(r"status [1-9]\d", next(lines, "")) is not None)
    (file,) = tmp_path.rglob("*.mcap")
    resource.prlimit(recorder.process.pid, resource.RLIMIT_FSIZE, (file.stat().st_size,) * 2)

    def said(messages: dict[str, list[Any]]) -> list[str]:
        statuses = [status for message in messages["/diagnostics"] for status in message.status]
        return [status.message for status in statuses if status.level == DiagnosticStatus.ERROR]

    assert listener.wait_for(lambda m: bool(said(m)))
    _, errors = recorder.process.communicate(timeout=30)
    assert recorder.process.returncode == 1 and "Traceback" not in errors, errors
    assert f"'{tmp_path}/walk' cannot be written: File too large" in errors
    assert f"'{tmp_path}/walk' cannot be written" in said(listener.messages)[0]
    with Bag(tmp_path / "walk.partial") as bag:
        assert sum(1 for _ in bag.messages(["/egorear/pose/status"])) >= 10


def test_without_a_graph_nothing_is_recorded(private_ros_network: None, tmp_path: Path) -> None:
    recorder = Recorder(str(tmp_path / "none"))
    assert recorder.process.stdout is not None
    assert "image_raw 0" in recorder.process.stdout.readline()
    status, _, errors = recorder.stop(signal.SIGINT)
    assert status == 1 and "nothing was recorded" in errors and "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


def test_an_existing_bag_is_not_overwritten(private_ros_network: None, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    recorder = Recorder(str(tmp_path / "there"))
    _, errors = recorder.process.communicate(timeout=30)
    assert recorder.process.returncode == 1 and "exists already" in errors and "Traceback" not in errors
