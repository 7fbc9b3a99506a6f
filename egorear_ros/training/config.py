"""What a training run is: one frozen dataclass, read from YAML, every field checked (`settings`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field

from egorear_ros.errors import EgorearError
from egorear_ros.network import NetworkConfig, config_of
from egorear_ros.network.weights import config_from_json, config_to_json
from egorear_ros.plain_data import PlainDataError, read_yaml
from egorear_ros.settings import Number, OneOf, OneOrMore, Switch, Whole, checked, checked_names, from_yaml, require
from egorear_ros.training.augmentation import AugmentationConfig
from egorear_ros.training.quirks import QUIRKS

SCHEDULES: Final = ("cosine", "drops", "linear")
Count = Annotated[Whole, Field(ge=1)]
STAGES: Final = (1, 2, 3)


@checked("training configuration")
class TrainingConfig:
    """A run, or a stage of one; see config/training/.

    Attributes:
        system: what is trained, a name of `egorear models`.
        network: fields of the system's configuration that differ from the registry's.
        data: folders to learn from.
        validation: folder that decides which weights are kept; empty: the first of `data`, its validation split.
        out: folder of checkpoints, logs and weights.
        earlier: folder of another run whose earlier stages are used where `out` has none.
        initial: weights file to start from; empty: from the stages before, or from random weights.
        backbone_weights: ImageNet weights of the backbone for stage 1, a file of torchvision's; empty: random weights.
        steps: optimiser steps in all; None: so many as `epochs` have.
        epochs: how often every frame set is shown; with `steps` given, the unit of `drops` and nothing else.
        batch: frame sets per step, of all processes and micro-batches together.
        accumulate: micro-batches per step, for a batch that does not fit into memory.
        learning_rate: its highest value.
        schedule: "cosine" to zero; "drops" to a tenth at each of `drops`; "linear": constant, then straight to zero.
        decay_share: share of the steps, at the end, in which a "linear" schedule falls. Until then a run can still be
            given another number of steps.
        warmup_steps: steps in which the rate rises from zero.
        warmup_epochs: the same in epochs, in place of `warmup_steps`; 0: as those say.
        drops: numbers of epochs.
        weight_decay: of AdamW.
        epsilon: of AdamW.
        gradient_clip: largest norm of the gradient; None: any.
        ema: per step, how much the moving average of the weights keeps of itself; it is what is validated and kept. 0:
            no average.
        validate_every: steps between two validations; each writes a checkpoint, too. None: an epoch.
        validation_sets: frame sets per validation.
        check_sets: frame sets of each split whose files and labels are checked before training; None: all. Of shards a
            few are enough.
        workers: processes that load frame sets ahead; 0: none.
        threads: CPU threads; None: torch's default.
        bf16: whether to compute in bfloat16 where that is safe, on devices that have it.
        augmentation: what is varied, and how much.
        quirks: names of `QUIRKS` to reproduce.
        seed: of weights, order and augmentation.
    """

    system: str = "egorear-s"
    network: dict[str, Any] = field(default_factory=dict)
    data: Annotated[tuple[str, ...], OneOrMore] = ()
    validation: str = ""
    out: str = "runs/egorear-s"
    earlier: str = ""
    initial: str = ""
    backbone_weights: str = ""
    steps: Count | None = None
    epochs: Count | None = None
    batch: Count = 32
    accumulate: Count = 1
    learning_rate: Annotated[Number, Field(gt=0)] = 1.5e-3
    schedule: Annotated[str, OneOf(SCHEDULES)] = "cosine"
    decay_share: Annotated[Number, Field(gt=0, le=1)] = 0.5
    warmup_steps: Annotated[Whole, Field(ge=0)] = 100
    warmup_epochs: Annotated[Whole, Field(ge=0)] = 0
    drops: Annotated[tuple[Whole, ...], OneOrMore] = ()
    weight_decay: Annotated[Number, Field(ge=0)] = 0.02
    epsilon: Annotated[Number, Field(gt=0)] = 1e-8
    gradient_clip: Annotated[Number | None, Field(gt=0)] = 5.0
    ema: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    validate_every: Count | None = None
    validation_sets: Count = 256
    check_sets: Count | None = None
    workers: Annotated[Whole, Field(ge=0)] = 0
    threads: Count | None = None
    bf16: Switch = True
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    quirks: Annotated[tuple[Annotated[str, OneOf(tuple(QUIRKS))], ...], OneOrMore] = ()
    seed: Whole = 0

    def __post_init__(self) -> None:
        """Raise EgorearError on values that do not fit each other."""
        require(self.batch % self.accumulate == 0, self, "batch", f"a multiple of accumulate, {self.accumulate}")
        require(not self.drops or self.epochs is not None, self, "drops", "nothing without epochs")
        self.network_config()

    def network_config(self) -> NetworkConfig:
        """The whole system's network configuration.

        Raises:
            EgorearError: no such system, a field it does not have, or a value that cannot be built.
        """
        return config_from_json(_merged(config_to_json(config_of(self.system)), self.network))

    def for_data(self, sets: int) -> TrainingConfig:
        """The same with all that counts epochs turned into steps, for so many frame sets to learn from.

        Raises:
            EgorearError: neither `steps` nor `epochs` are given.
        """
        epoch = max(sets // self.batch, 1)
        if self.steps is None and self.epochs is None:
            raise EgorearError("training configuration: steps and epochs are both missing, one says how long to train")
        return dataclasses.replace(
            self,
            steps=self.steps or epoch * (self.epochs or 1),
            warmup_steps=epoch * self.warmup_epochs or self.warmup_steps,
            validate_every=self.validate_every or epoch,
        )


def load_config(path: Path, stage: int | None = None, **changes: Any) -> TrainingConfig:
    """Read a YAML file; `changes` that are not None replace its values.

    Args:
        path: the file. Its entries `stage1`, `stage2` and `stage3` hold what differs in a stage.
        stage: whose entries to apply; None: of none.
        **changes: fields.

    Raises:
        EgorearError: no such file, no mapping, an unknown field or an unusable value.
    """
    try:
        content = read_yaml(path)
    except PlainDataError as error:
        raise EgorearError(f"training configuration '{path}' {error}") from error
    if not isinstance(content, dict):
        raise EgorearError(f"training configuration '{path}' must map names to values")
    stages = {number: content.pop(f"stage{number}", None) or {} for number in STAGES}
    wrong = [number for number, values in stages.items() if not isinstance(values, dict)]
    if wrong:
        raise EgorearError(f"training configuration '{path}': stage{wrong[0]} must map names to values")
    content.update(stages[stage] if stage else {})
    content.update({key: value for key, value in changes.items() if value is not None})
    try:
        for number, values in stages.items():  # a mistake in a stage that is not trained now would be met hours later
            checked_names(TrainingConfig, values, f"stage{number}.")
        return from_yaml(TrainingConfig, content)
    except EgorearError as error:
        raise EgorearError(f"'{path}': {error}") from None


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes`, where mappings within are merged, too."""
    nested = {
        key: _merged(base[key], value)
        for key, value in changes.items()
        if isinstance(value, Mapping) and isinstance(base.get(key), Mapping)
    }
    return {**base, **changes, **nested}
