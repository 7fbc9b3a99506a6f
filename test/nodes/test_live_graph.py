"""The real graph, started as a user starts it, with a tiny network on recorded images."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import rclpy
import yaml
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import DurabilityPolicy, QoSCompatibility, QoSProfile, ReliabilityPolicy, qos_check_compatible
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_msgs.msg import String
from std_srvs.srv import SetBool
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import MarkerArray

from egorear_msgs import msg, srv
from egorear_ros import resources
from egorear_ros.nodes.conversions import skeleton_from_message, stamp_to_ns
from egorear_ros.rig import VIEWS

from .. import recording
from . import live

LATCHED = QoSProfile(depth=5, durability=DurabilityPolicy.TRANSIENT_LOCAL)
BEST_EFFORT = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
TOPICS: dict[str, tuple[Any, Any]] = {
    "/egorear/skeleton": (msg.Skeleton, 10),
    "/egorear/rear_left/skeleton_2d": (msg.Skeleton2D, 10),
    "/egorear/frame_set": (msg.FrameSet, 10),
    "/egorear/synchronizer/status": (msg.SynchronizerStatus, 10),
    "/egorear/pose/status": (msg.PoseStatus, 10),
    "/egorear/front_left/image_raw": (Image, BEST_EFFORT),
    "/egorear/front_left/camera_info": (CameraInfo, BEST_EFFORT),
    "/egorear/markers": (MarkerArray, 10),
    "/egorear/helmet": (MarkerArray, LATCHED),
    "/tf": (TFMessage, 100),
    "/egorear/joint_states": (JointState, 10),
    "/egorear/robot_description": (String, LATCHED),
    "/egorear/skeleton_fitted": (msg.Skeleton, 10),
    "/tf_static": (TFMessage, LATCHED),
    "/diagnostics": (DiagnosticArray, 10),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return live.write_images(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return recording.write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.safetensors")


@pytest.fixture
def arguments(source: str, model: str) -> list[str]:
    return ["--source", source, "--model", model, "--device", "cpu"]


@pytest.mark.parametrize("layout", [[], ["--composition=false"]], ids=["composed", "processes"])
def test_images_become_skeletons(node: Any, arguments: list[str], layout: list[str]) -> None:
    listener = live.Listener(node, TOPICS)
    with live.Graph(*arguments, *layout) as graph:
        everything = listener.wait_for(lambda m: all(m[topic] for topic in TOPICS) and len(m["/egorear/skeleton"]) > 10)
        status, log = graph.stop()
    assert everything, f"missing {[t for t in TOPICS if not listener.messages[t]]}\n{log}"
    assert status == 0, log
    assert "Traceback" not in log
    assert not graph.left_over()
    check_messages(listener.messages)


def check_messages(messages: dict[str, list[Any]]) -> None:
    skeletons = [skeleton_from_message(m) for m in messages["/egorear/skeleton"]]
    stamps = [s.stamp_ns for s in skeletons]
    assert stamps == sorted(set(stamps)), "skeletons leave in order, once each"
    assert all(s.frame_id == "egorear_device_frame" and s.valid.all() for s in skeletons)
    assert skeletons[-1].views == VIEWS
    images = {stamp_to_ns(m.header.stamp) for m in messages["/egorear/front_left/image_raw"]}
    assert len(images & set(stamps)) >= 5, "acquisition stamps pass unchanged from camera to skeleton"
    complete = [m for m in messages["/egorear/frame_set"] if all(m.view_mask)]
    assert complete and stamp_to_ns(complete[-1].spread) == 0
    info = messages["/egorear/front_left/camera_info"][-1]
    assert (info.width, info.distortion_model, info.header.frame_id) == (64, "equidistant", "front_left_optical_frame")
    joints, bones = messages["/egorear/markers"][-1].markers
    assert len(joints.points) == len(joints.colors) == 16 and len(bones.points) == 32
    assert {t.child_frame_id for m in messages["/tf_static"] for t in m.transforms} >= {
        "egorear_device_frame",
        *(f"{view}_optical_frame" for view in VIEWS),
    }
    assert any(t.child_frame_id == "body_wearer" for m in messages["/tf"] for t in m.transforms)
    cameras = messages["/egorear/synchronizer/status"][-1].cameras
    assert [camera.view for camera in cameras] == list(VIEWS)


def test_a_dead_camera_leaves_partial_sets_and_comes_back(node: Any, arguments: list[str]) -> None:
    listener = live.Listener(node, {"/egorear/skeleton": (msg.Skeleton, 10)})
    skeletons = listener.messages["/egorear/skeleton"]
    with live.Graph(*arguments, "--composition=false") as graph:
        assert listener.wait_for(lambda m: any(len(s.views) == 4 for s in skeletons)), graph.stop()
        os.kill(camera_process(graph, "rear_left"), signal.SIGKILL)
        without = listener.wait_for(lambda m: tuple(skeletons[-1].views) == ("front_left", "front_right", "rear_right"))
        back = listener.wait_for(lambda m: len(skeletons[-1].views) == 4)
        status, log = graph.stop(signal.SIGTERM)
    assert without and back and status == 0, log
    assert re.search(r"rear_left/camera .*; it is started again", log), log


def camera_process(graph: live.Graph, view: str) -> int:
    """Process id of a camera node among the graph's children."""
    children = Path(f"/proc/{graph.process.pid}/task/{graph.process.pid}/children").read_text().split()
    (pid,) = [
        int(child) for child in children if f"__ns:=/egorear/{view}" in Path(f"/proc/{child}/cmdline").read_text()
    ]
    return pid


def test_services_and_parameters(node: Any, arguments: list[str], tmp_path: Path) -> None:
    from rcl_interfaces.srv import SetParameters
    from rclpy.parameter import Parameter

    listener = live.Listener(node, {"/egorear/skeleton": (msg.Skeleton, 10)})
    skeletons = listener.messages["/egorear/skeleton"]

    def call(kind: Any, name: str, request: Any) -> Any:
        client = node.create_client(kind, name)
        assert client.wait_for_service(10), name
        future = client.call_async(request)
        rclpy.spin_until_future_complete(node, future, timeout_sec=30)
        return future.result()

    with live.Graph(*arguments) as graph:
        assert listener.wait_for(lambda m: bool(skeletons)), graph.stop()
        assert call(SetBool, "/egorear/pose/set_enabled", SetBool.Request(data=False)).success
        listener.wait_for(lambda m: False, 0.5)
        count = len(skeletons)
        listener.wait_for(lambda m: False, 1.0)
        assert len(skeletons) == count, "a disabled node publishes nothing"
        assert call(SetBool, "/egorear/pose/set_enabled", SetBool.Request(data=True)).success
        broken = tmp_path / "broken.safetensors"
        broken.write_bytes(b"not a network")
        swapped = call(srv.LoadModel, "/egorear/pose/load_model", srv.LoadModel.Request(model=str(broken)))
        assert not swapped.success and "cannot be read as safetensors" in swapped.message
        assert swapped.active_model == arguments[3], "the old network stays"
        good = call(srv.LoadModel, "/egorear/pose/load_model", srv.LoadModel.Request(model=arguments[3]))
        assert good.success
        assert listener.wait_for(lambda m: len(skeletons) > count), "and works on"
        for name, value, reason in (
            ("joint_diameter", 9.0, "range"),
            ("lost_after", "soon", "type"),
            ("rig", "other", "read-only"),
        ):
            request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
            (result,) = call(SetParameters, "/egorear/skeleton_view/set_parameters", request).results
            assert not result.successful and reason in result.reason.lower(), result.reason
        request = SetParameters.Request(parameters=[Parameter("joint_frames", value=False).to_parameter_msg()])
        assert call(SetParameters, "/egorear/body/set_parameters", request).results[0].successful
        status, log = graph.stop()
    assert status == 0, log


def test_rviz_view_matches_the_graph(node: Any, arguments: list[str]) -> None:
    """Every topic of the RViz file is published, with a quality of service its display understands."""
    displays = yaml.safe_load(resources.find("rviz/egorear.rviz").read_text())["Visualization Manager"]["Displays"]
    topics = [d[key] for d in displays for key in ("Topic", "Description Topic") if key in d]
    wanted = {topic["Value"]: topic for topic in topics}
    assert len(wanted) == 7
    with live.Graph(*arguments) as graph:
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline and not all(node.get_publishers_info_by_topic(t) for t in wanted):
            rclpy.spin_once(node, timeout_sec=0.1)
        for topic, settings in wanted.items():
            (publisher,) = node.get_publishers_info_by_topic(topic)
            asked = QoSProfile(
                depth=settings["Depth"],
                reliability=ReliabilityPolicy[settings["Reliability Policy"].upper().replace(" ", "_")],
                durability=DurabilityPolicy[settings["Durability Policy"].upper().replace(" ", "_")],
            )
            compatibility, reason = qos_check_compatible(publisher.qos_profile, asked)
            assert compatibility != QoSCompatibility.ERROR, f"{topic}: {reason}"
        graph.stop()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--model", "nosuch.safetensors"], "nosuch.safetensors"),
        (["--rig", "nosuch"], "there is no rig 'nosuch'"),
        (["--source", "a,b"], "names 2 camera(s), rig 'ego4view' has 4"),
        (["--source", "/nowhere/{view}.mp4"], "no such device, and no video file"),
    ],
)
def test_what_is_wrong_is_said_once(wrong: list[str], message: str, arguments: list[str]) -> None:
    """Mistakes in the arguments end the graph; a camera or model that may come later is reported."""
    with live.Graph(*arguments, *wrong) as graph:
        graph.wait_for(message)
        _, log = graph.stop()
    assert message in log, log
    assert len(re.findall("Traceback", log)) == 0, log
