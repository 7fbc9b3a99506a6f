"""EgoRear and EgoPoseFormer, rearranged."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from egorear_ros.inference.optimised.convolutions import FastNeck, fold_batch_norms, upsample_late
from egorear_ros.inference.optimised.joint_layers import StackedJointLayers, StackedLinear, StackedNorm
from egorear_ros.inference.optimised.results import FastNetwork, Results
from egorear_ros.network.backbone import ImageEncoder
from egorear_ros.network.egorear import EgoRear
from egorear_ros.network.heatmap import HeatmapEstimator, heatmap_anchors
from egorear_ros.network.lifting import ConvolutionProposal, PoolingProposal, PoseLifter
from egorear_ros.network.refinement import HeatmapRefiner, MultiViewRefinement
from egorear_ros.network.views import blank_missing


class FastEncoder(nn.Module):
    """An `ImageEncoder` with batch norms folded and a neck that upsamples late."""

    def __init__(self, encoder: ImageEncoder) -> None:
        super().__init__()
        self.backbone = fold_batch_norms(encoder.backbone)
        self.neck = FastNeck(encoder.neck)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3, S, S) -> features (N, channels, S/4, S/4) and the coarsest map (N, C, S/32, S/32)."""
        levels = self.backbone(images)
        return self.neck((levels.s4, levels.s8, levels.s16, levels.s32)), levels.s32


class FastRefinement(nn.Module):
    """All refiners at once; refined heatmaps only where they are asked for."""

    joint_embed: Tensor

    def __init__(self, refinement: MultiViewRefinement, heatmaps: bool) -> None:
        super().__init__()
        views = refinement.views
        refiners = [cast(HeatmapRefiner, refinement.refiners[view]) for view in views]
        self.pairs = refinement.pairs
        self.initial = nn.ModuleDict(
            {pair: upsample_late(_sequential(refinement.initial_heads[pair])) for pair in self.pairs}
        )
        self.register_buffer("joint_embed", torch.stack([r.joint_embed.weight.detach() for r in refiners])[:, None])
        self.image_embed = StackedLinear.of(*(r.image_embed for r in refiners))
        self.heatmap_embed = _stacked([r.heatmap_embed for r in refiners])
        self.query = _stacked([r.query for r in refiners])
        self.layers = StackedJointLayers(
            [r.layer for r in refiners], [r.memory for r in refiners], [r.memory_position.detach() for r in refiners]
        )
        self.norm = StackedNorm(*(r.norm for r in refiners))
        self.own = nn.ModuleList(r.own_features for r in refiners)
        self.correction = nn.ModuleList(upsample_late(r.correction) for r in refiners)
        self.merge = nn.ModuleList(upsample_late(r.merge) for r in refiners)
        heads = [upsample_late(_sequential(refinement.heads[view])) for view in views] if heatmaps else []
        self.heads = nn.ModuleList(heads)

    def forward(self, features: Tensor, coarse: Tensor, view_mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Refine the heatmaps of all views.

        Args:
            features: (B, V, channels, h, w), zero in missing views.
            coarse: (B, V, C, h', w'), zero in missing views.
            view_mask: (B, V) bool.

        Returns:
            Refined features, of the same shape, and refined heatmaps (B, V, 15, h, w).
        """
        initial = [self.initial[pair](_views(features, members)) for pair, members in self.pairs.items()]
        maps = blank_missing(_joined(initial, len(features)), view_mask)
        anchors, valid = heatmap_anchors(maps)
        valid = valid if view_mask is None else valid & view_mask[:, :, None]
        query = self.layers(self._queries(maps, coarse), features, anchors, valid.to(features.dtype))
        side = features.shape[-1] // 4
        states = self.norm(query).unflatten(1, (len(features), -1)).unflatten(-1, (side, side))  # (V, B, J, side, side)
        refined = [
            merge(correction(states[view]) + own(features[:, view]))
            for view, (merge, correction, own) in enumerate(zip(self.merge, self.correction, self.own, strict=True))
        ]
        heatmaps = [head(x) for head, x in zip(self.heads, refined, strict=True)] if len(self.heads) else None
        return (
            blank_missing(torch.stack(refined, dim=1), view_mask),
            None if heatmaps is None else blank_missing(torch.stack(heatmaps, dim=1), view_mask),
        )

    def _queries(self, maps: Tensor, coarse: Tensor) -> Tensor:
        """(R, B * J, dim): state of each joint, as seen by each view's refiner."""
        batch, _, joints = maps.shape[:3]
        image = self.image_embed(coarse.mean(dim=(-2, -1)).transpose(0, 1))[:, :, None]  # (R, B, 1, dim)
        seen = self.heatmap_embed(maps.flatten(-2).transpose(0, 1).flatten(1, 2)).unflatten(1, (batch, joints))
        return self.query((self.joint_embed + image + seen).flatten(1, 2))


class FastLifter(nn.Module):
    """A `PoseLifter` that gives the last pose only and looks into raw features."""

    number: Tensor

    def __init__(self, lifter: PoseLifter) -> None:
        super().__init__()
        self.joints, self.length_unit_m, self.projection = lifter.joints, lifter.length_unit_m, lifter.projection
        self.proposal, self.query = lifter.proposal, lifter.query
        self.feature_proj = lifter.feature_proj if isinstance(lifter.proposal, PoolingProposal) else None
        self.layers = nn.ModuleList(StackedJointLayers([layer], [lifter.feature_proj]) for layer in lifter.layers)  # type: ignore[list-item]
        self.norm, self.offset = lifter.norms[-1], lifter.offsets[-1]
        number = torch.arange(1, self.joints + 1, dtype=torch.float32) / self.joints
        self.register_buffer("number", number[:, None])

    def forward(self, features: Tensor, source: Tensor, camera_from_device: Tensor, view_mask: Tensor | None) -> Tensor:
        """Lift: features (B, V, C, h, w) to look into, and those the proposal reads, to (B, joints, 3) metres."""
        proposal = self._propose(source, view_mask).view(-1, self.joints, 3)
        base, anchors, valid = self.projection(proposal, camera_from_device, self.length_unit_m)
        valid = (valid if view_mask is None else valid & view_mask[:, :, None]).to(features.dtype)
        number = self.number.expand(len(base), -1, -1)
        query = self.query(torch.cat([number, base], dim=-1)).flatten(0, 1)[None]
        for layer in self.layers:
            query = layer(query, features, anchors, valid)
        pose = self.offset(self.norm(query[0])).unflatten(0, (len(base), -1)) + base
        return pose * self.length_unit_m

    def _propose(self, source: Tensor, view_mask: Tensor | None) -> Tensor:
        if self.feature_proj is None:
            assert isinstance(self.proposal, ConvolutionProposal)
            return self.proposal(source, view_mask)
        assert isinstance(self.proposal, PoolingProposal)
        mean = source.mean(dim=(-2, -1), keepdim=True)  # the mean of a projection is the projection of the mean
        projected = self.feature_proj(mean.flatten(0, 1)).unflatten(0, source.shape[:2])
        return self.proposal(projected, view_mask)


class FastEgoRear(FastNetwork):
    """An `EgoRear` that lifts, rearranged: last pose, and last heatmaps where asked for.

    Args:
        network: in eval mode; it is copied.
        heatmaps: whether heatmaps are wanted.
    """

    def __init__(self, network: EgoRear, heatmaps: bool) -> None:
        super().__init__()
        network = copy.deepcopy(network).requires_grad_(False)
        assert network.lifter is not None
        self.pairs = network.pairs
        estimators = {pair: cast(HeatmapEstimator, network.estimators[pair]) for pair in self.pairs}
        self.encoders = nn.ModuleDict({pair: FastEncoder(e.encoder) for pair, e in estimators.items()})
        self.refinement = FastRefinement(network.refinement, heatmaps) if network.refinement is not None else None
        own_heads = heatmaps and network.refinement is None and network.config.heatmaps
        self.heads = nn.ModuleDict({pair: e.head for pair, e in estimators.items()} if own_heads else {})
        self.lifter = FastLifter(network.lifter)

    def forward(self, images: Tensor, camera_from_device: Tensor, view_mask: Tensor | None) -> Results:
        """See `FastNetwork.forward`."""
        images = blank_missing(images, view_mask)
        encoded = [self.encoders[pair](_views(images, members)) for pair, members in self.pairs.items()]
        features, coarse = (blank_missing(_joined([e[i] for e in encoded], len(images)), view_mask) for i in (0, 1))
        source, heatmaps = features, None
        if self.refinement is not None:
            source, heatmaps = self.refinement(features, coarse, view_mask)
        elif len(self.heads):
            maps = [self.heads[pair](_views(features, members)) for pair, members in self.pairs.items()]
            heatmaps = blank_missing(_joined(maps, len(images)), view_mask)
        pose = self.lifter(features, source, camera_from_device, view_mask)
        return Results(pose, None, heatmaps)


def _views(x: Tensor, members: Sequence[int]) -> Tensor:
    """Some neighbouring views of (B, V, ...), folded into the batch: (B * members, ...)."""
    return x[:, members[0] : members[-1] + 1].flatten(0, 1)


def _joined(parts: Sequence[Tensor], batch: int) -> Tensor:
    """Put what `_views` took apart together again: (B, V, ...)."""
    return torch.cat([part.view(batch, -1, *part.shape[1:]) for part in parts], dim=1)


def _stacked(sequentials: Sequence[nn.Sequential]) -> nn.Sequential:
    """Stack the linear layers of R equal Sequentials; what lies between them has no weights."""
    first = sequentials[0]
    layers = [
        StackedLinear.of(*(cast(nn.Linear, s[i]) for s in sequentials)) if isinstance(layer, nn.Linear) else layer
        for i, layer in enumerate(first)
    ]
    return nn.Sequential(*layers)


def _sequential(module: nn.Module) -> nn.Sequential:
    assert isinstance(module, nn.Sequential)
    return module
