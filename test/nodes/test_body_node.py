"""The body node on skeletons of the bundled clip: what it publishes fits together, and follows the wearer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sized
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import rclpy
from numpy.typing import NDArray
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage

from egorear_msgs import msg
from egorear_ros import resources
from egorear_ros.body import LINK_OF
from egorear_ros.data.rig_clip import RigClip, truth_skeleton
from egorear_ros.datatypes import Skeleton, Skeleton2D
from egorear_ros.nodes.body_node import BodyNode
from egorear_ros.nodes.conversions import (
    skeleton_2d_to_message,
    skeleton_from_message,
    skeleton_to_message,
    stamp_to_ns,
)
from egorear_ros.skeleton import HEATMAP_JOINTS, JOINTS, REP155_NAMES

from . import live

Float64 = NDArray[np.float64]
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
TOPICS: dict[str, tuple[Any, Any]] = {
    "/joint_states": (JointState, 50),
    "/skeleton_fitted": (msg.Skeleton, 50),
    "/tf": (TFMessage, 50),
    "/robot_description": (String, LATCHED),
}
FIRST = 5


@pytest.fixture(scope="module")
def clip() -> list[Skeleton]:
    """Skeletons with noise, of a wearer called anna."""
    given = RigClip(resources.find("assets/demo_clip"))
    rng = np.random.default_rng(0)
    noisy = given.ground_truth["joints_device_m"][:40] + rng.normal(0, 0.01, (40, 16, 3))
    skeletons = [truth_skeleton(joints, int(s.min())) for joints, s in zip(noisy, given.stamps_ns, strict=False)]
    return [replace(skeleton, skeleton_id="anna") for skeleton in skeletons]


class Wearer:
    """A body node with somebody who sends it skeletons; both spin when `send` does."""

    def __init__(self, node: Any, **parameters: Any) -> None:
        given = {"first_skeletons": FIRST, "ros4hri": "off", **parameters}
        self.body = BodyNode(parameter_overrides=[Parameter(name, value=value) for name, value in given.items()])
        self.publisher = node.create_publisher(msg.Skeleton, "/skeleton", 10)
        self.executor = rclpy.executors.SingleThreadedExecutor()
        self.executor.add_node(node)
        self.executor.add_node(self.body)

    def spin_until(self, condition: Callable[[], bool], seconds: float = 20.0) -> bool:
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            self.executor.spin_once(timeout_sec=0.05)
        return condition()

    def send(self, skeletons: list[Skeleton], done: list[Any]) -> None:
        """Send one after the other, each when the one before is dealt with: the node keeps the newest only.

        Those before the first lengths become samples, all others make `done` longer.
        """
        assert self.spin_until(lambda: self.publisher.get_subscription_count() == 1)
        for index, skeleton in enumerate(skeletons):
            grows: Sized = done if index >= FIRST - 1 else self.body._body._samples
            before = len(grows)
            self.publisher.publish(skeleton_to_message(skeleton))
            assert self.spin_until(lambda grows=grows, before=before: len(grows) > before, 60.0)  # type: ignore[misc]


@pytest.fixture
def wearer(node: Any) -> Iterator[Callable[..., Wearer]]:
    made: list[Wearer] = []

    def make(**parameters: Any) -> Wearer:
        made.append(Wearer(node, **parameters))
        return made[-1]

    yield make
    for one in made:
        one.executor.remove_node(node)
        one.executor.shutdown()
        one.body.close()
        one.body.destroy_node()


def positions_by_frames(transforms: list[Any]) -> dict[str, Float64]:
    """Position of every frame in the frame where the chain begins."""
    poses: dict[str, Float64] = {}
    for transform in transforms:
        at, turn = transform.transform.translation, transform.transform.rotation
        step = np.eye(4)
        step[:3, 3] = at.x, at.y, at.z
        step[:3, :3] = Rotation.from_quat([turn.x, turn.y, turn.z, turn.w]).as_matrix()
        poses[transform.child_frame_id] = poses.get(transform.header.frame_id, np.eye(4)) @ step
    return {name: pose[:3, 3] for name, pose in poses.items()}


def positions_by_urdf(urdf: str, state: JointState, root: Float64, folder: Path) -> dict[str, Float64]:
    """Position of every link, by yourdfpy, with the body's frame at (4, 4) `root`."""
    yourdfpy = pytest.importorskip("yourdfpy")
    path = folder / "person.urdf"
    path.write_text(urdf)
    robot = yourdfpy.URDF.load(str(path), load_meshes=False, build_scene_graph=True)
    robot.update_cfg(dict(zip(state.name, state.position, strict=True)))
    return {link: (root @ robot.get_transform(link, "body_anna"))[:3, 3] for link in robot.link_map}


def body_pose(message: TFMessage) -> Float64:
    (transform,) = [t for t in message.transforms if t.child_frame_id == "body_anna"]
    at, turn = transform.transform.translation, transform.transform.rotation
    pose = np.eye(4)
    pose[:3, 3] = at.x, at.y, at.z
    pose[:3, :3] = Rotation.from_quat([turn.x, turn.y, turn.z, turn.w]).as_matrix()
    return pose


def test_frames_angles_description_and_skeleton_agree(
    node: Any, wearer: Callable[..., Wearer], clip: list[Skeleton], tmp_path: Path
) -> None:
    heard = live.Listener(node, TOPICS).messages
    one = wearer()
    one.send(clip[:20], heard["/skeleton_fitted"])
    assert one.spin_until(lambda: all(len(heard[topic]) >= 16 for topic in TOPICS if topic != "/robot_description"))
    for state, fitted, frames in zip(heard["/joint_states"], heard["/skeleton_fitted"], heard["/tf"], strict=True):
        skeleton = skeleton_from_message(fitted)
        assert stamp_to_ns(state.header.stamp) == skeleton.stamp_ns == stamp_to_ns(frames.transforms[0].header.stamp)
        at = positions_by_frames(frames.transforms)
        found = np.array([at[f"{name}_anna"] for name in REP155_NAMES])
        assert np.abs(found - skeleton.positions_m).max() < 1e-3
    assert frames.transforms[0].header.frame_id == "egorear_device_frame"
    parents = {t.child_frame_id: t.header.frame_id for t in frames.transforms}
    assert parents["l_wrist_anna"] == "l_elbow_anna" and parents["torso_anna"] == "y_torso_anna"
    free = next(s for s in clip if s.stamp_ns == skeleton.stamp_ns)
    assert np.linalg.norm(skeleton.positions_m - free.positions_m, axis=-1).mean() < 0.02
    urdf = heard["/robot_description"][-1].data
    assert {link.get("name") for link in ElementTree.fromstring(urdf).findall("link")} >= set(at)
    by_urdf = positions_by_urdf(urdf, state, body_pose(frames), tmp_path)
    assert max(np.abs(by_urdf[f"{LINK_OF[j]}_anna"] - p).max() for j, p in zip(JOINTS, found, strict=True)) < 5e-3


def test_the_description_is_latched_and_follows_the_wearer(
    node: Any, wearer: Callable[..., Wearer], clip: list[Skeleton]
) -> None:
    first = live.Listener(node, TOPICS).messages
    one = wearer(window=1.0)
    one.send(clip[:10], first["/skeleton_fitted"])
    count = len(first["/robot_description"])
    assert count >= 1
    late = live.Listener(node, {"/robot_description": (String, LATCHED)}).messages["/robot_description"]
    assert one.spin_until(lambda: bool(late)), "a late subscriber gets the newest"
    assert late[-1].data == first["/robot_description"][-1].data
    client = node.create_client(Trigger, "/body_node/measure_again")
    assert one.spin_until(client.service_is_ready)
    answer = client.call_async(Trigger.Request())
    assert one.spin_until(answer.done) and answer.result().success
    taller = [replace(s, positions_m=1.2 * s.positions_m) for s in clip[10:20]]
    one.send(taller, first["/skeleton_fitted"])
    assert len(first["/robot_description"]) > count
    assert first["/robot_description"][-1].data != late[0].data


def test_frames_can_be_left_to_robot_state_publisher(
    node: Any, wearer: Callable[..., Wearer], clip: list[Skeleton]
) -> None:
    heard = live.Listener(node, TOPICS).messages
    wearer(joint_frames=False).send(clip[:8], heard["/tf"])
    assert {t.child_frame_id for m in heard["/tf"] for t in m.transforms} == {"body_anna"}


def test_nothing_is_fitted_while_nobody_listens(node: Any, wearer: Callable[..., Wearer], clip: list[Skeleton]) -> None:
    heard = live.Listener(node, {"/robot_description": (String, LATCHED)}).messages["/robot_description"]
    one = wearer()
    assert one.spin_until(lambda: one.publisher.get_subscription_count() == 1)
    for skeleton in clip[:12]:
        one.publisher.publish(skeleton_to_message(skeleton))
        one.spin_until(lambda: False, 0.1)
    for skeleton in clip[12:40]:
        if heard:
            break
        one.publisher.publish(skeleton_to_message(skeleton))
        one.spin_until(lambda: bool(heard), 1.0)
    assert heard, "but the lengths are learnt"
    figures = one.body._figures()
    assert float(str(figures["thigh_m (m)"])) == pytest.approx(0.42, abs=0.08)
    assert one.body._rate.count == len(heard), "only with a new description"


def test_bad_skeletons_are_reported_and_do_no_harm(
    node: Any, wearer: Callable[..., Wearer], clip: list[Skeleton]
) -> None:
    heard = live.Listener(node, TOPICS).messages
    one = wearer(first_skeletons=1)
    assert one.spin_until(lambda: one.publisher.get_subscription_count() == 1)
    blind = replace(clip[0], valid=np.zeros(16, np.bool_))
    tiny = replace(clip[0], positions_m=np.zeros((16, 3)))
    for bad in (blind, tiny):
        one.publisher.publish(skeleton_to_message(bad))
        one.spin_until(lambda: False, 0.2)
    assert one.spin_until(lambda: "body" in one.body._health.problems.counts)
    assert "must be in metres" in str(one.body._health.problems.current())
    client = node.create_client(Trigger, "/body_node/measure_again")
    assert one.spin_until(client.service_is_ready)
    answer = client.call_async(Trigger.Request())
    assert one.spin_until(answer.done)
    one.publisher.publish(skeleton_to_message(clip[1]))
    assert one.spin_until(lambda: bool(heard["/skeleton_fitted"]))


def hri_messages() -> Any:
    return pytest.importorskip("hri_msgs.msg", reason="hri_msgs is not installed")


def test_tools_of_ros4hri_find_the_body(node: Any, wearer: Callable[..., Wearer], clip: list[Skeleton]) -> None:
    hri = hri_messages()
    topics: dict[str, tuple[Any, Any]] = {
        "/humans/bodies/tracked": (hri.IdsList, LATCHED),
        "/humans/bodies/anna/joint_states": (JointState, 50),
        "/humans/bodies/anna/skeleton2d": (hri.Skeleton2D, 50),
        "/humans/bodies/anna/urdf": (String, LATCHED),
    }
    heard = live.Listener(node, topics).messages
    one = wearer(ros4hri="on", skeleton2d_view="rear_left", lost_after=1.0)
    flat = node.create_publisher(msg.Skeleton2D, "/rear_left/skeleton_2d", 10)
    one.send(clip[:8], heard["/humans/bodies/anna/joint_states"])
    pixels = np.full((15, 2), -5.0, np.float32)
    pixels[HEATMAP_JOINTS.index("LeftHand")] = (64, 192)
    score = np.full(15, 0.75, np.float32)
    flat.publish(
        skeleton_2d_to_message(Skeleton2D(7, "rear_left", pixels, score, (256, 256), "rear_left_optical_frame", 7))
    )
    assert one.spin_until(lambda: all(heard[topic] for topic in topics))
    assert heard["/humans/bodies/tracked"][0].ids == ["anna"]
    (points,) = heard["/humans/bodies/anna/skeleton2d"]
    wrist = points.skeleton[hri.Skeleton2D.LEFT_WRIST]
    assert (wrist.x, wrist.y, wrist.c) == (0.25, 0.75, 0.75)
    assert sum(point.c > 0 for point in points.skeleton) == 1, "outside the image, or no such joint"
    assert points.header.frame_id == "rear_left_optical_frame"
    names = heard["/humans/bodies/anna/joint_states"][-1].name
    urdf = ElementTree.fromstring(heard["/humans/bodies/anna/urdf"][-1].data)
    assert {joint.get("name") for joint in urdf.findall("joint") if joint.get("type") != "fixed"} == set(names)
    assert one.spin_until(lambda: heard["/humans/bodies/tracked"][-1].ids == []), "lost"


def test_an_id_that_no_topic_can_have_is_explained(
    node: Any, wearer: Callable[..., Wearer], clip: list[Skeleton]
) -> None:
    hri_messages()
    heard = live.Listener(node, TOPICS).messages
    one = wearer(ros4hri="on")
    one.send([replace(skeleton, skeleton_id="0") for skeleton in clip[:7]], heard["/skeleton_fitted"])
    assert "set 'skeleton_id' of the pose node" in str(one.body._health.problems.current())


def test_ros4hri_without_its_messages(
    node: Any, wearer: Callable[..., Wearer], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    from egorear_ros.errors import EgorearError

    monkeypatch.setitem(sys.modules, "hri_msgs", None)
    monkeypatch.setitem(sys.modules, "hri_msgs.msg", None)
    assert wearer(ros4hri="auto").body._hri is None
    with pytest.raises(EgorearError, match="hri_msgs is not installed; build it from"):
        wearer(ros4hri="on")
