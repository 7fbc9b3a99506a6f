"""What a network costs: parameters, and floating-point operations for one frame set."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from egorear_ros.network.config import ConfigError, EgoTapLiftingConfig, NetworkConfig, TemporalConfig
from egorear_ros.network.registry import build, view_count
from egorear_ros.skeleton import NUM_HEATMAP_JOINTS


@dataclass(frozen=True)
class Cost:
    """Views a network looks at, its parameters, and FLOPs (2 per multiply-add of convolutions and matrix products)."""

    views: int
    parameters: int
    flops: int


def cost_of(config: NetworkConfig) -> Cost:
    """Count, without computing anything: on the meta device."""
    with torch.device("meta"):
        network = build(config).eval()
        inputs = example_inputs(config)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(*inputs)
    return Cost(
        view_count(config), sum(parameter.numel() for parameter in network.parameters()), counter.get_total_flops()
    )


def example_inputs(config: NetworkConfig, batch: int = 1) -> tuple[Tensor, ...]:
    """Zeros in the shapes the network takes, on the default device: images and, if it must have them, extrinsics."""
    if isinstance(config, EgoTapLiftingConfig):
        return (torch.zeros(batch, config.views * NUM_HEATMAP_JOINTS * 3, config.map_size, config.map_size),)
    if isinstance(config, TemporalConfig):
        raise ConfigError("the cost of a tracker's temporal part is per frame of a track: see docs/tracking.md")
    views = len(config.views)
    images = torch.zeros(batch, views, 3, config.image_size, config.image_size)
    if getattr(config, "frame", None) == "pelvis":
        return images, torch.zeros(batch, views, 3)
    if getattr(config, "extrinsics", None) == "input":
        return images, torch.eye(4).expand(batch, views, 4, 4)
    return (images,)
