"""`matcher: approximate_time` runs message_filters itself, where it is installed."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import numpy as np
import pytest

from egorear_msgs import msg
from egorear_ros.datatypes import CameraFrame
from egorear_ros.errors import EgorearError
from egorear_ros.nodes.approximate_time import ApproximateTime
from egorear_ros.rig import VIEWS
from egorear_ros.sync import SyncConfig

from .test_ros_manners import running, until

MS = 1_000_000
PERIOD = 100 * MS
FILTERS = importlib.util.find_spec("message_filters")
installed = pytest.mark.skipif(FILTERS is None, reason="message_filters is not installed")


def test_without_message_filters_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def missing(name: str, *rest: Any) -> Any:
        if name == "message_filters":
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(EgorearError, match="ros-.ROS_DISTRO-message-filters, or set matcher to egorear"):
        ApproximateTime(SyncConfig(VIEWS))


@installed
def test_sets_are_those_of_message_filters_and_every_frame_is_counted() -> None:
    matcher = ApproximateTime(SyncConfig(VIEWS, tolerance=0.005, queue_length=4, offsets={"rear_left": -0.004}))
    sets = []
    for moment in range(20):
        for index, view in enumerate(VIEWS):
            if view == "front_right" and moment % 5 == 0:
                continue  # lost
            stamp = moment * PERIOD + index * MS + (4 * MS if view == "rear_left" else 0)
            sets += matcher.add(view, stamp, (view, moment), 0)
    assert [aligned.frames[0][1] for aligned in sets] == [moment for moment in range(20) if moment % 5]
    for aligned in sets:
        assert len({moment for _, moment in aligned.frames}) == 1 and aligned.complete
        assert aligned.skews_ns == (0, MS, 2 * MS, 3 * MS) and aligned.span_ns == 3 * MS
        assert aligned.stamps_ns[2] == aligned.stamp_ns + 6 * MS, "stamps pass unchanged"
    counted = matcher.statistics()
    assert counted.complete == 16
    for camera in counted.cameras.values():
        assert camera.received == camera.matched + camera.duplicate + camera.dropped + camera.pending, camera
        assert camera.matched == 16


@installed
@pytest.mark.parametrize("matcher", ["egorear", "approximate_time"])
def test_the_node_runs_with_either_matcher(node: Any, matcher: str) -> None:
    told: list[Any] = []
    sets: list[Any] = []
    node.create_subscription(msg.SynchronizerStatus, "/synchronizer_node/status", told.append, 10)
    image = np.zeros((8, 8, 3), np.uint8)
    with running("synchronizer_node", matcher=matcher) as synchronizer:
        synchronizer.listeners.append(sets.append)
        for moment in range(5):
            for view in VIEWS:
                synchronizer.take(CameraFrame(view, 10**9 + moment * PERIOD, image))
        assert until(lambda: told, node, synchronizer)
    assert [each.stamp_ns for each in sets] == [10**9 + moment * PERIOD for moment in range(5)]
    assert (told[-1].matcher, told[-1].complete_sets) == (matcher, 5)
    assert all(camera.received == camera.matched == 5 for camera in told[-1].cameras)
