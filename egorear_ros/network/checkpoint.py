"""Official checkpoint files: find out which model one holds, load it, turn it into a weights file of ours."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from egorear_ros.network.official import OFFICIAL_MODELS, check_keys, load_official_state, official_layout
from egorear_ros.network.registry import build
from egorear_ros.network.unpickling import CheckpointError, load_tensors_only
from egorear_ros.network.weights import WeightsCard, save_weights, sha256_of

_PREFIXES: Final = ("network._orig_mod.", "network.", "_orig_mod.", "model.", "module.")
"""What Lightning, torch.compile and DataParallel put before every name."""


def read_official_file(path: Path) -> dict[str, Tensor]:
    """Read the weights of an official checkpoint, under the model's own names.

    Args:
        path: a Lightning .ckpt, or a .pth with nothing but the weights.

    Raises:
        CheckpointError: the file cannot be read, is unsafe, or holds no weights.
    """
    content = load_tensors_only(path)
    if isinstance(content, Mapping) and "state_dict" in content:
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not content:
        raise CheckpointError(f"'{path}' holds no weights: expected a 'state_dict' or a mapping of names to tensors")
    wrong = [str(name) for name, value in content.items() if not (isinstance(name, str) and isinstance(value, Tensor))]
    if wrong:
        raise CheckpointError(f"'{path}': '{wrong[0]}' among the weights is not a tensor")
    return _strip_prefixes(dict(content))


def recognise(state_dict: Mapping[str, Tensor], data: str | None = None, pair: str | None = None) -> str:
    """Name the official model these weights belong to, by their names and shapes.

    Args:
        state_dict: official names without prefixes.
        data: "syn" or "rw": names cannot tell which of Ego4View's parts a pose model was trained on.
        pair: "front" or "rear": nor which pair of cameras a heatmap network was.

    Returns:
        A key of `OFFICIAL_MODELS`.

    Raises:
        CheckpointError: no official model has such entries, or `data` or `pair` is needed to decide.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in state_dict.items()}
    names = [name for name in OFFICIAL_MODELS if _shapes(name) == shapes]
    if not names:
        raise _unknown(state_dict)
    if len(names) == 1:
        return names[0]
    if "heatmap" in names[0]:
        if pair is None:
            raise CheckpointError("this is a heatmap network of one camera pair; say which with --pair front or rear")
        return f"egorear_heatmap_{'front' if pair == 'front' else 'back'}"
    if data is None:
        raise CheckpointError("this pose model may be from Ego4View-Syn or -RW; say which with --data syn or rw")
    return next(name for name in names if f"_{data}_" in name)


def convert(source: Path, target: Path, data: str | None = None, pair: str | None = None) -> tuple[str, WeightsCard]:
    """Turn an official checkpoint into a weights file and its card.

    Args:
        source: the official file.
        target: the .safetensors file to write; the card gets the same name with .json.
        data: see `recognise`.
        pair: see `recognise`.

    Returns:
        Name of the official model, and the card.

    Raises:
        CheckpointError: see `read_official_file`, `recognise` and `save_weights`.
    """
    if target.suffix != ".safetensors":
        raise CheckpointError(f"output is '{target}', expected a name that ends in .safetensors")
    state_dict = read_official_file(source)
    try:
        name = recognise(state_dict, data, pair)
        network = load_official_state(name, state_dict)
    except CheckpointError as error:
        raise CheckpointError(f"'{source}': {error}") from error
    origin = {"official_model": name, "file": source.name, "sha256": sha256_of(source)}
    return name, save_weights(target, network, OFFICIAL_MODELS[name].config, origin)


@cache
def _shapes(name: str) -> dict[str, tuple[int, ...]]:
    """Every entry of an official model with its shape."""
    with torch.device("meta"):
        network = build(OFFICIAL_MODELS[name].config)
    layout, own = official_layout(name, network), network.state_dict()
    return layout.shapes({ours: tuple(tensor.shape) for ours, tensor in own.items()})


def _strip_prefixes(state_dict: dict[str, Any]) -> dict[str, Tensor]:
    for prefix in _PREFIXES:
        if all(name.startswith(prefix) for name in state_dict):
            return _strip_prefixes({name.removeprefix(prefix): tensor for name, tensor in state_dict.items()})
    return state_dict


def _unknown(state_dict: Mapping[str, Tensor]) -> CheckpointError:
    """Explain how the weights differ from the official model nearest to them."""
    nearest = min(OFFICIAL_MODELS, key=lambda name: len(set(_shapes(name)) ^ set(state_dict)))
    shapes = _shapes(nearest)
    if len(set(shapes) & set(state_dict)) == 0:
        return CheckpointError(f"no official model has entries like '{next(iter(state_dict))}'")
    try:
        check_keys(f"nearest official model is '{nearest}'", set(shapes), state_dict)
    except CheckpointError as error:
        return error
    name = next(name for name in shapes if tuple(state_dict[name].shape) != shapes[name])
    return CheckpointError(
        f"nearest official model is '{nearest}': '{name}' is {tuple(state_dict[name].shape)}, expected {shapes[name]}"
    )
