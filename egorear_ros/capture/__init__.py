"""Where a camera's frames come from: devices, video files, streams, recorded clips, the simulator.

May import: rig, datatypes, data, bags, simulator. Imported by nodes, graph and cli. No ROS.
"""

from egorear_ros.capture.clock import LoopClock
from egorear_ros.capture.opening import open_source, open_truth
from egorear_ros.capture.source import (
    CapturedFrame,
    CaptureOptions,
    FrameSource,
    NoTruthError,
    SilentSourceError,
    SourceError,
    TruthSource,
)

__all__ = [
    "CaptureOptions",
    "CapturedFrame",
    "FrameSource",
    "LoopClock",
    "NoTruthError",
    "SilentSourceError",
    "SourceError",
    "TruthSource",
    "open_source",
    "open_truth",
]
