"""browser_view_node: the graph in a browser: a moving person beside the images, skeleton, truth, error, latency.

Topics: in `frame_set`, `skeleton`, `ground_truth` and `<view>/skeleton_2d`. Once per second one line with rates,
latency and error goes to the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from egorear_msgs import msg
from egorear_ros.body import LiveBody
from egorear_ros.errors import EgorearError
from egorear_ros.nodes.conversions import frame_set_from_message, skeleton_2d_from_message, skeleton_from_message
from egorear_ros.nodes.health import Health
from egorear_ros.nodes.monitor import Monitor
from egorear_ros.nodes.parameters import Parameter, Parameters
from egorear_ros.rig import load_rig
from egorear_ros.visualization.rerun_server import LOOPBACK, open_to_all
from egorear_ros.visualization.rerun_view import PORTS, RerunView

PARAMETERS = (
    Parameter("rig", "ego4view", "Rig whose cameras are shown: name of a shipped one, or a .yaml file."),
    Parameter("port", 9090, "Port of the web page; the data come through the port 786 above it.", *PORTS),
    Parameter("host", LOOPBACK, "Address to listen on: 127.0.0.1 is this machine alone, 0.0.0.0 the whole network."),
    Parameter("open_browser", True, "Open a browser; otherwise the page is only served."),
    Parameter(
        "person", True, "Show the wearer as a moving person; in one process with the graph it needs the body node."
    ),
    Parameter("truth", False, "Show the true skeleton beside the person; the tab of the skeletons always has it."),
    Parameter("silence_warning", 3.0, "Complain when no frame set arrives for this long, s.", 0.5, 3600.0),
)


class BrowserViewNode(Node):
    """Serves the page and feeds it."""

    def __init__(self, name: str = "browser_view_node", **node_options: Any) -> None:
        super().__init__(name, **node_options)
        self._settings = p = Parameters(self, PARAMETERS)
        rig = load_rig(p["rig"])
        self._health = Health(self, self._figures, "view")
        self._view = RerunView(rig, p["person"], p["truth"])
        clock, body = self.get_clock(), LiveBody() if p["person"] else None
        self._monitor = Monitor(self._view, self.get_logger().info, lambda: clock.now().nanoseconds, body)
        address = self._view.serve(p["port"], p["open_browser"], p["host"])
        self.get_logger().info(f"open {address}")
        if warning := open_to_all(p["host"], p["port"]):
            self.get_logger().warning(warning)
        best_effort = QoSProfile(depth=2, reliability=ReliabilityPolicy.BEST_EFFORT)  # understands both kinds
        sets = self._subscribe(
            msg.FrameSet, "frame_set", frame_set_from_message, self._monitor.on_frame_set, best_effort
        )
        self._arrived = self._health.watch(sets, best_effort, p["silence_warning"])
        quality = QoSProfile(depth=10)
        self._inputs = [
            sets,
            self._subscribe(msg.Skeleton, "skeleton", skeleton_from_message, self._monitor.on_skeleton, quality),
            self._subscribe(msg.Skeleton, "ground_truth", skeleton_from_message, self._monitor.on_truth, quality),
        ]
        for view in rig.names:
            show, topic = self._monitor.on_joints_2d, f"{view}/skeleton_2d"
            self._inputs.append(self._subscribe(msg.Skeleton2D, topic, skeleton_2d_from_message, show, quality))

    def listen_to(self, nodes: Sequence[Node]) -> None:
        """Take everything directly from the nodes of this process."""
        self._health.forget(self._inputs[0])
        for subscription in self._inputs:
            self.destroy_subscription(subscription)
        self._inputs.clear()
        self._monitor.attach(nodes)

    def close(self) -> None:
        """Send what is still on its way to the page."""
        self._view.close()

    def _subscribe(
        self, kind: Any, topic: str, read: Callable[[Any], Any], show: Callable[[Any], None], quality: QoSProfile
    ) -> Any:
        def receive(message: Any) -> None:
            if topic == "frame_set":
                self._arrived()
            try:
                show(read(message))
            except (EgorearError, ValueError) as error:
                self._health.problems.report(f"bad {topic}", str(error))

        return self.create_subscription(kind, topic, receive, quality)

    def _figures(self) -> Mapping[str, object]:
        return {"shown": self._monitor.line()}
