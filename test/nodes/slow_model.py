"""A pose node in a process of its own, to which a model named "slow..." takes a long time to load."""

from __future__ import annotations

import sys
import time
from typing import Any

from egorear_ros.graph.main import run_single
from egorear_ros.inference import PoseEstimator
from egorear_ros.nodes import pose_node

SLOW_S = 2.0
load = PoseEstimator.from_pretrained


def load_slowly(model: str, *args: Any, **kwargs: Any) -> PoseEstimator:
    if model.startswith("slow:"):
        time.sleep(SLOW_S)
    return load(model.removeprefix("slow:"), *args, **kwargs)


if __name__ == "__main__":
    replaced: Any = pose_node.PoseEstimator
    replaced.from_pretrained = load_slowly
    sys.exit(run_single("pose_node", sys.argv))
