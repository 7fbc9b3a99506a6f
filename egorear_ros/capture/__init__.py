"""Where a camera's frames come from: devices, video files, streams, recorded clips, the simulator.

May import: rig, datatypes, data, simulator. Imported by nodes and cli. No ROS.
"""

from egorear_ros.capture.clock import LoopClock
from egorear_ros.capture.recorded import TruthSource, open_truth, truth_skeleton
from egorear_ros.capture.source import (
    CapturedFrame,
    CaptureOptions,
    FrameSource,
    NoTruthError,
    SilentSourceError,
    SourceError,
    open_source,
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
    "truth_skeleton",
]
