"""From features to a 3D pose: EgoPoseFormer's lifting, in its original form and in the form EgoRear uses.

A proposal of the whole pose comes first; then each joint projects its proposal into every view, looks there, and
corrects itself. Source: EgoPoseFormer (ECCV 2024); EgoRear (ICCV 2025), official code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from egorear_ros.network.attention import JointLayer
from egorear_ros.network.backbone import conv_relu
from egorear_ros.network.projection import AnchorProjection
from egorear_ros.network.views import blank_missing, present_views

Proposal = Literal["convolution", "pooling"]
"""How the proposal reads features: EgoRear's convolutions keep where things are, EgoPoseFormer averages each map."""


class ConvolutionProposal(nn.Module):
    """EgoRear's proposal: four convolutions per view, then an MLP over all views."""

    def __init__(self, views: int, map_size: int, joints: int, channels: int = 128) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            *conv_relu(channels, 64),
            *conv_relu(64, 128, 3, stride=2),
            nn.MaxPool2d(2),
            *conv_relu(128, 64),
            *conv_relu(64, 128, 3, stride=2),
        )
        self.mlp = _pose_mlp(128 * (map_size // 8) ** 2 * views, 512 * views, 32 * views, joints)

    def forward(self, features: Tensor, view_mask: Tensor | None = None) -> Tensor:
        """Propose a pose.

        Args:
            features: (B, V, channels, h, w).
            view_mask: (B, V) bool; a missing view enters the MLP as zeros.

        Returns:
            (B, joints * 3) in the network's unit.
        """
        summary = self.convolutions(features.flatten(0, 1)).unflatten(0, features.shape[:2])
        return self.mlp(blank_missing(summary, view_mask).flatten(1))


class PoolingProposal(nn.Module):
    """EgoPoseFormer's proposal: the mean of each view's projected features, then an MLP over all views."""

    def __init__(self, views: int, joints: int, channels: int = 128) -> None:
        super().__init__()
        self.mlp = _pose_mlp(channels * views, 1024, 1024, joints)

    def forward(self, features: Tensor, view_mask: Tensor | None = None) -> Tensor:
        """As `ConvolutionProposal.forward`; `features` have gone through the lifter's `feature_proj`."""
        return self.mlp(blank_missing(features.mean(dim=(-2, -1)), view_mask).flatten(1))


def _pose_mlp(inputs: int, hidden1: int, hidden2: int, joints: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden1), nn.GELU(), nn.Linear(hidden1, hidden2), nn.GELU(), nn.Linear(hidden2, joints * 3)
    )


class PoseLifter(nn.Module):
    """Proposal, and transformer layers that each correct it by looking at the joints' projections.

    The arithmetic inside runs in the network's unit (`length_unit_m`), because learned weights expect it; what comes
    out is metres.

    Args:
        projection: knows the cameras.
        map_size: height and width of the features.
        joints, channels: of the pose and the features.
        proposal: see `Proposal`.
        layers: transformer layers; each gives a pose.
        length_unit_m: length of the network's unit in metres; 0.01 for all official weights, which are in cm.
    """

    def __init__(
        self,
        projection: AnchorProjection,
        map_size: int,
        joints: int = 16,
        channels: int = 128,
        proposal: Proposal = "convolution",
        layers: int = 3,
        length_unit_m: float = 0.01,
    ) -> None:
        super().__init__()
        views = len(projection.cameras)
        self.joints, self.length_unit_m = joints, length_unit_m
        self.projection = projection
        self.feature_proj = nn.Conv2d(channels, channels, 1)
        self.proposal: ConvolutionProposal | PoolingProposal = (
            ConvolutionProposal(views, map_size, joints, channels)
            if proposal == "convolution"
            else PoolingProposal(views, joints, channels)
        )
        self.query = nn.Sequential(
            *_linear_relu(4, channels), *_linear_relu(channels, channels), nn.Linear(channels, channels)
        )
        self.layers = nn.ModuleList(JointLayer(channels, views, map_size) for _ in range(layers))
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(layers))
        self.offsets = nn.ModuleList(
            nn.Sequential(nn.Linear(channels, channels), nn.GELU(), nn.Linear(channels, 3)) for _ in range(layers)
        )

    def forward(
        self, features: Tensor, refined: Tensor | None, camera_from_device: Tensor, view_mask: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        """Lift feature maps to poses in the device frame.

        Args:
            features: (B, V, channels, h, w) initial features, which the joints look into.
            refined: the same shape, features after refinement, which the proposal reads; None without refinement.
            camera_from_device: (B, V, 4, 4) float32, metres.
            view_mask: (B, V) bool; a missing view enters the proposal as zeros and is invisible to the joints.

        Returns:
            Poses (B, joints, 3) in metres: the proposal, then one per layer. No gradient flows from a layer's pose into
            the proposal.
        """
        projected = self._project_features(features)
        source = features if refined is None else refined
        if isinstance(self.proposal, PoolingProposal):
            source = projected if refined is None else self._project_features(refined)
        proposal = self.proposal(source, view_mask).unflatten(-1, (self.joints, 3))

        base, anchors, valid = self.projection(proposal.detach(), camera_from_device, self.length_unit_m)
        if view_mask is not None:
            valid = valid & view_mask[:, :, None]
        memory = self._memory(projected, present_views(view_mask, features.shape[1]))
        poses = [proposal]
        query = self.query(self._query_input(base))
        for layer, norm, offset in zip(self.layers, self.norms, self.offsets, strict=True):
            query = layer(query, memory, anchors, valid)
            poses.append(offset(norm(query)) + base)
        return tuple(pose * self.length_unit_m for pose in poses)

    def _project_features(self, features: Tensor) -> Tensor:
        return self.feature_proj(features.flatten(0, 1)).unflatten(0, features.shape[:2])

    def _memory(self, projected: Tensor, present: Sequence[bool]) -> list[Tensor | None]:
        """Tokens per view, (B, h * w, channels), without any position."""
        tokens = projected.flatten(-2).transpose(-2, -1)
        return [tokens[:, view] if there else None for view, there in enumerate(present)]

    def _query_input(self, base: Tensor) -> Tensor:
        """(B, joints, 4): the joint's number as a fraction, then its proposed position in the network's unit."""
        number = torch.arange(1, self.joints + 1, device=base.device, dtype=base.dtype) / self.joints
        return torch.cat([number[:, None].expand(base.shape[0], -1, -1), base], dim=-1)


def _linear_relu(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Linear(inputs, outputs), nn.ReLU()]
