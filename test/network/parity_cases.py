"""What is compared with the official code: networks, inputs, and names of the archives' arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from egorear_ros.evaluation import metrics
from egorear_ros.network import NetworkOutput
from egorear_ros.network.official import official_layout
from egorear_ros.training import losses
from test import golden_spec as spec


def official_weights(name: str, network: nn.Module, prefix: str = "") -> dict[str, Tensor]:
    """State dict in official names with the archives' weights."""
    layout, own = official_layout(name, network), network.state_dict()
    state: dict[str, Tensor] = dict(layout.constants)
    for ours, theirs in layout.names.items():
        value = own[ours]
        state[theirs] = (
            torch.from_numpy(spec.weight(prefix + theirs, tuple(value.shape)))
            if value.is_floating_point()
            else torch.zeros_like(value, device="cpu")
        )
    for unused, shape in layout.unused.items():
        state[unused] = torch.zeros(shape)
    return state | {alias: state[original] for alias, original in layout.aliases.items()}


def image_tensor(seed: int, views: int = 2) -> Tensor:
    return torch.from_numpy(spec.images(seed, 2, views))


def maps_tensor(seed: int, views: int, joints: int = 15) -> Tensor:
    return torch.from_numpy(spec.heatmap_target(seed, 2, views, joints))


def pose_tensor_m(seed: int) -> Tensor:
    return torch.from_numpy(spec.pose_target_cm(seed, 2)) / 100.0


LIFTER_HOOKS = {
    "query": "lifter.query",
    **{f"layer{i}": f"lifter.layers.{i}" for i in range(3)},
    "cross0.0": "lifter.layers.0.cross_attn#0",
    "cross0.1": "lifter.layers.0.cross_attn#1",
    "fuse0": "lifter.layers.0.fuse",
    "norm_cross0": "lifter.layers.0.norm_cross",
    "feat_proj": "lifter.feature_proj",
    "anchors_2d": "lifter.projection@1",
    "anchors_valid": "lifter.projection@2",
}
REFINER = "refinement.refiners.front_left"
REFINER_HOOKS = {
    "heatmap_proj": f"{REFINER}.heatmap_embed",
    "fc_bfb": f"{REFINER}.image_embed",
    "fc_query": f"{REFINER}.query",
    "frame_feat_proj": f"{REFINER}.own_features",
    "cross_attn.0": f"{REFINER}.layer.cross_attn#0",
    "cross_attn.1": f"{REFINER}.layer.cross_attn#1",
    "fuse_mlp": f"{REFINER}.layer.fuse",
    "norm_cross": f"{REFINER}.layer.norm_cross",
    "spatial_attn": f"{REFINER}.layer.self_attn",
    "norm_spatial": f"{REFINER}.layer.norm_self",
    "ffn": f"{REFINER}.layer.ffn",
    "norm_ffn": f"{REFINER}.layer.norm_ffn",
    "post_norm": f"{REFINER}.norm",
    "head": f"{REFINER}.correction",
}
POSE3D_HOOKS = {f"lift.{key}": hook for key, hook in LIFTER_HOOKS.items()} | {
    "lift.conv_frame_feat": "lifter.proposal.convolutions",
    "lift.anchor3d_after_projection": "lifter.projection@0",
}


@dataclass(frozen=True)
class Case:
    """An archive.

    `hooks` maps arrays to modules: `path`, `path#i` for its i-th call, `path@i` for the i-th of its results. `outputs`
    and `losses` give arrays from the network's output and the archive; `train` the arguments of the training step.
    """

    inputs: Callable[[Any], tuple[Any, ...]]
    outputs: Callable[[NetworkOutput], dict[str, Tensor]]
    losses: Callable[[NetworkOutput], dict[str, Tensor]]
    train: Callable[[Any], tuple[Any, ...]] | None = None
    hooks: dict[str, str] = field(default_factory=dict)
    prefix: str = ""


def poses_cm(output: NetworkOutput) -> dict[str, Tensor]:
    return {f"pose_{i}": 100.0 * pose for i, pose in enumerate(output.poses or ())}


def initial_and_refined(output: NetworkOutput) -> dict[str, Tensor]:
    assert output.heatmaps is not None
    return dict(zip(("heatmap_init", "heatmap_refined"), output.heatmaps, strict=True))


def numbered(name: str, values: list[Tensor]) -> dict[str, Tensor]:
    return {f"{name}_{i}": value for i, value in enumerate(values)}


def pose3d(seed: int, extrinsics: bool) -> Case:
    def inputs(archive: Any) -> tuple[Any, ...]:
        return image_tensor(seed), torch.from_numpy(archive["coord_trans_mat"]) if extrinsics else None

    return Case(
        inputs,
        lambda out: poses_cm(out) | initial_and_refined(out),
        lambda out: (
            numbered("train.log.train/mpjpe_loss", losses.pose_losses(out.poses, pose_tensor_m(seed + 2)))
            | numbered(
                "train.log.train/heatmap_loss", losses.heatmap_row_losses(out.heatmaps, maps_tensor(seed + 1, 2))
            )
        ),
        hooks=POSE3D_HOOKS,
    )


def lifted(out: NetworkOutput) -> dict[str, Tensor]:
    assert out.poses is not None
    target = pose_tensor_m(413)
    return {
        "train.loss_pose": losses.pose_losses(out.poses, target)[0],
        "train.loss_cos_sim": losses.limb_cosine_loss(out.poses[0], target),
    }


def heatmap_metrics(maps: Tensor, seed: int, peaks: bool) -> dict[str, Tensor]:
    """The official heatmap metrics; EgoRear's archive counts the peaks it has set in the target."""
    found, truth = maps.numpy(), spec.heatmap_target(seed, 2, 2)
    if not peaks:
        errors = metrics.heatmap_l1(found, truth), metrics.heatmap_positive_l1(found, truth)
        return {
            f"metric.{key}": torch.tensor(value)
            for key, value in zip(("l1_error", "pos_l1_error"), errors, strict=True)
        }
    truth[:, :, 0:5, 3, 4] = 1.0
    return {
        "metric.m_l1_error_heatmap": torch.tensor(metrics.heatmap_l1(found, truth)),
        "metric.m_pos_l1_error_heatmap": torch.tensor(metrics.heatmap_positive_l1(found, truth)),
        "metric.m_mse_heatmap": torch.tensor(metrics.heatmap_mse(found, truth)),
        "metric.m_mse_pts2d": torch.tensor(metrics.peak_mse(found, truth)),
    }


CASES = {
    "egorear_heatmap_front": Case(
        lambda _: (image_tensor(101),),
        lambda out: {"heatmap": out.heatmaps[0], **heatmap_metrics(out.heatmaps[0], 102, peaks=True)},
        lambda out: {"train.loss_total": losses.heatmap_losses(out.heatmaps, maps_tensor(102, 1))[0]},
        train=lambda _: (image_tensor(101)[:, :1],),
        hooks={"fpn_feat": "encoder@0", **{f"backbone_s{4 * 2**i}": f"encoder.backbone@{i + 1}" for i in range(4)}},
        prefix="heatmap_estimator_stereo_front.",
    ),
    "egoposeformer_heatmap": Case(
        lambda _: (image_tensor(201),),
        lambda out: {"heatmap": out.heatmaps[0], **heatmap_metrics(out.heatmaps[0], 202, peaks=False)},
        lambda out: {"train.heatmap_loss": losses.heatmap_losses(out.heatmaps, maps_tensor(202, 2)[:, :1])[0]},
        train=lambda _: (image_tensor(201)[:, :1],),
        hooks={"fpn_feat": "encoder@0"},
    ),
    "egorear_mvf_stereo_front": Case(
        lambda _: (image_tensor(112),),
        initial_and_refined,
        lambda out: numbered("train.log.train/heatmap_loss", losses.heatmap_losses(out.heatmaps, maps_tensor(113, 2))),
        hooks={f"front_left.{key}": hook for key, hook in REFINER_HOOKS.items()} | {"feat_refined": "refinement@2"},
    ),
    "egorear_pose3d_syn_stereo_front": pose3d(122, extrinsics=False),
    "egorear_pose3d_rw_stereo_front": pose3d(124, extrinsics=True),
    "egoposeformer_pose3d": Case(
        lambda archive: (image_tensor(211), torch.from_numpy(archive["origin_3d"]) / 100.0),
        poses_cm,
        lambda out: numbered("train.mpjpe_loss", losses.pose_losses(out.poses, pose_tensor_m(212))),
        hooks=LIFTER_HOOKS | {"spatial0": "lifter.layers.0.self_attn", "ffn0": "lifter.layers.0.ffn"},
    ),
    "egotap_heatmap_joint": Case(
        lambda _: (image_tensor(401),),
        lambda out: {"heatmap": out.heatmaps[0].flatten(1, 2)},
        lambda out: {
            "train.loss": losses.egotap_heatmap_loss(out.heatmaps[0], maps_tensor(411, 1, 30).view_as(out.heatmaps[0]))
        },
    ),
    "egotap_lifting": Case(
        lambda _: (torch.from_numpy(spec.heatmap_input(411, 2, 90)),),
        lambda out: {"pose": 100.0 * out.poses[0]},
        lifted,
        hooks={
            "vit_layer0": "vit.layers.0",
            "vit_out": "vit.norm",
            "skel_out": "propagation",
            "pose_mlp": "joint_output",
            "global_mlp": "global_output",
        },
    ),
}
