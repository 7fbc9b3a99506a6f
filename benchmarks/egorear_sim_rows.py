"""The rows of EgoRear-Sim's table, and how they are trained: every network of a stage for the same number of steps.

Rows share what they have in common, as in the paper: EgoPoseFormer with refinement starts from the heatmap networks and
the refinement of EgoRear's own row with the same views, if those are finished and were trained with the same settings.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml

from egorear_ros.errors import EgorearError
from egorear_ros.network import EgoRearSConfig, list_models
from egorear_ros.network.registry import VIEW_SETS
from egorear_ros.training.checkpoint import CHECKPOINT
from egorear_ros.training.config import TrainingConfig, load_config
from egorear_ros.training.stages import Job, jobs_of
from egorear_ros.training.start import BEST

SYSTEMS = {
    "EgoPoseFormer": ("egoposeformer-{views}", "egoposeformer-{views}+refinement"),
    "EgoTAP": ("egotap-{views}", "egotap-{views}+refinement"),
    "EgoRear's own": ("egorear-{views}-unrefined", "egorear-{views}"),
}
"""Lifter -> registry names without and with refinement."""

COMPACT = ("egorear-s-unrefined", "egorear-s")
"""One network serves all camera sets."""


def all_rows() -> list[str]:
    """Everything that can be trained: names of the registry, and the two compact networks."""
    names = [name.format(views=views) for names in SYSTEMS.values() for name in names for views in VIEW_SETS]
    return [*COMPACT, *(name for name in names if name in list_models())]


@dataclass(frozen=True)
class Row:
    """One row with one seed, in its own folder below `runs`."""

    name: str
    seed: int
    runs: Path

    @property
    def folder(self) -> Path:
        """Where it is trained."""
        return self.runs / f"{self.name}-seed{self.seed}"

    @property
    def config_file(self) -> Path:
        """How it is trained."""
        return self.folder / "config.yaml"

    @property
    def jobs(self) -> tuple[Job, ...]:
        """What it trains, one after the other."""
        return jobs_of(load_config(self.config_file).network_config())

    @property
    def stages(self) -> list[int]:
        """[1, 2, 3], without 2 where there is no refinement; [0] for the compact networks."""
        return sorted({job.stage for job in self.jobs})

    @property
    def weights(self) -> Path:
        """What comes out."""
        return self.folder / self.jobs[-1].name / BEST

    def settings(self, job: Job) -> TrainingConfig:
        """What a job is trained with, but for names."""
        return dataclasses.replace(load_config(self.config_file, job.stage), system="egorear-s", network={}, out="")


def train(args: argparse.Namespace) -> None:
    """Train every row and seed that is not finished; keep weights.yaml up to date."""
    for name in args.rows:
        if name not in all_rows():
            raise EgorearError(f"there is no row '{name}'; known are {', '.join(all_rows())}")
    for seed in args.seeds:
        for name in args.rows:
            row = begin(name, seed, args)
            if not (row.folder / "finished").exists():
                for stage in row.stages:
                    train_stage(row, stage, args)
                (row.folder / "finished").touch()
            add_weights(args.runs / "weights.yaml", name, str(row.weights))


def begin(name: str, seed: int, args: argparse.Namespace) -> Row:
    """Write the row's configuration: that of its system in `args.configs`, with name, seed and folder."""
    row = Row(name, seed, args.runs)
    content = {**row_config(name, args.configs), "seed": seed, "out": str(row.folder)}
    row.folder.mkdir(parents=True, exist_ok=True)
    row.config_file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return row


def row_config(name: str, configs: Path) -> dict[str, Any]:
    """The configuration of a row's system; that of the compact networks is with or without refinement."""
    system = COMPACT[1] if name in COMPACT else name.partition("-")[0]
    content: dict[str, Any] = yaml.safe_load((configs / f"{system}.yaml").read_text(encoding="utf-8"))
    if name not in COMPACT:
        return {**content, "system": name}
    layers = 0 if name.endswith("unrefined") else EgoRearSConfig().refinement_layers
    return {**content, "network": {**content.get("network", {}), "refinement_layers": layers}}


def train_stage(row: Row, stage: int, args: argparse.Namespace) -> None:
    """Run `egorear train`; what is finished, here or in another row, is not repeated."""
    for job in row.jobs:
        if job.stage == stage and job != row.jobs[-1]:
            adopt(row, job, args)
    command = [sys.executable, "-m", "egorear_ros", "train", "--config", str(row.config_file)]
    command += ["--data", *args.data, "--validation", args.validation, "--steps", str(steps_of(stage, args.steps))]
    command += ["--stage", str(stage)] if stage else []
    command += ["--resume"] if stage or (row.folder / CHECKPOINT).exists() else []
    print(" ".join(command), flush=True)
    if subprocess.run(command, check=False).returncode:
        raise EgorearError(f"row '{row.name}' stopped in stage {stage or 'all'}; mend what it says and call this again")


def steps_of(stage: int, steps: Sequence[int]) -> int:
    """The budget of a stage's networks: one number is for all, three are for the stages 1, 2 and 3."""
    if len(steps) == 1:
        return steps[0]
    if len(steps) == 3 and stage > 0:
        return steps[stage - 1]
    raise EgorearError(f"--steps takes one number, or three for rows with stages; got {len(steps)}")


def adopt(row: Row, job: Job, args: argparse.Namespace) -> None:
    """Copy a job's folder from a row that has finished the same job, if there is one and this row has not begun it."""
    own, steps = row.folder / job.name, steps_of(job.stage, args.steps)
    if own.exists():
        return
    peers = (Row(name, row.seed, row.runs) for name in all_rows())
    peer = next((peer for peer in peers if has_trained(peer, job, row.settings(job), steps)), None)
    if peer is not None:
        print(f"{row.name}: {job.name} is that of {peer.name}", flush=True)
        partial = own.with_name(f".{own.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(peer.folder / job.name, partial)
        partial.replace(own)


def has_trained(row: Row, job: Job, settings: TrainingConfig, steps: int) -> bool:
    """Whether a row has finished the same job with the same settings; the checkpoint, which is large, is read last."""
    checkpoint = row.folder / job.name / CHECKPOINT
    if not checkpoint.exists() or job not in row.jobs or row.settings(job) != settings:
        return False
    return bool(torch.load(checkpoint, map_location="cpu", weights_only=True)["step"] == steps)


def add_weights(path: Path, name: str, weights: str) -> None:
    """Add a row's weights to those that are known."""
    known: dict[str, list[str]] = yaml.safe_load(path.read_text()) if path.exists() else {}
    known.setdefault(name, [])
    if weights not in known[name]:
        known[name].append(weights)
    partial = path.with_suffix(".partial")
    partial.write_text(yaml.safe_dump(known), encoding="utf-8")
    partial.replace(path)
