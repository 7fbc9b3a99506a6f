"""Inference: PoseEstimator takes numpy images of any subset of views and returns joints in metres with confidence.

May import: network, data, rig, datatypes, skeleton, errors, resources. Imported by evaluation, training, nodes, cli. No
    ROS.
"""

from egorear_ros.inference.estimate import PoseEstimate
from egorear_ros.inference.estimator import DEFAULT_MODEL, InputError, PoseEstimator

__all__ = ["DEFAULT_MODEL", "InputError", "PoseEstimate", "PoseEstimator"]
