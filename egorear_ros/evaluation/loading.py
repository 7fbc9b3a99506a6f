"""Load what is to be evaluated: networks that answer with poses in the device frame."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from egorear_ros.errors import EgorearError
from egorear_ros.evaluation.view_sets import ALL, ViewMask, view_sets
from egorear_ros.inference.estimator import find_weights
from egorear_ros.network import EgoRearConfig, EgoRearSConfig, EgoTapConfig, load_weights
from egorear_ros.network.weights import WeightsCard, sha256_of

PoseNetwork = EgoRearConfig | EgoRearSConfig | EgoTapConfig


def load_pose_network(model: str, device: str = "auto") -> tuple[nn.Module, PoseNetwork, WeightsCard]:
    """Load the name of a shipped model or a .safetensors file: network in eval mode, configuration, and card.

    Args:
        model: name or path.
        device: "auto" (CUDA where there is one), "cpu" or "cuda".

    Returns:
        The card's `sha256` is that of the file as it is.

    Raises:
        EgorearError: no such model or device, or it gives no poses in the device frame.
    """
    path = find_weights(model)
    network, card = load_weights(path)
    config = card.config
    if not isinstance(config, PoseNetwork) or (
        isinstance(config, EgoRearConfig) and not (config.lifting and config.frame == "device")
    ):
        raise EgorearError(f"model '{model}' gives no poses in the device frame; evaluate one that does")
    if device == "cuda" and not torch.cuda.is_available():
        raise EgorearError("device 'cuda' cannot be used here: torch sees no CUDA device; set device to auto")
    cuda = device != "cpu" and torch.cuda.is_available()
    return network.to("cuda" if cuda else "cpu"), config, WeightsCard(config, card.source, sha256_of(path))


def camera_sets(config: PoseNetwork, views: Sequence[str] = ()) -> dict[str, ViewMask]:
    """The camera sets to compare: the views asked for; else those a network was trained for.

    Raises:
        EgorearError: the network has no such view.
    """
    unknown = [view for view in views if view not in config.views]
    if unknown:
        raise EgorearError(f"the network has no view '{unknown[0]}'; it has {', '.join(config.views)}")
    if views:
        return {", ".join(views): tuple(view in views for view in config.views)}
    return view_sets(config.views) if isinstance(config, EgoRearSConfig) else {ALL: (True,) * len(config.views)}
