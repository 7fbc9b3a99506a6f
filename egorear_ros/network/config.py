"""Configurations of the networks: one frozen dataclass per kind, every field documented and checked.

Sizes that follow from others are properties. `image_size` other than 256 is for small test networks; official weights
need 256.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from egorear_ros.errors import EgorearError
from egorear_ros.network.backbone import RESNET_BLOCKS
from egorear_ros.network.views import STEREO_PAIRS, Pair
from egorear_ros.settings import Number, OneOf, Switch, Whole, checked, require
from egorear_ros.skeleton import NUM_HEATMAP_JOINTS

FRONT = STEREO_PAIRS["front"]
ALL_VIEWS = (*STEREO_PAIRS["front"], *STEREO_PAIRS["rear"])


class ConfigError(EgorearError):
    """A network configuration that cannot be built."""


def _check_views(config: Any) -> None:
    in_order = tuple(view for view in ALL_VIEWS if view in config.views)
    require(bool(config.views) and config.views == in_order, config, "views", f"some of {ALL_VIEWS}, in this order")


Positive = Annotated[Whole, Field(gt=0)]
ImageSize = Annotated[Whole, Field(gt=0, multiple_of=64)]
Width = Annotated[Whole, Field(gt=0, multiple_of=16)]
"""With 8 channels the backward pass of torch 2.13's CPU convolutions corrupts memory."""
HeadWidth = Annotated[Whole, Field(gt=0, multiple_of=4)]
"""Shared out to 4 attention heads."""
Metres = Annotated[Number, Field(gt=0, description="metres")]
Backbone = Annotated[str, OneOf(tuple(RESNET_BLOCKS))]


@checked(error=ConfigError)
class HeatmapConfig:
    """Heatmap estimator of one stereo pair: EgoRear's stage 1, EgoPoseFormer's heatmap network.

    Attributes:
        pair: "front" or "rear"; the network is the same, the weights are not.
        backbone: resnet18 (all official weights), resnet34 or resnet50.
        channels: width of the neck.
        image_size: height and width of the images.
        width: channels of the ResNet's first level; 64 is the standard one and that of all official weights.
    """

    pair: Pair = "front"
    backbone: Backbone = "resnet18"
    channels: Positive = 128
    image_size: ImageSize = 256
    width: Width = 64

    @property
    def views(self) -> tuple[str, ...]:
        """The views of the pair."""
        return STEREO_PAIRS[self.pair]


@checked(error=ConfigError)
class EgoRearConfig:
    """EgoRear and EgoPoseFormer, with any set of views, with and without refinement and lifting.

    Attributes:
        views: views used, in the order front_left, front_right, rear_left, rear_right.
        refinement: whether the multi-view refinement sits between estimators and lifter.
        lifting: whether poses come out; False is EgoRear's stage 2, which only refines heatmaps.
        heatmaps: whether the estimators have their own heatmap layer (EgoPoseFormer's second stage drops it).
        proposal: "convolution" (EgoRear) or "pooling" (EgoPoseFormer).
        lifting_layers: transformer layers of the lifter, each giving a pose.
        backbone, channels, image_size, width: see `HeatmapConfig`.
        rig: name or path of the rig whose lenses (and default extrinsics) the lifter uses; see `rig.load_rig`.
        extrinsics: "rig" = those of the rig unless the caller passes others; "input" = the caller must pass them with
            every frame set (Ego4View-RW, where they differ per sequence).
        frame: "device", or "pelvis" for UnrealEgo, where poses are relative to the pelvis and the caller passes where
            the pelvis is in each view.
        length_unit_m: unit of lengths inside the network; 0.01 (cm) for all official weights. Outputs are metres.
        syn_inplace_projection: only for official Ego4View-Syn weights; see `projection.AnchorProjection`.
    """

    views: tuple[str, ...] = ALL_VIEWS
    refinement: Switch = True
    lifting: Switch = True
    heatmaps: Switch = True
    proposal: Literal["convolution", "pooling"] = "convolution"
    lifting_layers: Positive = 3
    backbone: Backbone = "resnet18"
    channels: HeadWidth = 128
    image_size: ImageSize = 256
    rig: str = "ego4view"
    extrinsics: Literal["rig", "input"] = "rig"
    frame: Literal["device", "pelvis"] = "device"
    length_unit_m: Metres = 0.01
    syn_inplace_projection: Switch = False
    width: Width = 64

    def __post_init__(self) -> None:
        """Raise ConfigError on values that do not fit each other."""
        _check_views(self)
        require(self.refinement or self.lifting, self, "refinement", "True where lifting is False (else HeatmapConfig)")
        require(
            not (self.syn_inplace_projection and self.extrinsics == "input"),
            self,
            "syn_inplace_projection",
            "False where extrinsics are 'input': only the official Syn code has this mistake",
        )

    @property
    def map_size(self) -> int:
        """Height and width of features and heatmaps."""
        return self.image_size // 4


@checked(error=ConfigError)
class EgoTapHeatmapConfig:
    """One of EgoTAP's two heatmap networks, for one stereo pair.

    Attributes:
        maps: "joint" (15 maps per view) or "limb" (15 times cos, 15 times sin of the limb's angle).
        pair: "front" or "rear".
        image_size, width: see `HeatmapConfig`; the decoder's channels grow with the width, too.
    """

    maps: Literal["joint", "limb"] = "joint"
    pair: Pair = "front"
    image_size: ImageSize = 256
    width: Width = 64

    @property
    def views(self) -> tuple[str, ...]:
        """The views of the pair."""
        return STEREO_PAIRS[self.pair]

    @property
    def maps_per_view(self) -> int:
        """Output channels per view."""
        return NUM_HEATMAP_JOINTS * (2 if self.maps == "limb" else 1)


@checked(error=ConfigError)
class EgoTapLiftingConfig:
    """EgoTAP's lifting network: heatmaps in, pose out.

    Attributes:
        views: number of views; the official network has 2.
        vit_layers: transformer layers of the grid ViT.
        vit_dim: width of the ViT's tokens; a smaller one is for small test networks.
        length_unit_m: unit of lengths inside the network; outputs are metres.
        map_size: height and width of the heatmaps; 64 for official weights. A map is 4 x 4 patches at any size.
    """

    views: Positive = 2
    vit_layers: Positive = 3
    vit_dim: Annotated[Whole, Field(gt=0, multiple_of=8)] = 1024
    length_unit_m: Metres = 0.01
    map_size: Annotated[Whole, Field(gt=0, multiple_of=4)] = 64


@checked(error=ConfigError)
class EgoTapConfig:
    """EgoTAP from images to pose.

    Attributes:
        views: whole stereo pairs: the two front views, or all four.
        refinement: whether the joint heatmaps come from EgoRear's estimators and refinement instead of from EgoTAP's
            joint heatmap networks. The limb networks are EgoTAP's own in both cases.
        lifting: the lifting network; its number of views and size of maps must match.
        channels: width of the neck of EgoRear's estimators, with refinement.
        image_size, width: see `HeatmapConfig`; of all heatmap networks.
    """

    views: tuple[str, ...] = FRONT
    refinement: Switch = False
    lifting: EgoTapLiftingConfig = EgoTapLiftingConfig()
    channels: Positive = 128
    image_size: ImageSize = 256
    width: Width = 64

    def __post_init__(self) -> None:
        """Raise ConfigError on values that do not fit each other."""
        require(self.views in (FRONT, STEREO_PAIRS["rear"], ALL_VIEWS), self, "views", "whole stereo pairs")
        require(self.lifting.views == len(self.views), self, "lifting", f"a network of {len(self.views)} views")
        map_size = self.image_size // 4
        require(self.lifting.map_size == map_size, self, "lifting", f"a network of {map_size} x {map_size} heatmaps")

    def heatmap_network(self, maps: Literal["joint", "limb"], pair: Pair) -> EgoTapHeatmapConfig:
        """One of the system's own heatmap networks."""
        return EgoTapHeatmapConfig(maps, pair, self.image_size, self.width)

    @property
    def refinement_network(self) -> EgoRearConfig:
        """EgoRear's second stage, which gives the joint heatmaps with refinement."""
        return EgoRearConfig(
            self.views, lifting=False, channels=self.channels, image_size=self.image_size, width=self.width
        )


@checked(error=ConfigError)
class EgoRearSConfig:
    """Our compact network: all views share one encoder, any subset of them is enough; see `egorear_s`.

    Attributes:
        views: views known, in the order front_left, front_right, rear_left, rear_right.
        image_size: height and width the weights are trained at; the network itself takes any multiple of 64.
        width: channels of the encoder's finest levels.
        channels: channels of the map that the heatmaps are read from.
        neck_channels: width of the neck at its coarser levels.
        dim: width of the tokens, one per view and joint.
        refinement_layers: transformer layers in which the views tell each other what they see; 0 = no refinement.
        lifting_layers: rounds of reprojection, attention and correction of the pose.
        rig: name or path of the rig whose lenses (and default extrinsics) are used; see `rig.load_rig`.
    """

    views: tuple[str, ...] = ALL_VIEWS
    image_size: ImageSize = 128
    width: Width = 32
    channels: Positive = 32
    neck_channels: Positive = 64
    dim: HeadWidth = 128
    refinement_layers: Annotated[Whole, Field(ge=0)] = 2
    lifting_layers: Positive = 3
    rig: str = "ego4view"

    def __post_init__(self) -> None:
        """Raise ConfigError on views in another order."""
        _check_views(self)


@checked(error=ConfigError)
class TemporalConfig:
    """The temporal part of the tracker; see `temporal`.

    Attributes:
        views: views of the per-frame network, in order.
        dim: width of the tokens, one per joint and frame.
        layers: layers.
        heads: attention heads.
        window_s: how far a layer looks back, seconds.
    """

    views: tuple[str, ...] = ALL_VIEWS
    dim: Positive = 64
    layers: Positive = 2
    heads: Positive = 4
    window_s: Annotated[Number, Field(gt=0, description="seconds")] = 1.0

    def __post_init__(self) -> None:
        """Raise ConfigError on views in another order, and channels that heads cannot share in pairs."""
        _check_views(self)
        require(self.dim % (2 * self.heads) == 0, self, "dim", f"a multiple of {2 * self.heads}, twice the heads")


NetworkConfig = (
    HeatmapConfig
    | EgoRearConfig
    | EgoRearSConfig
    | EgoTapHeatmapConfig
    | EgoTapLiftingConfig
    | EgoTapConfig
    | TemporalConfig
)
"""Any network `build` can make."""
