"""EgoTAP's grid ViT: the heatmaps of all joints and views, laid out as tiles of one image, in one transformer."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PATCHES = 4  # per tile and axis


class ViTLayer(nn.Module):
    """Pre-norm transformer layer."""

    def __init__(self, dim: int, heads: int = 8) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(dim, eps=1e-12)
        self.query, self.key, self.value, self.output = (nn.Linear(dim, dim) for _ in range(4))
        self.norm_ffn = nn.LayerNorm(dim, eps=1e-12)
        self.ffn = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, dim) -> (B, N, dim)."""
        normed = self.norm_attention(x)
        query, key, value = (
            linear(normed).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for linear in (self.query, self.key, self.value)
        )
        x = x + self.output(F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))
        return x + self.ffn(self.norm_ffn(x))


class GridViT(nn.Module):
    """Tiles in a square grid, row by row; tiles left over and tiles of missing views are a learned token.

    Args:
        maps: number of heatmaps; 30 for two views give a 6 x 6 grid.
        dim: width of a token, one per patch; a heatmap has 4 x 4.
        layers: transformer layers.
        map_size: height and width of a heatmap.
    """

    def __init__(self, maps: int, dim: int = 1024, layers: int = 3, map_size: int = 64) -> None:
        super().__init__()
        self.maps = maps
        self.grid = math.ceil(math.sqrt(maps))
        self.features_per_map = PATCHES**2 * dim
        self.patch = nn.Conv2d(1, dim, map_size // PATCHES, map_size // PATCHES)
        self.position = nn.Parameter(torch.randn(1, (self.grid * PATCHES) ** 2, dim) * 0.02)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.layers = nn.ModuleList(ViTLayer(dim) for _ in range(layers))
        self.norm = nn.LayerNorm(dim, eps=1e-12)

    def forward(self, heatmaps: Tensor, known: Tensor | None = None) -> Tensor:
        """Encode all heatmaps together.

        Args:
            heatmaps: (B, maps, map_size, map_size).
            known: (B, maps) bool, False for heatmaps to replace by the learned token.

        Returns:
            (B, maps, 16 * dim), the 4 x 4 patches of each heatmap row by row.
        """
        spare = self.grid**2 - self.maps
        # As an image of size 1, each tile's patches can be embedded before they are laid out.
        patches = self.patch(heatmaps.flatten(0, 1)[:, None])
        patches = patches.reshape(*heatmaps.shape[:2], -1, PATCHES, PATCHES)  # (B, maps, dim, 4, 4)
        if known is not None:
            token = self.mask_token.view(1, 1, -1, 1, 1).expand_as(patches)
            patches = torch.where(known[:, :, None, None, None], patches, token)
        token = self.mask_token.view(1, 1, -1, 1, 1).expand(patches.shape[0], spare, -1, PATCHES, PATCHES)
        x = self._to_image(torch.cat([patches, token], dim=1)) + self.position
        for layer in self.layers:
            x = layer(x)
        return self._to_tiles(self.norm(x))[:, : self.maps]

    def _to_image(self, tiles: Tensor) -> Tensor:
        """(B, grid^2, dim, 4, 4) -> tokens of the whole image, row by row, (B, (4 grid)^2, dim)."""
        rows = tiles.view(tiles.shape[0], self.grid, self.grid, -1, PATCHES, PATCHES)  # (B, gy, gx, dim, py, px)
        return rows.permute(0, 1, 4, 2, 5, 3).reshape(tiles.shape[0], -1, tiles.shape[2])

    def _to_tiles(self, tokens: Tensor) -> Tensor:
        """(B, (4 grid)^2, dim) -> (B, grid^2, 16 * dim)."""
        grid = tokens.view(tokens.shape[0], self.grid, PATCHES, self.grid, PATCHES, -1)
        return grid.transpose(2, 3).reshape(tokens.shape[0], self.grid**2, -1)
