"""Skeletons from recordings, without truth and without ROS: the live graph's synchronizer and estimator on files.

May import: rig, datatypes, sync, data, inference, body. Imported by export and cli.
"""

from egorear_ros.estimation.opening import Named, open_recording, parse_sources
from egorear_ros.estimation.pipeline import Estimates, aligned_sets, estimate_recording
from egorear_ros.estimation.recording import RecordedFrame, Recording

__all__ = [
    "Estimates",
    "Named",
    "RecordedFrame",
    "Recording",
    "aligned_sets",
    "estimate_recording",
    "open_recording",
    "parse_sources",
]
