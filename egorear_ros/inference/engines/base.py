"""What an engine is, and what all of them are made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from egorear_ros.errors import EgorearError
from egorear_ros.network import EgoRearConfig, EgoRearSConfig, NetworkOutput
from egorear_ros.rig import Rig

PoseConfig = EgoRearConfig | EgoRearSConfig
"""Networks that take a frame set and give poses in the device frame."""

Warn = Callable[[str], None]


class EngineError(EgorearError):
    """An engine that does not exist, or cannot work here."""


class Engine(Protocol):
    """A network, ready to run.

    Attributes:
        name: key of `ENGINES`.
        proof: what its first answers were like, see `proof.prove`; empty for the plain network itself.
    """

    name: str
    proof: str

    def __call__(
        self, images: Tensor, camera_from_device: Tensor | None = None, view_mask: Tensor | None = None
    ) -> NetworkOutput:
        """Run the network; only the last stage's results are sure to be there.

        Args:
            images: (B, V, 3, S, S) float32, ImageNet-normalised, on the engine's device.
            camera_from_device: (B, V, 4, 4) float32 metres; None for the rig's own.
            view_mask: (B, V) bool, False for missing views; None when all are there.
        """
        ...


@dataclass(frozen=True)
class EngineSpec:
    """What an engine is made from.

    Attributes:
        network: in eval mode, on `device`.
        config: its configuration.
        rig: cameras of `config.views`, in order: the default extrinsics.
        device: where it runs.
        heatmaps: whether heatmaps are wanted.
    """

    network: nn.Module
    config: PoseConfig
    rig: Rig
    device: torch.device
    heatmaps: bool

    def extrinsics(self) -> Tensor:
        """(1, V, 4, 4) float32 metres, the rig's own."""
        matrices = np.stack([camera.camera_from_device for camera in self.rig.cameras])
        return torch.from_numpy(matrices)[None].to(self.device, torch.float32)
