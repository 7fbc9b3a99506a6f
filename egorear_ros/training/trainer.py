"""The one training loop and the training step, on this page. Everything a step needs is in `run.Run`.

A checkpoint holds weights, optimiser and step; everything random follows from the step's number, so a run that was
killed goes on as if it had not been. Several processes share the batch, see `distributed`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from egorear_ros.errors import EgorearError
from egorear_ros.training.batches import Batch, to_device
from egorear_ros.training.checkpoint import CHECKPOINT, keep_weights, load_checkpoint, save_checkpoint
from egorear_ros.training.log import Log
from egorear_ros.training.run import Run
from egorear_ros.training.schedule import learning_rate

Progress = Callable[[int, float], None]


def train(
    run: Run, resume: bool, progress: Progress = lambda step, error: None, stop_after: int | None = None
) -> float:
    """Train to the last step, validating and saving on the way.

    Args:
        run: what to train.
        resume: continue from the checkpoint in the run's folder.
        progress: called after every step with its number and the latest validation error (NaN before the first).
        stop_after: step to stop at, to be resumed some other time; the learning rate's schedule is not shortened.

    Returns:
        The best validation error.

    Raises:
        EgorearError: `resume` without a checkpoint, or a checkpoint that would be overwritten without `resume`.
    """
    _begin(run, resume)
    total, validate_every = cast(int, run.config.steps), cast(int, run.config.validate_every)
    last, error = min(total, stop_after or total), math.nan
    log = Log(run.out, run.step) if run.ranks.first else None
    for batch in run.batches(last):
        started = time.perf_counter()
        losses = training_step(run, batch)
        run.seconds += time.perf_counter() - started
        if log is not None:
            log.add(losses)
            if run.step % validate_every == 0 or run.step == last:
                error = _validate(run, log)
        progress(run.step, error)
    if log is not None:
        log.close()
    run.ranks.wait()
    return run.best


def training_step(run: Run, batch: Batch) -> dict[str, float]:
    """Take one step.

    Args:
        run: network, optimiser and average, which the step changes.
        batch: this process's part of the step's frame sets.

    Returns:
        The loss, its terms by name, and the norm of the gradient before it was clipped.
    """
    for group in run.optimizer.param_groups:
        group["lr"] = learning_rate(run.step, run.config)
    run.optimizer.zero_grad(set_to_none=True)
    parts = to_device(batch, run.ranks.device).parts(run.config.accumulate)
    found = [_add_gradients(run, part, last=part is parts[-1]) for part in parts]
    norm = nn.utils.clip_grad_norm_(run.network.parameters(), run.config.gradient_clip or math.inf)
    if torch.isfinite(norm):  # one bad batch must not end a night's run; the log shows it
        run.optimizer.step()
        if run.average is not None:
            run.average.update_parameters(run.network)
    run.step += 1
    means = {name: sum(losses[name] for losses in found) / len(found) for name in found[0]}
    return {"loss": means.pop("loss"), "norm": norm.item(), **means}


def _add_gradients(run: Run, part: Batch, last: bool) -> dict[str, float]:
    """Forward and backward pass of a micro-batch; processes exchange gradients at the last one."""
    with nullcontext() if last else _unshared(run.objective):
        losses: dict[str, Tensor] = run.objective(part)
        total = torch.stack(list(losses.values())).sum()
        (total / run.config.accumulate).backward()  # type: ignore[no-untyped-call]
    return {"loss": total.item(), **{name: loss.item() for name, loss in losses.items()}}


def _unshared(objective: nn.Module) -> AbstractContextManager[None]:
    joined = isinstance(objective, DistributedDataParallel)
    return cast(Any, objective).no_sync() if joined else nullcontext()


def _begin(run: Run, resume: bool) -> None:
    """Make the run's folder, or continue from the checkpoint in it."""
    run.out.mkdir(parents=True, exist_ok=True)
    if resume:
        load_checkpoint(run)
    elif (run.out / CHECKPOINT).exists():
        raise EgorearError(f"'{run.out}' holds a run already: use --resume, or another --out")
    run.ranks.wait()  # nobody may write before all have looked


def _validate(run: Run, log: Log) -> float:
    """Validate, keep the weights, write the checkpoint and a line of the log."""
    error = run.validate()
    keep_weights(run, error)
    save_checkpoint(run)
    written = {name: f"{value:.{run.task.digits}f}" for name, value in run.named(error).items()}
    log.write(run.step, run.seconds, learning_rate(run.step - 1, run.config), written)
    return error
