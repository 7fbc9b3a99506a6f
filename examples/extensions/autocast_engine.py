"""An engine of one's own: the plain network under torch's autocast in bfloat16; `--engine autocast`.

See docs/newcomer.md.
"""

from __future__ import annotations

import torch
from torch import Tensor

from egorear_ros.inference.engines import ENGINES, EngineKind, EngineSpec
from egorear_ros.inference.engines.torch_engines import ReferenceEngine
from egorear_ros.network import NetworkOutput


class AutocastEngine(ReferenceEngine):
    """Runs the network as it is, with the matrix products in bfloat16."""

    name = "autocast"

    def __init__(self, spec: EngineSpec) -> None:
        super().__init__(spec)
        self._device = spec.device

    def __call__(
        self, images: Tensor, camera_from_device: Tensor | None = None, view_mask: Tensor | None = None
    ) -> NetworkOutput:
        """See `egorear_ros.inference.engines.Engine`."""
        with torch.autocast(self._device.type, torch.bfloat16):
            return super().__call__(images, camera_from_device, view_mask)


ENGINES.add("autocast", EngineKind("the plain network in bfloat16, by torch's autocast", AutocastEngine))
