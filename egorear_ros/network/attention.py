"""Attention of the refinement and the lifting: deformable attention on feature maps, self attention over joints.

Pure torch (`grid_sample`), so that it runs on any device and exports to ONNX; the official code calls a CUDA kernel of
mmcv, with which it agrees to float rounding. Source: Deformable DETR (ICLR 2021); EgoPoseFormer (ECCV 2024).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DeformableAttention(nn.Module):
    """Each query reads a few learned points around its anchor, in one or several feature maps.

    Args:
        dim: width of queries and memory.
        level_sizes: (height, width) of each feature map in the memory.
        heads: attention heads; each has its own points and its own dim / heads channels.
        points: points per head and level.
    """

    map_sizes: Tensor

    def __init__(self, dim: int, level_sizes: Sequence[tuple[int, int]], heads: int = 4, points: int = 16) -> None:
        super().__init__()
        self.heads, self.points = heads, points
        self.level_sizes = tuple(level_sizes)
        levels = len(self.level_sizes)
        sizes = torch.tensor([[width, height] for height, width in self.level_sizes], dtype=torch.float32)
        self.register_buffer("map_sizes", sizes, persistent=False)
        self.sampling_offsets = nn.Linear(dim, heads * levels * points * 2)
        self.attention_weights = nn.Linear(dim, heads * levels * points)
        self.value_proj = nn.Linear(dim, dim)
        self.output_proj = nn.Linear(dim, dim)
        self._initialise()

    def _initialise(self) -> None:
        """Start from equal weights and points on rays, one direction per head, 1, 2, 3 ... pixels from the anchor."""
        nn.init.zeros_(self.sampling_offsets.weight)
        angle = torch.arange(self.heads) * (2.0 * math.pi / self.heads)
        direction = torch.stack([angle.cos(), angle.sin()], dim=-1)  # (heads, 2)
        direction = direction / direction.abs().amax(dim=-1, keepdim=True)
        steps = torch.arange(1, self.points + 1)
        rays = direction[:, None, None, :] * steps[:, None]  # (heads, 1, points, 2)
        with torch.no_grad():
            self.sampling_offsets.bias.copy_(rays.expand(-1, len(self.level_sizes), -1, -1).flatten())
        nn.init.zeros_(self.attention_weights.weight)
        nn.init.zeros_(self.attention_weights.bias)
        for linear in (self.value_proj, self.output_proj):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(self, query: Tensor, memory: Tensor, anchors: Tensor) -> Tensor:
        """Attend.

        Args:
            query: (B, Q, dim).
            memory: (B, N, dim), the feature maps of all levels, row-major and one after the other.
            anchors: (B, Q, 2) as (x, y), 0..1 over each map (0 is the left edge of the first pixel).

        Returns:
            (B, Q, dim).
        """
        batch, queries, _ = query.shape
        levels = len(self.level_sizes)
        offsets = self.sampling_offsets(query).view(batch, queries, self.heads, levels, self.points, 2)
        weights = self.attention_weights(query).view(batch, queries, self.heads, levels * self.points)
        weights = weights.softmax(dim=-1).unflatten(-1, (levels, self.points))
        value = self.value_proj(memory)  # (B, N, dim)

        out = query.new_zeros(())
        start = 0
        for level, (height, width) in enumerate(self.level_sizes):
            maps = value[:, start : start + height * width].transpose(1, 2)
            maps = maps.reshape(batch * self.heads, -1, height, width)
            start += height * width
            # Offsets are in pixels of their map: (B, Q, heads, points, 2)
            points = anchors[:, :, None, None] + offsets[:, :, :, level] / self.map_sizes[level]
            grid = 2.0 * points.transpose(1, 2).flatten(0, 1) - 1.0  # (B * heads, Q, points, 2)
            sampled = F.grid_sample(maps, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
            weight = weights[:, :, :, level].transpose(1, 2).flatten(0, 1)  # (B * heads, Q, points)
            out = out + (sampled * weight[:, None]).sum(dim=-1)  # (B * heads, dim / heads, Q)
        return self.output_proj(out.reshape(batch, -1, queries).transpose(1, 2))


class SelfAttention(nn.Module):
    """Multi-head attention of the joints' queries among themselves."""

    def __init__(self, dim: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(dim, dim) for _ in range(4))
        for linear in (self.q_proj, self.k_proj, self.v_proj, self.out_proj):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, Q, dim) -> (B, Q, dim)."""
        query, key, value = (
            proj(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for proj in (self.q_proj, self.k_proj, self.v_proj)
        )  # each (B, heads, Q, dim / heads)
        return self.out_proj(F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))


class JointLayer(nn.Module):
    """One transformer layer over joint queries: look into every view, talk to the other joints, feed forward.

    Post-norm. The cross attention's weights are shared by the views; what each view says is concatenated and fused.
    """

    def __init__(self, dim: int, views: int, map_size: int, ffn_dim: int = 512, heads: int = 4) -> None:
        super().__init__()
        self.cross_attn = DeformableAttention(dim, [(map_size, map_size)], heads)
        self.fuse = nn.Linear(views * dim, dim)
        self.norm_cross = nn.LayerNorm(dim)
        self.self_attn = SelfAttention(dim, heads)
        self.norm_self = nn.LayerNorm(dim)
        self.ffn = nn.Sequential(nn.Linear(dim, ffn_dim), nn.GELU(), nn.Linear(ffn_dim, dim))
        self.norm_ffn = nn.LayerNorm(dim)

    def forward(self, query: Tensor, memory: Sequence[Tensor | None], anchors: Tensor, valid: Tensor) -> Tensor:
        """Update the queries.

        Args:
            query: (B, J, dim).
            memory: per view (B, N, dim), or None for a view that no sample of the batch has.
            anchors: (B, V, J, 2) as (x, y), 0..1 over the view's feature map.
            valid: (B, V, J) bool; where False, the view says exactly zero about the joint.

        Returns:
            (B, J, dim).
        """
        seen = []
        for view, tokens in enumerate(memory):
            if tokens is None:
                seen.append(torch.zeros_like(query))
                continue
            said = self.cross_attn(query, tokens, anchors[:, view])
            seen.append(said.masked_fill(~valid[:, view, :, None], 0.0))
        query = self.norm_cross(query + self.fuse(torch.cat(seen, dim=-1)))
        query = self.norm_self(query + self.self_attn(query))
        return self.norm_ffn(query + self.ffn(query))
