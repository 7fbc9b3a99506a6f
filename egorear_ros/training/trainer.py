"""The one training loop. Reads top-down: `train` is the loop, `Run` what it keeps, a `Task` what is particular.

A checkpoint holds weights, optimiser and step; everything random follows from the step's number, so a run that was
killed goes on as if it had not been. Several processes share the batch, see `distributed`.
"""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final, cast

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from egorear_ros.data.frame_sets import FrameSets, FrameSource
from egorear_ros.errors import EgorearError
from egorear_ros.network import save_weights
from egorear_ros.network.weights import config_to_json
from egorear_ros.training.batches import Batch, StepBatches, to_device
from egorear_ros.training.compact_task import CompactTask
from egorear_ros.training.config import TrainingConfig
from egorear_ros.training.distributed import Processes
from egorear_ros.training.egotap_tasks import EgoTapHeatmapTask, EgoTapLiftingTask
from egorear_ros.training.log import Log
from egorear_ros.training.parameter_groups import parameter_groups
from egorear_ros.training.schedule import learning_rate
from egorear_ros.training.sources import prepared
from egorear_ros.training.stages import Job, Kind, jobs_of
from egorear_ros.training.start import BEST, LAST, start_backbone, start_from_file, start_from_parts
from egorear_ros.training.tasks import HeatmapTask, PoseTask, RefinementTask, Task

CHECKPOINT: Final = "last.pt"

TASKS: Final[dict[Kind, type[Task]]] = {
    "egorear-s": CompactTask,
    "heatmap": HeatmapTask,
    "refinement": RefinementTask,
    "pose": PoseTask,
    "egotap-heatmap": EgoTapHeatmapTask,
    "egotap-lifting": EgoTapLiftingTask,
}

Progress = Callable[[int, float], None]


class Objective(nn.Module):
    """A task's losses as a module: what processes join, so that its gradients are averaged over them."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.network = task.network
        self._losses = task.losses

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Every term of the loss."""
        return self._losses(batch)


class Run:
    """Network, optimiser and bookkeeping of one training job.

    Args:
        config: what to do.
        train: frame sets to learn from; see `sources.prepared`.
        validation: frame sets that choose the weights to keep.
        job: of a system with stages, which.
        ranks: this process among those that train together.

    Raises:
        EgorearError: there are fewer frame sets than one; the weights to start from are missing or do not fit.
    """

    def __init__(
        self,
        config: TrainingConfig,
        train: FrameSets | FrameSource,
        validation: FrameSets | FrameSource,
        job: Job | None = None,
        ranks: Processes | None = None,
    ) -> None:
        if not len(train) or not len(validation):
            raise EgorearError(f"{len(train)} frame sets to train on and {len(validation)} to validate: both need some")
        self.job = job or jobs_of(config.network_config())[-1]
        self.ranks = ranks or Processes()
        form = self.job.views, self.job.image_size, self.job.resize
        self.train, self.validation = prepared(train, *form), prepared(validation, *form)
        self.device, self.out = self.ranks.device, Path(config.out) / self.job.name
        bf16 = config.bf16 and _computes_bf16(self.device)
        self.config = dataclasses.replace(config.for_data(len(self.train)), bf16=bf16)
        self._check_batch()
        torch.manual_seed(config.seed)
        self.task = TASKS[self.job.kind](self.job, self.config)
        self.network = self.task.network
        self.task.begin(self.train)
        extrinsics = cast(Tensor | None, getattr(self.network, "camera_from_device", None))
        self.nominal = None if extrinsics is None else extrinsics.clone()
        self.started_from = self._start()
        self.network.to(self.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.task.train_mode()
        self.objective = self.ranks.joined(Objective(self.task))
        groups = parameter_groups(self.network, config.weight_decay, self.task.undecayed())
        self.optimizer = torch.optim.AdamW(groups, lr=0.0, eps=config.epsilon)
        self.average = _averaged(self.network, config.ema)
        self.step, self.best, self.seconds = 0, math.inf, 0.0

    def _check_batch(self) -> None:
        """The batch must be shared out evenly, else the mean over processes is not the mean over the batch."""
        config, pieces = self.config, self.ranks.count * self.config.accumulate
        batch = min(config.batch, len(self.train))
        if batch % pieces:
            raise EgorearError(
                f"a batch of {batch} frame sets cannot be shared by {self.ranks.count} processes with accumulate "
                f"{config.accumulate}: make it a multiple of {pieces}"
            )

    def _start(self) -> list[str]:
        """Load what the network starts from, and say what that was."""
        config = self.config
        if config.initial:
            return [start_from_file(self.network, self.job.network, Path(config.initial))]
        if self.job.parts:
            folders = [Path(folder) for folder in (config.out, config.earlier) if folder]
            file = LAST if "last_weights" in config.quirks else BEST
            return start_from_parts(self.network, self.job, folders, file)
        if config.backbone_weights:
            return [start_backbone(self.network, Path(config.backbone_weights))]
        return [f"{self.job.name} starts from random weights".lstrip()]

    def batches(self, last: int) -> Iterable[Batch]:
        """This process's batches from the present step to `last`."""
        steps = StepBatches(self.train, self.config, self.nominal, self.task.targets, self.ranks)
        return steps.load(range(self.step, last))

    def learn(self, batch: Batch) -> dict[str, float]:
        """Take one step and return its losses."""
        config = self.config
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.step, config)
        self.optimizer.zero_grad(set_to_none=True)
        parts = to_device(batch, self.device).parts(config.accumulate)
        found = [self._backward(part, last=part is parts[-1]) for part in parts]
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), config.gradient_clip or math.inf)
        if torch.isfinite(norm):  # one bad batch must not end a night's run; the log shows it
            self.optimizer.step()
            if self.average is not None:
                self.average.update_parameters(self.network)
        self.step += 1
        means = {name: sum(losses[name] for losses in found) / len(found) for name in found[0]}
        return {"loss": means.pop("loss"), "norm": norm.item(), **means}

    def _backward(self, part: Batch, last: bool) -> dict[str, float]:
        """Gradients of a micro-batch; processes exchange them at the last one."""
        with self._unshared() if not last else nullcontext():
            losses: dict[str, Tensor] = self.objective(part)
            total = torch.stack(list(losses.values())).sum()
            (total / self.config.accumulate).backward()  # type: ignore[no-untyped-call]
        return {"loss": total.item(), **{name: loss.item() for name, loss in losses.items()}}

    def _unshared(self) -> AbstractContextManager[None]:
        joined = isinstance(self.objective, DistributedDataParallel)
        return cast(Any, self.objective).no_sync() if joined else nullcontext()

    def validate(self) -> float:
        """The task's error on the validation sets, of the average weights if there are any."""
        error = self.task.validate(self.kept, self.validation)
        self.task.train_mode()
        return error

    @property
    def kept(self) -> nn.Module:
        """The network that is validated and written: the average, or the trained one itself."""
        return self.network if self.average is None else self.average.module

    def save(self) -> None:
        """Write the checkpoint; it is replaced as a whole."""
        content = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "step": self.step,
            "best": self.best,
            "seconds": self.seconds,
            "network_config": self._network_json(),
        }
        partial = self.out / f".{CHECKPOINT}.partial"
        torch.save(content, partial)
        partial.replace(self.out / CHECKPOINT)

    def load(self) -> None:
        """Continue from the checkpoint.

        Raises:
            EgorearError: there is none, or it is of another network, or without the average that `ema` asks for.
        """
        path = self.out / CHECKPOINT
        if not path.exists():
            raise EgorearError(f"'{path}' does not exist: there is nothing to resume; leave out --resume")
        content = torch.load(path, map_location=self.device, weights_only=True)
        if content["network_config"] != self._network_json():
            raise EgorearError(f"'{path}' is of another network ({content['network_config']}); name a new --out")
        if (content["average"] is None) != (self.average is None):
            raise EgorearError(f"'{path}' was {'not ' * (content['average'] is None)}begun with ema; keep it as it was")
        self.network.load_state_dict(content["network"])
        self.optimizer.load_state_dict(content["optimizer"])
        if self.average is not None:
            self.average.load_state_dict(content["average"])
        self.step, self.best, self.seconds = content["step"], content["best"], content["seconds"]

    def _network_json(self) -> str:
        return json.dumps(config_to_json(self.job.network))

    def keep(self, error: float, source: dict[str, Any]) -> None:
        """Write the weights, and once more as the best if no earlier ones were better."""
        measured = {"step": self.step, "seconds": round(self.seconds), **self.named(error)}
        save_weights(self.out / LAST, self.kept, self.job.network, {**source, **measured})
        if error < self.best:
            self.best = error
            save_weights(self.out / BEST, self.kept, self.job.network, {**source, **measured})

    def named(self, error: float) -> dict[str, float]:
        """A validation error under its name, rounded."""
        return {f"validation_{self.task.metric}": round(error, self.task.digits)}


def _computes_bf16(device: torch.device) -> bool:
    """Whether bfloat16 may be faster; a CPU without AVX-512 emulates it, which was 17 times slower."""
    return device.type != "cpu" or torch.backends.cpu.get_cpu_capability() not in ("DEFAULT", "AVX2")


def _averaged(network: nn.Module, decay: float) -> AveragedModel | None:
    """The moving average of the weights; batch statistics are those of the network."""
    average_weights = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return AveragedModel(network, multi_avg_fn=average_weights) if decay else None


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
    config = run.config
    run.out.mkdir(parents=True, exist_ok=True)
    if resume:
        run.load()
    elif (run.out / CHECKPOINT).exists():
        raise EgorearError(f"'{run.out}' holds a run already: use --resume, or another --out")
    run.ranks.wait()  # nobody may write before all have looked
    total = cast(int, config.steps)
    last, error = min(total, stop_after or total), math.nan
    log = Log(run.out, run.step) if run.ranks.first else None
    for batch in run.batches(last):
        started = time.perf_counter()
        losses = run.learn(batch)
        run.seconds += time.perf_counter() - started
        if log is not None:
            log.add(losses)
            if run.step % cast(int, config.validate_every) == 0 or run.step == last:
                error = _validate(run, log)
        progress(run.step, error)
    if log is not None:
        log.close()
    run.ranks.wait()
    return run.best


def _validate(run: Run, log: Log) -> float:
    """Validate, keep the weights, write the checkpoint and a line of the log."""
    error = run.validate()
    run.keep(error, source_of(run))
    run.save()
    written = {name: f"{value:.{run.task.digits}f}" for name, value in run.named(error).items()}
    log.write(run.step, run.seconds, learning_rate(run.step - 1, run.config), written)
    return error


def source_of(run: Run) -> dict[str, Any]:
    """Where the weights come from, for their card; folders by their names, the rest of a path is nobody's business."""
    config = dataclasses.asdict(run.config)
    paths = [name for name in ("validation", "out", "earlier", "initial", "backbone_weights") if config[name]]
    config.update({name: Path(config[name]).name for name in paths})
    config["data"] = [Path(folder).name for folder in run.config.data]
    return {"training": {**config, "train_sets": len(run.train), "started_from": run.started_from}}
