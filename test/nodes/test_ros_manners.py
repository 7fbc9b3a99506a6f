"""What tools of ROS expect of nodes: qualities of service, diagnostics, services and parameters they can see."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from tf2_msgs.msg import TFMessage

from egorear_msgs import msg
from egorear_ros.bags import message_writing
from egorear_ros.datatypes import CameraFrame, FrameSet
from egorear_ros.graph.description import NODE_CLASSES
from egorear_ros.graph.main import node_class
from egorear_ros.nodes.conversions import frame_set_to_message
from egorear_ros.nodes.helmet_markers import helmet_markers
from egorear_ros.rig import DEVICE_FRAME, VIEWS, load_rig

LATCHED = QoSProfile(depth=5, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@contextmanager
def running(kind: str, **parameters: Any) -> Iterator[Any]:
    """A node of ours in this process, not yet spinning."""
    overrides = [Parameter(name, value=value) for name, value in parameters.items()]
    ours = node_class(kind)(parameter_overrides=overrides)
    try:
        yield ours
    finally:
        if hasattr(ours, "close"):
            ours.close()
        ours.destroy_node()


def until(condition: Callable[[], object], *nodes: Any, seconds: float = 20.0) -> bool:
    executor = SingleThreadedExecutor()
    for each in nodes:
        executor.add_node(each)
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        executor.spin_once(0.1)
    for each in nodes:
        executor.remove_node(each)
    return bool(condition())


@pytest.mark.parametrize(
    ("topic", "raw", "compressed", "info"),
    [
        ("/image_raw", ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE),
        ("/other", ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.BEST_EFFORT),
    ],
)
def test_camera_info_follows_the_quality_of_its_image(
    node: Any, topic: str, raw: Any, compressed: Any, info: Any
) -> None:
    override = {f"qos_overrides.{topic}.publisher.reliability": "reliable"}
    with running("camera_node", transport="both", **override):
        for name, expected in (("image_raw", raw), ("image_raw/compressed", compressed), ("camera_info", info)):
            assert until(lambda name=name: node.get_publishers_info_by_topic(f"/{name}"), node)
            (publisher,) = node.get_publishers_info_by_topic(f"/{name}")
            assert publisher.qos_profile.reliability == expected, name


def test_diagnostics_name_node_and_task_and_the_camera_behind(node: Any) -> None:
    heard: list[Any] = []
    node.create_subscription(DiagnosticArray, "/diagnostics", lambda m: heard.extend(m.status), 10)
    with running("camera_node", view="rear_left") as camera, running("pose_node", autostart=False) as pose:
        assert until(lambda: len({status.name for status in heard}) == 2, node, camera, pose)
        by_name = {status.name: status for status in heard}
    assert by_name["/camera_node: capture"].hardware_id == "ego4view/rear_left"
    figures = {item.key: item.value for item in by_name["/pose_node: inference"].values}
    for percent in (50, 95, 99):
        float(figures[f"latency p{percent} (ms)"])


def test_each_camera_has_a_status_of_plain_numbers_that_add_up(node: Any) -> None:
    heard: dict[str, Any] = {}
    told: list[Any] = []
    node.create_subscription(
        DiagnosticArray, "/diagnostics", lambda m: heard.update({status.name: status for status in m.status}), 10
    )
    node.create_subscription(msg.SynchronizerStatus, "/synchronizer_node/status", told.append, 10)
    image = np.zeros((8, 8, 3), np.uint8)
    with running("synchronizer_node", deadline=0.05) as synchronizer:
        for stamp_ns in (10**9, 2 * 10**9):
            for view in VIEWS[:3]:
                synchronizer.take(CameraFrame(view, stamp_ns, image))
        synchronizer.take(CameraFrame("front_left", 2 * 10**9, image))  # the same again
        assert until(lambda: told and told[-1].partial_sets == 2 and len(heard) == 5, node, synchronizer)
        assert until(lambda: len(told) > 2, node, synchronizer)
    status = heard["/synchronizer_node: front_left"]
    figures = {item.key: float(item.value) for item in status.values}  # every value is one number
    assert status.hardware_id == "ego4view/front_left" and figures["received"] == 3
    ends = ("matched", "late", "duplicate", "dropped", "waiting")
    assert figures["received"] == sum(figures[end] for end in ends) and figures["duplicate"] == 1
    assert heard["/synchronizer_node: rear_right"].message == "no image yet"
    for camera in told[-1].cameras:
        parts = (camera.matched, camera.late, camera.duplicates, camera.dropped, camera.waiting)
        assert camera.received == sum(parts), camera


def test_a_clock_that_does_not_fit_is_the_fault_of_its_camera(node: Any) -> None:
    heard: dict[str, Any] = {}
    told: list[Any] = []
    node.create_subscription(
        DiagnosticArray, "/diagnostics", lambda m: heard.update({status.name: status for status in m.status}), 10
    )
    node.create_subscription(msg.SynchronizerStatus, "/synchronizer_node/status", told.append, 10)
    image = np.zeros((8, 8, 3), np.uint8)
    with running("synchronizer_node") as synchronizer:

        def tick() -> bool:
            for view in VIEWS:  # one driver stamps nothing
                stamp_ns = 0 if view == "rear_left" else time.time_ns()
                synchronizer.take(CameraFrame(view, stamp_ns, image))
            return bool(told) and bool(told[-1].cameras[2].fault)

        assert until(tick, node, synchronizer, seconds=30.0)
        name = "/synchronizer_node: rear_left"
        assert until(lambda: name in heard and heard[name].message.startswith("camera 'rear_left'"), node, synchronizer)
    assert heard[name].level == DiagnosticStatus.ERROR
    assert told[-1].cameras[2].fault == heard[name].message
    assert heard["/synchronizer_node: front_left"].message == "ok"


def test_static_frames_need_no_view(node: Any) -> None:
    heard: list[Any] = []
    node.create_subscription(TFMessage, "/tf_static", lambda m: heard.extend(m.transforms), LATCHED)
    with running("synchronizer_node") as synchronizer:
        assert until(lambda: heard, node, synchronizer)
    expected = {transform.child for transform in load_rig("ego4view").static_transforms()}
    assert {transform.child_frame_id for transform in heard} == expected


def test_the_helmet_moves_with_its_frame() -> None:
    assert all(marker.frame_locked for marker in helmet_markers(load_rig("ego4view")))


def test_load_model_belongs_to_the_pose_node(node: Any) -> None:
    with running("pose_node", autostart=False):
        assert until(lambda: "/pose_node/load_model" in services(node), node), services(node)


def services(node: Any) -> dict[str, list[str]]:
    try:
        return dict(node.get_service_names_and_types_by_node("pose_node", "/"))
    except Exception:  # not discovered yet: rclpy raises NodeNameNonExistentError
        return {}


def test_an_inactive_pose_node_publishes_nothing(node: Any) -> None:
    heard: list[Any] = []
    node.create_subscription(msg.Skeleton, "/skeleton", heard.append, 10)
    with running("pose_node", autostart=False) as pose:
        publisher = pose._skeletons
        assert until(publisher.get_subscription_count, node)
        pose._use = lambda model: None  # no network is needed here
        pose.trigger_configure()
        publisher.publish(msg.Skeleton(skeleton_id="inactive"))
        pose.trigger_activate()
        publisher.publish(msg.Skeleton(skeleton_id="active"))
        assert until(lambda: heard, node)
        pose.trigger_deactivate()
        publisher.publish(msg.Skeleton(skeleton_id="inactive"))
        until(lambda: len(heard) > 1, node, seconds=1.0)
    assert [skeleton.skeleton_id for skeleton in heard] == ["active"]


@pytest.mark.parametrize("kind", NODE_CLASSES)
def test_what_is_read_at_start_is_read_only(kind: str) -> None:
    module = __import__(NODE_CLASSES[kind].partition(":")[0], fromlist=["PARAMETERS"])
    assert module.PARAMETERS
    for parameter in module.PARAMETERS:
        assert parameter.descriptor().read_only == (not parameter.dynamic), parameter.name


def test_jpeg_images_are_labelled_as_image_transport_labels_them() -> None:
    """`<encoding>; jpeg compressed <encoding of the pixels in it>`; image_transport reads the first part."""
    rgb = np.zeros((8, 8, 3), np.uint8)
    label = "rgb8; jpeg compressed bgr8"
    assert message_writing.compressed_image(rgb, 0, "", 90).format == label
    frames = FrameSet(1, tuple(CameraFrame(view, 1, jpeg=b"\xff\xd8") for view in VIEWS), 0.0, DEVICE_FRAME)
    assert {frame.compressed.format for frame in frame_set_to_message(frames).frames} == {label}
