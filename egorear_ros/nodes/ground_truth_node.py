"""ground_truth_node: the true skeleton of a rig clip or of the simulator, in step with its cameras.

Topic: out `ground_truth`. Recordings made with it can be evaluated later.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from rclpy.node import Node

from egorear_msgs import msg
from egorear_ros.capture import SourceError, TruthSource, open_truth
from egorear_ros.datatypes import Skeleton
from egorear_ros.nodes.conversions import skeleton_to_message
from egorear_ros.nodes.health import Health
from egorear_ros.nodes.parameters import Parameter, Parameters
from egorear_ros.rig import load_rig

PARAMETERS = (
    Parameter("rig", "ego4view", "Rig: name of a shipped one, or path of a .yaml file."),
    Parameter("source", "", "The cameras' source: clip:DIR, bag:PATH or sim:SEED."),
    Parameter("rate", 0.0, "The cameras' rate, Hz; 0 takes the source's own.", 0.0, 240.0),
)


class GroundTruthNode(Node):
    """Publishes what the networks should find.

    Attributes:
        listeners: called with every true skeleton; for those in the same process.
    """

    def __init__(self, name: str = "ground_truth_node", **node_options: Any) -> None:
        super().__init__(name, **node_options)
        self.listeners: list[Callable[[Skeleton], None]] = []
        self._settings = p = Parameters(self, PARAMETERS)
        self._health = Health(self, self._figures)
        self._truth: TruthSource = open_truth(p["source"], load_rig(p["rig"]), p["rate"])
        self._publisher = self.create_publisher(msg.Skeleton, "ground_truth", 50)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._play, name="ground truth", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread."""
        self._stopping.set()
        self._thread.join(timeout=5.0)

    def _play(self) -> None:
        while not self._stopping.is_set():
            try:
                skeleton = self._truth.read()
            except SourceError as error:
                self._health.problems.report("source", str(error))
                return
            if not self._stopping.is_set():
                for listener in self.listeners:
                    listener(skeleton)
                self._publisher.publish(skeleton_to_message(skeleton))

    def _figures(self) -> Mapping[str, object]:
        return {"source": self._settings["source"]}
