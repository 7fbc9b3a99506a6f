"""What a run writes: the checkpoint to resume from, and the weights to keep, each replaced as a whole."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Final

import torch

from egorear_ros.errors import EgorearError
from egorear_ros.network import save_weights
from egorear_ros.network.weights import config_to_json
from egorear_ros.training.run import Run
from egorear_ros.training.start import BEST, LAST

CHECKPOINT: Final = "last.pt"


def save_checkpoint(run: Run) -> None:
    """Write weights, optimiser, average and step."""
    content = {
        "network": run.network.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "average": None if run.average is None else run.average.state_dict(),
        "step": run.step,
        "best": run.best,
        "seconds": run.seconds,
        "network_config": _network_json(run),
    }
    partial = run.out / f".{CHECKPOINT}.partial"
    torch.save(content, partial)
    partial.replace(run.out / CHECKPOINT)


def load_checkpoint(run: Run) -> None:
    """Continue from the checkpoint in the run's folder.

    Raises:
        EgorearError: there is none, or it is of another network, or without the average that `ema` asks for.
    """
    path = run.out / CHECKPOINT
    if not path.exists():
        raise EgorearError(f"'{path}' does not exist: there is nothing to resume; leave out --resume")
    content = torch.load(path, map_location=run.ranks.device, weights_only=True)
    if content["network_config"] != _network_json(run):
        raise EgorearError(f"'{path}' is of another network ({content['network_config']}); name a new --out")
    if (content["average"] is None) != (run.average is None):
        raise EgorearError(f"'{path}' was {'not ' * (content['average'] is None)}begun with ema; keep it as it was")
    run.network.load_state_dict(content["network"])
    run.optimizer.load_state_dict(content["optimizer"])
    if run.average is not None:
        run.average.load_state_dict(content["average"])
    run.step, run.best, run.seconds = content["step"], content["best"], content["seconds"]


def keep_weights(run: Run, error: float) -> None:
    """Write the weights, and once more as the best if no earlier ones were better."""
    measured = {"step": run.step, "seconds": round(run.seconds), **run.named(error)}
    source = {**source_of(run), **measured}
    save_weights(run.out / LAST, run.kept, run.job.network, source)
    if error < run.best:
        run.best = error
        save_weights(run.out / BEST, run.kept, run.job.network, source)


def source_of(run: Run) -> dict[str, Any]:
    """Where the weights come from, for their card; of folders and files the names only: a path is private."""
    config = dataclasses.asdict(run.config)
    paths = [name for name in ("validation", "out", "earlier", "initial", "backbone_weights") if config[name]]
    config.update({name: Path(config[name]).name for name in paths})
    config["data"] = [Path(folder).name for folder in run.config.data]
    return {"training": {**config, "train_sets": len(run.train), "started_from": run.started_from}}


def _network_json(run: Run) -> str:
    return json.dumps(config_to_json(run.job.network))
