"""Trains `egorear-s`. Reads top-down: `train` is the loop, `Run` what it keeps.

Plain torch: one process, one device. A checkpoint holds weights, optimiser and step; everything random follows from the
step's number, so a run that was killed goes on as if it had not been.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import torch
from torch import Tensor, nn

from egorear_ros.data.frame_sets import FrameSets
from egorear_ros.errors import EgorearError
from egorear_ros.evaluation.metrics import mpjpe_mm
from egorear_ros.evaluation.prediction import predict
from egorear_ros.network import build, save_weights
from egorear_ros.network.egorear_s import EgoRearS
from egorear_ros.training.batches import indices_of_step, make_batch, to_device
from egorear_ros.training.compact_losses import compact_losses
from egorear_ros.training.config import TrainingConfig

CHECKPOINT: Final = "last.pt"
BEST: Final = "best.safetensors"
LOG: Final = "log.csv"

Progress = Callable[[int, float], None]


class Run:
    """Network, optimiser and bookkeeping of one training run.

    Args:
        config: what to do.
        train: frame sets to learn from; larger images than the network's are averaged down.
        validation: frame sets that choose the weights to keep.

    Raises:
        EgorearError: there are fewer frame sets than one.
    """

    def __init__(self, config: TrainingConfig, train: FrameSets, validation: FrameSets) -> None:
        if not len(train) or not len(validation):
            raise EgorearError(f"{len(train)} frame sets to train on and {len(validation)} to validate: both need some")
        self.config, size = config, config.network_config().image_size
        self.train, self.validation = train.resized(size), validation.resized(size)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(config.seed)
        self.network = cast(EgoRearS, build(config.network_config()))
        self.network.mean_pose_m.copy_(torch.from_numpy(train.joints_device_m.mean(axis=0)))
        self.nominal = self.network.camera_from_device.clone()
        self.network.to(self.device).train()
        cast(nn.Module, self.network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(parameter_groups(self.network, config.weight_decay), lr=0.0)
        self.step, self.best_mm, self.seconds = 0, math.inf, 0.0
        self.out = Path(config.out)

    def learn(self) -> dict[str, float]:
        """Take one step and return its losses."""
        config = self.config
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.step, config)
        indices = indices_of_step(self.step, config.batch, len(self.train), config.seed)
        rng = np.random.default_rng([config.seed, self.step, 12]) if config.augment else None
        batch = to_device(make_batch(self.train, indices, self.nominal if config.augment else None, rng), self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=config.bf16):
            stages, poses, log_std = self.network.stages(batch.images, batch.camera_from_device, batch.view_mask)
        losses = compact_losses(stages, poses, log_std, batch)
        total = torch.stack(list(losses.values())).sum()
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), config.gradient_clip)
        if torch.isfinite(norm):  # one bad batch must not end a night's run; the log shows it
            self.optimizer.step()
        self.step += 1
        return {"loss": total.item(), "norm": norm.item(), **{name: loss.item() for name, loss in losses.items()}}

    def validate(self) -> float:
        """MPJPE in mm on the validation sets: the mean of all views and of the front pair, both must be good."""
        count = min(self.config.validation_sets, len(self.validation))
        spread = np.linspace(0, len(self.validation) - 1, count).astype(int)
        picked = self.validation.take(spread)
        views = self.network.config.views
        masks = {(True,) * len(views), tuple(view.startswith("front") for view in views)}
        errors = [
            mpjpe_mm(predict(self.network, picked, mask, self.config.bf16).joints_m, picked.joints_device_m).mean()
            for mask in sorted(masks)
            if any(mask)
        ]
        return float(np.mean(errors))

    def save(self) -> None:
        """Write the checkpoint; it is replaced as a whole."""
        content = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "best_mm": self.best_mm,
            "seconds": self.seconds,
            "network_config": json.dumps(dataclasses.asdict(self.config.network_config())),
        }
        partial = self.out / f".{CHECKPOINT}.partial"
        torch.save(content, partial)
        partial.replace(self.out / CHECKPOINT)

    def load(self) -> None:
        """Continue from the checkpoint.

        Raises:
            EgorearError: there is none, or it is of another network.
        """
        path = self.out / CHECKPOINT
        if not path.exists():
            raise EgorearError(f"'{path}' does not exist: there is nothing to resume; leave out --resume")
        content = torch.load(path, map_location=self.device, weights_only=True)
        if content["network_config"] != json.dumps(dataclasses.asdict(self.config.network_config())):
            raise EgorearError(f"'{path}' is of another network ({content['network_config']}); name a new --out")
        self.network.load_state_dict(content["network"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.step, self.best_mm, self.seconds = content["step"], content["best_mm"], content["seconds"]

    def keep_if_best(self, error_mm: float, source: dict[str, Any]) -> None:
        """Write the weights if no earlier ones were better."""
        if error_mm < self.best_mm:
            self.best_mm = error_mm
            measured = {"step": self.step, "seconds": round(self.seconds), "validation_mpjpe_mm": round(error_mm, 1)}
            save_weights(self.out / BEST, self.network, self.network.config, {**source, **measured})


def train(
    run: Run, resume: bool, progress: Progress = lambda step, error_mm: None, stop_after: int | None = None
) -> float:
    """Train to the last step, validating and saving on the way.

    Args:
        run: what to train.
        resume: continue from the checkpoint in the run's folder.
        progress: called after every step with its number and the latest validation error (NaN before the first).
        stop_after: step to stop at, to be resumed some other time; the learning rate's schedule is not shortened.

    Returns:
        The best validation MPJPE in mm.

    Raises:
        EgorearError: `resume` without a checkpoint, or a checkpoint that would be overwritten without `resume`.
    """
    config = run.config
    run.out.mkdir(parents=True, exist_ok=True)
    if resume:
        run.load()
    elif (run.out / CHECKPOINT).exists():
        raise EgorearError(f"'{run.out}' holds a run already: use --resume, or another --out")
    source = {"training": {**dataclasses.asdict(config), "data": [Path(folder).name for folder in config.data]}}
    source["training"].update(validation=Path(config.validation).name, out=run.out.name, train_sets=len(run.train))
    error_mm, log = math.nan, Log(run.out / LOG)
    last = min(config.steps, stop_after or config.steps)
    while run.step < last:
        started = time.perf_counter()
        losses = run.learn()
        run.seconds += time.perf_counter() - started
        log.add(losses)
        if run.step % config.validate_every == 0 or run.step == last:
            error_mm = run.validate()
            run.keep_if_best(error_mm, source)
            run.save()
            log.write(run.step, run.seconds, learning_rate(run.step - 1, config), error_mm)
        progress(run.step, error_mm)
    return run.best_mm


class Log:
    """Losses, averaged between validations, as CSV; appends, so that a resumed run has one log."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._losses: list[dict[str, float]] = []

    def add(self, losses: dict[str, float]) -> None:
        """Take one step's losses."""
        self._losses.append(losses)

    def write(self, step: int, seconds: float, rate: float, error_mm: float) -> None:
        """Write one line."""
        means = {name: f"{np.mean([entry[name] for entry in self._losses]):.4f}" for name in self._losses[0]}
        row = {"step": step, "seconds": round(seconds), "learning_rate": f"{rate:.2e}", **means}
        row["validation_mpjpe_mm"] = f"{error_mm:.1f}"
        new = not self._path.exists()
        with self._path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)
        self._losses.clear()


def learning_rate(step: int, config: TrainingConfig) -> float:
    """Linear warm-up, then a cosine to zero; depends on nothing but the step, so resuming needs no state."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    done = (step - config.warmup_steps) / max(config.steps - config.warmup_steps, 1)
    return config.learning_rate * 0.5 * (1.0 + math.cos(math.pi * min(done, 1.0)))


def parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Weight decay for matrices and kernels only, not for biases, norms and embeddings of one dimension."""
    decayed: list[Tensor] = [p for p in network.parameters() if p.ndim >= 2]
    others: list[Tensor] = [p for p in network.parameters() if p.ndim < 2]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
