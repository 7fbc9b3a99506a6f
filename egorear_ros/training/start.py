"""What a job's network starts from: earlier stages, a weights file, ImageNet weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from egorear_ros.errors import EgorearError
from egorear_ros.network import NetworkConfig, load_weights
from egorear_ros.network.backbone import ResNet
from egorear_ros.network.official import check_keys
from egorear_ros.network.unpickling import load_tensors_only
from egorear_ros.training.stages import Job, Part

BEST: Final = "best.safetensors"
LAST: Final = "last.safetensors"

FRESH: Final = ("lifter.",)
"""Modules that an earlier stage does not have."""

DROPPED: Final = ("head.",)
"""Modules that a later stage may not have: EgoPoseFormer's pose network leaves the heatmap layer out."""


def start_from_parts(network: nn.Module, job: Job, folders: Sequence[Path], file: str = BEST) -> list[str]:
    """Fill the network with the weights of the jobs before.

    Args:
        network: of the job.
        job: what is trained.
        folders: runs to look into, the first that has a job wins.
        file: name of the weights within the job's folder.

    Returns:
        What was loaded, a line each.

    Raises:
        EgorearError: weights are missing, or are of another network than this stage is built on.
    """
    return [_load_part(network, job, part, _find(job, part, folders, file)) for part in job.parts]


def start_from_file(network: nn.Module, config: NetworkConfig, path: Path) -> str:
    """Fill the whole network from a weights file; return what was loaded, and how its configuration differs.

    Raises:
        EgorearError: the file cannot be read, or is of a network of another kind or size.
    """
    loaded, card = load_weights(path)
    if type(card.config) is not type(config):
        raise EgorearError(f"'{path}' is a {_kind(card.config)}, this run trains a {_kind(config)}")
    _fill(network, loaded.state_dict(), f"'{path}'", fresh=(), dropped=())
    different = differences(card.config, config)
    return f"starts from {path}" + (f", whose configuration differs: {different}" if different else "")


def start_backbone(network: nn.Module, path: Path) -> str:
    """Fill every backbone of a network with ImageNet weights as torchvision stores them; return what was loaded.

    Raises:
        EgorearError: the file cannot be read, or is of another backbone.
    """
    try:
        found: Any = load_file(path) if path.suffix == ".safetensors" else load_tensors_only(path)
    except (OSError, SafetensorError) as error:
        raise EgorearError(f"backbone weights '{path}' cannot be read: {error}") from error
    weights = {name: tensor for name, tensor in dict(found).items() if not name.startswith("fc.")}
    for module in network.modules():
        if isinstance(module, ResNet):
            _fill(module, weights, f"backbone weights '{path}'", fresh=(), dropped=())
    return f"backbone starts from {path}"


def differences(found: NetworkConfig, expected: NetworkConfig) -> str:
    """Fields in which two configurations of one kind differ, in words; empty if none."""
    names = [field.name for field in dataclasses.fields(found)]
    pairs = ((name, getattr(found, name), getattr(expected, name)) for name in names)
    return ", ".join(f"{name} is {ours!r}, here {theirs!r}" for name, ours, theirs in pairs if ours != theirs)


def _find(job: Job, part: Part, folders: Sequence[Path], file: str) -> Path:
    paths = [folder / part.job / file for folder in folders]
    for path in paths:
        if path.exists():
            return path
    raise EgorearError(
        f"{job.name} starts from {part.job}, but '{paths[0]}' does not exist: train it first (--stage "
        f"{part.job.removeprefix('stage')[0]}, or --stage all), or name a run that has it with --earlier"
    )


def _load_part(network: nn.Module, job: Job, part: Part, path: Path) -> str:
    loaded, card = load_weights(path)
    if type(card.config) is not type(part.network):
        raise EgorearError(f"'{path}' is a {_kind(card.config)}, {job.name} needs a {_kind(part.network)}")
    if different := differences(card.config, part.network):
        raise EgorearError(f"'{path}' does not fit {job.name}: {different}")
    _fill(network.get_submodule(part.module), loaded.state_dict(), f"'{path}'", FRESH, DROPPED)
    return f"{job.name}{'.' if part.module else ''}{part.module} starts from {path}"


def _fill(
    module: nn.Module, weights: Mapping[str, Tensor], what: str, fresh: tuple[str, ...], dropped: tuple[str, ...]
) -> None:
    """Load strictly, but for modules that only the network (`fresh`) or only the file (`dropped`) may have."""
    own = module.state_dict()
    wanted = {name for name in own if name in weights or not name.startswith(fresh)}
    given = {name: tensor for name, tensor in weights.items() if name in own or not name.startswith(dropped)}
    check_keys(what, wanted, given)
    wrong = [name for name, tensor in given.items() if tensor.shape != own[name].shape]
    if wrong:
        name = wrong[0]
        raise EgorearError(f"{what}: '{name}' is {tuple(given[name].shape)}, expected {tuple(own[name].shape)}")
    module.load_state_dict(given, strict=False)


def _kind(config: NetworkConfig) -> str:
    return type(config).__name__.removesuffix("Config") + " network"
