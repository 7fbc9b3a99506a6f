"""Engines that are torch itself: the plain network, the rearranged one, and the rearranged one compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from egorear_ros.inference.engines.base import EngineSpec
from egorear_ros.inference.optimised import optimise
from egorear_ros.network import NetworkOutput
from egorear_ros.network.views import check_views


class ReferenceEngine:
    """The network as it is in `network/`, in torch eager: what the others are compared with. All stages are filled."""

    name = "reference"
    proof = ""

    def __init__(self, spec: EngineSpec) -> None:
        self._network, self._extrinsics = spec.network, spec.extrinsics()

    @torch.inference_mode()
    def __call__(
        self, images: Tensor, camera_from_device: Tensor | None = None, view_mask: Tensor | None = None
    ) -> NetworkOutput:
        """See `Engine`."""
        if camera_from_device is None:
            camera_from_device = self._extrinsics.expand(len(images), -1, -1, -1)
        return self._network(images, camera_from_device, view_mask)


class TorchEngine:
    """The rearranged network, in torch eager or compiled."""

    proof = ""

    def __init__(self, spec: EngineSpec, name: str = "torch") -> None:
        self.name = name
        self._views, self._extrinsics = spec.config.views, spec.extrinsics()
        network = optimise(spec.network, spec.heatmaps).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._run: Callable[..., Any] = torch.compile(network) if name == "torch-compile" else network

    @torch.no_grad()
    def __call__(
        self, images: Tensor, camera_from_device: Tensor | None = None, view_mask: Tensor | None = None
    ) -> NetworkOutput:
        """See `Engine`."""
        check_views(images, view_mask, self._views)
        if camera_from_device is None:
            camera_from_device = self._extrinsics.expand(len(images), -1, -1, -1)
        return self._run(images, camera_from_device, view_mask).as_output()
