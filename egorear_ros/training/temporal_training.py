"""Training the tracker's temporal part on tracks: minutes on one core, whatever network made the tracks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from egorear_ros.network import TemporalConfig, save_weights
from egorear_ros.network.temporal import TemporalNetwork
from egorear_ros.tracking.wearer import running_lengths
from egorear_ros.training.log import Log
from egorear_ros.training.temporal_losses import temporal_losses
from egorear_ros.training.track_batches import Chances, batch_of, cues_of, stacked
from egorear_ros.training.tracks import Tracks

BEST: Final = "tracker.safetensors"
Progress = Callable[[int, float], None]


@dataclass(frozen=True)
class TemporalTraining:
    """How to train.

    Attributes:
        steps: batches of `track_batches.FRAMES_PER_BATCH` frames.
        learning_rate: the highest; it falls as a cosine after a warm-up.
        warmup_steps: of a learning rate that grows.
        weight_decay: of all weights.
        gradient_clip: largest norm of a gradient.
        ema: decay of the moving average of the weights, which is what is kept.
        both_ways: share of the batches that look both ways, for the smoother.
        validate_every: steps between validations.
        seed: of weights and batches.
        network: sizes.
        chances: of what happens to tracks.
    """

    steps: int = 2200
    learning_rate: float = 2.5e-3
    warmup_steps: int = 100
    weight_decay: float = 0.05
    gradient_clip: float = 1.0
    ema: float = 0.995
    both_ways: float = 0.35
    validate_every: int = 100
    seed: int = 0
    network: TemporalConfig = field(default_factory=TemporalConfig)
    chances: Chances = field(default_factory=Chances)

    def rate(self, step: int) -> float:
        """Learning rate of a step."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * step / self.steps))


def train_temporal(
    config: TemporalTraining,
    train: Tracks,
    validation: Tracks,
    out: Path,
    source: dict[str, Any],
    progress: Progress = lambda step, error: None,
) -> float:
    """Train, and keep the weights that are best on the validation tracks in `out`.

    Args:
        config: how.
        train: tracks to learn from; tracks 2k and 2k + 1 are of one person.
        validation: tracks of other people.
        out: folder, made if need be.
        source: what the weights' card shall say besides.
        progress: called after every step with its number and the latest validation error (NaN before the first).

    Returns:
        The lowest validation error, mm.
    """
    torch.manual_seed(config.seed)
    network = TemporalNetwork(config.network)
    network.mean_pose_m.copy_(torch.from_numpy(train.joints_m.mean(axis=0)))
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(config.ema))  # type: ignore[no-untyped-call]
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=config.weight_decay)
    best, error, seconds = math.inf, math.nan, 0.0
    out.mkdir(parents=True, exist_ok=True)
    log = Log(out)
    for step in range(config.steps):
        started = time.perf_counter()
        log.add(_learn(network, optimizer, config, train, step))
        average.update_parameters(network)
        seconds += time.perf_counter() - started
        if (step + 1) % config.validate_every == 0 or step + 1 == config.steps:
            error = validation_error_mm(average.module, validation)
            if error < best:
                best = error
                facts = {"step": step + 1, "seconds": round(seconds), "validation_mpjpe_mm": round(error, 2)}
                save_weights(out / BEST, average.module, config.network, {**source, **_facts(config, train), **facts})
            log.write(step + 1, seconds, config.rate(step), {"validation_mpjpe_mm": f"{error:.2f}"})
        progress(step + 1, error)
    log.close()
    return best


def _learn(
    network: TemporalNetwork, optimizer: torch.optim.Optimizer, config: TemporalTraining, train: Tracks, step: int
) -> dict[str, float]:
    """Take one step and return its losses."""
    rng = np.random.default_rng([config.seed, step])
    piece = batch_of(train, rng, config.chances, config.network.views)
    for group in optimizer.param_groups:
        group["lr"] = config.rate(step)
    losses = temporal_losses(network(piece.cues, both_ways=bool(rng.random() < config.both_ways)), piece)
    total = torch.stack(list(losses.values())).sum()
    optimizer.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]
    norm = nn.utils.clip_grad_norm_(network.parameters(), config.gradient_clip)
    if torch.isfinite(norm):
        optimizer.step()
    return {"loss": total.item(), "norm": norm.item(), **{name: loss.item() for name, loss in losses.items()}}


@torch.inference_mode()
def validation_error_mm(network: nn.Module, tracks: Tracks) -> float:
    """Mean of the errors forward and both ways, without down or stature, over whole tracks with all views, mm."""
    errors = []
    for index in range(len(tracks)):
        track = tracks.track(index)
        lengths = running_lengths(track.pose_m[:, 0], track.std_m[:, 0], track.time_s)
        piece = stacked([cues_of(track, 0, lengths, {"down": False, "stature": False})])
        for both_ways in (False, True):
            found = network(piece.cues, both_ways).pose_m
            errors.append(torch.linalg.vector_norm(found - piece.joints_m, dim=-1).mean().item())
    return 1000.0 * float(np.mean(errors))


def _facts(config: TemporalTraining, train: Tracks) -> dict[str, Any]:
    return {"training": {**asdict(config), "train_tracks": len(train), "train_frames": len(train.time_s)}}
