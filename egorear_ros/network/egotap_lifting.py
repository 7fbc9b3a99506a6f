"""EgoTAP's lifting: heatmaps of joints and limbs in, pose out.

Source: EgoTAP (CVPR 2024), written from a description of the official network; its code is not used.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from egorear_ros.network.config import EgoTapLiftingConfig
from egorear_ros.network.grid_vit import GridViT
from egorear_ros.network.output import NetworkOutput
from egorear_ros.network.views import blank_missing
from egorear_ros.skeleton import NUM_HEATMAP_JOINTS

EMBEDDING = 128  # numbers per joint (or limb) and view
STATE = 512  # width of the propagated state


class EmbeddingLayer(nn.Module):
    """Linear, batch normalisation, leaky ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.fc = nn.Linear(inputs, outputs)
        self.bn = nn.BatchNorm1d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs) -> (N, outputs)."""
        return F.leaky_relu(self.bn(self.fc(x)), 0.2)


def embedding(inputs: int) -> nn.Sequential:
    """(N, inputs) -> (N, 128), where a row is one joint or limb in one view."""
    return nn.Sequential(EmbeddingLayer(inputs, 2048), EmbeddingLayer(2048, 512), EmbeddingLayer(512, EMBEDDING))


class PropagationCell(nn.Module):
    """An LSTM cell that first forgets, by what it sees now, parts of its parent's state and of the limb's features."""

    def __init__(self, inputs: int, limb: int, state: int) -> None:
        super().__init__()
        self.state = state
        self.forget = nn.Linear(inputs, state + limb)
        self.from_input = nn.Linear(inputs, 4 * state)
        self.from_state = nn.Linear(state, 4 * state)
        if limb:
            self.from_limb = nn.Linear(limb, 4 * state)

    def forward(self, x: Tensor, limb: Tensor | None, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """Advance one joint.

        Args:
            x: (B, inputs) what is known of the joint.
            limb: (B, limb) what is known of the bone to its parent, or None in a cell without.
            hidden: (B, state) of the parent.
            cell: (B, state) of the parent.

        Returns:
            hidden and cell of the joint.
        """
        keep = torch.sigmoid(self.forget(x))
        gates = self.from_input(x) + self.from_state(keep[:, : self.state] * hidden)
        if limb is not None:
            gates = gates + self.from_limb(keep[:, self.state :] * limb)
        forget, enter, candidate, leave = gates.chunk(4, dim=-1)
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(candidate)
        return torch.sigmoid(leave) * torch.tanh(cell), cell


class Propagation(nn.Module):
    """Two stacked cells that run over the joints.

    The paper propagates along the kinematic tree. The official code updates the parent's state in place, so all joints
    share one state and it runs along the joint numbers, 1 to 15; its weights expect that, so does this class.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.cells = nn.ModuleList([PropagationCell(features, features, STATE), PropagationCell(STATE, 0, STATE)])

    def forward(self, joints: Tensor, limbs: Tensor) -> Tensor:
        """Joint and limb features (B, 15, features) -> states (B, 15, 512)."""
        start = joints.new_zeros(joints.shape[0], STATE)
        hidden, cell = [start, start], [start, start]
        states = []
        for joint in range(joints.shape[1]):
            hidden[0], cell[0] = self.cells[0](joints[:, joint], limbs[:, joint], hidden[0], cell[0])
            hidden[1], cell[1] = self.cells[1](hidden[0], None, hidden[1], cell[1])
            states.append(hidden[1])
        return torch.stack(states, dim=1)


class EgoTapLifting(nn.Module):
    """Grid ViT over all joint heatmaps, MLP over limb heatmaps, propagation over the joints, linear output."""

    def __init__(self, config: EgoTapLiftingConfig) -> None:
        super().__init__()
        self.config = config
        features = config.views * EMBEDDING
        self.vit = GridViT(config.views * NUM_HEATMAP_JOINTS, config.vit_dim, config.vit_layers, config.map_size)
        self.joint_embedding = embedding(self.vit.features_per_map)
        self.limb_embedding = embedding(2 * config.map_size**2)
        self.propagation = Propagation(features)
        self.joint_output = nn.Linear(features + STATE, 3)
        self.global_output = nn.Linear(NUM_HEATMAP_JOINTS * STATE, 6)

    def forward(self, heatmaps: Tensor) -> NetworkOutput:
        """Lift the official input.

        Args:
            heatmaps: (B, V * 45, h, w), h = w = `map_size` of the configuration: 15 joint maps of each view, then per
                view 15 limb maps times cos and 15 times sin of the limb's angle.

        Returns:
            poses: one (B, 16, 3) in metres.
        """
        views, joints, size = self.config.views, NUM_HEATMAP_JOINTS, self.config.map_size
        if heatmaps.shape[1:] != (views * joints * 3, size, size):
            raise ValueError(
                f"heatmaps have shape {tuple(heatmaps.shape)}, expected (B, {views * joints * 3}, {size}, {size}): "
                "joint maps of all views, then limb maps of all views"
            )
        joint_maps = heatmaps[:, : views * joints].reshape(-1, views, joints, size, size)
        limb_maps = heatmaps[:, views * joints :].reshape(-1, views, 2 * joints, size, size)
        return NetworkOutput(poses=(self.lift(joint_maps, limb_maps),))

    def lift(self, joint_maps: Tensor, limb_maps: Tensor, view_mask: Tensor | None = None) -> Tensor:
        """Lift maps of views.

        Args:
            joint_maps: (B, V, 15, h, w).
            limb_maps: (B, V, 30, h, w), cos maps then sin maps.
            view_mask: (B, V) bool; a missing view's tiles are the ViT's mask token, its features zero.

        Returns:
            (B, 16, 3) in metres. As in the official network slot k is fed by the heatmap of joint k + 1 but means
            joint k (head first); the last slot, the right toes, comes from the global output alone.
        """
        joints = self._joint_features(joint_maps, view_mask)
        limbs = self._limb_features(limb_maps, view_mask)
        states = self.propagation(joints, limbs)  # (B, 15, 512)
        pose = self.joint_output(torch.cat([joints, states], dim=-1))  # (B, 15, 3)
        shift, last = self.global_output(states.flatten(1)).chunk(2, dim=-1)
        return torch.cat([pose + shift[:, None], last[:, None]], dim=1) * self.config.length_unit_m

    def _joint_features(self, maps: Tensor, view_mask: Tensor | None) -> Tensor:
        """(B, V, 15, h, w) -> (B, 15, V * 128)."""
        known = None if view_mask is None else view_mask.repeat_interleave(NUM_HEATMAP_JOINTS, dim=1)
        tokens = self.vit(maps.flatten(1, 2), known)  # (B, V * 15, features)
        rows = self.joint_embedding(tokens.flatten(0, 1))
        return self._join_views(rows.view(*maps.shape[:3], EMBEDDING), view_mask)

    def _limb_features(self, maps: Tensor, view_mask: Tensor | None) -> Tensor:
        """(B, V, 30, h, w) -> (B, 15, V * 128)."""
        cos_sin = maps.reshape(*maps.shape[:2], 2, NUM_HEATMAP_JOINTS, *maps.shape[3:])
        cos_sin = cos_sin.transpose(2, 3)  # (B, V, 15, 2, h, w)
        rows = self.limb_embedding(cos_sin.flatten(3).flatten(0, 2))
        return self._join_views(rows.view(*cos_sin.shape[:3], EMBEDDING), view_mask)

    def _join_views(self, features: Tensor, view_mask: Tensor | None) -> Tensor:
        """(B, V, 15, 128) -> (B, 15, V * 128)."""
        return blank_missing(features, view_mask).transpose(1, 2).flatten(2)
