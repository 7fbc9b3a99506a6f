"""What a training run is: one frozen dataclass, read from YAML, every field checked."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from egorear_ros.errors import EgorearError
from egorear_ros.network import NetworkConfig, config_of
from egorear_ros.network.weights import config_from_json, config_to_json
from egorear_ros.training.augmentation import AugmentationConfig
from egorear_ros.training.quirks import QUIRKS
from egorear_ros.training.yaml_values import fitted

SCHEDULES: Final = ("cosine", "drops", "linear")
STAGES: Final = (1, 2, 3)


@dataclass(frozen=True)
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
    data: tuple[str, ...] = ()
    validation: str = ""
    out: str = "runs/egorear-s"
    earlier: str = ""
    initial: str = ""
    backbone_weights: str = ""
    steps: int | None = None
    epochs: int | None = None
    batch: int = 32
    accumulate: int = 1
    learning_rate: float = 1.5e-3
    schedule: str = "cosine"
    decay_share: float = 0.5
    warmup_steps: int = 100
    warmup_epochs: int = 0
    drops: tuple[int, ...] = ()
    weight_decay: float = 0.02
    epsilon: float = 1e-8
    gradient_clip: float | None = 5.0
    ema: float = 0.0
    validate_every: int | None = None
    validation_sets: int = 256
    check_sets: int | None = None
    workers: int = 0
    threads: int | None = None
    bf16: bool = True
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    quirks: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise EgorearError on a value that cannot be used."""
        for name in ("batch", "accumulate", "validation_sets"):
            self._require(getattr(self, name) >= 1, name, "at least 1")
        for name in ("steps", "epochs", "validate_every", "check_sets", "threads"):
            self._require(getattr(self, name) is None or getattr(self, name) >= 1, name, "at least 1, or left out")
        for name in ("warmup_steps", "warmup_epochs", "weight_decay", "workers"):
            self._require(getattr(self, name) >= 0, name, "0 or more")
        for name in ("learning_rate", "epsilon"):
            self._require(getattr(self, name) > 0, name, "above 0")
        self._require(self.gradient_clip is None or self.gradient_clip > 0, "gradient_clip", "above 0, or left out")
        self._require(0 < self.decay_share <= 1, "decay_share", "above 0, at most 1")
        self._require(0 <= self.ema < 1, "ema", "0 or more and below 1")
        self._require(self.batch % self.accumulate == 0, "batch", f"a multiple of accumulate, {self.accumulate}")
        self._require(self.schedule in SCHEDULES, "schedule", f"one of {', '.join(SCHEDULES)}")
        self._require(not self.drops or self.epochs is not None, "drops", "nothing without epochs")
        self._require(set(self.quirks) <= set(QUIRKS), "quirks", f"some of {', '.join(QUIRKS)}")
        self.network_config()

    def _require(self, condition: bool, name: str, expected: str) -> None:
        if not condition:
            raise EgorearError(f"training configuration: {name} is {getattr(self, name)!r}, expected {expected}")

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
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise EgorearError(f"training configuration '{path}' cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise EgorearError(f"training configuration '{path}' must map names to values")
    stages = {number: content.pop(f"stage{number}", None) or {} for number in STAGES}
    wrong = [number for number, values in stages.items() if not isinstance(values, dict)]
    if wrong:
        raise EgorearError(f"training configuration '{path}': stage{wrong[0]} must map names to values")
    content.update(stages[stage] if stage else {})
    content.update({key: value for key, value in changes.items() if value is not None})
    known = {f.name for f in dataclasses.fields(TrainingConfig)}
    unknown = sorted(map(str, set(content).union(*stages.values()) - known))
    if unknown:
        raise EgorearError(f"training configuration '{path}' has an unknown field '{unknown[0]}'")
    content = fitted(content, TrainingConfig)
    if "augmentation" in content:
        content["augmentation"] = AugmentationConfig.from_mapping(content["augmentation"])
    return TrainingConfig(**content)


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes`, where mappings within are merged, too."""
    nested = {
        key: _merged(base[key], value)
        for key, value in changes.items()
        if isinstance(value, Mapping) and isinstance(base.get(key), Mapping)
    }
    return {**base, **changes, **nested}
