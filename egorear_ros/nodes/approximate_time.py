"""The matcher of ROS, `message_filters.ApproximateTimeSynchronizer`, in the place of our synchronizer.

For comparison, and for those who want what they know. It takes the first set within the tolerance, not the best one,
knows no partial sets, lost cameras or jumps of time, and needs the ROS package message_filters: docs/sync.md has the
figures. `egorear_ros.sync` needs no ROS and is the default.
"""

from __future__ import annotations

import importlib
import statistics
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from egorear_ros.errors import EgorearError
from egorear_ros.sync import AlignedSet, CameraStatistics, Distribution, SyncConfig, SyncStatistics
from egorear_ros.sync.statistics import RunningDistribution

EMPTY = Distribution(0, *[float("nan")] * 4)


@dataclass
class Counted:
    """One camera's frames."""

    received: int
    matched: int
    duplicate: int
    skew: RunningDistribution


class ApproximateTime:
    """Has the methods of `egorear_ros.sync.Synchronizer` that the node calls.

    Args:
        config: settings; `cameras`, `offsets`, `tolerance` and `queue_length` are obeyed, the others mean nothing here.

    Raises:
        EgorearError: message_filters is not installed.
    """

    def __init__(self, config: SyncConfig) -> None:
        try:
            filters: Any = importlib.import_module("message_filters")
        except ImportError as error:
            raise EgorearError(
                "matcher 'approximate_time' needs the ROS package message_filters: install "
                "ros-$ROS_DISTRO-message-filters, or set matcher to egorear"
            ) from error
        self._config = config
        self._inputs = {camera: filters.SimpleFilter() for camera in config.cameras}
        self._matcher = filters.ApproximateTimeSynchronizer(
            list(self._inputs.values()), config.queue_length, config.tolerance
        )
        self._matcher.registerCallback(self._matched)
        self._done: list[AlignedSet[Any]] = []
        self._counted = {camera: Counted(0, 0, 0, RunningDistribution()) for camera in config.cameras}
        self._span = RunningDistribution()

    def add(self, camera: str, stamp_ns: int, frame: Any, now_ns: int) -> list[AlignedSet[Any]]:
        """Take in a frame and return the set that is finished by it, if any."""
        corrected = stamp_ns + self._config.offset_ns(camera)
        index = self._config.cameras.index(camera)
        self._counted[camera].received += 1
        if corrected in self._matcher.queues[index]:  # it replaces the one that waits
            self._counted[camera].duplicate += 1
        time_type = importlib.import_module("rclpy.time").Time
        header = SimpleNamespace(stamp=time_type(nanoseconds=corrected))
        self._inputs[camera].signalMessage(
            SimpleNamespace(header=header, frame=frame, stamp_ns=stamp_ns, corrected=corrected)
        )
        done, self._done = self._done, []
        return done

    def poll(self, now_ns: int) -> list[AlignedSet[Any]]:
        """Nothing: it has no deadline."""
        return []

    def next_deadline_ns(self) -> None:
        """Never."""

    def statistics(self) -> SyncStatistics:
        """A snapshot of all counters; what fell out of a queue is `dropped`."""
        pending = [len(queue) for queue in self._matcher.queues]
        span = self._span.snapshot()
        cameras = {
            camera: _camera_statistics(self._counted[camera], waiting)
            for camera, waiting in zip(self._config.cameras, pending, strict=True)
        }
        return SyncStatistics(cameras, complete=span.count, partial=0, discarded=0, resets=0, span=span)

    def _matched(self, *views: Any) -> None:
        """Called by message_filters, under its lock, which an exception would leave locked."""
        start = min(view.corrected for view in views)
        middle = int(statistics.median(view.corrected for view in views))
        for camera, view in zip(self._config.cameras, views, strict=True):
            self._counted[camera].matched += 1
            self._counted[camera].skew.add(view.corrected - middle)
        span = max(view.corrected for view in views) - start
        self._span.add(span)
        self._done.append(
            AlignedSet(
                stamp_ns=start,
                frames=tuple(view.frame for view in views),
                stamps_ns=tuple(view.stamp_ns for view in views),
                skews_ns=tuple(view.corrected - start for view in views),
                span_ns=span,
                mask=(True,) * len(views),
                epoch=0,
            )
        )


def _camera_statistics(counted: Counted, waiting: int) -> CameraStatistics:
    snapshot = CameraStatistics(
        received=counted.received,
        matched=counted.matched,
        late=0,
        duplicate=counted.duplicate,
        dropped=0,
        pending=waiting,
        gaps=0,
        absent=0,
        lost=False,
        period_ns=0,
        skew=counted.skew.snapshot(),
        lag=EMPTY,
    )
    lost = counted.received - counted.matched - counted.duplicate - waiting
    return replace(snapshot, dropped=lost)
