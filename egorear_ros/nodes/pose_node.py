"""pose_node: frame sets in, skeletons out. A managed node: the network is loaded and warmed in `configure`.

Topics: in `frame_set`, out `skeleton`, `<view>/skeleton_2d` and `~/status`. Services: `~/set_enabled`, `~/load_model`.
Frame sets go through a mailbox that keeps the newest only, to one inference thread: the node never works through a
backlog of stale frames.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.qos import QoSProfile, ReliabilityPolicy
from std_srvs.srv import SetBool

from egorear_msgs import msg, srv
from egorear_ros.datatypes import FrameSet, PoseStatus
from egorear_ros.errors import EgorearError
from egorear_ros.inference import DEFAULT_MODEL, PoseEstimate, PoseEstimator
from egorear_ros.inference.engines import AUTO, ENGINES
from egorear_ros.nodes.bounded import within
from egorear_ros.nodes.conversions import (
    frame_set_from_message,
    skeleton_2d_to_message,
    skeleton_to_message,
)
from egorear_ros.nodes.health import Health, reason_of
from egorear_ros.nodes.mailbox import Mailbox
from egorear_ros.nodes.overload import Overload
from egorear_ros.nodes.parameters import Parameter, Parameters
from egorear_ros.nodes.rates import Percentiles, RateMeter
from egorear_ros.nodes.rig_watch import RigWatch
from egorear_ros.nodes.slow_services import SlowServices
from egorear_ros.nodes.status_messages import pose_status_to_message
from egorear_ros.nodes.synchronizer_node import SynchronizerNode
from egorear_ros.rig import frame_prefix_of, load_rig
from egorear_ros.tracking.evidence import STATURES_M
from egorear_ros.tracking.tracker import TEMPORAL_DEFAULT, TemporalFilter, open_filter

PARAMETERS = (
    Parameter("model", DEFAULT_MODEL, "Network: registry name of a shipped model, or path of a .safetensors file."),
    Parameter("rig", "", "The cameras: name of a shipped rig, or path of a .yaml file; empty: those of the model."),
    Parameter("device", "auto", "Where it runs: auto, cpu or cuda."),
    Parameter("engine", AUTO, "How it runs; see docs/inference.md.", choices=(AUTO, *ENGINES)),
    Parameter("temporal", TEMPORAL_DEFAULT, "Track over time; false: every frame set by itself. See docs/tracking.md."),
    Parameter("stature_m", 0.0, "Height of the wearer, m; 0: not known.", 0.0, STATURES_M[1], dynamic=True),
    Parameter("autostart", True, "Configure and activate by itself; otherwise a lifecycle manager does."),
    Parameter("skeleton_id", "wearer", "Identity of the tracked person, for TF frame body_<id> and topics of ROS4HRI."),
    Parameter("publish_2d", True, "Publish the 2D joints of every view.", dynamic=True),
    Parameter("check_rig", True, "Say in the log and /diagnostics when the images do not fit the rig file."),
    Parameter("reliable_input", True, "Ask for frame sets reliably; must match the synchronizer."),
    Parameter("load_timeout", 120.0, "load_model answers within this time, with or without the model, s.", 1.0, 3600.0),
    Parameter("silence_warning", 3.0, "Complain when no frame set arrives for this long, s.", 0.5, 3600.0),
)
TAKE_TIMEOUT_S = 0.5
Loaded = tuple[PoseEstimator, TemporalFilter | None]


class PoseNode(LifecycleNode):
    """Runs the network.

    Attributes:
        listeners: called with every estimate and its stamp by the inference thread; for those in the same process.
    """

    def __init__(self, name: str = "pose_node", **node_options: Any) -> None:
        super().__init__(name, **node_options)
        self.listeners: list[Callable[[PoseEstimate, int], None]] = []
        self._settings = Parameters(self, PARAMETERS, self._changed)
        self._health = Health(self, self._figures, "inference")
        self._rig_watch = RigWatch(self._health)
        self._rate, self._latency, self._network_time = RateMeter(), Percentiles(), Percentiles()
        self._mailbox: Mailbox[FrameSet] = Mailbox()
        self._overload = Overload()
        self._enabled, self._active = True, False
        self._received = self._ignored = self._failed = 0
        self._estimator: PoseEstimator | None = None
        self._temporal: TemporalFilter | None = None
        self._model_name = ""
        self._swap = threading.Lock()
        self._switching = threading.Lock()
        """While managed publishers are added or switched."""
        self._skeletons = self.create_lifecycle_publisher(msg.Skeleton, "skeleton", 5)
        self._skeletons_2d: dict[str, Any] = {}
        self._status = self.create_publisher(msg.PoseStatus, "~/status", 5)
        self.create_timer(1.0, self._publish_status)
        reliability = ReliabilityPolicy.RELIABLE if self._settings["reliable_input"] else ReliabilityPolicy.BEST_EFFORT
        quality = QoSProfile(depth=2, reliability=reliability)
        self._input = self.create_subscription(msg.FrameSet, "frame_set", self._receive, quality)
        self._arrived = self._health.watch(self._input, quality, self._settings["silence_warning"])
        self.create_service(SetBool, "~/set_enabled", self._set_enabled)
        self._slow_services = SlowServices(self, {"~/load_model": (srv.LoadModel, self._load_model)})
        self._thread = threading.Thread(target=self._work, name="inference", daemon=True)
        self._thread.start()
        if self._settings["autostart"]:
            self._autostart = self.create_timer(0.0, self._start)

    def listen_to(self, synchronizer: SynchronizerNode) -> None:
        """Take the frame sets directly: the synchronizer lives in this process."""
        self._health.hand_over(self._input, synchronizer)
        self.destroy_subscription(self._input)
        synchronizer.listeners.append(self.submit)

    def close(self) -> None:
        """Stop the threads."""
        self._slow_services.close()
        self._rig_watch.close()
        self._mailbox.close()
        self._active = False
        self._thread.join(timeout=10.0)

    def submit(self, frame_set: FrameSet) -> None:
        """Hand over a frame set from any thread; replaces one that still waits."""
        self._arrived()
        self._received += 1
        if self._active and self._enabled:
            self._mailbox.put(frame_set)
        else:
            self._ignored += 1

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the network and warm it."""
        try:
            self._use(self._settings["model"])
        except Exception as error:  # rclpy would drop it without a word
            self._health.broken = f"model '{self._settings['model']}': {reason_of(error)}"
            self.get_logger().error(self._health.broken)
            return TransitionCallbackReturn.FAILURE
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to estimate."""
        self._arrived()  # a clip has waited for this: silence counts from now on
        with self._switching:
            result = super().on_activate(state)
        self._active = True
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop estimating; the network stays loaded."""
        self._active = False
        with self._switching:
            return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release the network."""
        return self._release()

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop for good and release the network."""
        return self._release()

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release the network; the node can be configured again."""
        return self._release()

    def _release(self) -> TransitionCallbackReturn:
        self._active = False
        with self._swap:
            self._estimator, self._temporal, self._model_name = None, None, ""
        return TransitionCallbackReturn.SUCCESS

    def _start(self) -> None:
        self._autostart.cancel()
        if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    def _use(self, model: str) -> None:
        """Load `model`, then take it in."""
        self._take_in(self._loaded(model), model)

    def _loaded(self, model: str) -> Loaded:
        """The network, warm; the old one works on meanwhile."""
        started = time.monotonic()
        p = self._settings
        rig = load_rig(p["rig"]) if p["rig"] else None
        estimator = PoseEstimator.from_pretrained(
            model, p["device"], p["engine"], warn=self.get_logger().warning, rig=rig
        )
        estimator.warm_up()
        temporal = open_filter(estimator, model, p["stature_m"] or None) if p["temporal"] else None
        seconds = time.monotonic() - started
        engine = f"engine '{estimator.engine.name}'" + (f": {proof}" if (proof := estimator.engine.proof) else "")
        self.get_logger().info(f"model '{model}' is ready after {seconds:.1f} s, {engine}")
        return estimator, temporal

    def _take_in(self, loaded: Loaded, model: str, configured: bool = False) -> None:
        """Use this network from the next frame set on.

        Args:
            loaded: the network and what goes on over time.
            model: its name.
            configured: take it in only if there still is an old one: the node may be cleaned up meanwhile.
        """
        estimator, temporal = loaded
        with self._swap:
            if configured and self._estimator is None:
                raise EgorearError("the pose node is not configured; configure it first")
            self._estimator, self._temporal, self._model_name = estimator, temporal, model
            self._health.broken = ""
        self._rig_watch.use(estimator.rig.subset(estimator.views) if self._settings["check_rig"] else None)

    def _receive(self, message: msg.FrameSet) -> None:
        try:
            self.submit(frame_set_from_message(message))
        except Exception as error:  # whatever is sent, the node lives on
            self._health.caught("bad frame set", error)

    def _work(self) -> None:
        """Inference thread: whatever one frame set does, the next one gets its chance."""
        while not self._mailbox.closed:
            frame_set = self._mailbox.take(TAKE_TIMEOUT_S)
            if frame_set is None:
                continue
            try:
                self._estimate(frame_set)
            except Exception as error:  # a node never dies of a bad message
                self._failed += 1
                self._health.caught("frame set", error)

    def _estimate(self, frame_set: FrameSet) -> None:
        # References of its own: a swap that waited for a free moment of a busy network might wait for ever.
        with self._swap:
            estimator, temporal = self._estimator, self._temporal
        if not self._active or estimator is None:
            self._ignored += 1
            return
        estimate, left_out = estimator.estimate_frames(frame_set.frames)
        if temporal is not None:
            estimate = temporal.update(estimate, frame_set.stamp_ns)
        for view, reason in left_out.items():
            self._health.problems.report(f"bad image of {view}", reason)
        self._publish(estimate, frame_set)
        self._rig_watch.offer(frame_set, left_out)

    def _publish(self, estimate: PoseEstimate, frame_set: FrameSet) -> None:
        stamp_ns = frame_set.stamp_ns
        skeleton = estimate.skeleton(stamp_ns, self._settings["skeleton_id"], frame_set.frame_id)
        self._skeletons.publish(skeleton_to_message(skeleton))
        for listener in self.listeners:
            listener(estimate, stamp_ns)
        if self._settings["publish_2d"]:
            image_stamps_ns = {frame.view: frame.stamp_ns for frame in frame_set.frames}
            prefix = frame_prefix_of(frame_set.frame_id)
            for skeleton_2d in estimate.skeletons_2d(stamp_ns, image_stamps_ns, prefix):
                self._publisher_2d(skeleton_2d.view).publish(skeleton_2d_to_message(skeleton_2d))
        self._rate.tick(time.monotonic())
        self._latency.add((self.get_clock().now().nanoseconds - stamp_ns) / 1e9)
        self._network_time.add(estimate.stage_seconds.get("network", float("nan")))

    def _publish_status(self) -> None:
        overload = self._overload.tick(self._received, self._mailbox.replaced, self._network_time(50)[0])
        self._health.stand("overload", overload, False)
        p50, p95, p99 = self._latency(50, 95, 99)
        estimator, temporal = self._estimator, self._temporal
        status = PoseStatus(
            cues=temporal.cues if temporal is not None else (),
            stamp_ns=self.get_clock().now().nanoseconds,
            model=self._model_name,
            engine=estimator.engine.name if estimator else "",
            active=self._active,
            enabled=self._enabled,
            received_sets=self._received,
            skeletons=self._rate.count,
            skipped_sets=self._mailbox.replaced,
            failed_sets=self._failed,
            ignored_sets=self._ignored,
            rate_hz=self._rate.hz(time.monotonic()),
            latency_p50_s=p50,
            latency_p95_s=p95,
            latency_p99_s=p99,
            network_p50_s=self._network_time(50)[0],
        )
        self._status.publish(pose_status_to_message(status))

    def _publisher_2d(self, view: str) -> Any:
        if view not in self._skeletons_2d:
            with self._switching:
                publisher = self.create_lifecycle_publisher(msg.Skeleton2D, f"{view}/skeleton_2d", 5)
                if self._skeletons.is_activated:  # the node has become active without this one
                    publisher.on_activate(None)
                self._skeletons_2d[view] = publisher
        return self._skeletons_2d[view]

    def _set_enabled(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._enabled = request.data
        response.success, response.message = True, "enabled" if request.data else "disabled"
        return response

    def _load_model(self, request: srv.LoadModel.Request, response: srv.LoadModel.Response) -> srv.LoadModel.Response:
        """Swap the network; in a thread of its own, the old one works on meanwhile."""
        limit_s = self._settings["load_timeout"]
        try:
            self._take_in(within(limit_s, lambda: self._loaded(request.model)), request.model, configured=True)
            response.success, response.message = True, f"'{request.model}' is in use"
        except TimeoutError:
            response.success = False
            response.message = f"model '{request.model}' was not loaded within {limit_s:g} s (parameter load_timeout)"
        except Exception as error:  # whatever a file makes torch do, the answer comes and the node lives on
            response.success, response.message = False, reason_of(error)
            self._health.caught("load_model", error, f"model '{request.model}' was not taken in")
        response.active_model = self._model_name
        return response

    def _changed(self, names: set[str]) -> None:
        """Take over a height that is set while the node runs: it is said of a new wearer, so tracking begins anew."""
        if "stature_m" not in names:
            return
        with self._swap:
            if self._temporal is not None:
                try:
                    self._temporal.new_wearer(self._settings["stature_m"] or None)
                except EgorearError as error:
                    self._health.caught("parameter", error)

    def _temporal_use(self) -> str:
        """What the skeletons rest on besides their own images, for diagnostics."""
        temporal = self._temporal
        if temporal is not None:
            return ", ".join(temporal.cues) or "nothing yet"
        return "off: the network gives no standard deviations" if self._settings["temporal"] else "off"

    def _figures(self) -> Mapping[str, object]:
        p50, p95, p99 = (f"{1e3 * value:.1f}" for value in self._latency(50, 95, 99))
        return {
            "model": self._model_name,
            "rig check": self._rig_watch.describe(),
            "enabled": self._enabled,
            "temporal": self._temporal_use(),
            "rate (Hz)": f"{self._rate.hz(time.monotonic()):.1f}",
            "received frame sets": self._received,
            "skeletons": self._rate.count,
            "skipped frame sets": self._mailbox.replaced,
            "failed frame sets": self._failed,
            "ignored frame sets": self._ignored,
            "latency p50 (ms)": p50,
            "latency p95 (ms)": p95,
            "latency p99 (ms)": p99,
            "network p50 (ms)": f"{1e3 * self._network_time(50)[0]:.1f}",
        }
