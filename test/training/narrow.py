"""Narrow networks on small images, and their runs: what the tests of training share."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import torch

from egorear_ros.data.frame_sets import FrameSets
from egorear_ros.network import build, save_weights
from egorear_ros.training.augmentation import AugmentationConfig
from egorear_ros.training.config import TrainingConfig
from egorear_ros.training.log import LOG
from egorear_ros.training.run import Run, build_run
from egorear_ros.training.stages import Job, jobs_of
from egorear_ros.training.start import BEST
from egorear_ros.training.trainer import train

NETWORK = {"image_size": 64, "width": 16, "channels": 16}
EGOTAP: dict[str, Any] = {**NETWORK, "lifting": {"map_size": 16, "vit_layers": 1, "vit_dim": 16}}


def config(out: Path, **changes: Any) -> TrainingConfig:
    values: dict[str, Any] = {
        "system": "egorear-front",
        "network": NETWORK,
        "steps": 2,
        "batch": 8,
        "warmup_steps": 2,
        "weight_decay": 0.0,
        "augmentation": AugmentationConfig.off(),
        "bf16": False,
    }
    return TrainingConfig(out=str(out), **{**values, **changes})


def job(settings: TrainingConfig, name: str) -> Job:
    return next(job for job in jobs_of(settings.network_config()) if job.name == name)


def trained(settings: TrainingConfig, name: str, sets: FrameSets) -> Run:
    run = build_run(settings, sets, sets, job(settings, name))
    train(run, resume=False)
    return run


def column(run: Run, name: str) -> list[float]:
    with (run.out / LOG).open() as file:
        return [float(row[name]) for row in csv.DictReader(file)]


def shards(folder: Path, sets: FrameSets) -> Path:
    folder.mkdir()
    np.savez(folder / "shard_00000.npz", **sets.arrays())
    return folder


def command(tmp_path: Path, data: Path, *extra: str) -> list[str]:
    (tmp_path / "tiny.yaml").write_text(
        "{system: egorear-front, network: {image_size: 64, width: 16, channels: 16}, epochs: 1, batch: 4, bf16: false, "
        "augmentation: {view_dropout: false, photometric: false}, stage1: {epochs: 2}, stage3: {batch: 8}}"
    )
    paths = ["--data", str(data), "--validation", str(data), "--out", str(tmp_path / "run")]
    return ["train", "--config", str(tmp_path / "tiny.yaml"), *paths, *extra]


def untrained(folder: Path, network: Any) -> Path:
    torch.manual_seed(5)
    save_weights(folder / BEST, build(network), network, {})
    return folder / BEST


def csv_header(run: Run) -> list[str]:
    return (run.out / LOG).read_text().splitlines()[0].split(",")
