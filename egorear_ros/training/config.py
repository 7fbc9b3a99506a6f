"""What a training run of `egorear-s` is: one frozen dataclass, read from YAML, every field checked."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from egorear_ros.errors import EgorearError
from egorear_ros.network import EgoRearSConfig
from egorear_ros.training.augmentation import AugmentationConfig


@dataclass(frozen=True)
class TrainingConfig:
    """A run; see config/training/egorear-s.yaml.

    Attributes:
        data: folders of shards to learn from.
        validation: folder of shards that decides which weights are kept.
        out: folder of checkpoints, log and weights.
        network: fields of `EgoRearSConfig` that differ from their defaults.
        steps: optimiser steps in all; the learning rate falls to zero at the last.
        batch: frame sets per step.
        learning_rate: its highest value.
        warmup_steps: steps in which it rises from zero.
        weight_decay: of AdamW, on weights of two and more dimensions.
        gradient_clip: largest norm of the gradient.
        validate_every: steps between two validations; each writes a checkpoint, too.
        validation_sets: frame sets per validation.
        most_sets: limit of the frame sets kept in memory; None: all.
        threads: CPU threads; None: torch's default.
        bf16: whether to compute in bfloat16 where that is safe.
        augmentation: what is varied, and how much.
        seed: of weights, order and augmentation.
    """

    data: tuple[str, ...] = ()
    validation: str = ""
    out: str = "runs/egorear-s"
    network: dict[str, Any] = field(default_factory=dict)
    steps: int = 3000
    batch: int = 32
    learning_rate: float = 1.5e-3
    warmup_steps: int = 100
    weight_decay: float = 0.02
    gradient_clip: float = 5.0
    validate_every: int = 250
    validation_sets: int = 256
    most_sets: int | None = None
    threads: int | None = None
    bf16: bool = True
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise EgorearError on a value that cannot be used."""
        for name in ("steps", "batch", "validate_every", "validation_sets"):
            self._require(getattr(self, name) >= 1, name, "at least 1")
        for name in ("learning_rate", "gradient_clip"):
            self._require(getattr(self, name) > 0, name, "above 0")
        self._require(self.warmup_steps >= 0, "warmup_steps", "0 or more")
        self._require(self.weight_decay >= 0, "weight_decay", "0 or more")
        for name in ("most_sets", "threads"):
            self._require(getattr(self, name) is None or getattr(self, name) >= 1, name, "at least 1, or left out")
        self.network_config()

    def _require(self, condition: bool, name: str, expected: str) -> None:
        if not condition:
            raise EgorearError(f"training configuration: {name} is {getattr(self, name)!r}, expected {expected}")

    def network_config(self) -> EgoRearSConfig:
        """The network's configuration.

        Raises:
            EgorearError: a field it does not have, or a value that cannot be built.
        """
        known = {f.name for f in dataclasses.fields(EgoRearSConfig)}
        unknown = sorted(set(self.network) - known)
        if unknown:
            raise EgorearError(f"training configuration: network has no field '{unknown[0]}'; it has {sorted(known)}")
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in self.network.items()
        }
        return EgoRearSConfig(**values)


def load_config(path: Path, **changes: Any) -> TrainingConfig:
    """Read a YAML file; `changes` that are not None replace its values.

    Raises:
        EgorearError: no such file, no mapping, an unknown field or an unusable value.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise EgorearError(f"training configuration '{path}' cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise EgorearError(f"training configuration '{path}' must map names to values")
    content.update({key: value for key, value in changes.items() if value is not None})
    known = {f.name for f in dataclasses.fields(TrainingConfig)}
    unknown = sorted(set(content) - known)
    if unknown:
        raise EgorearError(f"training configuration '{path}' has an unknown field '{unknown[0]}'")
    content["data"] = tuple(content.get("data", ()))
    if "augmentation" in content:
        content["augmentation"] = AugmentationConfig.from_mapping(content["augmentation"])
    return TrainingConfig(**content)
