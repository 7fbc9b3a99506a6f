"""What the official code calls our parameters: one tree of prefixes per official model family.

A rule (ours, theirs, rules for the rest) renames a prefix and then what follows it; the first rule that fits is taken,
and a name without a rule stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from egorear_ros.rig import VIEWS

Rule = tuple[str, str] | tuple[str, str, Any]

_BACKBONE: Final[Sequence[Rule]] = (
    ("conv1.", "layer_s2.0."),
    ("bn1.", "layer_s2.1."),
    ("layer1.", "layer_s4.1."),
    ("layer2.", "layer_s8."),
    ("layer3.", "layer_s16."),
    ("layer4.", "layer_s32."),
)
_HEATMAP: Final[Sequence[Rule]] = (
    ("encoder.backbone.", "encoder.backbone.", _BACKBONE),
    ("encoder.neck.lateral.", "encoder.neck.lateral_convs."),
    ("encoder.neck.fuse.", "encoder.neck.fuse_convs."),
    ("encoder.neck.smooth.", "encoder.neck.fpn_convs."),
    ("head.", "conv_heatmap."),
)
_JOINT_LAYER: Final[Sequence[Rule]] = (
    ("fuse.", "fuse_mlp."),
    ("self_attn.", "spatial_attn."),
    ("norm_self.", "norm_spatial."),
    ("ffn.0.", "ffn.layers.0.0."),
    ("ffn.2.", "ffn.layers.1."),
)
_REFINER: Final[Sequence[Rule]] = (
    ("joint_embed.", "joint_query_embed."),
    ("image_embed.", "fc_bfb."),
    ("heatmap_embed.", "heatmap_proj."),
    ("query.", "fc_query."),
    ("memory_position", "frame_feat_multi_view_pos_embed"),
    ("memory.", "frame_feat_multi_view_proj."),
    ("own_features.", "frame_feat_proj_layers."),
    ("layer.", "transformer_layers.0.", _JOINT_LAYER),
    ("norm.", "post_norm.0."),
    ("correction.", "head_layers.0.head."),
    ("merge.", "frame_feat_refined_proj_layers.0."),
)


def _back(view_or_pair: str) -> str:
    """Our "rear" is their "back"."""
    return view_or_pair.replace("rear", "back")


_REFINEMENT: Final[Sequence[Rule]] = (
    *((f"estimators.{pair}.", f"heatmap_estimator_stereo_{_back(pair)}.", _HEATMAP) for pair in ("front", "rear")),
    *(
        (f"refinement.initial_heads.{pair}.", f"conv_heatmap_layers_stereo_{_back(pair)}.")
        for pair in ("front", "rear")
    ),
    *((f"refinement.heads.{view}.", f"heatmap_refiner_{_back(view)}.conv_heatmap_layers.0.") for view in VIEWS),
    *((f"refinement.refiners.{view}.", f"heatmap_refiner_{_back(view)}.", _REFINER) for view in VIEWS),
)
_LIFTER: Final[Sequence[Rule]] = (
    ("feature_proj.", "feat_proj."),
    ("proposal.convolutions.", "conv_frame_feat."),
    ("proposal.mlp.0.", "mlp_pred.0.0."),
    ("proposal.mlp.2.", "mlp_pred.1.0."),
    ("proposal.mlp.4.", "mlp_pred.2."),
    ("query.", "query_gen_mlp."),
    *((f"layers.{i}.", f"layers.{i}.", _JOINT_LAYER) for i in range(3)),
    ("norms.", "post_norm."),
    ("offsets.", "reg_mlp."),
)
_VIT_LAYER: Final[Sequence[Rule]] = (
    *((f"{name}.", f"attention.attention.{name}.") for name in ("query", "key", "value")),
    ("output.", "attention.output.dense."),
    ("norm_attention.", "layernorm_before."),
    ("norm_ffn.", "layernorm_after."),
    ("ffn.0.", "intermediate.dense."),
    ("ffn.2.", "output.dense."),
)
_CELL: Final[Sequence[Rule]] = (
    ("forget.", "x2f."),
    ("from_input.", "x2h."),
    ("from_state.", "h2h."),
    ("from_limb.", "b2h."),
)

RULES: Final[dict[str, Sequence[Rule]]] = {
    "heatmap": _HEATMAP,
    "refinement": _REFINEMENT,
    "pose3d": (("lifter.", "pose3d_estimator.", _LIFTER), ("", "heatmap_estimator.", _REFINEMENT)),
    "egoposeformer": (("lifter.", "", _LIFTER), ("estimators.front.", "", _HEATMAP)),
    "egotap_heatmap": (
        ("backbone.", "backbone.backbone.backbone."),
        *((f"decoder.lateral{i}.", f"after_backbone.layer{i}_1x1.") for i in range(1, 5)),
        *((f"decoder.up{i}.", f"after_backbone.conv_up{i}.") for i in range(1, 4)),
        ("decoder.head.", "after_backbone.conv_heatmap."),
    ),
    "egotap_lifting": (
        *((f"vit.layers.{i}.", f"pos_heatmap_encoder.vit.encoder.layer.{i}.", _VIT_LAYER) for i in range(3)),
        ("vit.patch.", "pos_heatmap_encoder.vit.embeddings.patch_embeddings.projection."),
        ("vit.position", "pos_heatmap_encoder.vit.embeddings.position_embeddings"),
        ("vit.mask_token", "pos_heatmap_encoder.vit.embeddings.mask_token"),
        ("vit.norm.", "pos_heatmap_encoder.vit.layernorm."),
        *((f"joint_embedding.{i}.", f"pos_heatmap_encoder.fc{i + 1}.") for i in range(3)),
        *((f"limb_embedding.{i}.", f"rot_heatmap_encoder.fc{i + 1}.") for i in range(3)),
        *((f"propagation.cells.{i}.", f"skel_sequential_layer.lstm_custom.layers.{i}.", _CELL) for i in range(2)),
        ("joint_output.", "pose_mlp.pose_fcs.0."),
        ("global_output.", "global_mlp.pose_fcs.0."),
    ),
}
"""Family -> rules from our names to the official ones."""

EGOTAP_ALIASES: Final[Sequence[Rule]] = (
    ("conv1.", "layer0.0."),
    ("bn1.", "layer0.1."),
    ("layer1.", "layer1.1."),
)
"""EgoTAP's heatmap networks list their backbone twice; the second list's names, from the first's."""


def rename(name: str, rules: Sequence[Rule]) -> str:
    """Apply a tree of rules to one name."""
    for ours, theirs, *rest in rules:
        if name.startswith(ours):
            tail = name.removeprefix(ours)
            return theirs + (rename(tail, rest[0]) if rest else tail)
    return name
