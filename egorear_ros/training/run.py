"""What a training job holds while it runs, and how it is built: `build_run` is the wiring, `Run` the result."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from egorear_ros.data.frame_sets import FrameSets, FrameSource
from egorear_ros.errors import EgorearError
from egorear_ros.training.batches import Batch, StepBatches
from egorear_ros.training.compact_task import CompactTask
from egorear_ros.training.config import TrainingConfig
from egorear_ros.training.distributed import Processes
from egorear_ros.training.egotap_tasks import EgoTapHeatmapTask, EgoTapLiftingTask
from egorear_ros.training.parameter_groups import parameter_groups
from egorear_ros.training.sources import prepared
from egorear_ros.training.stages import Job, Kind, jobs_of
from egorear_ros.training.start import BEST, LAST, start_backbone, start_from_file, start_from_parts
from egorear_ros.training.tasks import HeatmapTask, PoseTask, RefinementTask, Task

TASKS: Final[dict[Kind, type[Task]]] = {
    "egorear-s": CompactTask,
    "heatmap": HeatmapTask,
    "refinement": RefinementTask,
    "pose": PoseTask,
    "egotap-heatmap": EgoTapHeatmapTask,
    "egotap-lifting": EgoTapLiftingTask,
}


class Objective(nn.Module):
    """A task's losses as a module: what processes join, so that its gradients are averaged over them."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.network = task.network
        self._losses = task.losses

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Every term of the loss."""
        return self._losses(batch)


@dataclass
class Run:
    """One training job: network, data, optimiser, and how far it has come.

    Attributes:
        config: what to do; steps, warm-up and validation are counted in steps.
        job: which network of the system.
        ranks: this process among those that train together.
        train, validation: frame sets at the network's size.
        task: the network, its losses and its validation.
        objective: the losses as a module, joined over the processes.
        optimizer: AdamW.
        average: moving average of the weights, if there is one.
        nominal: (1, V, 4, 4) extrinsics of the drawing, metres; None for networks that need none.
        started_from: what the network started from, a line each.
        step: steps taken.
        best: lowest validation error.
        seconds: time spent in steps.
    """

    config: TrainingConfig
    job: Job
    ranks: Processes
    train: FrameSource
    validation: FrameSource
    task: Task
    objective: nn.Module
    optimizer: torch.optim.Optimizer
    average: AveragedModel | None
    nominal: Tensor | None
    started_from: list[str]
    step: int = 0
    best: float = math.inf
    seconds: float = 0.0

    @property
    def network(self) -> nn.Module:
        """The network that is trained."""
        return self.task.network

    @property
    def kept(self) -> nn.Module:
        """The network that is validated and written: the average, or the trained one itself."""
        return self.network if self.average is None else self.average.module

    @property
    def out(self) -> Path:
        """Folder of checkpoint, log and weights."""
        return Path(self.config.out) / self.job.name

    def batches(self, last: int) -> Iterable[Batch]:
        """This process's batches from the present step to `last`."""
        steps = StepBatches(self.train, self.config, self.nominal, self.task.targets, self.ranks)
        return steps.load(range(self.step, last))

    def validate(self) -> float:
        """The task's error on the validation sets, of the average weights if there are any."""
        error = self.task.validate(self.kept, self.validation)
        self.task.train_mode()
        return error

    def named(self, error: float) -> dict[str, float]:
        """A validation error under its name, rounded."""
        return {f"validation_{self.task.metric}": round(error, self.task.digits)}


def build_run(
    config: TrainingConfig,
    train: FrameSets | FrameSource,
    validation: FrameSets | FrameSource,
    job: Job | None = None,
    ranks: Processes | None = None,
) -> Run:
    """Build network, optimiser and average of a training job, filled with what it starts from.

    Args:
        config: what to do.
        train: frame sets to learn from; see `sources.prepared`.
        validation: frame sets that choose the weights to keep.
        job: of a system with stages, which; by default the last one.
        ranks: this process among those that train together; by default alone.

    Raises:
        EgorearError: a data set is empty; the batch cannot be shared out; the weights to start from are missing or do
            not fit.
    """
    if not len(train) or not len(validation):
        raise EgorearError(f"{len(train)} frame sets to train on and {len(validation)} to validate: both need some")
    job, ranks = job or jobs_of(config.network_config())[-1], ranks or Processes()
    form = job.views, job.image_size, job.resize
    train, validation = prepared(train, *form), prepared(validation, *form)
    bf16 = config.bf16 and _computes_bf16(ranks.device)
    config = dataclasses.replace(config.for_data(len(train)), bf16=bf16)
    _check_batch(config, len(train), ranks)
    torch.manual_seed(config.seed)
    task = TASKS[job.kind](job, config)
    task.begin(train)
    extrinsics = cast(Tensor | None, getattr(task.network, "camera_from_device", None))
    nominal = None if extrinsics is None else extrinsics.clone()
    started_from = start(task.network, job, config)
    task.network.to(ranks.device)
    task.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    task.train_mode()
    objective = ranks.joined(Objective(task))
    groups = parameter_groups(task.network, config.weight_decay, task.undecayed())
    optimizer = torch.optim.AdamW(groups, lr=0.0, eps=config.epsilon)
    average = _averaged(task.network, config.ema)
    return Run(config, job, ranks, train, validation, task, objective, optimizer, average, nominal, started_from)


def start(network: nn.Module, job: Job, config: TrainingConfig) -> list[str]:
    """Load what the network starts from, and say what that was, a line each."""
    if config.initial:
        return [start_from_file(network, job.network, Path(config.initial))]
    if job.parts:
        folders = [Path(folder) for folder in (config.out, config.earlier) if folder]
        file = LAST if "last_weights" in config.quirks else BEST
        return start_from_parts(network, job, folders, file)
    if config.backbone_weights:
        return [start_backbone(network, Path(config.backbone_weights))]
    return [f"{job.name} starts from random weights".lstrip()]


def _check_batch(config: TrainingConfig, sets: int, ranks: Processes) -> None:
    """The batch must be shared out evenly, else the mean over processes is not the mean over the batch."""
    batch, pieces = min(config.batch, sets), ranks.count * config.accumulate
    if batch % pieces:
        raise EgorearError(
            f"a batch of {batch} frame sets cannot be shared by {ranks.count} processes with accumulate "
            f"{config.accumulate}: make it a multiple of {pieces}"
        )


def _computes_bf16(device: torch.device) -> bool:
    """Whether bfloat16 may be faster; a CPU without AVX-512 emulates it, which was 17 times slower."""
    return device.type != "cpu" or torch.backends.cpu.get_cpu_capability() not in ("DEFAULT", "AVX2")


def _averaged(network: nn.Module, decay: float) -> AveragedModel | None:
    """The moving average of the weights; batch statistics are those of the network."""
    average_weights = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return AveragedModel(network, multi_avg_fn=average_weights) if decay else None
