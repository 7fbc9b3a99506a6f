"""Train egorear-s on frame sets made by `egorear render-shards`; resumable."""

from __future__ import annotations

import argparse
from pathlib import Path

from egorear_ros import resources


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--config", type=Path, help="YAML (default config/training/egorear-s.yaml)")
    parser.add_argument("--data", nargs="+", metavar="DIR", help="folders of shards to learn from")
    parser.add_argument("--validation", metavar="DIR", help="folder of shards that decides which weights are kept")
    parser.add_argument("--out", metavar="DIR", help="folder of checkpoint, log and weights")
    parser.add_argument("--steps", type=int, help="steps in all")
    parser.add_argument("--batch", type=int, help="frame sets per step")
    parser.add_argument("--stop-after", type=int, metavar="STEP", help="stop here, to be resumed some other time")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--resume", action="store_true", help="continue the run in --out")


def run(args: argparse.Namespace) -> int:
    """Train, with a progress bar."""
    import torch
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from egorear_ros.errors import EgorearError
    from egorear_ros.training.config import load_config
    from egorear_ros.training.shards import read_shards
    from egorear_ros.training.trainer import BEST, Run, train

    config = load_config(
        args.config or resources.find("config/training/egorear-s.yaml"),
        data=args.data,
        validation=args.validation,
        out=args.out,
        steps=args.steps,
        batch=args.batch,
        threads=args.threads,
    )
    if not config.data or not config.validation:
        raise EgorearError("name the frame sets: --data DIR ... and --validation DIR, see `egorear render-shards`")
    if config.threads:
        torch.set_num_threads(config.threads)
    sets = read_shards([Path(folder) for folder in config.data], config.most_sets)
    job = Run(config, sets, read_shards([Path(config.validation)]))
    columns = (
        TextColumn("train"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns) as bar:
        task = bar.add_task("", total=config.steps)

        def advance(step: int, error_mm: float) -> None:
            bar.update(task, completed=step, description=f"validation {error_mm:.1f} mm")

        best_mm = train(job, args.resume, advance, args.stop_after)
    print(f"best validation MPJPE {best_mm:.1f} mm: {job.out / BEST}")
    return 0
