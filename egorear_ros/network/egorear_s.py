"""EgoRear-S: our compact network for any subset of the views, with the paper's idea in it.

One encoder looks at every view and draws 15 heatmaps per view. Every view and joint becomes a token that knows what is
there, how sure that is, and the ray it lies on; tokens of all views attend to each other, uncertain ones with a lower
weight, and correct the heatmaps (the paper's refinement). The points nearest to the rays are the pose proposal. Decoder
layers improve it: each looks up the features where the pose falls in the views, lets joints and views attend to each
other, and corrects the pose (the paper's lifting).

Deviations from EgoRear: views share their weights; attention between tokens instead of deformable attention between
maps; triangulation instead of a convolutional proposal; standard deviations are predicted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from egorear_ros.network.compact_encoder import ViewEncoder
from egorear_ros.network.config import EgoRearSConfig
from egorear_ros.network.geometry import nearest_points, pixels_of_points, rays_of_pixels
from egorear_ros.network.output import NetworkOutput
from egorear_ros.network.spatial_softmax import MapReading, read_maps
from egorear_ros.network.views import blank_missing, check_views, exporting
from egorear_ros.rig import RigCamera
from egorear_ros.skeleton import JOINTS, NUM_HEATMAP_JOINTS, NUM_JOINTS

GEOMETRY_CHANNELS = 11  # origin 3, direction 3, position 2, spread 2, peak 1
MISSING = -1e4  # attention logit of what is not there; exp of it is exactly zero, also in bfloat16
INITIAL_STD_M = 0.15
LOG_STD_RANGE = (math.log(0.002), math.log(1.0))

INITIAL_MEAN_POSE_M = {"Neck": (0.0, 0.17, 0.2), "Head": (0.0, 0.14, 0.07)}
"""Rough places until training puts the data's mean into the weights; other joints start half a metre below."""


class TransformerLayer(nn.Module):
    """Pre-norm transformer layer with an additive attention bias per key."""

    def __init__(self, dim: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.ffn = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))

    def forward(self, x: Tensor, key_bias: Tensor) -> Tensor:
        """(B, N, dim) and (B, N) -> (B, N, dim)."""
        qkv = self.qkv(self.norm_attention(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = qkv.unbind(dim=0)  # each (B, heads, N, dim / heads)
        bias = key_bias[:, None, None, :].to(query.dtype).expand(-1, -1, x.shape[1], -1)
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        x = x + self.out(attended.transpose(1, 2).flatten(2))
        return x + self.ffn(x)


class Refinement(nn.Module):
    """Tokens of all views attend to each other; each is then compared with its own view's feature map."""

    def __init__(self, config: EgoRearSConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(TransformerLayer(config.dim) for _ in range(config.refinement_layers))
        # The query projection: a token as a query to its view's feature map. Weights files call it `question`.
        self.question = nn.Linear(config.dim, config.channels)
        _constant(self.question, 0.0)  # the refined heatmaps start as the initial ones

    def forward(self, tokens: Tensor, summary: Tensor, bias: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Compute what the refinement adds to the heatmap logits.

        Args:
            tokens: (B, V, J, dim).
            summary: (B, V, dim).
            bias: (B, V * J + V), of the tokens and the summaries as keys.
            features: (B, V, channels, h, w).

        Returns:
            What to add to the heatmap logits, (B, V, J, h, w), and the tokens.
        """
        x = torch.cat([tokens.flatten(1, 2), summary], dim=1)
        for layer in self.layers:
            x = layer(x, bias)
        count = tokens.shape[1] * tokens.shape[2]
        tokens = x[:, :count].reshape(tokens.shape)
        change = self.question(tokens) @ features.flatten(-2)
        return change.unflatten(-1, features.shape[-2:]), tokens


class PoseDecoderLayer(nn.Module):
    """Look where the pose falls in the views, let joints and views attend to each other, correct the pose."""

    def __init__(self, config: EgoRearSConfig) -> None:
        super().__init__()
        self.pose_in = nn.Linear(3, config.dim)
        self.look = nn.Linear(config.channels + 3, config.dim)
        self.layer = TransformerLayer(config.dim)
        self.correction = nn.Sequential(nn.LayerNorm(config.dim), _constant(nn.Linear(config.dim, 3), 0.0))

    def forward(self, x: Tensor, pose: Tensor, seen: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Update the tokens and the pose by one layer.

        Args:
            x: (B, 16 + V * J + V, dim): joints, views' joints, summaries.
            pose: (B, 16, 3), metres from the mean pose.
            seen: (B, V, J, channels + 3), features, offset and validity where the pose falls.
            bias: (B, 16 + V * J + V).

        Returns:
            The tokens and the change of the pose, in metres.
        """
        looked = self.look(seen).flatten(1, 2)
        added = torch.cat([self.pose_in(pose), looked], dim=1)
        x = self.layer(x + F.pad(added, (0, 0, 0, x.shape[1] - added.shape[1])), bias)
        return x, self.correction(x[:, :NUM_JOINTS]).float()


class EgoRearS(nn.Module):
    """Frame set of any subset of views in; heatmaps, poses and their standard deviations out.

    Args:
        config: sizes.
        cameras: the rig's cameras in the order of `config.views`.
    """

    camera_from_device: Tensor
    mean_pose_m: Tensor

    def __init__(self, config: EgoRearSConfig, cameras: Sequence[RigCamera]) -> None:
        super().__init__()
        self.config = config
        self.cameras = tuple(camera.model for camera in cameras)
        views, dim = len(config.views), config.dim
        self.encoder = ViewEncoder(config)
        self.token = nn.Linear(config.channels + GEOMETRY_CHANNELS, dim)
        self.retoken = nn.Linear(config.channels + GEOMETRY_CHANNELS, dim)
        self.view_embedding = nn.Parameter(0.02 * torch.randn(views, 1, dim))
        self.map_embedding = nn.Parameter(0.02 * torch.randn(NUM_HEATMAP_JOINTS, dim))
        self.joint_embedding = nn.Parameter(0.02 * torch.randn(NUM_JOINTS, dim))
        self.doubt = nn.Linear(dim, 1)  # visibility logit of the initial stage; weights files call it `doubt`
        self.refinement = Refinement(config) if config.refinement_layers else None
        self.visibility = nn.Linear(dim, 1)  # visibility logit of the refined stage
        self.ray_weight = nn.Linear(dim, 1)
        self.prior_weight = nn.Parameter(torch.full((NUM_HEATMAP_JOINTS,), -2.0))
        self.rounds = nn.ModuleList(PoseDecoderLayer(config) for _ in range(config.lifting_layers))
        self.log_std = nn.Sequential(nn.LayerNorm(dim), _constant(nn.Linear(dim, 3), math.log(INITIAL_STD_M)))
        extrinsics = torch.tensor([camera.camera_from_device.tolist() for camera in cameras], dtype=torch.float32)
        self.register_buffer("camera_from_device", extrinsics, persistent=False)
        mean = [INITIAL_MEAN_POSE_M.get(joint, (0.0, 0.15, 0.6)) for joint in JOINTS]
        self.register_buffer("mean_pose_m", torch.tensor(mean))

    def forward(
        self, images: Tensor, camera_from_device: Tensor | None = None, view_mask: Tensor | None = None
    ) -> NetworkOutput:
        """Estimate heatmaps, poses and their standard deviation from one frame set per batch entry.

        Args:
            images: (B, V, 3, H, W) RGB, ImageNet-normalised, views as in the configuration; H and W multiples of 64.
            camera_from_device: (B, V, 4, 4), metres; None for the rig's own.
            view_mask: (B, V) bool, False for missing views; None when all are there.

        Returns:
            heatmaps: (initial, refined), of the initial only without refinement; a map's peak is the probability that
                the view sees the joint. poses: the proposal and one per round. log_std: of the last pose.

        Raises:
            ValueError: a shape that does not fit the views.
        """
        check_views(images, view_mask, self.config.views)
        stages, poses, log_std = self.stages(images, camera_from_device, view_mask)
        heatmaps = tuple(
            blank_missing(reading.heatmap * visibility.sigmoid()[..., None, None], view_mask)
            for _, reading, visibility in stages
        )
        return NetworkOutput(heatmaps, poses, log_std)

    def stages(
        self, images: Tensor, camera_from_device: Tensor | None, view_mask: Tensor | None
    ) -> tuple[list[tuple[Tensor, MapReading, Tensor]], tuple[Tensor, ...], Tensor]:
        """As `forward`, for training.

        Returns:
            Per heatmap stage: logits (B, V, J, h, w), their reading, visibility logits (B, V, J). Then the poses, the
            proposal first, (B, 16, 3) metres, and log_std (B, 16, 3) of the last pose, log metres.
        """
        extrinsics = self.camera_from_device.expand(len(images), -1, -1, -1)
        extrinsics = extrinsics if camera_from_device is None else camera_from_device.to(extrinsics)
        features, logits, summary = self._encode(images, view_mask)
        summary = summary + self.view_embedding[:, 0]
        reading = read_maps(logits, features)
        tokens = self.token(self._described(reading, extrinsics)) + self.view_embedding + self.map_embedding
        visibility = self.doubt(tokens).float()[..., 0]
        stages = [(logits, reading, visibility)]
        if self.refinement is not None:
            change, tokens = self.refinement(tokens, summary, _key_bias(visibility, view_mask), features)
            logits = logits + change
            reading = read_maps(logits, features)
            tokens = tokens + self.retoken(self._described(reading, extrinsics))
            visibility = self.visibility(tokens).float()[..., 0]
            stages.append((logits, reading, visibility))
        proposal = self._triangulate(tokens, reading, visibility, extrinsics, view_mask)
        poses, log_std = self._lift(proposal, tokens, summary, reading, visibility, features, extrinsics, view_mask)
        return stages, poses, log_std

    def _encode(self, images: Tensor, view_mask: Tensor | None) -> tuple[Tensor, ...]:
        """Encode the views that are there; zeros for the others."""
        batch, views = images.shape[:2]
        number = torch.arange(views, device=images.device).expand(batch, views)
        if view_mask is None or exporting():
            encoded = self.encoder(blank_missing(images, view_mask).flatten(0, 1), number.flatten())
            return tuple(blank_missing(x.unflatten(0, (batch, views)), view_mask) for x in encoded)
        there = view_mask.flatten().nonzero()[:, 0]
        features, *others = self.encoder(images.flatten(0, 1)[there], number.flatten()[there])
        found = [_spread(features, there, batch, views, torch.channels_last)]
        found += [_spread(x, there, batch, views) for x in others]
        return tuple(found)

    def _described(self, reading: MapReading, extrinsics: Tensor) -> Tensor:
        """(B, V, J, channels + 11): what each view knows about each joint."""
        origins, directions = rays_of_pixels(self.cameras, extrinsics, reading.uv)
        geometry = [origins.expand_as(directions), directions, reading.uv, 10.0 * reading.spread]
        return torch.cat([reading.features, *geometry, reading.peak[..., None]], dim=-1)

    def _triangulate(
        self,
        tokens: Tensor,
        reading: MapReading,
        visibility: Tensor,
        extrinsics: Tensor,
        view_mask: Tensor | None,
    ) -> Tensor:
        """(B, 16, 3) metres: the points nearest to the rays; the head, which has no ray, at its mean."""
        origins, directions = rays_of_pixels(self.cameras, extrinsics, reading.uv)
        weights = F.softplus(self.ray_weight(tokens).float()[..., 0]) * visibility.sigmoid()
        prior, prior_weight = self.mean_pose_m[1:], F.softplus(self.prior_weight)
        points = nearest_points(origins, directions, blank_missing(weights, view_mask), prior, prior_weight)
        return torch.cat([self.mean_pose_m[:1].expand(len(points), 1, 3), points], dim=1)

    def _lift(
        self,
        pose: Tensor,
        tokens: Tensor,
        summary: Tensor,
        reading: MapReading,
        visibility: Tensor,
        features: Tensor,
        extrinsics: Tensor,
        view_mask: Tensor | None,
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """Poses of all rounds, the proposal first, and the last one's log standard deviation."""
        joints = self.joint_embedding.expand(len(pose), -1, -1).to(tokens.dtype)
        x = torch.cat([joints, tokens.flatten(1, 2), summary], dim=1)
        bias = F.pad(_key_bias(visibility, view_mask), (NUM_JOINTS, 0))
        poses = [pose]
        for lifting in self.rounds:
            seen = self._look(pose.detach(), reading, features, extrinsics)
            x, change = lifting(x, pose.detach() - self.mean_pose_m, seen, bias)
            pose = pose + change
            poses.append(pose)
        return tuple(poses), self.log_std(x[:, :NUM_JOINTS]).float().clamp(*LOG_STD_RANGE)

    def _look(self, pose: Tensor, reading: MapReading, features: Tensor, extrinsics: Tensor) -> Tensor:
        """(B, V, J, channels + 3): features where the pose falls, offset from the heatmap's answer, validity."""
        uv = pixels_of_points(self.cameras, extrinsics, pose[:, 1:])
        inside = ((uv > 0.0) & (uv < 1.0)).all(dim=-1, keepdim=True)
        cells = uv.new_tensor(features.shape[:-3:-1])  # (w, h)
        grid = (2.0 * uv + 1.0 / cells - 1.0).flatten(0, 1)[:, :, None]  # cell i stands for i / n: its centre
        sampled = F.grid_sample(features.flatten(0, 1).float(), grid, align_corners=False)
        sampled = sampled[..., 0].transpose(1, 2).reshape(*uv.shape[:3], -1)
        offset = (uv - reading.uv).clamp(-1.0, 1.0)
        return torch.cat([sampled * inside, 4.0 * offset, inside.to(uv.dtype)], dim=-1)


def _spread(
    x: Tensor, there: Tensor, batch: int, views: int, layout: torch.memory_format = torch.contiguous_format
) -> Tensor:
    """Rows of `x`, those of the views that are there, to (batch, views, ...) with zeros for the others."""
    blank = x.new_zeros(batch * views, *x.shape[1:]).to(memory_format=layout)
    return blank.index_copy(0, there, x).view(batch, views, *x.shape[1:])


def _constant(layer: nn.Linear, value: float) -> nn.Linear:
    """Let a layer start by answering `value` to everything."""
    nn.init.zeros_(layer.weight)
    nn.init.constant_(layer.bias, value)
    return layer


def _key_bias(visibility: Tensor, view_mask: Tensor | None) -> Tensor:
    """Attention bias of tokens and summaries as keys.

    Args:
        visibility: (B, V, J) logits.
        view_mask: (B, V) bool or None.

    Returns:
        (B, V * J + V) logits: the less visible, the lower; `MISSING` for views that are not there.
    """
    bias = torch.cat([F.logsigmoid(visibility), visibility.new_zeros(*visibility.shape[:2], 1)], dim=-1)
    if view_mask is not None:
        bias = bias.masked_fill(~view_mask[..., None], MISSING)
    return torch.cat([bias[..., :-1].flatten(1), bias[..., -1]], dim=1)
