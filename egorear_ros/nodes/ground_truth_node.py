"""ground_truth_node: the true skeleton of a rig clip or of the simulator, in step with its cameras.

Topic: out `ground_truth`. Recordings made with it can be evaluated later. A thread reads the source: one without truth,
as most recordings of real people, is said once; one that fails is reported and tried again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rclpy.node import Node

from egorear_msgs import msg
from egorear_ros.capture import NoTruthError, TruthSource, open_truth
from egorear_ros.datatypes import Skeleton
from egorear_ros.nodes.conversions import skeleton_to_message
from egorear_ros.nodes.health import Health
from egorear_ros.nodes.parameters import FRAME_PREFIX, Parameter, Parameters
from egorear_ros.nodes.start_gate import StartGate
from egorear_ros.rig import DEVICE_FRAME, check_frame_prefix, load_rig, without_prefix

PARAMETERS = (
    Parameter("rig", "ego4view", "Rig: name of a shipped one, or path of a .yaml file."),
    Parameter("source", "", "The cameras' source: clip:DIR, bag:PATH or sim:SEED."),
    Parameter("start_with", "", "Begin when this lifecycle node is active; the graph sets it."),
    FRAME_PREFIX,
    Parameter("rate", 0.0, "The cameras' rate, Hz; 0 takes the source's own.", 0.0, 240.0),
)


RETRY_S = 0.5


class GroundTruthNode(Node):
    """Publishes what the networks should find.

    Attributes:
        listeners: called with every true skeleton; for those in the same process.
    """

    def __init__(self, name: str = "ground_truth_node", **node_options: Any) -> None:
        super().__init__(name, **node_options)
        self.listeners: list[Callable[[Skeleton], None]] = []
        self._has_truth, self._skeletons = True, 0
        self._settings = p = Parameters(self, PARAMETERS)
        self._health = Health(self, self._figures, "truth")
        self._rig, self._frame_prefix = load_rig(p["rig"]), check_frame_prefix(p["frame_prefix"])
        self._publisher = self.create_publisher(msg.Skeleton, "ground_truth", 50)
        self._gate = StartGate(self, self.get_namespace(), p["start_with"])
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._play, name="ground truth", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread."""
        self._stopping.set()
        self._thread.join(timeout=5.0)

    def _play(self) -> None:
        p = self._settings
        self._gate.wait(self._stopping)
        truth: TruthSource | None = None
        while not self._stopping.is_set():
            try:
                truth = truth or open_truth(p["source"], self._rig, p["rate"])
                self._hand_on(truth.read())
            except NoTruthError as error:
                self._has_truth = False
                self.get_logger().info(f"{error}; the topic ground_truth stays silent")
                return
            except Exception as error:  # a bad message, or a source that comes later; the clock catches up
                self._health.caught("source", error)
                self._stopping.wait(RETRY_S)

    def _hand_on(self, skeleton: Skeleton) -> None:
        if self._stopping.is_set():
            return
        self._skeletons += 1
        frame = without_prefix(skeleton.frame_id)  # a recording has the prefix it was recorded with
        skeleton = replace(skeleton, frame_id=self._frame_prefix + frame if frame == DEVICE_FRAME else frame)
        for listener in self.listeners:
            listener(skeleton)
        self._publisher.publish(skeleton_to_message(skeleton))

    def _figures(self) -> Mapping[str, object]:
        return {"source": self._settings["source"], "has truth": self._has_truth, "skeletons": self._skeletons}
