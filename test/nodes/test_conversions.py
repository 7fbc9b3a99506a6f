"""Every message survives dataclass -> message -> DDS -> another process -> dataclass and the way back."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import rclpy
from sensor_msgs.msg import Image

from egorear_msgs import msg
from egorear_ros.nodes import conversions as c
from egorear_ros.nodes.images import ImageError, fill_message, rgb_from_message
from egorear_ros.rig import VIEWS, camera_info_fields, load_rig

from . import echo, samples

SAMPLES: dict[str, Callable[[], Any]] = {
    "frame_set": samples.frame_set,
    "skeleton": samples.skeleton,
    "skeleton_2d": samples.skeleton_2d,
    "synchronizer_status": samples.synchronizer_status,
    "pose_status": samples.pose_status,
}


@pytest.fixture
def echo_process(private_ros_network: None) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, str(Path(echo.__file__))])
    yield
    process.terminate()
    process.wait(60)


def test_every_message_survives_dds_and_another_process(node: Any, echo_process: None) -> None:
    received: dict[str, Any] = {}
    publishers = {}
    for name, (kind, read, _) in echo.TYPES.items():
        publishers[name] = node.create_publisher(kind, name, 5)
        node.create_subscription(kind, f"{name}/back", lambda m, n=name, r=read: received.__setitem__(n, r(m)), 5)
    deadline = time.monotonic() + 30
    while len(received) < len(SAMPLES) and time.monotonic() < deadline:
        for name, publisher in publishers.items():
            if name not in received and publisher.get_subscription_count():
                publisher.publish(echo.TYPES[name][2](SAMPLES[name]()))
        rclpy.spin_once(node, timeout_sec=0.1)
    assert set(received) == set(SAMPLES)
    for name, sample in SAMPLES.items():
        samples.assert_same(sample(), received[name])


@pytest.mark.parametrize("name", SAMPLES)
def test_conversions_are_inverse(name: str) -> None:
    _, read, write = echo.TYPES[name]
    samples.assert_same(SAMPLES[name](), read(write(SAMPLES[name]())))


def test_stamps_are_exact_to_the_nanosecond() -> None:
    for stamp_ns in (0, 1, 999_999_999, 1_000_000_000, samples.STAMP_NS):
        assert c.stamp_to_ns(c.stamp_from_ns(stamp_ns)) == stamp_ns


def test_joints_in_another_order_are_refused() -> None:
    message = c.skeleton_to_message(samples.skeleton())
    message.joint_names = list(reversed(message.joint_names))
    with pytest.raises(c.MessageError, match="expected Head, Neck"):
        c.skeleton_from_message(message)


def test_a_view_mask_that_lies_is_refused() -> None:
    message = c.frame_set_to_message(samples.frame_set())
    message.view_mask = [True] * 4
    with pytest.raises(c.MessageError, match="view_mask"):
        c.frame_set_from_message(message)


@pytest.mark.parametrize(
    ("encoding", "to_encoding"),
    [
        ("bgr8", cv2.COLOR_RGB2BGR),
        ("rgba8", cv2.COLOR_RGB2RGBA),
        ("bgra8", cv2.COLOR_RGB2BGRA),
        ("8UC3", cv2.COLOR_RGB2BGR),
    ],
)
def test_colour_encodings_arrive_as_rgb(encoding: str, to_encoding: int) -> None:
    rgb = np.random.default_rng(3).integers(0, 256, (6, 5, 3), np.uint8)
    raw = cv2.cvtColor(rgb, to_encoding)
    message = Image(height=6, width=5, encoding=encoding, step=raw.shape[2] * 5, data=raw.tobytes())
    np.testing.assert_array_equal(rgb_from_message(message), rgb)


def test_grey_and_padded_images() -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    padded = np.pad(grey, ((0, 0), (0, 4)))
    message = Image(height=3, width=4, encoding="mono8", step=8, data=padded.tobytes())
    np.testing.assert_array_equal(rgb_from_message(message), np.repeat(grey[..., None], 3, -1))


def test_rgb8_is_read_without_a_copy() -> None:
    message = Image()
    fill_message(message, np.zeros((4, 4, 3), np.uint8))
    image = rgb_from_message(message)
    message.data[0] = 7
    assert image[0, 0, 0] == 7


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"height": 4, "width": 4, "encoding": "rgb8", "step": 12, "data": b"\0" * 47}, "holds 47 bytes"),
        ({"height": 4, "width": 4, "encoding": "rgb8", "step": 3, "data": b"\0" * 48}, "with step 3"),
        ({"height": 0, "width": 4, "encoding": "rgb8"}, "4x0"),
        ({"height": 4, "width": 4, "encoding": "16UC1"}, "encoding '16UC1' (is not one of|cannot be read)"),
    ],
)
def test_a_broken_image_message_is_one_clear_error(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        rgb_from_message(Image(**fields))


def test_only_rgb_images_can_be_sent() -> None:
    with pytest.raises(ImageError, match=r"got shape \(4, 4\) float64"):
        fill_message(Image(), np.zeros((4, 4)))


def test_camera_info_round_trip() -> None:
    fields = camera_info_fields(load_rig("ego4view")["rear_left"].model)
    message = c.camera_info_to_message(fields, "rear_left_optical_frame", samples.STAMP_NS)
    assert c.camera_info_from_message(message) == fields
    assert message.header.frame_id == "rear_left_optical_frame"


def test_static_tree_as_messages() -> None:
    messages = c.transforms_to_messages(load_rig("ego4view").static_transforms(), 5)
    assert [m.child_frame_id for m in messages] == ["egorear_device_frame", *(f"{v}_optical_frame" for v in VIEWS)]
    rear = messages[3]
    assert rear.header.frame_id == "egorear_device_frame"
    assert (rear.transform.translation.x, rear.transform.translation.y) == pytest.approx((-0.06, 0.37))
    assert abs(rear.transform.rotation.z) == pytest.approx(1)  # half a turn about the optical axis


def test_tf_message_is_the_real_one() -> None:
    """Its type hash equals that of upstream's tf2_msgs, so RViz and every other node understand it."""
    from tf2_msgs.msg import TFMessage

    upstream = "e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087"
    hashes = TFMessage._TYPE_HASHES if hasattr(TFMessage, "_TYPE_HASHES") else {}
    assert upstream in str(hashes) or upstream in type_description("tf2_msgs", "TFMessage")


def type_description(package: str, name: str) -> str:
    from ament_index_python.packages import get_package_share_directory

    return Path(get_package_share_directory(package), "msg", f"{name}.json").read_text()


def test_messages_state_units_and_frames() -> None:
    """Every field of every message has a comment."""
    for path in sorted(Path(__file__).parents[2].glob("egorear_msgs/*/*")):
        for line in path.read_text().splitlines():
            if line and not line.startswith(("#", "---", "uint8 NUM", "string CUE")):
                assert "#" in line, f"{path.name}: {line}"
    assert msg.Skeleton.NUM_JOINTS == 16


def test_times_are_durations_and_figures_are_64_bits_wide() -> None:
    """Differences of stamps are exact; what is measured has one type, so that no consumer has to look it up."""
    for kind, names in {msg.CameraFrame: ["skew"], msg.FrameSet: ["spread"], msg.Skeleton: ["prediction"]}.items():
        for name in names:
            assert kind.get_fields_and_field_types()[name] == "builtin_interfaces/Duration"
    for kind in (msg.CameraStatus, msg.SynchronizerStatus, msg.PoseStatus):
        assert not [name for name, type_ in kind.get_fields_and_field_types().items() if type_ == "float"], kind
