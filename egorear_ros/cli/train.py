"""Train egorear-s, EgoRear, EgoPoseFormer or EgoTAP; resumable, on one or several processes (torchrun)."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from egorear_ros import resources

if TYPE_CHECKING:
    from egorear_ros.training.distributed import Processes
    from egorear_ros.training.stages import Job


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--config", type=Path, help="YAML (default config/training/egorear-s.yaml)")
    parser.add_argument("--stage", choices=["1", "2", "3", "all"], default="all", help="of the paper's systems (all)")
    parser.add_argument("--system", help="what to train, see `egorear models`")
    parser.add_argument("--data", nargs="+", metavar="DIR", help="folders to learn from")
    parser.add_argument("--validation", metavar="DIR", help="folder that decides which weights are kept")
    parser.add_argument("--out", metavar="DIR", help="folder of checkpoint, log and weights")
    parser.add_argument("--earlier", metavar="DIR", help="a run whose earlier stages are used where --out has none")
    parser.add_argument("--initial", metavar="FILE", help=".safetensors to start from, for example to fine-tune it")
    parser.add_argument("--steps", type=int, help="steps in all")
    parser.add_argument("--epochs", type=int, help="how often every frame set is shown")
    parser.add_argument("--batch", type=int, help="frame sets per step")
    parser.add_argument("--accumulate", type=int, help="micro-batches per step, for little memory")
    parser.add_argument("--workers", type=int, help="processes that load frame sets")
    parser.add_argument("--stop-after", type=int, metavar="STEP", help="stop here, to be resumed some other time")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--resume", action="store_true", help="continue the run in --out")


def run(args: argparse.Namespace) -> int:
    """Train job by job."""
    import torch

    from egorear_ros.errors import EgorearError
    from egorear_ros.training.config import load_config
    from egorear_ros.training.distributed import processes
    from egorear_ros.training.sources import check_data
    from egorear_ros.training.stages import jobs_of, views_of

    if args.stop_after is not None and args.stop_after < 1:
        raise EgorearError(f"--stop-after must be at least 1, got {args.stop_after}")
    config = load_config(_file(args), **_changes(args))
    torch.set_flush_denormal(True)  # tails of a softmax are numbers so small that a CPU takes long over them
    if config.threads:
        torch.set_num_threads(config.threads)
    jobs = [job for job in jobs_of(config.network_config()) if args.stage in ("all", str(job.stage))]
    if not jobs:
        raise EgorearError(f"{config.system} has no stage {args.stage}")
    if config.initial and len(jobs) > 1:
        raise EgorearError(f"--initial is for one network, these are {len(jobs)}: name a --stage")
    with processes() as ranks:
        if ranks.first:
            check_data(config, views_of(jobs))
        for number, job in enumerate(jobs, start=1):
            if not _train(args, job, ranks):
                if ranks.first:
                    _say_stopped(args.stop_after, job, jobs[number:])
                break
    return 0


def _train(args: argparse.Namespace, job: Job, ranks: Processes) -> bool:
    """Train one job, unless it is finished; return whether it is now."""
    from egorear_ros.cli._progress import ProgressBar
    from egorear_ros.training.checkpoint import CHECKPOINT
    from egorear_ros.training.config import load_config
    from egorear_ros.training.run import build_run
    from egorear_ros.training.sources import open_training
    from egorear_ros.training.start import BEST
    from egorear_ros.training.trainer import train

    config = load_config(_file(args), job.stage or None, **_changes(args))
    job_run = build_run(config, *open_training(config, job), job, ranks)
    if ranks.first:
        _say(job_run.started_from)
    # Of several jobs, those that were never begun have nothing to resume.
    resume = args.resume and (not job.name or (job_run.out / CHECKPOINT).exists())
    name, metric = job.name or "train", job_run.task.metric
    with ProgressBar(name, job_run.config.steps, kept=True, shown=ranks.first) as bar:

        def progress(step: int, error: float) -> None:
            bar.show(step, name if math.isnan(error) else f"{name}, validation {metric} {error:.5g}")

        best = train(job_run, resume, progress, args.stop_after)
    if ranks.first:
        print(f"best validation {job_run.task.metric} {best:.{job_run.task.digits}f}: {job_run.out / BEST}")
    return job_run.step >= (job_run.config.steps or 0)


def _say_stopped(step: int, job: Job, later: Sequence[Job]) -> None:
    """Say where the run stands: what comes after would start from weights that are not finished."""
    waiting = f"; not begun: {', '.join(each.name for each in later)}" if later else ""
    print(f"stopped in {job.name or 'training'} (--stop-after {step}){waiting}; continue with --resume")


def _file(args: argparse.Namespace) -> Path:
    """The YAML of the run."""
    return args.config or resources.find("config/training/egorear-s.yaml")


def _changes(args: argparse.Namespace) -> dict[str, Any]:
    """Fields of the configuration that the command line overrides."""
    names = "system data validation out earlier initial steps epochs batch accumulate workers threads"
    return {name: getattr(args, name) for name in names.split()}


def _say(started_from: list[str]) -> None:
    """Print what the network starts from, and what is missing."""
    from egorear_ros.training.log import NO_TENSORBOARD, tensorboard_installed

    for line in started_from:
        print(line)
    if not tensorboard_installed():
        print(NO_TENSORBOARD)
