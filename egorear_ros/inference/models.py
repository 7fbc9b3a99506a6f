"""Models: where their weights are, which estimate poses, and which views and device they are used with."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TypeGuard

import torch

from egorear_ros import resources
from egorear_ros.errors import EgorearError
from egorear_ros.inference.engines.base import PoseConfig, Warn
from egorear_ros.network import EgoRearConfig, EgoRearSConfig, NetworkConfig
from egorear_ros.rig import Rig

DEFAULT_MODEL = "egorear-s"
SHIPPED_MODELS = "assets/models"
WEIGHTS_SUFFIX = ".safetensors"


class InputError(EgorearError):
    """Images that do not fit the network or the rig."""


def estimates_poses(config: NetworkConfig) -> TypeGuard[PoseConfig]:
    """Whether a network takes images and gives poses in the device frame."""
    if isinstance(config, EgoRearConfig):
        return config.lifting and config.frame == "device"
    return isinstance(config, EgoRearSConfig)


def find_weights(model: str) -> Path:
    """Path of a model's weights: of a shipped one by name, or the path given.

    Raises:
        InputError: no model of this name is shipped.
    """
    if model.endswith(WEIGHTS_SUFFIX):
        return Path(model)
    try:
        return resources.find(f"{SHIPPED_MODELS}/{model}{WEIGHTS_SUFFIX}")
    except EgorearError as error:
        shipped = sorted(
            path.stem
            for folder in resources.share_directories()
            for path in (folder / SHIPPED_MODELS).glob("*.safetensors")
        )
        raise InputError(
            f"no model '{model}' is shipped ({', '.join(shipped) or 'none is yet'}); "
            "give the path of a .safetensors file, for example one made by `egorear convert-checkpoint`"
        ) from error


def chosen_views(views: Sequence[str] | None, config: PoseConfig) -> tuple[str, ...]:
    """Views to use, in the network's order.

    Raises:
        InputError: a view that the network does not know, or none.
    """
    if views is None:
        return config.views
    unknown = [view for view in views if view not in config.views]
    if unknown or not views:
        raise InputError(f"views: got {', '.join(views) or 'none'}, the network knows {', '.join(config.views)}")
    return tuple(view for view in config.views if view in views)


def views_with(rig: Rig, config: PoseConfig, views: Sequence[str] | None, warn: Warn | None) -> Sequence[str]:
    """Views of the network to use with this rig: those asked for, else those it has.

    Raises:
        InputError: the rig lacks a view that is asked for, or all.
    """
    wanted = config.views if views is None else chosen_views(views, config)
    there, missing = [v for v in wanted if v in rig.names], [v for v in wanted if v not in rig.names]
    if missing and (views is not None or not there):
        raise InputError(
            f"rig '{rig.name}' has no camera '{missing[0]}'; it has {', '.join(rig.names)}, "
            f"the network knows {', '.join(config.views)}"
        )
    if missing:
        reason = f"rig '{rig.name}' has no camera {', '.join(map(repr, missing))}; the network works without"
        (warn or warnings.warn)(reason)
    return there


def device_of(name: str) -> torch.device:
    """The device of a name; "auto" is CUDA where there is one.

    Raises:
        InputError: it cannot be used here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"device '{name}' cannot be used here: {str(error).splitlines()[0]}; set device to auto"
        ) from error
    return device
