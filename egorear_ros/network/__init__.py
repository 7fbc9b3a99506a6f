"""The networks: EgoRear, EgoPoseFormer, EgoTAP, their parts, one registry, and weights files.

Pure torch modules: images and heatmaps in, heatmaps and metres out; no ROS, and no file access inside a module.
May import: rig, skeleton, errors, resources. Imported by inference, training, evaluation, nodes, cli.

Reading order: `config`, `registry`; `backbone`, `heatmap`, `attention`, `refinement`, `projection`, `lifting`,
`egorear`; `geometry`, `spatial_softmax`, `egorear_s`;
`egotap_heatmap`, `grid_vit`, `egotap_lifting`, `egotap`; `official`, `checkpoint`;
`temporal`.
"""

from egorear_ros.network.config import (
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
from egorear_ros.network.heatmap import heatmap_anchors
from egorear_ros.network.official import OFFICIAL_MODELS, load_official_state
from egorear_ros.network.output import NetworkOutput
from egorear_ros.network.registry import VIEW_SETS, build, config_of, list_models
from egorear_ros.network.unpickling import CheckpointError
from egorear_ros.network.weights import WeightsCard, load_weights, save_weights

__all__ = [
    "OFFICIAL_MODELS",
    "VIEW_SETS",
    "CheckpointError",
    "ConfigError",
    "EgoRearConfig",
    "EgoRearSConfig",
    "EgoTapConfig",
    "EgoTapHeatmapConfig",
    "EgoTapLiftingConfig",
    "HeatmapConfig",
    "NetworkConfig",
    "NetworkOutput",
    "TemporalConfig",
    "WeightsCard",
    "build",
    "config_of",
    "heatmap_anchors",
    "list_models",
    "load_official_state",
    "load_weights",
    "save_weights",
]
