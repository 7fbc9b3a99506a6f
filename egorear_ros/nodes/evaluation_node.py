"""evaluation_node: compares skeletons with ground truth as they arrive.

Topics: in `skeleton` and `ground_truth`; pairs have equal stamps. Running MPJPE in the diagnostics and, when the node
ends, a summary in the log and, if asked for, a JSON file.
"""

from __future__ import annotations

import json
import os
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
from egorear_ros.nodes.conversions import skeleton_from_message
from egorear_ros.nodes.health import Health
from egorear_ros.nodes.parameters import Parameter, Parameters
from egorear_ros.skeleton import GROUPS

PARAMETERS = (
    Parameter("output", "", "Where to write the summary as JSON when the node ends; empty for nowhere."),
    Parameter("silence_warning", 10.0, "Complain when nothing arrives for this long, s.", 0.5, 3600.0),
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
        self._health = Health(self, self._figures)
        self._estimates: Pending = OrderedDict()
        self._truths: Pending = OrderedDict()
        self._errors_m: list[np.ndarray] = []
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
        """Log the summary and write it."""
        summary = self.summary()
        self.get_logger().info(f"evaluation: {json.dumps(summary)}")
        if self._settings["output"]:
            path = Path(self._settings["output"])
            partial = path.with_name(f".{path.name}.{os.getpid()}")
            partial.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
            partial.replace(path)

    def summary(self) -> dict[str, object]:
        """Frames compared, MPJPE and per-group errors in millimetres, unpaired frames on either side."""
        unpaired = {"unpaired_skeletons": len(self._estimates), "unpaired_ground_truth": len(self._truths)}
        if not self._errors_m:
            return {"frames": 0, **unpaired}
        errors_mm = 1e3 * np.stack(self._errors_m)
        groups = {name: round(float(errors_mm[:, joints].mean()), 2) for name, joints in GROUPS.items()}
        mpjpe = round(float(errors_mm.mean()), 2)
        return {"frames": len(errors_mm), "mpjpe_mm": mpjpe, "per_group_mm": groups, **unpaired}

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
        elif partner.frame_id != skeleton.frame_id:
            self._health.problems.report(
                "frames differ", f"skeleton and ground truth are in '{skeleton.frame_id}' and '{partner.frame_id}'"
            )
        else:
            self._errors_m.append(np.linalg.norm(partner.positions_m - skeleton.positions_m, axis=-1))

    def _figures(self) -> Mapping[str, object]:
        return {name: value for name, value in self.summary().items() if name != "per_group_mm"}
