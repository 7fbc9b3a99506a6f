"""Rigs of 1 to 8 cameras with names of their own, and two helmets on one network: nothing crosses, all adds up."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image
from tf2_msgs.msg import TFMessage

from egorear_msgs import msg
from egorear_ros.errors import EgorearError
from egorear_ros.graph.description import GraphOptions, NodeSpec, build_graph
from egorear_ros.graph.main import make_node
from egorear_ros.nodes.conversions import stamp_from_ns
from egorear_ros.nodes.images import fill_message
from egorear_ros.rig import (
    DEVICE_FRAME,
    VIEWS,
    Rig,
    check_frame_prefix,
    frame_prefix_of,
    load_rig,
    rig_yaml,
    without_prefix,
)

from .. import recording
from .live import patience

SIZE_PX, FRAMES, MOMENTS = 64, 20, 5
OWN_NAMES = ("chin", "crown", "Ear2", "nape_cam")
EIGHT = (*VIEWS, *OWN_NAMES)
HELMETS = {"left": 60, "right": 200}
"""Namespace -> brightness of all its images."""
LATCHED = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
ENDS = ("matched", "late", "duplicates", "dropped", "waiting")


def write_rig(folder: Path, names: Sequence[str]) -> str:
    """A rig file with these cameras; where there are more than four, two share a place."""
    pattern = load_rig("ego4view")
    cameras = tuple(replace(pattern.cameras[index % 4], name=name) for index, name in enumerate(names))
    path = folder / f"{len(names)}.yaml"
    path.write_text(rig_yaml(Rig("eight eyes", cameras, pattern.helmet_from_device)))
    return str(path)


@contextmanager
def spinning(*nodes: Any) -> Iterator[Callable[[Callable[[], object], float], bool]]:
    """Call the yielded function to spin until a condition holds; all nodes are closed at the end."""
    executor = SingleThreadedExecutor()
    for node in nodes:
        executor.add_node(node)

    def until(condition: Callable[[], object], seconds: float = 30.0) -> bool:
        end = time.monotonic() + patience(seconds)
        while not condition() and time.monotonic() < end:
            executor.spin_once(0.05)
        return bool(condition())

    try:
        yield until
    finally:
        executor.shutdown()
        for node in nodes[1:]:  # the first is the test's
            if hasattr(node, "close"):
                node.close()
            node.destroy_node()


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_any_number_of_cameras_with_names_of_their_own(node: Any, tmp_path: Path, count: int) -> None:
    """As many sets as moments, each with all cameras in the rig's order; every image is in one of them."""
    names = [*OWN_NAMES, *VIEWS][:count]
    parameters = {"rig": write_rig(tmp_path, names), "reliable_input": True, "minimum_views": 1, "deadline": 5.0}
    synchronizer = make_node(NodeSpec("synchronizer_node", "synchronizer", parameters), "helmet")
    sets: list[Any] = []
    told: list[Any] = []
    node.create_subscription(msg.FrameSet, "/helmet/frame_set", sets.append, 50)
    node.create_subscription(msg.SynchronizerStatus, "/helmet/synchronizer/status", told.append, 10)
    senders = {name: node.create_publisher(Image, f"/helmet/{name}/image_raw", 50) for name in names}
    with spinning(node, synchronizer) as until:
        assert until(lambda: all(sender.get_subscription_count() for sender in senders.values()))
        assert until(synchronizer._publisher.get_subscription_count)
        for moment in range(FRAMES):
            for index, sender in enumerate(senders.values()):
                sender.publish(image(index, 10**9 + moment * 10**8 + index * 1000))
            assert until(lambda expected=moment + 1: len(sets) == expected), f"set {moment} of {count} cameras"
        assert until(lambda: told and told[-1].complete_sets == FRAMES)
    assert all(list(frame_set.view_mask) == [True] * count for frame_set in sets)
    assert all([frame.view for frame in frame_set.frames] == names for frame_set in sets)
    for frame_set in sets:  # each image is its camera's
        assert [frame.image.data[0] for frame in frame_set.frames] == list(range(count))
        assert [frame.skew.nanosec for frame in frame_set.frames] == [1000 * index for index in range(count)]
    for camera in told[-1].cameras:
        assert (camera.received, camera.matched) == (FRAMES, FRAMES), camera


def image(value: int, stamp_ns: int) -> Image:
    message = Image()
    fill_message(message, np.full((SIZE_PX, SIZE_PX, 3), value, np.uint8))
    message.header.stamp = stamp_from_ns(stamp_ns)
    return message


def helmet(folder: Path, name: str, model: str) -> list[Any]:
    """The nodes of an 8-camera helmet but for the cameras, none connected with another but by topics."""
    rig = write_rig(folder, EIGHT)
    options = GraphOptions(rig=rig, model=model, device="cpu", frame_prefix=f"{name}/")
    extra = {
        "synchronizer_node": {"reliable_input": True, "deadline": 5.0},
        "pose_node": {"rig": ""},
        "body_node": {"first_skeletons": 1},
    }
    specs = build_graph(options)
    return [
        make_node(replace(spec, parameters={**spec.parameters, **extra.get(spec.kind, {})}), name) for spec in specs
    ]


def test_two_helmets_with_eight_cameras_each_do_not_mix(node: Any, tmp_path: Path) -> None:
    """Same cameras, same stamps, one network, one TF tree."""
    model = recording.write_tiny_model(tmp_path / "tiny.safetensors")
    nodes = [each for name in HELMETS for each in helmet(tmp_path, name, model)]
    heard: dict[str, list[Any]] = {}

    def listen(kind: Any, topic: str, quality: Any = 50) -> list[Any]:
        heard[topic] = []
        node.create_subscription(kind, topic, heard[topic].append, quality)
        return heard[topic]

    sets = [listen(msg.FrameSet, f"/{name}/frame_set") for name in HELMETS]
    skeletons = [listen(msg.Skeleton, f"/{name}/skeleton") for name in HELMETS]
    for name in HELMETS:
        listen(msg.SynchronizerStatus, f"/{name}/synchronizer/status")
        listen(msg.PoseStatus, f"/{name}/pose/status")
    listen(TFMessage, "/tf_static", LATCHED)
    listen(TFMessage, "/tf", 100)
    senders = {
        (name, view): node.create_publisher(Image, f"/{name}/{view}/image_raw", 50)
        for name in HELMETS
        for view in EIGHT
    }
    with spinning(node, *nodes) as until:
        poses = [f"/{name}/pose/status" for name in HELMETS]
        assert until(lambda: all(heard[topic] and heard[topic][-1].active for topic in poses), 60.0)
        assert until(lambda: all(sender.get_subscription_count() == 1 for sender in senders.values()))
        assert until(lambda: all(node.count_subscribers(f"/{name}/frame_set") == 2 for name in HELMETS))
        for moment in range(MOMENTS):
            for (name, _), sender in senders.items():
                sender.publish(image(HELMETS[name], 10**9 + moment * 10**8))
            expected = [moment + 1] * 2
            assert until(lambda expected=expected: [len(few) for few in sets] == expected), [len(few) for few in sets]
            assert until(lambda expected=expected: [len(few) for few in skeletons] == expected)
        assert until(lambda: all(heard[topic][-1].skeletons == MOMENTS for topic in poses))
        assert until(
            lambda: all(heard[f"/{name}/synchronizer/status"][-1].complete_sets == MOMENTS for name in HELMETS)
        )

    for name, brightness in HELMETS.items():
        for frame_set in heard[f"/{name}/frame_set"]:
            assert frame_set.header.frame_id == f"{name}/egorear_device_frame" and all(frame_set.view_mask)
            assert [frame.view for frame in frame_set.frames] == list(EIGHT)
            for frame in frame_set.frames:
                assert set(frame.image.data) == {brightness}, "an image of the other helmet"
                assert frame.image.header.frame_id == f"{name}/{frame.view}_optical_frame"
        assert {skeleton.header.frame_id for skeleton in heard[f"/{name}/skeleton"]} == {f"{name}/egorear_device_frame"}
        check_counters(heard[f"/{name}/synchronizer/status"][-1], heard[f"/{name}/pose/status"][-1])
    check_frames(heard)


def check_counters(matching: Any, inference: Any) -> None:
    """Every frame that was sent, and every set, is in one counter."""
    assert len(matching.cameras) == 8
    for camera in matching.cameras:
        assert camera.received == MOMENTS == sum(getattr(camera, end) for end in ENDS), camera
        assert camera.matched == MOMENTS and camera.missed == 0, camera
    assert (matching.complete_sets, matching.partial_sets, matching.discarded_sets) == (MOMENTS, 0, 0)
    ends = inference.skeletons + inference.skipped_sets + inference.failed_sets + inference.ignored_sets
    assert inference.received_sets == MOMENTS == ends == inference.skeletons, inference


def check_frames(heard: dict[str, list[Any]]) -> None:
    """Two trees without a common frame."""
    for topic in ("/tf_static", "/tf"):
        edges = [edge for message in heard[topic] for edge in message.transforms]
        names = {(edge.header.frame_id.partition("/")[0], edge.child_frame_id.partition("/")[0]) for edge in edges}
        assert names == {("left", "left"), ("right", "right")}, topic
    children = {edge.child_frame_id for message in heard["/tf"] for edge in message.transforms}
    assert {"left/body_wearer", "right/body_wearer"} <= children


def test_a_camera_names_its_frame_with_the_prefix(node: Any, tmp_path: Path) -> None:
    images: list[Any] = []
    node.create_subscription(Image, "/left/crown/image_raw", images.append, 10)
    cv2.imwrite(str(tmp_path / "000.png"), np.zeros((SIZE_PX, SIZE_PX, 3), np.uint8))
    source = ",".join([f"{tmp_path}/%03d.png"] * len(EIGHT))
    specs = build_graph(GraphOptions(rig=write_rig(tmp_path, EIGHT), source=source, frame_prefix="left/"))
    (spec,) = [spec for spec in specs if spec.namespace == "crown"]
    camera = make_node(replace(spec, parameters={**spec.parameters, "reliable": True}), "left")
    with spinning(node, camera) as until:
        assert until(lambda: images)
    assert images[0].header.frame_id == "left/crown_optical_frame"


@pytest.mark.parametrize("prefix", ["left", "/left/", "1left/", "a b/", "left//"])
def test_a_prefix_that_begins_no_frame_name_is_refused(prefix: str) -> None:
    with pytest.raises(EgorearError, match="does not begin the name of a TF frame"):
        check_frame_prefix(prefix)


@pytest.mark.parametrize("prefix", ["", "left/", "left_", "team/left/"])
def test_prefixes_come_off_again(prefix: str) -> None:
    frame = check_frame_prefix(prefix) + DEVICE_FRAME
    assert frame_prefix_of(frame) == prefix and without_prefix(frame) == DEVICE_FRAME
    assert without_prefix("map") == "map"


def test_a_helmet_in_another_domain_is_not_heard(node: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same namespace in two ROS domains: each hears its own sets."""
    other = rclpy.Context()
    rclpy.init(context=other, domain_id=int(os.environ["ROS_DOMAIN_ID"]) + 2)
    here, there = node, rclpy.create_node("there", context=other)
    sets: dict[str, list[Any]] = {"here": [], "there": []}
    here.create_subscription(msg.FrameSet, "/egorear/frame_set", sets["here"].append, 10)
    there.create_subscription(msg.FrameSet, "/egorear/frame_set", sets["there"].append, 10)
    sender = here.create_publisher(msg.FrameSet, "/egorear/frame_set", 10)
    executor = SingleThreadedExecutor(context=other)
    executor.add_node(there)
    try:
        with spinning(here) as until:
            assert until(lambda: sender.get_subscription_count() == 1)
            sender.publish(msg.FrameSet())
            assert until(lambda: sets["here"])
            for _ in range(10):
                executor.spin_once(0.05)
        assert len(sets["here"]) == 1 and not sets["there"]
        assert not there.get_publishers_info_by_topic("/egorear/frame_set")
    finally:
        executor.shutdown()
        there.destroy_node()
        rclpy.shutdown(context=other)
