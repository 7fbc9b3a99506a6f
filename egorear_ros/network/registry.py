"""The one registry: name -> configuration -> network.

Names read `<system>-<views>`, where views are `front` (the two front cameras), `front-rear_left`, `front-rear_right`
(three cameras) or `4view`. `egorear-4view` is the paper's system. EgoRear has the refinement unless the name ends in
`-unrefined`; the two systems it plugs into have it only where the name ends in `+refinement`. `heatmap-*` and
`refinement-*` are EgoRear's first and second training stage; `egotap-heatmap-*` and `egotap-lifting*` EgoTAP's parts.
`egorear-s` is our own compact network, for any subset of the four views.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from torch import nn

from egorear_ros.network.config import (
    ALL_VIEWS,
    FRONT,
    ConfigError,
    EgoRearConfig,
    EgoRearSConfig,
    EgoTapConfig,
    EgoTapHeatmapConfig,
    EgoTapLiftingConfig,
    HeatmapConfig,
    NetworkConfig,
    TemporalConfig,
)
from egorear_ros.network.egorear import EgoRear, PelvisEgoPoseFormer
from egorear_ros.network.egorear_s import EgoRearS
from egorear_ros.network.egotap import EgoTap
from egorear_ros.network.egotap_heatmap import EgoTapHeatmaps
from egorear_ros.network.egotap_lifting import EgoTapLifting
from egorear_ros.network.heatmap import HeatmapEstimator
from egorear_ros.network.temporal import TemporalNetwork
from egorear_ros.network.views import STEREO_PAIRS
from egorear_ros.rig import Rig, load_rig
from egorear_ros.skeleton import NUM_HEATMAP_JOINTS

VIEW_SETS: Final[dict[str, tuple[str, ...]]] = {
    "front": FRONT,
    "front-rear_left": (*FRONT, "rear_left"),
    "front-rear_right": (*FRONT, "rear_right"),
    "4view": ALL_VIEWS,
}
"""Camera sets of the paper's tables."""


def _configs() -> Iterator[tuple[str, NetworkConfig]]:
    for name, views in VIEW_SETS.items():
        yield f"egorear-{name}", EgoRearConfig(views)
        yield f"egorear-{name}-unrefined", EgoRearConfig(views, refinement=False)
        yield f"egoposeformer-{name}", EgoRearConfig(views, refinement=False, heatmaps=False, proposal="pooling")
        yield f"egoposeformer-{name}+refinement", EgoRearConfig(views, proposal="pooling")
        yield f"refinement-{name}", EgoRearConfig(views, lifting=False)
        if name in ("front", "4view"):
            lifting = EgoTapLiftingConfig(views=len(views))
            yield f"egotap-{name}", EgoTapConfig(views, lifting=lifting)
            yield f"egotap-{name}+refinement", EgoTapConfig(views, refinement=True, lifting=lifting)
            yield f"egotap-lifting-{name}", lifting
    for pair in STEREO_PAIRS:
        yield f"heatmap-{pair}", HeatmapConfig(pair)
        yield f"egotap-heatmap-joint-{pair}", EgoTapHeatmapConfig("joint", pair)
        yield f"egotap-heatmap-limb-{pair}", EgoTapHeatmapConfig("limb", pair)
    yield "egorear-s", EgoRearSConfig()
    yield (
        "egoposeformer-unrealego",
        EgoRearConfig(FRONT, refinement=False, heatmaps=False, proposal="pooling", rig="unrealego", frame="pelvis"),
    )


CONFIGS: Final[dict[str, NetworkConfig]] = dict(sorted(_configs()))
"""Configuration of every named network."""


def list_models() -> tuple[str, ...]:
    """Names that `build` knows."""
    return tuple(CONFIGS)


def config_of(name: str) -> NetworkConfig:
    """Return the configuration of a named network.

    Raises:
        ConfigError: no such name.
    """
    if name not in CONFIGS:
        raise ConfigError(f"there is no model '{name}'; known are {', '.join(CONFIGS)}")
    return CONFIGS[name]


def view_count(config: NetworkConfig) -> int:
    """Return how many views a network of this configuration looks at."""
    return config.views if isinstance(config.views, int) else len(config.views)


def build(model: str | NetworkConfig, rig: Rig | None = None) -> nn.Module:
    """Build a network with fresh weights, in train mode.

    Args:
        model: a name from `list_models`, or a configuration.
        rig: cameras to use instead of those of the configuration's rig, for a helmet of one's own; must have the
            configuration's views.

    Raises:
        ConfigError: no such name.
        RigError: the rig lacks a view.
    """
    config = config_of(model) if isinstance(model, str) else model
    match config:
        case HeatmapConfig():
            return HeatmapEstimator(NUM_HEATMAP_JOINTS, config.backbone, config.channels, config.width)
        case EgoRearConfig():
            cameras = (rig or load_rig(config.rig)).subset(config.views).cameras
            return (PelvisEgoPoseFormer if config.frame == "pelvis" else EgoRear)(config, cameras)
        case EgoRearSConfig():
            return EgoRearS(config, (rig or load_rig(config.rig)).subset(config.views).cameras)
        case EgoTapHeatmapConfig():
            return EgoTapHeatmaps(config)
        case EgoTapLiftingConfig():
            return EgoTapLifting(config)
        case EgoTapConfig():
            return EgoTap(config, (rig or load_rig("ego4view")).subset(config.views).cameras)
        case TemporalConfig():
            return TemporalNetwork(config)
