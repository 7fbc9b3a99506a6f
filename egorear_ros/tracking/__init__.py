"""Tracking: `PoseTracker` turns a stream of frame sets of one wearer into a smooth skeleton with velocities.

May import: network, inference, data, skeleton, errors, resources. Imported by training, evaluation, estimation, nodes,
    cli. No ROS.
"""

from egorear_ros.tracking.tracker import PoseTracker, TemporalFilter

__all__ = ["PoseTracker", "TemporalFilter"]
