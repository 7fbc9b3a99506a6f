"""The rearranged network as a CUDA graph in bfloat16: one launch per frame set, no Python between the kernels."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from egorear_ros.inference.engines.base import EngineSpec
from egorear_ros.inference.optimised import Results, optimise
from egorear_ros.network import NetworkOutput
from egorear_ros.network.views import check_views

WARM_UPS = 3


class _Graph(NamedTuple):
    """A captured graph and the buffers it reads and writes."""

    graph: torch.cuda.CUDAGraph
    images: Tensor
    camera_from_device: Tensor
    view_mask: Tensor
    results: Results


class CudaGraphEngine:
    """Replays a graph captured per batch size; convolutions and matrix products in bfloat16, geometry in float32."""

    name = "cuda-graph"
    proof = ""

    def __init__(self, spec: EngineSpec) -> None:
        self._network = optimise(spec.network, spec.heatmaps).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._views, self._extrinsics = spec.config.views, spec.extrinsics()
        self._graphs: dict[int, _Graph] = {}

    @torch.no_grad()
    def __call__(
        self, images: Tensor, camera_from_device: Tensor | None = None, view_mask: Tensor | None = None
    ) -> NetworkOutput:
        """See `Engine`."""
        check_views(images, view_mask, self._views)
        graph = self._graphs.get(len(images)) or self._capture(images)
        graph.images.copy_(images, non_blocking=True)
        graph.camera_from_device.copy_(self._extrinsics if camera_from_device is None else camera_from_device)
        graph.view_mask.copy_(torch.ones_like(graph.view_mask) if view_mask is None else view_mask)
        graph.graph.replay()
        return Results(*(None if x is None else x.clone() for x in graph.results)).as_output()  # type: ignore[arg-type]

    def _capture(self, images: Tensor) -> _Graph:
        """Run a few times on a side stream, as capturing demands, then capture."""
        inputs = images.clone(), self._extrinsics.expand(len(images), -1, -1, -1).clone()
        mask = torch.ones(images.shape[:2], dtype=torch.bool, device=images.device)
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UPS):
                self._compute(*inputs, mask)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            results = self._compute(*inputs, mask)
        self._graphs[len(images)] = _Graph(graph, *inputs, mask, results)
        return self._graphs[len(images)]

    def _compute(self, images: Tensor, camera_from_device: Tensor, view_mask: Tensor) -> Results:
        with torch.autocast("cuda", torch.bfloat16, cache_enabled=False):
            return self._network(images, camera_from_device, view_mask)
