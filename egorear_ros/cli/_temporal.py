"""Tracker, smoother or single frames: what a command that estimates recordings was asked for."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from egorear_ros.errors import EgorearError
from egorear_ros.inference import PoseEstimator
from egorear_ros.tracking.recordings import Refine, per_frame, refinement
from egorear_ros.tracking.tracker import TEMPORAL_DEFAULT


def refinement_of(args: argparse.Namespace, pose: Mapping[str, Any], estimator: PoseEstimator, model: str) -> Refine:
    """What the estimates of single frame sets go through.

    Args:
        args: with the options of `_options.add_temporal_options`.
        pose: the live pose node's parameters, which hold where the options say nothing.
        estimator: the loaded model.
        model: its name or path.

    Raises:
        EgorearError: an option that would have no effect; no weights of the temporal part.
    """
    wanted = args.smooth or args.track or (not args.per_frame and pose.get("temporal", TEMPORAL_DEFAULT))
    if args.stature_m is not None and not wanted:
        raise EgorearError("--stature-m has no effect on single frames; leave it out, or give --track or --smooth")
    if not wanted:
        return per_frame
    stature_m = args.stature_m if args.stature_m is not None else pose.get("stature_m", 0.0) or None
    return refinement(estimator, model, args.smooth, stature_m)
