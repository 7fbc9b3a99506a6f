"""Finishing a trained temporal part: calibrate its standard deviations, say how good it is, write it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from egorear_ros.evaluation.calibration import coverage_percent, fit_std_scale
from egorear_ros.evaluation.metrics import mpjpe_mm
from egorear_ros.network import load_weights, save_weights
from egorear_ros.network.temporal import TemporalNetwork
from egorear_ros.tracking.wearer import running_lengths
from egorear_ros.training.track_batches import cues_of, stacked
from egorear_ros.training.tracks import Tracks

Array = NDArray[Any]
KNOWN: dict[str, bool] = {"down": True, "stature": True}
UNKNOWN: dict[str, bool] = {"down": False, "stature": False}


def publish(weights: Path, validation: Tracks, out: Path) -> dict[str, Any]:
    """Scale the standard deviations on validation tracks, measure there, and write weights and card.

    Args:
        weights: from `train_temporal`.
        validation: tracks of people it was not trained on.
        out: .safetensors.

    Returns:
        The figures, which the card has, too.
    """
    network, card = load_weights(weights)
    network = cast(TemporalNetwork, network)
    factor = _calibrate(network, validation)
    pose, std = answers(network, validation, 0, UNKNOWN)
    truth = validation.joints_m
    figures = {
        "per_frame_mpjpe_mm": _mean_mm(validation.pose_m[:, 0], truth),
        "tracker_mpjpe_mm": _mean_mm(pose, truth),
        "tracker_with_gravity_and_stature_mpjpe_mm": _mean_mm(answers(network, validation, 0, KNOWN)[0], truth),
        "smoother_mpjpe_mm": _mean_mm(answers(network, validation, 0, UNKNOWN, both_ways=True)[0], truth),
        "coverage_percent": coverage_percent(pose - truth, std),
    }
    source = {**card.source, "std_scaled_by": round(factor, 4), "result": figures}
    save_weights(out, network, card.config, source)
    return figures


@torch.inference_mode()
def answers(
    network: TemporalNetwork, tracks: Tracks, variant: int, known: dict[str, bool], both_ways: bool = False
) -> tuple[Array, Array]:
    """Poses and standard deviations of whole tracks, (N, 16, 3) metres; bone lengths are measured within each track.

    Args:
        network: in eval mode.
        tracks: of any length.
        variant: which choice of views.
        known: whether "down" and "stature" are known.
        both_ways: look at later frames, too.
    """
    poses, stds = [], []
    for index in range(len(tracks)):
        track = tracks.track(index)
        lengths = running_lengths(track.pose_m[:, variant], track.std_m[:, variant], track.time_s)
        found = network(stacked([cues_of(track, variant, lengths, known)]).cues, both_ways)
        poses.append(found.pose_m[0].numpy())
        stds.append(found.log_std[0].exp().numpy())
    return np.concatenate(poses), np.concatenate(stds)


def _calibrate(network: TemporalNetwork, tracks: Tracks) -> float:
    """Make 90 % intervals cover 90 %, with all views and with views coming and going; return the factor."""
    found = [answers(network, tracks, variant, UNKNOWN) for variant in (0, 1)]
    pose, std = (np.concatenate([each[part] for each in found]) for part in (0, 1))
    factor = fit_std_scale(pose, np.concatenate([tracks.joints_m] * 2), std)
    with torch.no_grad():
        network.out.bias[3:6].add_(float(np.log(factor)))
    return factor


def _mean_mm(pose_m: Array, truth_m: Array) -> float:
    return round(float(mpjpe_mm(pose_m, truth_m).mean()), 2)
