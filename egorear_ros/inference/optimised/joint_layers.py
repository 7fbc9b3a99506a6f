"""Transformer layers over joint queries, several of them (R, one per refiner) with their weights stacked."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from egorear_ros.inference.optimised.sampling import Look, gather, look, views_of
from egorear_ros.network.attention import JointLayer


class StackedLinear(nn.Module):
    """R linear layers: (R, N, in) -> (R, N, out).

    Args:
        weights: R times (out, in).
        biases: R times (out,).
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, weights: Sequence[Tensor], biases: Sequence[Tensor]) -> None:
        super().__init__()
        self.register_buffer("weight", torch.stack([w.detach().T for w in weights]).contiguous())
        self.register_buffer("bias", torch.stack([b.detach() for b in biases])[:, None].contiguous())

    @classmethod
    def of(cls, *linears: nn.Linear) -> StackedLinear:
        """Stack modules."""
        return cls([linear.weight for linear in linears], [linear.bias for linear in linears])

    def forward(self, x: Tensor) -> Tensor:
        """Apply."""
        return torch.baddbmm(self.bias.expand(-1, x.shape[1], -1), x, self.weight)


class StackedNorm(nn.Module):
    """R layer norms: (R, N, dim) -> (R, N, dim)."""

    weight: Tensor
    bias: Tensor

    def __init__(self, *norms: nn.LayerNorm) -> None:
        super().__init__()
        self.eps = norms[0].eps
        self.register_buffer("weight", torch.stack([norm.weight.detach() for norm in norms])[:, None].contiguous())
        self.register_buffer("bias", torch.stack([norm.bias.detach() for norm in norms])[:, None].contiguous())

    def forward(self, x: Tensor) -> Tensor:
        """Apply."""
        return F.layer_norm(x, x.shape[-1:], eps=self.eps) * self.weight + self.bias


class StackedCross(nn.Module):
    """Deformable cross attention of R layers into the views' raw features, and its fusion over the views.

    The memory of layer r is `memory_r(features) + position_r`; its projection, the value projection, the output
    projection and the fusion are folded into two matrices, the position into a table of values.

    Args:
        layers: R layers.
        memories: R times the 1x1 convolution that makes the memory.
        positions: R times (1, V, h * w, dim), or None where the memory has no position.
    """

    value: Tensor
    value_bias: Tensor
    table: Tensor | None
    said: Tensor
    said_bias: Tensor

    def __init__(
        self, layers: Sequence[JointLayer], memories: Sequence[nn.Conv2d], positions: Sequence[Tensor] | None
    ) -> None:
        super().__init__()
        attention = [layer.cross_attn for layer in layers]
        self.heads, self.points = attention[0].heads, attention[0].points
        self.size = attention[0].level_sizes[0][0]
        self.offsets = StackedLinear.of(*(a.sampling_offsets for a in attention))
        self.attention = StackedLinear.of(*(a.attention_weights for a in attention))
        self._fold_values(layers, memories, positions)
        self._fold_output(layers)

    @torch.no_grad()
    def _fold_values(
        self, layers: Sequence[JointLayer], memories: Sequence[nn.Conv2d], positions: Sequence[Tensor] | None
    ) -> None:
        values, biases, tables = [], [], []
        for r, (layer, memory) in enumerate(zip(layers, memories, strict=True)):
            project = layer.cross_attn.value_proj
            assert memory.bias is not None
            weight = project.weight.double() @ memory.weight.flatten(1).double()  # (dim, C)
            bias = project.weight.double() @ memory.bias.double() + project.bias.double()
            values.append(weight.float().view(self.heads, -1, weight.shape[1]).transpose(1, 2))  # (H, C, dim / H)
            biases.append(bias.float().view(self.heads, -1))  # (H, dim / H)
            if positions is not None:
                tables.append(positions[r][0] @ project.weight.T)  # (V, N, dim)
        self.register_buffer("value", torch.cat(values).contiguous())  # (R * H, C, dim / H)
        self.register_buffer("value_bias", torch.stack(biases))  # (R, H, dim / H)
        table = torch.stack(tables) if tables else None
        if table is not None and not table.any():
            table = None  # positions that training never moved from zero
        rows = None if table is None else table.reshape(-1, table.shape[-1] // self.heads)  # (R * V * N * H, dim / H)
        self.register_buffer("table", rows)

    @torch.no_grad()
    def _fold_output(self, layers: Sequence[JointLayer]) -> None:
        said, biases = [], []
        for layer in layers:
            out = layer.cross_attn.output_proj
            views = layer.fuse.weight.double().view(out.out_features, -1, out.in_features)  # (dim, V, dim)
            said.append((views @ out.weight.double()).flatten(1).float())
            biases.append((views @ out.bias.double()).float())  # (dim, V)
        self.fuse = StackedLinear(said, [layer.fuse.bias for layer in layers])
        self.register_buffer("said_bias", torch.stack([b.T for b in biases]).contiguous())  # (R, V, dim)

    def forward(self, query: Tensor, features: Tensor, anchors: Tensor, valid: Tensor) -> Tensor:
        """Look into every view.

        Args:
            query: (R, B * J, dim).
            features: (B, V, C, h, w).
            anchors: (B, V, J, 2).
            valid: (B, V, J), 1 or 0.

        Returns:
            (R, B * J, dim).
        """
        layers, batch = len(query), len(features)
        shape = (batch, -1, self.heads, self.points)
        offsets = self.offsets(query).unflatten(-1, (-1, 2)).reshape(layers, *shape, 2)
        attention = self.attention(query).reshape(layers, *shape).softmax(dim=-1)
        at = look(anchors, offsets, attention, self.size)
        value = self._values(features, at) * valid[None, ..., None, None]  # (R, B, V, J, H, dim / H)
        gathered = value.permute(0, 1, 3, 2, 4, 5).reshape(*query.shape[:2], -1)  # (R, B * J, V * dim)
        sure = valid.transpose(1, 2).reshape(1, query.shape[1], -1).expand(layers, -1, -1)  # (R, B * J, V)
        return self.fuse(gathered) + torch.bmm(sure, self.said_bias)

    def _values(self, features: Tensor, at: Look) -> Tensor:
        """(R, B, V, J, H, dim / H): projected memory, as `at` sees it."""
        layers, batch, views, joints, heads = at.inside.shape
        raw = views_of(features, at)  # (R, B, V, J, H, C)
        rows = raw.permute(0, 4, 1, 2, 3, 5).reshape(layers * heads, -1, raw.shape[-1])
        value = torch.bmm(rows, self.value).reshape(layers, heads, batch, views, joints, -1).permute(0, 2, 3, 4, 1, 5)
        value = value + at.inside[..., None] * self.value_bias[:, None, None, None]
        if self.table is None:
            return value
        map_of = torch.arange(layers * views, device=raw.device).view(layers, 1, views, 1, 1, 1) * self.size**2
        head = torch.arange(heads, device=raw.device)[:, None]
        return value + gather(self.table, (at.cells + map_of) * heads + head, at.weights)


class StackedJointLayers(nn.Module):
    """R `JointLayer`s side by side; see `StackedCross` for the arguments."""

    def __init__(
        self,
        layers: Sequence[JointLayer],
        memories: Sequence[nn.Conv2d],
        positions: Sequence[Tensor] | None = None,
    ) -> None:
        super().__init__()
        attention = [layer.self_attn for layer in layers]
        self.heads = attention[0].heads
        self.cross = StackedCross(layers, memories, positions)
        self.norm_cross = StackedNorm(*(layer.norm_cross for layer in layers))
        parts = [(a.q_proj, a.k_proj, a.v_proj) for a in attention]
        self.qkv = StackedLinear(
            [torch.cat([p.weight for p in part]) for part in parts],
            [torch.cat([p.bias for p in part]) for part in parts],
        )
        self.out = StackedLinear.of(*(a.out_proj for a in attention))
        self.norm_self = StackedNorm(*(layer.norm_self for layer in layers))
        self.widen = StackedLinear.of(*(_linear(layer.ffn[0]) for layer in layers))
        self.narrow = StackedLinear.of(*(_linear(layer.ffn[2]) for layer in layers))
        self.norm_ffn = StackedNorm(*(layer.norm_ffn for layer in layers))

    def forward(self, query: Tensor, features: Tensor, anchors: Tensor, valid: Tensor) -> Tensor:
        """As `StackedCross.forward`."""
        query = self.norm_cross(query + self.cross(query, features, anchors, valid))
        query = self.norm_self(query + self._talk(query, len(features)))
        return self.norm_ffn(query + self.narrow(F.gelu(self.widen(query))))

    def _talk(self, query: Tensor, batch: int) -> Tensor:
        """Self attention over the joints of each sample."""
        layers, rows, dim = query.shape
        qkv = self.qkv(query).reshape(layers * batch, rows // batch, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2])
        return self.out(attended.transpose(1, 2).reshape(layers, rows, dim))


def _linear(module: nn.Module) -> nn.Linear:
    assert isinstance(module, nn.Linear)
    return module
