"""synchronizer_node: images of all cameras in, frame sets out.

Topics: in `<view>/image_raw` or `<view>/image_raw/compressed`, out `frame_set`, `~/status` and,
because this node always runs, the rig's `/tf_static`. The matching is
`egorear_ros.sync`; this node feeds it, hands its sets on outside of the lock, and wakes it at deadlines.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CompressedImage, Image

from egorear_msgs import msg
from egorear_ros.bags.message_reading import NANOSECONDS, camera_frame_from_message
from egorear_ros.datatypes import CameraFrame, CameraStatus, FrameSet, SynchronizerStatus
from egorear_ros.nodes.approximate_time import ApproximateTime
from egorear_ros.nodes.camera_node import CameraNode
from egorear_ros.nodes.camera_report import camera_part, camera_status
from egorear_ros.nodes.conversions import frame_set_to_message
from egorear_ros.nodes.frame_judge import FrameJudge
from egorear_ros.nodes.health import Health, Part
from egorear_ros.nodes.parameters import FRAME_PREFIX, Parameter, Parameters
from egorear_ros.nodes.rates import Percentiles, RateMeter
from egorear_ros.nodes.static_frames import publish_static_frames
from egorear_ros.nodes.status_messages import synchronizer_status_to_message
from egorear_ros.rig import DEVICE_FRAME, check_frame_prefix, load_rig
from egorear_ros.sync import (
    MINIMUM_VIEWS,
    AlignedSet,
    SyncConfig,
    Synchronizer,
    SyncStatistics,
    config_from_parameters,
)

OURS = "egorear"
MATCHERS: dict[str, Any] = {OURS: Synchronizer, "approximate_time": ApproximateTime}
PARAMETERS = (
    Parameter("rig", "ego4view", "Rig: name of a shipped one, or path of a .yaml file."),
    Parameter("views", [""], "Cameras to align, in the rig's order; empty text for all of the rig."),
    Parameter("transport", "raw", "Topics to listen to.", choices=("raw", "compressed")),
    Parameter(
        "matcher",
        OURS,
        "Matches frames: egorear, or approximate_time of message_filters.",
        choices=tuple(MATCHERS),
    ),
    Parameter("tolerance", SyncConfig.tolerance, "Largest difference of acquisition times within a set, s.", 0.0, 1.0),
    Parameter(
        "deadline",
        SyncConfig.deadline,
        "A set that lacks views goes out this long after its first frame, s.",
        0.0,
        10.0,
    ),
    Parameter("minimum_views", MINIMUM_VIEWS, "Fewest views of a set that goes out.", 1, 64),
    Parameter("offsets", [0.0], "Added to the stamps before matching, s; one per view in order, or a single 0."),
    Parameter(
        "lost_after",
        SyncConfig.lost_after,
        "A camera that missed so many deadlines in a row is not waited for.",
        1,
        1000000,
    ),
    Parameter("queue_length", SyncConfig.queue_length, "Frames held per camera.", 2, 10000),
    Parameter("reliable_input", False, "Ask for images reliably; best effort understands both kinds of camera."),
    Parameter("reliable_output", True, "Publish frame sets reliably."),
    FRAME_PREFIX,
    Parameter("silence_warning", 3.0, "Complain when a camera is silent for this long, s.", 0.5, 3600.0),
)
IDLE_WAKE_S = 0.05
JUDGE_S = 0.5
"""How often the clocks' measurements are looked at; one takes about a second."""
INPUT_DEPTH = 5
"""Images waiting per camera while this process is busy: what is lost here is lost to its whole frame set."""


class SynchronizerNode(Node):
    """Aligns the cameras' frames.

    Attributes:
        listeners: called with every frame set, from the thread that completed it; for those in the same process.
    """

    def __init__(self, name: str = "synchronizer_node", **node_options: Any) -> None:
        super().__init__(name, **node_options)
        self.listeners: list[Callable[[FrameSet], None]] = []
        self._settings = p = Parameters(self, PARAMETERS)
        rig = load_rig(p["rig"])
        self._frame_prefix = check_frame_prefix(p["frame_prefix"])
        self._static_frames = publish_static_frames(self, rig, self._frame_prefix)
        self._views = rig.subset(view for view in p["views"] if view).names if any(p["views"]) else rig.names
        config = config_from_parameters(self._views, p.values())
        self._config, self._rig_name = config, rig.name
        self._synchronizer: Synchronizer[CameraFrame] = MATCHERS[p["matcher"]](config)
        self._judge = FrameJudge(config)
        self._unreadable = dict.fromkeys(self._views, 0)
        self._lock = threading.Lock()
        self._outgoing = threading.Lock()
        self._rates = {view: RateMeter() for view in self._views}
        self._sets, self._latency = RateMeter(), Percentiles()
        self._health = Health(self, self._figures, "matching", parts=self._parts)
        reliability = ReliabilityPolicy.RELIABLE if p["reliable_output"] else ReliabilityPolicy.BEST_EFFORT
        self._publisher = self.create_publisher(msg.FrameSet, "frame_set", QoSProfile(depth=2, reliability=reliability))
        self._status = self.create_publisher(msg.SynchronizerStatus, "~/status", 5)
        self.create_timer(JUDGE_S, self._judge_clocks)
        self.create_timer(1.0, self._publish_status)
        self._arrived: dict[str, Callable[[], None]] = {}
        self._inputs = {view: self._subscribe(view) for view in self._views}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch_deadlines, name="deadlines", daemon=True)
        self._thread.start()

    def listen_to(self, camera: CameraNode) -> None:
        """Take a camera's frames directly: it lives in this process."""
        subscription = self._inputs.pop(camera.view)
        self._health.hand_over(subscription, camera)
        self.destroy_subscription(subscription)
        camera.listener = self.take

    def close(self) -> None:
        """Stop the deadline thread."""
        self._stopping.set()
        self._thread.join(timeout=5.0)

    def take(self, frame: CameraFrame) -> None:
        """Take in a frame, from any thread."""
        self._arrived[frame.view]()
        self._rates[frame.view].tick(time.monotonic())
        # Sets leave in order: whoever completes one sends it before the next can be completed.
        with self._outgoing:
            with self._lock:
                now_ns = time.monotonic_ns()
                self._judge.observe(frame.view, frame.stamp_ns, now_ns)
                sets = self._synchronizer.add(frame.view, frame.stamp_ns, frame, now_ns)
            self._send(sets)

    def _subscribe(self, view: str) -> Any:
        p = self._settings
        reliability = ReliabilityPolicy.RELIABLE if p["reliable_input"] else ReliabilityPolicy.BEST_EFFORT
        quality = QoSProfile(depth=INPUT_DEPTH, reliability=reliability)
        compressed = p["transport"] == "compressed"
        subscription = self.create_subscription(
            CompressedImage if compressed else Image,
            f"{view}/image_raw{'/compressed' * compressed}",
            lambda message: self._receive(view, message),
            quality,
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        self._arrived[view] = self._health.watch(subscription, quality, p["silence_warning"])
        return subscription

    def _receive(self, view: str, message: Any) -> None:
        try:
            self.take(camera_frame_from_message(view, message))
        except Exception as error:  # whatever a driver sends, the node lives on
            self._arrived[view]()
            self._unreadable[view] += 1
            self._health.caught(f"bad image of {view}", error, f"camera '{view}'")

    def _watch_deadlines(self) -> None:
        while not self._stopping.is_set():
            deadline_ns = None
            try:
                deadline_ns = self._send_due()
            except Exception as error:  # of a listener, or of DDS: without this thread partial sets never leave
                self._health.caught("deadlines", error)
            wait_s = IDLE_WAKE_S if deadline_ns is None else (deadline_ns - time.monotonic_ns()) / NANOSECONDS
            self._stopping.wait(min(max(wait_s, 0.001), IDLE_WAKE_S))

    def _send_due(self) -> int | None:
        """Send the sets whose deadline has passed; returns the next deadline, if there is one."""
        with self._outgoing:
            with self._lock:
                sets = self._synchronizer.poll(time.monotonic_ns())
                deadline_ns = self._synchronizer.next_deadline_ns()
            self._send(sets)
        return deadline_ns

    def _send(self, sets: list[AlignedSet[CameraFrame]]) -> None:
        for aligned in sets:
            frame_set = self._frame_set(aligned)
            self._sets.tick(time.monotonic())
            self._latency.add((self.get_clock().now().nanoseconds - frame_set.stamp_ns) / NANOSECONDS)
            for listener in self.listeners:
                listener(frame_set)
            if self._publisher.get_subscription_count():
                self._publisher.publish(frame_set_to_message(frame_set))

    def _frame_set(self, aligned: AlignedSet[CameraFrame]) -> FrameSet:
        frames = []
        for view, frame, skew_ns in zip(self._views, aligned.frames, aligned.skews_ns, strict=True):
            if frame is None or skew_ns is None:
                frames.append(CameraFrame(view, 0))
            else:
                frames.append(replace(frame, skew_s=skew_ns / NANOSECONDS))
        device_frame = self._frame_prefix + DEVICE_FRAME
        return FrameSet(aligned.acquired_ns, tuple(frames), aligned.span_ns / NANOSECONDS, device_frame)

    def _judge_clocks(self) -> None:
        """Measure the cameras' clocks against each other."""
        with self._lock:
            found = self._judge.new_faults(*self._times_ns(), self._synchronizer.statistics())
        for condition in found:
            self._health.stand(*condition)

    def _judge_frames(self) -> None:
        """Say what is wrong with the cameras' clocks and streams, and why there is no frame set."""
        simulated = bool(self.get_parameter("use_sim_time").value)
        with self._lock:
            statistics, times_ns = self._synchronizer.statistics(), self._times_ns()
            stepped = self._judge.clock_step()
            found = self._judge.conditions(*times_ns, statistics, simulated)
        if stepped and not simulated:
            self._health.problems.report("clock step", stepped)
        for condition in found:
            self._health.stand(*condition)

    def _times_ns(self) -> tuple[int, int]:
        """Now, on the clock of the arrivals and on the host's."""
        return time.monotonic_ns(), self.get_clock().now().nanoseconds

    def _publish_status(self) -> None:
        self._judge_frames()
        with self._lock:
            statistics = self._synchronizer.statistics()
        p50, p95, p99 = self._latency(50, 95, 99)
        status = SynchronizerStatus(
            stamp_ns=self.get_clock().now().nanoseconds,
            matcher=self._settings["matcher"],
            cameras=self._cameras(statistics),
            complete_sets=statistics.complete,
            partial_sets=statistics.partial,
            discarded_sets=statistics.discarded,
            clock_resets=statistics.resets,
            rate_hz=self._sets.hz(time.monotonic()),
            latency_p50_s=p50,
            latency_p95_s=p95,
            latency_p99_s=p99,
        )
        self._status.publish(synchronizer_status_to_message(status))

    def _cameras(self, statistics: SyncStatistics) -> tuple[CameraStatus, ...]:
        now = time.monotonic()
        with self._lock:
            measured = {view: self._judge.offset_ns(view) for view in self._views}
        return tuple(
            camera_status(
                view,
                statistics.cameras[view],
                self._rates[view].hz(now),
                self._config.offset_ns(view) / NANOSECONDS,
                measured[view],
                self._judge.finding(view),
            )
            for view in self._views
        )

    def _parts(self) -> list[Part]:
        """One status per camera."""
        with self._lock:
            statistics = self._synchronizer.statistics()
        return [
            camera_part(
                camera,
                self._judge.finding(camera.view),
                f"{self._rig_name}/{camera.view}",
                self._unreadable[camera.view],
            )
            for camera in self._cameras(statistics)
        ]

    def _figures(self) -> Mapping[str, object]:
        with self._lock:
            statistics = self._synchronizer.statistics()
        p50, p95, p99 = (f"{1e3 * value:.1f}" for value in self._latency(50, 95, 99))
        return {
            "sets (Hz)": f"{self._sets.hz(time.monotonic()):.1f}",
            "complete sets": statistics.complete,
            "partial sets": statistics.partial,
            "discarded sets": statistics.discarded,
            "resets": statistics.resets,
            "latency p50 (ms)": p50,
            "latency p95 (ms)": p95,
            "latency p99 (ms)": p99,
        }
