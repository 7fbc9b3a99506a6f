"""evaluation_node: compares skeletons with ground truth as they arrive.

Topics: in `skeleton` and `ground_truth`; pairs have equal stamps. Running MPJPE in the diagnostics and, when the node
ends, a summary in the log and, if asked for, a JSON file.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rclpy.node import Node
from rclpy.qos import QoSProfile

from egorear_msgs import msg
from egorear_ros.datatypes import Skeleton
from egorear_ros.errors import EgorearError
from egorear_ros.evaluation.metrics import mpjpe_mm
from egorear_ros.evaluation.pose_table import pose_table
from egorear_ros.nodes.conversions import skeleton_from_message
from egorear_ros.nodes.health import Health
from egorear_ros.nodes.parameters import Parameter, Parameters
from egorear_ros.result_file import check_result_file, write_json
from egorear_ros.rig import without_prefix

PARAMETERS = (
    Parameter("output", "", "Where to write the summary as JSON when the node ends; empty for nowhere."),
    Parameter("silence_warning", 3.0, "Complain when nothing arrives for this long, s.", 0.5, 3600.0),
)
PENDING = 600
"""How many unpaired skeletons are kept: 10 s of either side at 60 Hz."""

Pending = OrderedDict[int, Skeleton]
"""Skeletons without a partner yet, by stamp, oldest first."""


class EvaluationNode(Node):
    """Keeps the error of every skeleton that has ground truth."""

    def __init__(self, name: str = "evaluation_node", **node_options: Any) -> None:
        super().__init__(name, **node_options)
        self._settings = Parameters(self, PARAMETERS)
        if self._settings["output"]:
            check_result_file(Path(self._settings["output"]), "output")
        self._health = Health(self, self._figures, "evaluation")
        self._estimates: Pending = OrderedDict()
        self._truths: Pending = OrderedDict()
        self._pairs_m: list[tuple[np.ndarray, np.ndarray]] = []
        self._mpjpe_sum_mm = 0.0
        quality = QoSProfile(depth=50)
        self._arrived = {
            "skeleton": self._listen("skeleton", self._estimates, self._truths, quality),
            "ground_truth": self._listen("ground_truth", self._truths, self._estimates, quality),
        }

    def _listen(self, topic: str, own: Pending, other: Pending, quality: QoSProfile) -> Callable[[], None]:
        subscription = self.create_subscription(
            msg.Skeleton, topic, lambda message: self._receive(message, own, other, topic), quality
        )
        return self._health.watch(subscription, quality, self._settings["silence_warning"])

    def close(self) -> None:
        """Log the summary and write it.

        Raises:
            EgorearError: it cannot be written; the log has it.
        """
        summary = self.summary()
        self.get_logger().info(f"evaluation: {json.dumps(summary)}")
        if self._settings["output"]:
            write_json(Path(self._settings["output"]), summary)

    def summary(self) -> dict[str, object]:
        """The table of all frames compared (see `pose_table`), unpaired frames on either side."""
        if not self._pairs_m:
            return {"frames": 0, **self._unpaired()}
        predicted_m, truth_m = (np.stack(side) for side in zip(*self._pairs_m, strict=True))
        return {**pose_table(predicted_m, truth_m), **self._unpaired()}

    def _unpaired(self) -> dict[str, object]:
        return {"unpaired_skeletons": len(self._estimates), "unpaired_ground_truth": len(self._truths)}

    def _receive(self, message: msg.Skeleton, own: Pending, other: Pending, topic: str) -> None:
        self._arrived[topic]()
        try:
            skeleton = skeleton_from_message(message)
        except (EgorearError, ValueError) as error:
            self._health.problems.report(f"bad {topic}", str(error))
            return
        partner = other.pop(skeleton.stamp_ns, None)
        if partner is None:
            own[skeleton.stamp_ns] = skeleton
            if len(own) > PENDING:
                own.popitem(last=False)
        elif without_prefix(partner.frame_id) != without_prefix(skeleton.frame_id):
            self._health.problems.report(
                "frames differ", f"skeleton and ground truth are in '{skeleton.frame_id}' and '{partner.frame_id}'"
            )
        else:
            truth, estimate = (skeleton, partner) if topic == "ground_truth" else (partner, skeleton)
            self._compare(estimate.positions_m, truth.positions_m)

    def _compare(self, predicted_m: np.ndarray, truth_m: np.ndarray) -> None:
        if not np.isfinite(predicted_m).all():
            self._health.problems.report("not finite", "a skeleton has positions that are no numbers; it is left out")
            return
        self._pairs_m.append((predicted_m, truth_m))
        self._mpjpe_sum_mm += float(mpjpe_mm(predicted_m, truth_m))

    def _figures(self) -> Mapping[str, object]:
        frames = len(self._pairs_m)
        mpjpe = f"{self._mpjpe_sum_mm / frames:.1f}" if frames else "none yet"
        return {"frames": frames, "MPJPE (mm)": mpjpe, **self._unpaired()}
