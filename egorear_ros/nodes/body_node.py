"""body_node: the person as a robot: joint states, a robot description sized to the wearer, TF frames, ROS4HRI.

Topics: in `skeleton` and, for ROS4HRI, `<view>/skeleton_2d`; out `joint_states`, `robot_description` (latched),
`skeleton_fitted`, `/tf`, and `/humans/bodies/...` where `hri_msgs` is installed. Service: `~/measure_again`. One thread
fits the newest skeleton, and only while somebody listens; bone lengths are learnt all the time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage

from egorear_msgs import msg
from egorear_ros.body import BodyPose, HumanChain, LiveBody, LiveBodyConfig
from egorear_ros.datatypes import Skeleton
from egorear_ros.errors import EgorearError
from egorear_ros.nodes import ros4hri
from egorear_ros.nodes.body_messages import BodyMessages, fitted_skeleton
from egorear_ros.nodes.conversions import skeleton_from_message, skeleton_to_message
from egorear_ros.nodes.health import Health
from egorear_ros.nodes.mailbox import Mailbox
from egorear_ros.nodes.parameters import Parameter, Parameters
from egorear_ros.nodes.rates import Percentiles, RateMeter
from egorear_ros.rig import frame_prefix_of

LEARNING = LiveBodyConfig()
PARAMETERS = (
    Parameter(
        "joint_frames",
        True,
        "Publish a TF frame per link below body_<id>; false where robot_state_publisher does.",
        dynamic=True,
    ),
    Parameter("first_skeletons", LEARNING.first, "So many skeletons give the first bone lengths.", 1, 300),
    Parameter("window", LEARNING.window_s, "Bone lengths are measured over this time, s.", 1.0, 3600.0),
    Parameter(
        "length_change",
        LEARNING.change_m,
        "The body is sized anew when a bone length differs by more from the one in use, m.",
        0.001,
        1.0,
    ),
    Parameter(
        "ros4hri",
        ros4hri.AUTO,
        "Publish /humans/bodies (REP-155): auto does where hri_msgs is installed.",
        choices=ros4hri.CHOICES,
    ),
    Parameter("skeleton2d_view", "front_left", "Camera whose 2D joints are /humans/bodies/<id>/skeleton2d."),
    Parameter("lost_after", 1.0, "A body not seen for this long is no longer listed as tracked, s.", 0.1, 60.0),
    Parameter("silence_warning", 3.0, "Complain when no skeleton arrives for this long, s.", 0.5, 3600.0),
)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
TAKE_TIMEOUT_S = 0.5
LISTENERS_HZ = 15.0
"""Where only those in this process listen, viewers, so many bodies per second are enough."""


class BodyNode(Node):
    """Fits the body.

    Attributes:
        listeners: called with every fitted body by the fitting thread; for those in the same process.
    """

    def __init__(self, name: str = "body_node", **node_options: Any) -> None:
        super().__init__(name, **node_options)
        self.listeners: list[Callable[[BodyPose], None]] = []
        self._settings = p = Parameters(self, PARAMETERS)
        self._health = Health(self, self._figures, "body")
        self._rate, self._fit_time = RateMeter(), Percentiles()
        self._mailbox: Mailbox[Skeleton] = Mailbox()
        self._body = LiveBody(LiveBodyConfig(p["first_skeletons"], p["window"], p["length_change"]))
        self._using = threading.Lock()
        """Around the body: the service forgets it while the thread learns."""
        self._messages: BodyMessages | None = None
        self._fitted_at = 0.0
        self._joint_states = self.create_publisher(JointState, "joint_states", 5)
        self._description = self.create_publisher(String, "robot_description", LATCHED)
        self._fitted = self.create_publisher(msg.Skeleton, "skeleton_fitted", 5)
        self._tf = self.create_publisher(TFMessage, "/tf", 100)
        self._hri = ros4hri.make(self, self._health, p["ros4hri"], p["skeleton2d_view"], p["lost_after"])
        self.create_service(Trigger, "~/measure_again", self._measure_again)
        quality = QoSProfile(depth=5)
        subscription = self.create_subscription(msg.Skeleton, "skeleton", self._receive, quality)
        self._arrived = self._health.watch(subscription, quality, p["silence_warning"])
        self._thread = threading.Thread(target=self._work, name="body", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread."""
        self._mailbox.close()
        self._thread.join(timeout=10.0)

    def _receive(self, message: msg.Skeleton) -> None:
        self._arrived()
        try:
            self._mailbox.put(skeleton_from_message(message))
        except (EgorearError, ValueError) as error:
            self._health.problems.report("bad skeleton", str(error))

    def _work(self) -> None:
        while not self._mailbox.closed:
            skeleton = self._mailbox.take(TAKE_TIMEOUT_S)
            if skeleton is None:
                continue
            try:
                self._take(skeleton)
            except Exception as error:  # a node never dies of a bad message
                self._health.caught("body", error)

    def _take(self, skeleton: Skeleton) -> None:
        with self._using:
            if self._messages is not None and self._messages.body_id != skeleton.skeleton_id:
                self._forget()
            resized = self._body.learn(skeleton)
            started = time.monotonic()
            wanted = resized or self._is_wanted()
            pose = self._body.fit(skeleton) if wanted else None
        if pose is None:
            return
        self._fitted_at = time.monotonic()
        self._fit_time.add(self._fitted_at - started)
        if resized or self._messages is None:
            prefix = frame_prefix_of(skeleton.frame_id)
            self._messages = BodyMessages(skeleton.skeleton_id, HumanChain(pose.offsets_m), prefix)
            self._describe(self._messages)
        self._publish(pose, self._messages)

    def _is_wanted(self) -> bool:
        """Whether anybody listens; fitting is most of the work."""
        topics = (self._joint_states, self._fitted, self._tf)
        hri = self._hri is not None and self._hri.is_wanted()
        shown = bool(self.listeners) and time.monotonic() - self._fitted_at >= 1 / LISTENERS_HZ
        return hri or shown or any(topic.get_subscription_count() for topic in topics)

    def _describe(self, messages: BodyMessages) -> None:
        description = messages.description()
        self._description.publish(String(data=description))
        if self._hri is not None:
            self._hri.describe(messages.body_id, description)

    def _publish(self, pose: BodyPose, messages: BodyMessages) -> None:
        frames = messages.body_frame(pose)
        if self._settings["joint_frames"]:
            frames = [*frames, *messages.joint_frames(pose)]
        self._tf.publish(TFMessage(transforms=frames))
        state = messages.joint_state(pose)
        self._joint_states.publish(state)
        self._fitted.publish(skeleton_to_message(fitted_skeleton(pose)))
        if self._hri is not None:
            self._hri.publish(messages.body_id, state)
        for listener in self.listeners:
            listener(pose)
        self._rate.tick(time.monotonic())

    def _forget(self) -> None:
        self._body.forget()
        self._messages = None

    def _measure_again(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        with self._using:
            self._forget()
        response.success, response.message = True, "the next skeletons give the bone lengths"
        return response

    def _figures(self) -> Mapping[str, object]:
        lengths = self._body.lengths
        sizes = {} if lengths is None else {f"{name} (m)": f"{value:.3f}" for name, value in vars(lengths).items()}
        fit_ms = f"{1e3 * self._fit_time(50)[0]:.1f}"
        return {"bodies (Hz)": f"{self._rate.hz(time.monotonic()):.1f}", "fit p50 (ms)": fit_ms, **sizes}
