"""recorder: the topics of a running graph into a bag, without the tools of ROS (`egorear record`).

Topics are found as they appear and asked for as they are offered. Messages are written as they come over the wire.
/diagnostics has what was written, and an ERROR, the recorder's last word, where the disk is full.
"""

from __future__ import annotations

import contextlib
import importlib
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from egorear_ros.bags.errors import BagError
from egorear_ros.bags.message_types import (
    CAMERA_INFO,
    COMPRESSED_IMAGE,
    IMAGE,
    JOINT_STATE,
    MARKERS,
    POSE_STATUS,
    SKELETON,
    SKELETON_2D,
    STRING,
    SYNCHRONIZER_STATUS,
    TF,
)
from egorear_ros.bags.writing import BagWriter
from egorear_ros.nodes.health import Health
from egorear_ros.topics import prefix_of

IMAGE_TOPICS: Final = {"raw": ("/image_raw", IMAGE), "compressed": ("/image_raw/compressed", COMPRESSED_IMAGE)}
GRAPH_TOPICS: Final = (
    ("/camera_info", CAMERA_INFO),
    ("/ground_truth", SKELETON),
    ("/helmet", MARKERS),
    ("/joint_states", JOINT_STATE),
    ("/markers", MARKERS),
    ("/robot_description", STRING),
    ("/skeleton", SKELETON),
    ("/skeleton_fitted", SKELETON),
    ("/skeleton_2d", SKELETON_2D),
    ("/status", SYNCHRONIZER_STATUS),
    ("/status", POSE_STATUS),
)
"""Endings of the topics below the graph's namespace, with their types. Frame sets would repeat the images."""
GLOBAL_TOPICS: Final = ("/tf", "/tf_static")
QUEUE_LENGTH: Final = 100
LOOK_AROUND_S: Final = 0.25
LAST_WORD_S: Final = 0.3
"""Time for a last message to leave."""


class RecorderNode(Node):
    """Writes a bag until it is closed.

    Attributes:
        error: why there is no bag, once the node is closed or has failed.

    Raises:
        BagError: the bag cannot be made.
    """

    def __init__(self, out: Path, namespace: str, images: str, **node_options: Any) -> None:
        self._writer = BagWriter(out)
        super().__init__("recorder", **node_options)
        self.error: BagError | None = None
        self._out, self._prefix = out, prefix_of(namespace)
        self._endings = (*GRAPH_TOPICS, IMAGE_TOPICS[images])
        self._images = IMAGE_TOPICS[images][0]
        self._started, self._bytes = time.monotonic(), 0
        self._recorded: dict[str, Any] = {}
        self._health = Health(self, self._figures, "recording")
        self.create_timer(LOOK_AROUND_S, self._look_around)
        self.create_timer(1.0, self._each_second)
        self._look_around()

    def close(self) -> None:
        """Complete the bag."""
        if self.error is not None:
            return
        try:
            self._writer.finish()
            self._tell()
        except BagError as error:
            self.error = error
        except OSError as error:
            self._fail(error)

    def _look_around(self) -> None:
        for topic, kinds in self.get_topic_names_and_types():
            if topic not in self._recorded and self._is_wanted(topic, kinds):
                self._subscribe(topic, kinds[0])

    def _is_wanted(self, topic: str, kinds: list[str]) -> bool:
        if topic in GLOBAL_TOPICS:
            return kinds == [TF]
        return topic.startswith(self._prefix) and any(
            topic.endswith(ending) and kinds == [kind] for ending, kind in self._endings
        )

    def _subscribe(self, topic: str, kind: str) -> None:
        """Ask for a topic just as its publishers offer it: reliably and latched if all of them do."""
        offers = [publisher.qos_profile for publisher in self.get_publishers_info_by_topic(topic)]
        if not offers:  # only listeners so far
            return
        reliable = all(offer.reliability == ReliabilityPolicy.RELIABLE for offer in offers)
        latched = all(offer.durability == DurabilityPolicy.TRANSIENT_LOCAL for offer in offers)
        quality = QoSProfile(
            depth=QUEUE_LENGTH,
            reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
            durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
        )
        package, _, name = kind.partition("/msg/")
        message_class = getattr(importlib.import_module(f"{package}.msg"), name)
        self._writer.add_topic(topic, kind, latched, reliable)
        self._recorded[topic] = self.create_subscription(
            message_class, topic, lambda data: self._write(topic, data), quality, raw=True
        )

    def _write(self, topic: str, data: bytes) -> None:
        if self.error is not None:
            return
        try:
            self._writer.write_cdr(topic, self.get_clock().now().nanoseconds, data)
            self._bytes += len(data)
        except OSError as error:
            self._give_up(error)

    def _fail(self, error: OSError) -> None:
        partial = self._writer.keep()
        self.error = BagError(
            f"bag '{self._out}' cannot be written: {error.strerror}; what was recorded until then is in '{partial}', "
            f"and `egorear bag repair {partial} NEW` makes it a whole bag where there is room"
        )

    def _each_second(self) -> None:
        """Save what there is, so that a recorder that is killed loses one second, and say how much it is."""
        if self.error is not None:
            return
        try:
            self._writer.flush()
        except OSError as error:
            self._give_up(error)
        else:
            self._tell()

    def _give_up(self, error: OSError) -> None:
        """Say in /diagnostics why, before the node is gone, and end it."""
        self._fail(error)
        self._health.broken = str(self.error)
        self._health.publish()
        for timer in self.timers:
            timer.cancel()
        time.sleep(LAST_WORD_S)
        rclpy.try_shutdown()

    def _figures(self) -> Mapping[str, object]:
        return {
            "bag": self._out,
            "messages": sum(self._writer.counts.values()),
            "written (MB)": f"{self._bytes / 1e6:.1f}",
        }

    def _tell(self) -> None:
        """One line: messages by kind of topic."""
        counts: Counter[str] = Counter({self._images.removeprefix("/"): 0})
        for topic, count in self._writer.counts.items():
            ending = next((ending for ending, _ in self._endings if topic.endswith(ending)), topic)
            counts[ending.removeprefix("/")] += count
        figures = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        with contextlib.suppress(OSError):  # the terminal may be gone, the recording goes on or is completed
            print(f"{time.monotonic() - self._started:.0f} s, {self._bytes / 1e6:.1f} MB: {figures}", flush=True)
