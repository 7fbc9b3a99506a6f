"""Official weights: which official model is which configuration here, and loading its state dict.

Loading is strict in official names: every official entry must be there, with its shape, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor, nn

from egorear_ros.network.config import (
    ALL_VIEWS,
    FRONT,
    EgoRearConfig,
    EgoTapHeatmapConfig,
    EgoTapLiftingConfig,
    HeatmapConfig,
    NetworkConfig,
)
from egorear_ros.network.official_names import EGOTAP_ALIASES, RULES, rename
from egorear_ros.network.registry import build, config_of
from egorear_ros.network.unpickling import CheckpointError


@dataclass(frozen=True)
class OfficialModel:
    """An official model: the same network here, and whose names its parameters have (a key of `RULES`)."""

    config: NetworkConfig
    family: str


OFFICIAL_MODELS: Final[dict[str, OfficialModel]] = {
    "egorear_heatmap_front": OfficialModel(HeatmapConfig("front"), "heatmap"),
    "egorear_heatmap_back": OfficialModel(HeatmapConfig("rear"), "heatmap"),
    "egorear_mvf_4view": OfficialModel(EgoRearConfig(ALL_VIEWS, lifting=False), "refinement"),
    "egorear_mvf_stereo_front": OfficialModel(EgoRearConfig(FRONT, lifting=False), "refinement"),
    "egorear_pose3d_syn_4view": OfficialModel(EgoRearConfig(ALL_VIEWS, syn_inplace_projection=True), "pose3d"),
    "egorear_pose3d_rw_4view": OfficialModel(EgoRearConfig(ALL_VIEWS, extrinsics="input"), "pose3d"),
    "egorear_pose3d_syn_stereo_front": OfficialModel(EgoRearConfig(FRONT, syn_inplace_projection=True), "pose3d"),
    "egorear_pose3d_rw_stereo_front": OfficialModel(EgoRearConfig(FRONT, extrinsics="input"), "pose3d"),
    "egoposeformer_heatmap": OfficialModel(HeatmapConfig("front"), "heatmap"),
    "egoposeformer_pose3d": OfficialModel(config_of("egoposeformer-unrealego"), "egoposeformer"),
    "egotap_heatmap_joint": OfficialModel(EgoTapHeatmapConfig("joint"), "egotap_heatmap"),
    "egotap_heatmap_limb": OfficialModel(EgoTapHeatmapConfig("limb"), "egotap_heatmap"),
    "egotap_lifting": OfficialModel(EgoTapLiftingConfig(), "egotap_lifting"),
}
"""The official models, by the names `load_official_state` takes."""


@dataclass(frozen=True)
class OfficialLayout:
    """What the state dict of an official model holds, in official names.

    Attributes:
        names: our name -> official name, for all that our network stores.
        constants: integer entries with only one possible value.
        aliases: entries that repeat another entry.
        unused: entries the official network never reads, with their shapes.
    """

    names: dict[str, str]
    constants: dict[str, Tensor] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    unused: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def entries(self) -> set[str]:
        """All official names."""
        return {*self.names.values(), *self.constants, *self.aliases, *self.unused}

    def shapes(self, own: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        """Shape of every official entry, given those of our network's by our names."""
        shapes = {theirs: own[ours] for ours, theirs in self.names.items()} | self.unused
        shapes |= {name: tuple(value.shape) for name, value in self.constants.items()}
        return shapes | {alias: shapes[original] for alias, original in self.aliases.items()}


def official_layout(name: str, network: nn.Module) -> OfficialLayout:
    """Return what the state dict of the official model `name` holds, given our network for it."""
    family = _model(name).family
    layout = OfficialLayout({ours: rename(ours, RULES[family]) for ours in network.state_dict()})
    for key in layout.names.values():
        if key.endswith("cross_attn.sampling_offsets.weight"):
            attention = key.removesuffix("sampling_offsets.weight")
            layout.constants[f"{attention}spatial_shapes"] = torch.tensor([[64, 64]])
            layout.constants[f"{attention}start_index"] = torch.tensor([0])
        backbone = "backbone.backbone.backbone."
        if family == "egotap_heatmap" and key.startswith(backbone):
            alias = "backbone.backbone." + rename(key.removeprefix(backbone), EGOTAP_ALIASES)
            layout.aliases[alias] = key
    if family == "egotap_heatmap":
        fc = "backbone.backbone.backbone.fc"
        layout.unused.update({f"{fc}.weight": (1000, 512), f"{fc}.bias": (1000,)})
    if family == "egotap_lifting":
        vit = "pos_heatmap_encoder.vit"
        layout.unused.update({f"{vit}.embeddings.cls_token": (1, 1, 1024)})
        layout.unused.update({f"{vit}.pooler.dense.weight": (1024, 1024), f"{vit}.pooler.dense.bias": (1024,)})
    return layout


def load_official_state(name: str, state_dict: Mapping[str, Tensor]) -> nn.Module:
    """Build the network of an official model and fill it with official weights.

    Image networks are called as `network(images, camera_from_device)`, EgoPoseFormer's pose network as
    `network(images, view_origins_m)`, EgoTAP's lifting as `network(heatmaps)`; all return a `NetworkOutput`.

    Args:
        name: a key of `OFFICIAL_MODELS`.
        state_dict: official names, without the prefixes of Lightning and torch.compile.

    Returns:
        The network in eval mode.

    Raises:
        CheckpointError: unknown model; entries are missing, unexpected or have other shapes.
    """
    network = build(_model(name).config)
    layout = official_layout(name, network)
    own = network.state_dict()
    _check_entries(name, layout, own, state_dict)
    network.load_state_dict({ours: state_dict[theirs] for ours, theirs in layout.names.items()})
    return network.eval()


def _model(name: str) -> OfficialModel:
    if name not in OFFICIAL_MODELS:
        raise CheckpointError(f"there is no official model '{name}'; known are {', '.join(OFFICIAL_MODELS)}")
    return OFFICIAL_MODELS[name]


def _check_entries(
    name: str, layout: OfficialLayout, own: Mapping[str, Tensor], state_dict: Mapping[str, Tensor]
) -> None:
    check_keys(f"weights of '{name}'", layout.entries, state_dict)
    shapes = layout.shapes({ours: tuple(tensor.shape) for ours, tensor in own.items()})
    wrong = [
        f"'{key}' is {tuple(state_dict[key].shape)}, expected {shape}"
        for key, shape in shapes.items()
        if tuple(state_dict[key].shape) != shape
    ]
    wrong += [
        f"'{key}' is {state_dict[key].tolist()}, expected {value.tolist()}"
        for key, value in layout.constants.items()
        if not wrong and not torch.equal(state_dict[key].cpu(), value)
    ]
    wrong += [
        f"'{alias}' differs from '{original}', of which it should be a copy"
        for alias, original in layout.aliases.items()
        if not wrong and not torch.equal(state_dict[alias], state_dict[original])
    ]
    if wrong:
        raise CheckpointError(f"weights of '{name}': {_first(wrong)}")


def check_keys(what: str, expected: set[str], found: Mapping[str, object]) -> None:
    """Raise CheckpointError naming the first missing and unexpected keys, if there are any."""
    missing, unexpected = sorted(expected - set(found)), sorted(set(found) - expected)
    problems = []
    if missing:
        problems.append(f"{len(missing)} of {len(expected)} entries missing: {_first(missing)}")
    if unexpected:
        problems.append(f"{len(unexpected)} unexpected: {_first(unexpected)}")
    if problems:
        raise CheckpointError(f"{what}: {'; '.join(problems)}")


def _first(items: list[str], count: int = 3) -> str:
    return ", ".join(items[:count]) + (f" and {len(items) - count} more" if len(items) > count else "")
