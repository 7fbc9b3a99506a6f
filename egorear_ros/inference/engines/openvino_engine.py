"""The rearranged network in OpenVINO, on the CPU, in float32, bfloat16 or with 8-bit convolutions."""

from __future__ import annotations

import functools
import hashlib
import warnings
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino
import torch
from openvino import opset13
from openvino._offline_transformations import apply_moc_transformations, compress_quantize_weights_transformation
from openvino.frontend import FrontEndManager
from openvino.frontend.pytorch import ConversionExtension
from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
from torch import Tensor, nn

from egorear_ros.inference.engines.base import EngineSpec
from egorear_ros.inference.engines.cache import cached, fingerprint
from egorear_ros.inference.engines.quantization import quantize
from egorear_ros.inference.optimised import FastNetwork, Results, optimise
from egorear_ros.network import NetworkOutput
from egorear_ros.network.views import check_views

MODEL: Final = "model.xml"

MOST_FUSED: Final = 8000
"""Operations up to which OpenVINO fuses elementwise ones into kernels of their own, which saves 7 % of the time.

egorear-s has 5,023 with Ego4View's lenses and 10,794 with equidistant ones, whose inverse is found step by step: there
the search for what to fuse takes 95 s, everything else 3 s.
"""

INPUT_TYPES: Final = (openvino.Type.f32, openvino.Type.f32, openvino.Type.boolean)


class OpenVinoEngine:
    """A graph per batch size, converted at first use and kept on disk; as many threads as torch has.

    Args:
        spec: what to run.
        name: openvino, openvino-bf16 or openvino-int8.
    """

    proof = ""

    def __init__(self, spec: EngineSpec, name: str = "openvino") -> None:
        self.name = name
        self._views, self._size = spec.config.views, spec.config.image_size
        self._extrinsics = spec.extrinsics()
        self._spec = spec
        versions = (_sources(), torch.__version__, openvino.__version__)
        self._key = fingerprint(spec.network, (*versions, spec.config, spec.heatmaps, *_lenses(spec.network)))
        self._fast: FastNetwork | None = None
        self._requests: dict[int, Any] = {}

    def __call__(
        self, images: Tensor, camera_from_device: Tensor | None = None, view_mask: Tensor | None = None
    ) -> NetworkOutput:
        """See `Engine`."""
        check_views(images, view_mask, self._views)
        batch = len(images)
        if batch not in self._requests:
            self._requests[batch] = self._compile(batch)
        if camera_from_device is None:
            camera_from_device = self._extrinsics.expand(batch, -1, -1, -1)
        if view_mask is None:
            view_mask = torch.ones(batch, len(self._views), dtype=torch.bool)
        inputs = [np.ascontiguousarray(x.numpy()) for x in (images, camera_from_device, view_mask)]
        found = self._requests[batch].infer(inputs, share_inputs=True)
        values = {port.any_name: torch.from_numpy(value) for port, value in found.items()}
        return Results(**values).as_output()

    def _compile(self, batch: int) -> Any:
        """An inference request for this batch size."""
        quantized = self.name == "openvino-int8"
        folder = cached(
            f"{'int8' if quantized else 'float'}-{batch}-{self._key}", lambda where: self._convert(batch, where)
        )
        options = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "INFERENCE_PRECISION_HINT": "bf16" if self.name == "openvino-bf16" else "f32",
            "ENABLE_CPU_PINNING": False,  # the nodes beside us need the cores too
        }
        model = _core().read_model(folder / MODEL)
        if len(model.get_ops()) > MOST_FUSED:
            options["SNIPPETS_MODE"] = "DISABLE"
        return _core().compile_model(model, "CPU", options).create_infer_request()

    def _convert(self, batch: int, folder: Path) -> None:
        """Write the graph of a batch size."""
        if self._fast is None:
            self._fast = optimise(self._spec.network, self._spec.heatmaps)
            if self.name == "openvino-int8":
                quantize(self._fast, self._spec.config, self._extrinsics)
        size, views = self._size, len(self._views)
        example = (
            torch.zeros(batch, views, 3, size, size),
            self._extrinsics.expand(batch, -1, -1, -1).contiguous(),
            torch.ones(batch, views, dtype=torch.bool),
        )
        model = to_openvino(self._fast, example)
        if self.name == "openvino-int8":
            # What OpenVINO's own converter does to models. Without it, the ranges are no constants when the CPU
            # plugin looks for 8-bit layers, and it finds none.
            apply_moc_transformations(model, cf=True, smart_reshape=False)
            compress_quantize_weights_transformation(model)
        openvino.save_model(model, folder / MODEL, compress_to_fp16=False)


class _Flat(nn.Module):
    """The results that are there, as a tuple, which can be traced; remembers their names."""

    def __init__(self, network: FastNetwork) -> None:
        super().__init__()
        self.network = network
        self.names: list[str] = []

    def forward(self, images: Tensor, camera_from_device: Tensor, view_mask: Tensor) -> tuple[Tensor, ...]:
        results = self.network(images, camera_from_device, view_mask)._asdict()
        self.names = [name for name, value in results.items() if value is not None]
        return tuple(results[name] for name in self.names)


def to_openvino(network: FastNetwork, example: tuple[Tensor, Tensor, Tensor]) -> openvino.Model:
    """Convert for the shapes of the example; outputs carry the names of `Results`.

    Not by `openvino.convert_model`, which spends ten seconds on inserting the conversions of inputs we do not need.
    """
    flat = _Flat(network)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing is deprecated, and warns of checks of shapes, which never change here
        traced = torch.jit.trace(flat, example, check_trace=False)  # type: ignore[no-untyped-call]
    frontend = FrontEndManager().load_by_framework("pytorch")
    frontend.add_extension(ConversionExtension("aten::arctan", lambda node: opset13.atan(node.get_input(0)).outputs()))
    decoder = TorchScriptPythonDecoder(traced, example_input=example)  # the frontend does not keep it alive
    model = frontend.convert(frontend.load(decoder))
    for parameter, value, kind in zip(model.get_parameters(), example, INPUT_TYPES, strict=True):
        parameter.set_element_type(kind)
        parameter.set_partial_shape(openvino.PartialShape(list(value.shape)))
    model.validate_nodes_and_infer_types()
    for output, name in zip(model.outputs, flat.names, strict=True):
        output.get_tensor().set_names({name})
    return model


def cpu_capabilities() -> list[str]:
    """Kinds of numbers the CPU computes with, as OpenVINO calls them: FP32, BF16, INT8 ..."""
    return list(_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))


@functools.cache
def _core() -> openvino.Core:
    return openvino.Core()


@functools.cache
def _sources() -> str:
    """Hash of the code that makes the graphs."""
    package = files("egorear_ros")
    digest = hashlib.sha256()
    for folder in ("network", "inference/optimised", "inference/engines"):
        for path in sorted(package.joinpath(folder).iterdir(), key=lambda path: path.name):
            if path.name.endswith(".py"):
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _lenses(network: nn.Module) -> list[str]:
    """The cameras a network has built in."""
    return [repr(module.cameras) for module in network.modules() if hasattr(module, "cameras")]
