"""One mapping, two kinds of messages: what bags hold and what rclpy publishes are the same bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from egorear_ros.bags import message_writing
from egorear_ros.bags.message_reading import skeleton_2d_from_message, skeleton_from_message
from egorear_ros.bags.message_types import CAMERA_INFO, SKELETON, SKELETON_2D, typestore
from egorear_ros.datatypes import Skeleton, Skeleton2D
from egorear_ros.rig import camera_info_fields, load_rig

serialization = pytest.importorskip("rclpy.serialization")

from egorear_ros.nodes import conversions  # noqa: E402

RNG = np.random.default_rng(5)
STAMP_NS = 1_700_000_000_123_456_789

SOLID = Skeleton(
    stamp_ns=STAMP_NS,
    positions_m=RNG.normal(size=(16, 3)),
    confidence=RNG.random(16).astype(np.float32),
    covariance_m2=RNG.random((16, 3, 3)).astype(np.float32),
    valid=RNG.random(16) < 0.5,
    views=("front_left", "rear_right"),
    frame_id="egorear_device",
    skeleton_id="wearer",
    stage_seconds={"inference": 0.25, "decode": 0.125},
)
FLAT = Skeleton2D(
    stamp_ns=STAMP_NS,
    view="rear_left",
    pixels=RNG.random((15, 2)).astype(np.float32),
    score=RNG.random(15).astype(np.float32),
    image_size=(640, 480),
    frame_id="rear_left_optical_frame",
    frame_set_stamp_ns=STAMP_NS - 1,
)
INFO = camera_info_fields(load_rig("ego4view").cameras[0].model)


@pytest.mark.parametrize(
    ("kind", "for_bag", "for_topic"),
    [
        (SKELETON, message_writing.skeleton(SOLID), conversions.skeleton_to_message(SOLID)),
        (SKELETON_2D, message_writing.skeleton_2d(FLAT), conversions.skeleton_2d_to_message(FLAT)),
        (
            CAMERA_INFO,
            message_writing.camera_info(INFO, STAMP_NS, "a"),
            conversions.camera_info_to_message(INFO, "a", STAMP_NS),
        ),
    ],
)
def test_bags_and_topics_hold_the_same(kind: str, for_bag: Any, for_topic: Any) -> None:
    """rosbags reads rclpy's bytes as what it would have written itself."""
    read = typestore().deserialize_cdr(serialization.serialize_message(for_topic), kind)
    again = bytes(typestore().serialize_cdr(read, kind))
    assert again == bytes(typestore().serialize_cdr(for_bag, kind))


def test_skeletons_come_back() -> None:
    for message in (message_writing.skeleton(SOLID), conversions.skeleton_to_message(SOLID)):
        back = skeleton_from_message(message)
        np.testing.assert_array_equal(back.positions_m, SOLID.positions_m)
        np.testing.assert_array_equal(back.covariance_m2, SOLID.covariance_m2)
        np.testing.assert_array_equal(back.valid, SOLID.valid)
        assert (back.stamp_ns, back.views, back.stage_seconds) == (STAMP_NS, SOLID.views, SOLID.stage_seconds)
    for flat in (message_writing.skeleton_2d(FLAT), conversions.skeleton_2d_to_message(FLAT)):
        np.testing.assert_array_equal(skeleton_2d_from_message(flat).pixels, FLAT.pixels)
        assert skeleton_2d_from_message(flat).image_size == (640, 480)
