"""EgoRear and EgoPoseFormer: estimators per stereo pair, refinement as a plug-in, lifting.

One class for the family, because the systems differ only in their parts: EgoPoseFormer is estimators and a lifter,
EgoRear puts the refinement between them, and its second training stage is EgoRear without a lifter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from egorear_ros.network.config import EgoRearConfig
from egorear_ros.network.heatmap import HeatmapEstimator
from egorear_ros.network.lifting import PoseLifter
from egorear_ros.network.output import NetworkOutput
from egorear_ros.network.projection import AnchorProjection
from egorear_ros.network.refinement import MultiViewRefinement
from egorear_ros.network.views import blank_missing, check_views, pairs_of, present_views, stack_views
from egorear_ros.rig import RigCamera
from egorear_ros.skeleton import NUM_HEATMAP_JOINTS, NUM_JOINTS


class EgoRear(nn.Module):
    """Frame set in, heatmaps and poses of all stages out.

    Args:
        config: which parts, and their sizes.
        cameras: the rig's cameras in the order of `config.views`.
    """

    camera_from_device: Tensor

    def __init__(self, config: EgoRearConfig, cameras: Sequence[RigCamera]) -> None:
        super().__init__()
        self.config = config
        self.pairs = pairs_of(config.views)
        joints = NUM_HEATMAP_JOINTS if config.heatmaps else None
        self.estimators = nn.ModuleDict(
            {pair: HeatmapEstimator(joints, config.backbone, config.channels, config.width) for pair in self.pairs}
        )
        self.refinement = self._refinement() if config.refinement else None
        self.lifter = self._lifter(cameras) if config.lifting else None
        extrinsics = torch.tensor([camera.camera_from_device.tolist() for camera in cameras], dtype=torch.float32)
        self.register_buffer("camera_from_device", extrinsics, persistent=False)

    def forward(
        self, images: Tensor, camera_from_device: Tensor | None = None, view_mask: Tensor | None = None
    ) -> NetworkOutput:
        """Estimate heatmaps and poses.

        Args:
            images: (B, V, 3, H, W) RGB, ImageNet-normalised, views as in the configuration.
            camera_from_device: (B, V, 4, 4), metres; None for the rig's own where the configuration allows it.
            view_mask: (B, V) bool, False for missing views; None when all are there.

        Returns:
            heatmaps: with refinement (initial, refined), without (initial,) or None if there is no heatmap layer.
            poses: the proposal and one per lifting layer, (B, 16, 3) in metres; None without lifting.

        Raises:
            ValueError: a shape that does not fit the views, or required extrinsics that are not given.
        """
        check_views(images, view_mask, self.config.views)
        features, coarse = self._encode(blank_missing(images, view_mask), view_mask)
        heatmaps, refined = self._heatmaps(features, coarse, view_mask)
        if self.lifter is None:
            return NetworkOutput(heatmaps=heatmaps)
        poses = self.lifter(features, refined, self._extrinsics(images, camera_from_device), view_mask)
        return NetworkOutput(heatmaps=heatmaps, poses=poses)

    def _estimator(self, pair: str) -> HeatmapEstimator:
        return cast(HeatmapEstimator, self.estimators[pair])

    def _encode(self, images: Tensor, view_mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Features (B, V, channels, h, w) and coarse maps (B, V, C, h', w'), both zero in missing views."""
        present = present_views(view_mask, len(self.config.views))
        features: list[Tensor | None] = [None] * len(present)
        coarse: list[Tensor | None] = [None] * len(present)
        for pair, members in self.pairs.items():
            there = [view for view in members if present[view]]
            if there:
                fine, low = self._estimator(pair).encoder(images[:, there])
                for i, view in enumerate(there):
                    features[view], coarse[view] = fine[:, i], low[:, i]
        return (blank_missing(stack_views(features), view_mask), blank_missing(stack_views(coarse), view_mask))

    def _heatmaps(
        self, features: Tensor, coarse: Tensor, view_mask: Tensor | None
    ) -> tuple[tuple[Tensor, ...] | None, Tensor | None]:
        """Heatmaps of all stages, and the refined features if there is a refinement."""
        if self.refinement is not None:
            views = self.refinement(features, coarse, view_mask)
            return (views.initial_heatmaps, views.heatmaps), views.features
        if not self.config.heatmaps:
            return None, None
        # Detached as in EgoRear's stage 3: next to a pose loss, heatmap losses train the heatmap layers only.
        attended = features.detach()
        maps = [self._estimator(pair).heatmaps(attended[:, members]) for pair, members in self.pairs.items()]
        return (blank_missing(torch.cat(maps, dim=1), view_mask),), None

    def _extrinsics(self, images: Tensor, camera_from_device: Tensor | None) -> Tensor:
        """(B, V, 4, 4) float32."""
        shape = (*images.shape[:2], 4, 4)
        if camera_from_device is None:
            if self.config.extrinsics == "input":
                raise ValueError(
                    f"camera_from_device is required (B, V, 4, 4) in metres: extrinsics are 'input' in {self.config}"
                )
            return self.camera_from_device.expand(shape)
        if camera_from_device.shape != shape:
            raise ValueError(f"camera_from_device has shape {tuple(camera_from_device.shape)}, expected {shape}")
        return camera_from_device.to(self.camera_from_device)

    def _refinement(self) -> MultiViewRefinement:
        coarse_channels = self._estimator(next(iter(self.pairs))).encoder.backbone.channels[-1]
        return MultiViewRefinement(
            self.config.views,
            self.config.map_size,
            self.config.lifting,
            NUM_HEATMAP_JOINTS,
            self.config.channels,
            coarse_channels,
        )

    def _lifter(self, cameras: Sequence[RigCamera]) -> PoseLifter:
        config = self.config
        return PoseLifter(
            AnchorProjection([camera.model for camera in cameras], config.syn_inplace_projection),
            config.map_size,
            NUM_JOINTS,
            config.channels,
            config.proposal,
            config.lifting_layers,
            config.length_unit_m,
        )


class PelvisEgoPoseFormer(EgoRear):
    """EgoPoseFormer as trained on UnrealEgo: poses relative to the pelvis, cameras placed by where they see the pelvis.

    All camera axes are parallel to the pose's, so a view's origin is all there is to its pose.
    """

    def forward(
        self, images: Tensor, view_origins_m: Tensor | None = None, view_mask: Tensor | None = None
    ) -> NetworkOutput:
        """Estimate poses.

        Args:
            images: (B, V, 3, H, W) RGB, ImageNet-normalised.
            view_origins_m: (B, V, 3) or (B, V, 1, 3), position of the pelvis in each camera's frame, metres.
            view_mask: (B, V) bool, see `EgoRear.forward`.

        Returns:
            See `EgoRear.forward`; poses are relative to the pelvis.
        """
        if view_origins_m is None:
            raise ValueError("view_origins_m is required: (B, V, 3), the pelvis in each camera's frame, metres")
        origins = view_origins_m.reshape(*images.shape[:2], 3).to(self.camera_from_device)
        camera_from_pelvis = torch.eye(4, device=origins.device).repeat(*origins.shape[:2], 1, 1)
        camera_from_pelvis[..., :3, 3] = origins
        return super().forward(images, camera_from_pelvis, view_mask)
