"""Losses of the tracker's temporal part."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from egorear_ros.network.temporal import Track
from egorear_ros.training.compact_losses import laplace_nll
from egorear_ros.training.losses import POSE_WEIGHT, joint_distance
from egorear_ros.training.track_batches import Piece

CHANGE_WEIGHT: Final = 0.5 * POSE_WEIGHT
BEND_WEIGHT: Final = 0.5 * POSE_WEIGHT
STD_WEIGHT: Final = 0.2
VELOCITY_WEIGHT: Final = 0.3
VELOCITY_STD_WEIGHT: Final = 0.05


def temporal_losses(track: Track, piece: Piece) -> dict[str, Tensor]:
    """Every term, weighted; their sum is trained.

    Besides the poses, their changes from frame to frame and the changes of these are compared with the truth: else the
    skeleton would tremble. Both in metres, so that they do not grow with the frame rate.
    """
    time_s = piece.cues.time_s
    error = track.pose_m - piece.joints_m
    step = error.diff(dim=1)
    interval = time_s.diff(dim=1)[..., None, None]
    # Of uneven frames: how far the middle one lies off the line through its neighbours.
    share = interval[:, :-1] / (interval[:, :-1] + interval[:, 1:])
    bend = error[:, 1:-1] - error[:, :-2] * (1 - share) - error[:, 2:] * share
    zero = torch.zeros(())
    velocity_error = track.velocity_m_s - piece.velocity_m_s
    return {
        "pose": POSE_WEIGHT * joint_distance(track.pose_m, piece.joints_m),
        "change": CHANGE_WEIGHT * joint_distance(step, zero),
        "bend": BEND_WEIGHT * joint_distance(bend, zero),
        "std": STD_WEIGHT * laplace_nll(error.detach(), track.log_std),
        "velocity": VELOCITY_WEIGHT * joint_distance(track.velocity_m_s, piece.velocity_m_s),
        "velocity_std": VELOCITY_STD_WEIGHT * laplace_nll(velocity_error.detach(), track.velocity_log_std),
    }
