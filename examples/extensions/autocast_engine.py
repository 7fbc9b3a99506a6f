"""An engine of one's own: the plain network under torch's autocast in bfloat16; `--engine autocast`.

See docs/newcomer.md.
"""

from __future__ import annotations

import torch
from torch import Tensor

from egorear_ros.inference.engines import ENGINES, EngineKind, EngineSpec
from egorear_ros.network import NetworkOutput


class AutocastEngine:
    """Runs the network as it is, with the matrix products in bfloat16."""

    name = "autocast"

    def __init__(self, spec: EngineSpec) -> None:
        self._network, self._extrinsics, self._device = spec.network, spec.extrinsics(), spec.device

    @torch.inference_mode()
    def __call__(
        self, images: Tensor, camera_from_device: Tensor | None = None, view_mask: Tensor | None = None
    ) -> NetworkOutput:
        """See `egorear_ros.inference.engines.Engine`."""
        if camera_from_device is None:
            camera_from_device = self._extrinsics.expand(len(images), -1, -1, -1)
        with torch.autocast(self._device.type, torch.bfloat16):
            output: NetworkOutput = self._network(images, camera_from_device, view_mask)
        return output


ENGINES.add("autocast", EngineKind("the plain network in bfloat16, by torch's autocast", AutocastEngine))
