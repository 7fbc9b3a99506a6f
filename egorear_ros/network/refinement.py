"""EgoRear's multi-view refinement: heatmaps and features of all views in, better ones out.

A plug-in between a heatmap estimator and any lifter. Each view has a refiner of its own (no shared weights): it asks
all views, around the joints' current 2D positions, what they know, and corrects its own features with the answer.
Source: EgoRear (ICCV 2025), official configuration "mvfex-n1_jqa".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from egorear_ros.network.attention import JointLayer
from egorear_ros.network.backbone import conv_relu, upsample2
from egorear_ros.network.heatmap import heatmap_anchors
from egorear_ros.network.views import blank_missing, pairs_of, present_views, stack_views


def initial_heatmap_head(channels: int, joints: int) -> nn.Sequential:
    """(B, channels, h, w) -> (B, joints, h, w).

    The refinement does not start from the pretrained estimator's own heatmap layer but from this new one, as the
    official code does.
    """
    return nn.Sequential(
        *conv_relu(channels, 128),
        *conv_relu(128, 256, 3, stride=2),
        *conv_relu(256, 256),
        upsample2(),
        *conv_relu(256, 128),
        nn.Conv2d(128, joints, 1),
    )


def refined_heatmap_head(channels: int, joints: int) -> nn.Sequential:
    """(B, channels, h, w) -> (B, joints, h, w)."""
    return nn.Sequential(
        *conv_relu(channels, 256, 3, stride=2),
        *conv_relu(256, 256),
        upsample2(),
        *conv_relu(256, 128),
        nn.Conv2d(128, joints, 1),
    )


class HeatmapRefiner(nn.Module):
    """Refines the features of one view; its queries carry the joints' state, 256 numbers each.

    Args:
        view: index of the refined view among `views`.
        views: number of views it may look into.
        map_size: height and width of features and heatmaps, 64 for 256 x 256 images. A query is reshaped to a square
            map a quarter of that size, so its width is (map_size / 4)^2.
        joints, channels, coarse_channels: of the heatmaps, the features, and the backbone's coarsest map.
    """

    def __init__(
        self, view: int, views: int, map_size: int, joints: int = 15, channels: int = 128, coarse_channels: int = 512
    ) -> None:
        super().__init__()
        self.view, self.map_size = view, map_size
        dim = (map_size // 4) ** 2
        pixels = map_size**2
        self.joint_embed = nn.Embedding(joints, dim)
        self.image_embed = nn.Linear(coarse_channels, dim)
        self.heatmap_embed = nn.Sequential(nn.Linear(pixels, dim), nn.ReLU(), nn.Linear(dim, dim))
        self.query = nn.Sequential(nn.Linear(dim, dim), nn.ReLU())
        self.memory = nn.Conv2d(channels, dim, 1)
        self.memory_position = nn.Parameter(torch.zeros(1, views, pixels, dim))
        self.own_features = nn.Sequential(
            *conv_relu(channels, 256), *conv_relu(256, 512, 3, stride=2), *conv_relu(512, channels)
        )
        self.layer = JointLayer(dim, views, map_size)
        self.norm = nn.LayerNorm(dim)
        self.correction = nn.Sequential(*conv_relu(joints, 64), upsample2(), *conv_relu(64, channels))
        self.merge = nn.Sequential(*conv_relu(channels, channels), upsample2(), *conv_relu(channels, channels))

    def forward(
        self,
        heatmaps: Tensor,
        features: Tensor,
        coarse: Tensor,
        anchors: Tensor,
        valid: Tensor,
        present: Sequence[bool],
    ) -> Tensor:
        """Refine this view's features.

        Args:
            heatmaps: (B, V, J, h, w) initial heatmaps; only the own view's are read.
            features: (B, V, channels, h, w) of all views.
            coarse: (B, V, coarse_channels, h', w') coarsest map of the backbone; only the own view's is read.
            anchors: (B, V, J, 2), from `heatmap_anchors`.
            valid: (B, V, J) bool.
            present: per view, False if no sample of the batch has it.

        Returns:
            (B, channels, h, w).
        """
        query = self._queries(heatmaps[:, self.view], coarse[:, self.view])
        memory = [self._memory(features[:, view], view) if there else None for view, there in enumerate(present)]
        query = self.norm(self.layer(query, memory, anchors, valid))  # (B, J, dim)

        side = self.map_size // 4
        correction = self.correction(query.unflatten(-1, (side, side)))  # (B, channels, h/2, w/2)
        # Detached as in the official code, where these convolutions therefore keep their random initial weights.
        own = self.own_features(features[:, self.view]).detach()
        return self.merge(correction + own)

    def _queries(self, heatmaps: Tensor, coarse: Tensor) -> Tensor:
        """State of each joint: who it is, what its heatmap looks like, what the image looks like; (B, J, dim)."""
        image = self.image_embed(coarse.mean(dim=(-2, -1)))  # (B, dim)
        return self.query(self.joint_embed.weight + image[:, None] + self.heatmap_embed(heatmaps.flatten(-2)))

    def _memory(self, features: Tensor, view: int) -> Tensor:
        """Tokens of one view, (B, h * w, dim)."""
        return self.memory(features).flatten(2).transpose(1, 2) + self.memory_position[:, view]


class RefinedViews(NamedTuple):
    """Result of the refinement, all (B, V, ...): heatmaps before and after it, features after it."""

    initial_heatmaps: Tensor  # (B, V, J, h, w)
    heatmaps: Tensor  # (B, V, J, h, w)
    features: Tensor  # (B, V, channels, h, w)


class MultiViewRefinement(nn.Module):
    """Initial heatmaps per stereo pair, then one refiner and one heatmap head per view.

    Args:
        views: names of the views.
        map_size: height and width of features and heatmaps.
        lifted: whether a lifter follows. Then (EgoRear's stage 3) heatmap losses train the heatmap heads only and the
            refiners learn from the pose; without one (stage 2) heatmap losses train refiners and initial heads.
        joints, channels, coarse_channels: see `HeatmapRefiner`.
    """

    def __init__(
        self,
        views: Sequence[str],
        map_size: int,
        lifted: bool,
        joints: int = 15,
        channels: int = 128,
        coarse_channels: int = 512,
    ) -> None:
        super().__init__()
        self.views, self.pairs = tuple(views), pairs_of(views)
        self.lifted = lifted
        self.initial_heads = nn.ModuleDict({pair: initial_heatmap_head(channels, joints) for pair in self.pairs})
        self.refiners = nn.ModuleDict(
            {
                view: HeatmapRefiner(i, len(views), map_size, joints, channels, coarse_channels)
                for i, view in enumerate(views)
            }
        )
        self.heads = nn.ModuleDict({view: refined_heatmap_head(channels, joints) for view in views})

    def forward(self, features: Tensor, coarse: Tensor, view_mask: Tensor | None = None) -> RefinedViews:
        """Refine all views.

        Args:
            features: (B, V, channels, h, w), zero in missing views.
            coarse: (B, V, coarse_channels, h', w'), zero in missing views.
            view_mask: (B, V) bool; a missing view has no valid anchors, and zeros as its results.
        """
        present = present_views(view_mask, len(self.views))
        features, coarse = features.detach(), coarse.detach()  # the refinement never trains the estimators
        initial = blank_missing(self._initial_heatmaps(features, present), view_mask)
        anchors, valid = heatmap_anchors(initial)
        if view_mask is not None:
            valid = valid & view_mask[:, :, None]
        asked = initial.detach() if self.lifted else initial

        refined, heatmaps = [], []
        for i, view in enumerate(self.views):
            if not present[i]:
                refined.append(torch.zeros_like(features[:, i]))
                heatmaps.append(torch.zeros_like(initial[:, i]))
                continue
            refined.append(self.refiners[view](asked, features, coarse, anchors, valid, present))
            heatmaps.append(self.heads[view](refined[i].detach() if self.lifted else refined[i]))
        return RefinedViews(
            initial,
            blank_missing(torch.stack(heatmaps, dim=1), view_mask),
            blank_missing(torch.stack(refined, dim=1), view_mask),
        )

    def _initial_heatmaps(self, features: Tensor, present: Sequence[bool]) -> Tensor:
        """(B, V, channels, h, w) -> (B, V, J, h, w)."""
        maps: list[Tensor | None] = [None] * len(self.views)
        for pair, members in self.pairs.items():
            for i in members:
                if present[i]:
                    maps[i] = self.initial_heads[pair](features[:, i])
        return stack_views(maps)
