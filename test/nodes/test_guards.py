"""What a node does with what should not happen: it says so, and the rest goes on. Single nodes, without a graph."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sensor_msgs.msg import Image

from egorear_ros.bags.clip_to_bag import clip_to_bag
from egorear_ros.bags.reading import Bag
from egorear_ros.bags.writing import BagWriter
from egorear_ros.capture import CapturedFrame, FrameSource, SourceError
from egorear_ros.data.jpeg import ImageError, encode_jpeg
from egorear_ros.datatypes import CameraFrame, FrameSet, Skeleton
from egorear_ros.inference import PoseEstimate, PoseEstimator
from egorear_ros.nodes import camera_node, images
from egorear_ros.nodes.camera_node import CameraNode
from egorear_ros.nodes.ground_truth_node import GroundTruthNode
from egorear_ros.nodes.pose_node import PoseNode
from egorear_ros.nodes.synchronizer_node import SynchronizerNode
from egorear_ros.rig import DEVICE_FRAME, VIEWS

from .. import recording
from ..ros_network import Make


def wait_for(condition: Callable[[], Any], timeout_s: float = 20.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(condition())


def problems(node: Any) -> dict[str, int]:
    return dict(node._health.problems.counts)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> recording.Recording:
    return recording.make(tmp_path_factory.mktemp("recording"))


def copy_bag(source: Path, out: Path, change: Callable[[Any], Any]) -> str:
    with Bag(source) as bag, BagWriter(out) as writer:
        kept = [message for message in map(change, bag.messages(bag.topics)) if message is not None]
        for topic in dict.fromkeys(message.topic for message in kept):
            writer.add_topic(topic, bag.topics[topic])
        for message in kept:
            writer.write(*message)
    return f"bag:{out}"


def test_a_recording_without_truth_is_information(make: Make, recorded: recording.Recording, tmp_path: Path) -> None:
    clip_to_bag(str(recorded.clip), tmp_path / "walk", "egorear")
    source = copy_bag(tmp_path / "walk", tmp_path / "real", lambda m: None if "ground_truth" in m.topic else m)
    node = make(GroundTruthNode, source=source)
    assert wait_for(lambda: not node._thread.is_alive())
    assert not problems(node) and node._figures()["has truth"] is False


def test_a_bad_truth_is_reported_and_the_others_are_published(
    make: Make, recorded: recording.Recording, tmp_path: Path
) -> None:
    def spoil(message: Any) -> Any:
        if "ground_truth" in message.topic and message.time_ns == recording.stamps_ns(3)[1]:
            message.message.joint_names = ["nose"] * 16
        return message

    clip_to_bag(str(recorded.clip), tmp_path / "walk", "egorear")
    node = make(GroundTruthNode, source=copy_bag(tmp_path / "walk", tmp_path / "bad", spoil))
    heard: list[Skeleton] = []
    node.listeners.append(heard.append)
    assert wait_for(lambda: problems(node).get("source"))
    count = len(heard)
    assert wait_for(lambda: len(heard) > count)


def test_a_source_that_is_not_there_yet_is_tried_again(
    make: Make, recorded: recording.Recording, tmp_path: Path
) -> None:
    node = make(GroundTruthNode, source=f"clip:{tmp_path}/later")
    assert wait_for(lambda: problems(node).get("source"))
    (tmp_path / "later").symlink_to(recorded.clip)
    assert wait_for(lambda: node._figures()["skeletons"])


@pytest.mark.parametrize("error", [TypeError("no such conversion"), RuntimeError("bad")])
def test_what_cv_bridge_cannot_read_is_an_image_error(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    class CvBridge:
        def imgmsg_to_cv2(self, message: Image, encoding: str) -> Any:
            raise error

    monkeypatch.setitem(sys.modules, "cv_bridge", SimpleNamespace(CvBridge=CvBridge))
    with pytest.raises(ImageError, match=f"'32FC7' cannot be read by cv_bridge .{type(error).__name__}: {error}.*rgb8"):
        images.rgb_from_message(Image(height=1, width=1, encoding="32FC7", data=bytes(28)))


class Moody(FrameSource):
    """A driver that raises what no source should, every second time."""

    opened = 0

    def __init__(self) -> None:
        Moody.opened += 1
        self._good = Moody.opened % 2 == 0

    def read(self) -> CapturedFrame:
        if not self._good:
            raise OSError("the driver is confused")
        time.sleep(0.01)
        return CapturedFrame(time.time_ns(), np.zeros((8, 8, 3), np.uint8))

    def close(self) -> None:
        raise ValueError("nothing open")


class Stuck(FrameSource):
    """A device that hangs."""

    released = threading.Event()

    def read(self) -> CapturedFrame:
        self.released.wait(60)
        raise SourceError("the device hung")


def test_a_camera_survives_whatever_its_driver_raises(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_node, "open_source", lambda *args: Moody())
    node = make(CameraNode, source="moody", reconnect_period=0.05)
    assert wait_for(lambda: node._figures()["frames"])
    assert problems(node)["source"] == 1


def test_partial_sets_leave_although_a_listener_raises(make: Make) -> None:
    node = make(SynchronizerNode, deadline=0.02, minimum_views=1)
    heard: list[FrameSet] = []

    def listen(frame_set: FrameSet) -> None:
        heard.append(frame_set)
        raise KeyError("listener")

    node.listeners.append(listen)
    for number in range(2):
        node.take(CameraFrame(VIEWS[0], time.time_ns(), np.zeros((8, 8, 3), np.uint8)))
        assert wait_for(lambda: len(heard) > number)  # noqa: B023 (called at once)
    assert wait_for(lambda: problems(node).get("deadlines") == 2)


def test_a_silent_camera_in_the_same_process_is_reported(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_node, "open_source", lambda *args: Stuck())
    synchronizer = make(SynchronizerNode, silence_warning=0.5)
    camera, pose = make(CameraNode, source="stuck"), make(PoseNode, autostart=False, silence_warning=0.5)
    synchronizer.listen_to(camera)
    pose.listen_to(synchronizer)
    time.sleep(1.1)  # the first message may take twice as long
    synchronizer.take(CameraFrame(VIEWS[1], time.time_ns(), np.zeros((8, 8, 3), np.uint8)))
    for node in (synchronizer, pose):
        node._health.publish()
    Stuck.released.set()
    assert "silence on /front_left/image_raw" in problems(synchronizer)
    assert "silence on /front_right/image_raw" not in problems(synchronizer)
    assert "'/synchronizer_node' in this process sends nothing" in pose._health.problems.current()


@pytest.fixture(scope="module")
def estimator(recorded: recording.Recording) -> PoseEstimator:
    return PoseEstimator.from_pretrained(recorded.model, "cpu", "torch")


@pytest.fixture
def pose(make: Make, estimator: PoseEstimator, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A pose node whose network is loaded already, which takes long on a busy machine."""

    def load(*args: Any, **options: Any) -> PoseEstimator:
        node.rig_given = options["rig"]
        return estimator

    monkeypatch.setattr(PoseEstimator, "from_pretrained", load)
    monkeypatch.setattr(PoseEstimator, "warm_up", lambda self: None)
    node = make(PoseNode, autostart=False, rig="ego4view", silence_warning=3600.0)
    node.heard = []
    node.listeners.append(lambda estimate, stamp_ns: node.heard.append(estimate))
    return node


def frames(**others: CameraFrame) -> FrameSet:
    now, image = time.time_ns(), np.full((64, 64, 3), 90, np.uint8)
    good = {view: CameraFrame(view, now, jpeg=encode_jpeg(image, 90)) for view in VIEWS}
    return FrameSet(now, tuple({**good, **others}.values()), 0.0, DEVICE_FRAME)


def test_a_view_that_cannot_be_used_costs_itself_alone(pose: Any) -> None:
    pose.trigger_configure()
    pose.trigger_activate()
    garbage = CameraFrame("rear_left", 1, jpeg=b"\xff\xd8 not a picture")
    narrow = CameraFrame("front_right", 1, np.zeros((32, 64, 3), np.uint8))
    pose.submit(frames(rear_left=garbage, front_right=narrow))
    assert wait_for(lambda: pose.heard)
    estimate: PoseEstimate = pose.heard[0]
    assert tuple(estimate.joints_2d) == ("front_left", "rear_right")
    assert problems(pose) == {"bad image of rear_left": 1, "bad image of front_right": 1}
    pose.submit(frames(**{view: CameraFrame(view, 1, jpeg=b"garbage") for view in VIEWS}))
    assert wait_for(lambda: pose._figures()["failed frame sets"] == 1)
    assert "no image can be used: camera 'front_left'" in pose._health.problems.current()
    assert len(pose.heard) == 1


def test_the_inference_thread_survives_any_exception(pose: Any, estimator: PoseEstimator) -> None:
    pose.trigger_configure()
    pose.trigger_activate()

    def broken(*args: Any) -> None:
        raise RuntimeError("out of memory")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(estimator, "engine", broken)
        pose.submit(frames())
        assert wait_for(lambda: problems(pose).get("frame set"))
    assert pose._health.problems.current() == "RuntimeError: out of memory"
    pose.submit(frames())
    assert wait_for(lambda: pose.heard)


def test_after_shutdown_nothing_is_published(pose: Any) -> None:
    pose.trigger_configure()
    pose.trigger_activate()
    pose.trigger_shutdown()
    pose.submit(frames())
    assert wait_for(lambda: pose._figures()["ignored frame sets"] == 1)
    assert pose._estimator is None and not pose.heard


def test_a_model_that_does_not_load_stands_as_an_error_until_one_does(
    pose: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[Any] = []
    pose._health._publisher = SimpleNamespace(publish=published.append)

    def broken(*args: Any) -> None:
        raise IndexError("list index out of range")

    load = type(pose)._use
    monkeypatch.setattr(type(pose), "_use", broken)
    pose.trigger_configure()
    pose._health.publish()
    (status,) = published[-1].status
    assert status.level == status.ERROR and "IndexError: list index out of range" in status.message
    monkeypatch.setattr(type(pose), "_use", load)
    pose.trigger_configure()
    pose._health.publish()
    (status,) = published[-1].status
    assert status.level == status.OK and pose.rig_given.name == "ego4view"
