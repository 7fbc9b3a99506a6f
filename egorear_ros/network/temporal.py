"""The temporal part of the tracker: poses of a network, frame by frame, in; better poses and velocities out.

It sees what the per-frame network says (pose, standard deviations, how well each view sees each joint), never images:
it stays valid when the network before it is replaced by a better one. Every joint is a token per frame, and one more
token per frame carries what is known beyond the images: where down is, how long the wearer's bones are. Layers attend
over time (a joint to itself within the window), then over the joints of a frame. Time is real seconds, so that frames
may come at any rate and be missing.

The layers also carry the poses and times themselves through their attention: a head is a learned, adaptive average of
the poses in the window. The answer is a mixture of these averages and of a correction; velocities are a mixture of the
slopes between the averages and the frame.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from egorear_ros.network.config import TemporalConfig
from egorear_ros.skeleton import HEATMAP_JOINTS, JOINTS, NUM_JOINTS, PARENTS

NUM_LENGTHS: Final = 10
TOKENS: Final = NUM_JOINTS + 1
HIDDEN: Final = -1e4
ROTATION_HZ: Final = (0.25, 8.0)
INITIAL_VELOCITY_STD: Final = 0.4
EMBEDDING_STD: Final = 0.3
SLOPE_FLOOR_S: Final = 0.03
EDGE_S: Final = 1e-3
"""Added to the window, so that rounding does not decide about a frame just at its edge."""

CARRIED: Final = 4
"""Position and time."""

POSE_SCALE_M: Final = 0.4
MEAN_STD_M: Final = 0.05
LENGTH_TO_PARENT: Final = (0, 0, 1, 1, 3, 3, 4, 4, 5, 5, 7, 7, 8, 8, 9, 9)
"""Which of the lengths of `tracking.wearer.BONES` is that from each joint to its parent; the head has none."""

JOINT_CUES: Final = 6
"""Height, whether it is known, height above the lowest joint and above the floor, bone length and its weight."""

CUES: Final = 3 + 1 + NUM_LENGTHS + 1 + 2 + 1
"""Down and whether it is known, lengths and how well they are known, stature and whether it is known, both ways."""


class FrameCues(NamedTuple):
    """What the temporal part is told about T frames; zeros where a cue is unknown.

    Attributes:
        time_s: (B, T) seconds, of any origin near the frames.
        pose_m: (B, T, 16, 3) metres, device frame, of the per-frame network.
        log_std: (B, T, 16, 3) logarithm of its standard deviations in metres.
        scores: (B, T, V, 15) how well each view sees each joint, 0 to 1; 0 for missing views.
        view_mask: (B, T, V) 1 for the views that are there.
        down: (B, T, 3) unit vector that points down in the device frame.
        lengths_m: (B, T, 10) the wearer's bone lengths as measured until this frame, see `tracking.wearer`.
        lengths_weight: (B, T) 0 (unknown) to 1, how long they have been measured.
        stature_m: (B, T) height of the wearer.
    """

    time_s: Tensor
    pose_m: Tensor
    log_std: Tensor
    scores: Tensor
    view_mask: Tensor
    down: Tensor
    lengths_m: Tensor
    lengths_weight: Tensor
    stature_m: Tensor


class Track(NamedTuple):
    """What the temporal part answers, per frame; all (B, T, 16, 3).

    Attributes:
        pose_m: metres, device frame.
        log_std: logarithm of its standard deviations in metres.
        velocity_m_s: of the joints in the device frame.
        velocity_log_std: logarithm of its standard deviations in m/s.
    """

    pose_m: Tensor
    log_std: Tensor
    velocity_m_s: Tensor
    velocity_log_std: Tensor


class Memory(NamedTuple):
    """Of the frames in the window, what later frames attend to: per layer keys and values; times and poses.

    Attributes:
        time_s: (T,) seconds.
        pose_m: (T, 17, 3) poses; zeros for the token of the cues.
        keys, values: (L, T, 17, heads, dim / heads); keys are rotated.
    """

    time_s: Tensor
    pose_m: Tensor
    keys: Tensor
    values: Tensor


def rotated(x: Tensor, time_s: Tensor) -> Tensor:
    """Turn pairs of channels by an angle that grows with time, so that products depend on differences of time only.

    Args:
        x: (..., T, N, heads, c), c even.
        time_s: (..., T).
    """
    pairs = x.shape[-1] // 2
    low, high = ROTATION_HZ
    steps = torch.linspace(0.0, 1.0, pairs, device=x.device, dtype=torch.float64)
    angle = 2 * math.pi * low * (high / low) ** steps * time_s[..., None]  # float64: stamps are large
    cos, sin = (part[..., None, None, :].to(x.dtype) for part in (angle.cos(), angle.sin()))
    first, second = x[..., :pairs], x[..., pairs:]
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


class TemporalLayer(nn.Module):
    """Attention of each token over time, then over the tokens of its frame, then a small network per token."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_time, self.norm_space = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.time_qkv, self.space_qkv = nn.Linear(dim, 3 * dim), nn.Linear(dim, 3 * dim)
        self.time_out, self.space_out = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.offset_in = nn.Linear(CARRIED * heads, dim)
        self.ffn = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(..., T, 17, dim) -> queries, keys and values over time, (..., T, 17, heads, c); not rotated yet."""
        qkv = self.time_qkv(self.norm_time(x)).unflatten(-1, (3, self.heads, -1))
        query, key, value = qkv.unbind(dim=-3)
        return query, key, value

    def forward(
        self, x: Tensor, query: Tensor, key: Tensor, value: Tensor, own: Tensor, carried: Tensor, bias: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Update the tokens of Q frames, which attend to T frames.

        Args:
            x: (B, Q, 17, dim).
            query: (B, Q, 17, heads, c), rotated.
            key: (B, T, 17, heads, c), rotated; `value` the same, not rotated.
            own: (B, Q, 17, 4) positions and times of the Q frames, metres and seconds.
            carried: (B, T, 17, 4) of the T frames.
            bias: (B, Q, T), 0 or `HIDDEN`.

        Returns:
            The tokens, and the average position and time of each head relative to the frame's own,
            (B, Q, 17, heads, 4).
        """
        each = carried[:, :, :, None].expand(-1, -1, -1, self.heads, -1)
        mixed = _attend(query, key, torch.cat([value, each], dim=-1), bias)
        offsets = mixed[..., -CARRIED:] - own[..., None, :]
        x = x + self.time_out(mixed[..., :-CARRIED].flatten(-2)) + self.offset_in(10.0 * offsets.flatten(-2))
        q, k, v = self.space_qkv(self.norm_space(x)).unflatten(-1, (3, self.heads, -1)).transpose(-2, -4).unbind(-3)
        x = x + self.space_out(F.scaled_dot_product_attention(q, k, v).transpose(-3, -2).flatten(-2))
        return x + self.ffn(x), offsets


def _attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    """Attention over time: (B, Q, N, heads, c) and (B, T, N, heads, c') -> (B, Q, N, heads, c')."""
    q, k, v = (part.permute(0, 2, 3, 1, 4) for part in (query, key, value))
    weights = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]) + bias[:, None, None]).softmax(dim=-1)
    return (weights @ v).permute(0, 3, 1, 2, 4)


def _joint_cues(cues: FrameCues, has_down: Tensor, tall: Tensor) -> Tensor:
    """(B, T, 16, JOINT_CUES): how the pose fits what is known of gravity, floor and bones."""
    below = (cues.pose_m * cues.down[..., None, :]).sum(dim=-1)
    lowest = below - below.amax(dim=-1, keepdim=True)
    floor = (below - cues.stature_m[..., None]) * (has_down * tall[..., None])
    length = torch.linalg.vector_norm(cues.pose_m - cues.pose_m[..., list(PARENTS), :], dim=-1)
    known = cues.lengths_weight[..., None].expand_as(length)
    longer = (length - cues.lengths_m[..., list(LENGTH_TO_PARENT)]) * known.gt(0)
    parts = [below, has_down.expand_as(below), 2.0 * lowest * has_down, 2.0 * floor, 10.0 * longer, known]
    return torch.stack(parts, dim=-1)


def _with_time(pose_m: Tensor, time_s: Tensor) -> Tensor:
    """(B, T, 17, 3) poses and (B, T) times -> (B, T, 17, 4)."""
    return torch.cat([pose_m, time_s[..., None, None].expand(*pose_m.shape[:-1], 1)], dim=-1)


class TemporalNetwork(nn.Module):
    """See the head of this file.

    Args:
        config: sizes.
    """

    mean_pose_m: Tensor

    def __init__(self, config: TemporalConfig) -> None:
        super().__init__()
        self.config = config
        dim, views = config.dim, len(config.views)
        self.joint_in = nn.Linear(3 + 3 + 2 * views + JOINT_CUES, dim)
        self.cues_in = nn.Linear(CUES, 2 * dim)
        self.embedding = nn.Parameter(EMBEDDING_STD * torch.randn(TOKENS, dim))
        self.layers = nn.ModuleList(TemporalLayer(dim, config.heads) for _ in range(config.layers))
        self.norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, 12)
        self.gates = nn.Linear(dim, 2 * config.layers * config.heads)
        for layer in (self.out, self.gates):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.register_buffer("mean_pose_m", torch.zeros(NUM_JOINTS, 3))

    @property
    def reach_s(self) -> float:
        """How far a layer looks, seconds."""
        return self.config.window_s + EDGE_S

    def forward(self, cues: FrameCues, both_ways: bool = False) -> Track:
        """Answer all frames of tracks at once, for training and for recordings.

        Args:
            cues: of B tracks with T frames each, in order of time.
            both_ways: look at the frames after each frame, too.
        """
        x, pose = self._tokens(cues, both_ways)
        bias = self._bias(cues.time_s, both_ways)
        origin = cues.time_s - cues.time_s[:, :1]
        carried = _with_time(pose, origin)
        offsets = []
        for layer in self.layers:
            query, key, value = layer.project(x)  # type: ignore[operator]
            query, key = rotated(query, origin), rotated(key, origin)
            x, offset = layer(x, query, key, value, carried, carried, bias)
            offsets.append(offset)
        return self._answer(x, cues, offsets)

    def step(self, cues: FrameCues, memory: Memory | None) -> tuple[Track, Memory]:
        """Answer one frame, of one track, as `forward` would with all frames before it.

        Args:
            cues: of one frame: B and T are 1; times in float64, for tracks of hours.
            memory: from the frame before; None at the start of a track.

        Returns:
            The answer, and the memory for the next frame; it holds the window, however long the track is.
        """
        x, pose = self._tokens(cues, both_ways=False)
        now = cues.time_s[0]
        first = 0 if memory is None else int((memory.time_s < now - self.reach_s).sum())
        time = now if memory is None else torch.cat([memory.time_s[first:], now])
        poses = pose[0] if memory is None else torch.cat([memory.pose_m[first:], pose[0]])
        age = (time - now).to(poses.dtype)
        own, carried = _with_time(pose, 0 * age[None, -1:]), _with_time(poses[None], age[None])
        bias = x.new_zeros(1, 1, len(time))
        keys, values, offsets = [], [], []
        for index, layer in enumerate(self.layers):
            query, key, value = (part[0] for part in layer.project(x))  # type: ignore[operator]
            query, key = rotated(query, now), rotated(key, now)
            if memory is not None:
                key = torch.cat([memory.keys[index, first:], key])
                value = torch.cat([memory.values[index, first:], value])
            x, offset = layer(x, query[None], key[None], value[None], own, carried, bias)
            keys.append(key)
            values.append(value)
            offsets.append(offset)
        return self._answer(x, cues, offsets), Memory(time, poses, torch.stack(keys), torch.stack(values))

    def _tokens(self, cues: FrameCues, both_ways: bool) -> tuple[Tensor, Tensor]:
        """(B, T, 17, dim) tokens, and (B, T, 17, 3) poses, with zeros for the token of the cues."""
        seen = torch.stack([cues.scores, cues.view_mask[..., None].expand_as(cues.scores)], dim=-1)
        seen = F.pad(seen.permute(0, 1, 3, 2, 4).flatten(-2), (0, 0, NUM_JOINTS - len(HEATMAP_JOINTS), 0))
        has_down = cues.down.abs().amax(dim=-1, keepdim=True).gt(0).to(cues.down.dtype)
        tall = cues.stature_m.gt(0).to(cues.down.dtype)
        joint = [(cues.pose_m - self.mean_pose_m) / POSE_SCALE_M, cues.log_std - math.log(MEAN_STD_M), seen]
        joint += [_joint_cues(cues, has_down, tall)]
        known = cues.lengths_weight.gt(0)[..., None]
        flags = [cues.lengths_weight, (cues.stature_m - 1.7) * tall * 5.0, tall, torch.full_like(tall, both_ways)]
        lengths = (cues.lengths_m - 0.3) * known * 5.0
        frame = torch.cat([cues.down, has_down, lengths, torch.stack(flags, dim=-1)], dim=-1)
        own, shared = self.cues_in(frame)[..., None, :].chunk(2, dim=-1)
        x = torch.cat([self.joint_in(torch.cat(joint, dim=-1)) + shared, own], dim=-2)
        return x + self.embedding, F.pad(cues.pose_m, (0, 0, 0, 1))

    def _bias(self, time_s: Tensor, both_ways: bool) -> Tensor:
        """(B, T, T): which frames each frame attends to."""
        age = time_s[:, :, None] - time_s[:, None, :]
        seen = age.abs() <= self.reach_s
        return torch.zeros_like(age).masked_fill(~(seen if both_ways else seen & (age >= 0)), HIDDEN)

    def _answer(self, x: Tensor, cues: FrameCues, offsets: list[Tensor]) -> Track:
        x = self.norm(x[..., :NUM_JOINTS, :])
        out, gates = self.out(x), self.gates(x).unflatten(-1, (2, -1, 1))
        averages = torch.cat(offsets, dim=-2)[..., :NUM_JOINTS, :, :]
        moved, since = averages[..., :3], averages[..., 3:]
        slopes = moved * since / (since.square() + SLOPE_FLOOR_S**2)
        pose = cues.pose_m + (gates[..., 0, :, :] * moved).sum(dim=-2) + cues.log_std.exp() * out[..., :3]
        return Track(
            pose_m=pose,
            log_std=cues.log_std + out[..., 3:6],
            velocity_m_s=(gates[..., 1, :, :] * slopes).sum(dim=-2) + out[..., 6:9],
            velocity_log_std=out[..., 9:] + math.log(INITIAL_VELOCITY_STD),
        )


assert JOINTS[1:] == HEATMAP_JOINTS  # the padding above puts the head, which has no map, first
