"""Which engines there are, which work here, and which one is taken."""

from __future__ import annotations

import importlib.util
import shutil
import warnings
from collections.abc import Callable
from typing import Final

import torch
from torch import nn

from egorear_ros.inference.engines.base import Engine, EngineError, EngineSpec, PoseConfig, Warn
from egorear_ros.rig import Rig

AUTO: Final = "auto"

ENGINES: Final[dict[str, str]] = {
    "reference": "the plain network in torch: the baseline",
    "torch": "rearranged network in torch, the same numbers to float rounding",
    "torch-compile": "the same, compiled by torch; the first frame set takes a minute",
    "cuda-graph": "rearranged network as a CUDA graph in bfloat16",
    "openvino": "rearranged network in OpenVINO, float32",
    "openvino-bf16": "the same in bfloat16, on CPUs that have it",
    "openvino-int8": "the same with 8-bit convolutions, calibrated on simulated images",
}
"""Name and description of every engine."""

PREFERENCE: Final = {
    "cuda": ("cuda-graph", "torch", "reference"),
    "cpu": ("openvino-bf16", "openvino", "torch", "reference"),
}
"""What `auto` tries, by kind of device. 8 bits are never chosen without being asked for."""


class EngineWarning(UserWarning):
    """The engine asked for cannot be used; another one is."""


def available_engines(device: torch.device | str = "cpu") -> dict[str, str]:
    """Name of every engine -> why it cannot be used on this device, or "" where it can."""
    return {name: _reason_against(name, torch.device(device)) for name in ENGINES}


def make_engine(
    name: str,
    network: nn.Module,
    config: PoseConfig,
    rig: Rig,
    device: torch.device | str,
    *,
    heatmaps: bool = True,
    warn: Warn | None = None,
) -> Engine:
    """Make a network ready to run.

    Args:
        name: a key of `ENGINES`, or "auto" for the best one that works.
        network: built from `config`.
        config: see `PoseConfig`.
        rig: has the cameras of `config.views`; their extrinsics are the default.
        device: where to run.
        heatmaps: whether heatmaps are wanted. Without them the official networks compute less.
        warn: called once, with the reason, if another engine than the one asked for is taken; None for a Python
            warning.

    Raises:
        EngineError: there is no engine of this name.
    """
    if name != AUTO and name not in ENGINES:
        raise EngineError(f"there is no engine '{name}'; known are {AUTO}, {', '.join(ENGINES)}")
    device = torch.device(device)
    spec = EngineSpec(network.to(device).eval(), config, rig.subset(config.views), device, heatmaps)
    preferred = [other for other in PREFERENCE.get(device.type, ("torch", "reference")) if other != name]
    failure = ""
    for candidate in preferred if name == AUTO else [name, *preferred]:
        engine, reason = _attempt(candidate, spec)
        if engine is not None:
            if failure:
                (warn or _warn)(f"{failure}; using engine '{engine.name}' instead")
            return engine
        # What merely does not fit this machine is no news to someone who left the choice to us.
        if not failure and (name != AUTO or not _reason_against(candidate, device)):
            failure = f"engine '{candidate}' cannot be used: {reason}"
    raise EngineError(failure)


def _attempt(name: str, spec: EngineSpec) -> tuple[Engine | None, str]:
    """Build and warm an engine, or say why that fails."""
    reason = _reason_against(name, spec.device)
    if reason:
        return None, reason
    size = spec.config.image_size
    try:
        engine = _MAKERS[name](spec)
        engine(torch.zeros(1, len(spec.config.views), 3, size, size, device=spec.device))
    except Exception as error:  # third-party compilers fail in many ways; the plain network always works
        if name == "reference":
            raise
        lines = str(error).strip().splitlines()
        return None, f"{type(error).__name__}: {lines[0] if lines else 'no reason given'}"
    return engine, ""


def _reason_against(name: str, device: torch.device) -> str:
    """Why an engine cannot be used on a device, as far as that can be told without building it."""
    if name == "cuda-graph":
        return "" if device.type == "cuda" else f"it runs on CUDA devices, the device is {device.type}"
    if name.startswith("openvino"):
        if device.type != "cpu":
            return f"it runs on the CPU, the device is {device.type}"
        if importlib.util.find_spec("openvino") is None:
            return "openvino is not installed; pip install 'egorear[engines]'"
        if name == "openvino-bf16" and not _cpu_has_bf16():
            return "this CPU has no bfloat16 arithmetic"
    if name == "torch-compile" and device.type == "cpu" and not shutil.which("c++"):
        return "torch compiles with a C++ compiler, and there is none; on Debian or Ubuntu: apt install build-essential"
    return ""


def _cpu_has_bf16() -> bool:
    from egorear_ros.inference.engines.openvino_engine import cpu_capabilities

    return "BF16" in cpu_capabilities()


def _openvino(name: str) -> Callable[[EngineSpec], Engine]:
    def make(spec: EngineSpec) -> Engine:
        from egorear_ros.inference.engines.openvino_engine import OpenVinoEngine  # takes a third of a second to load

        return OpenVinoEngine(spec, name)

    return make


def _torch(name: str) -> Callable[[EngineSpec], Engine]:
    def make(spec: EngineSpec) -> Engine:
        from egorear_ros.inference.engines.torch_engines import ReferenceEngine, TorchEngine

        return ReferenceEngine(spec) if name == "reference" else TorchEngine(spec, name)

    return make


def _cuda_graph(spec: EngineSpec) -> Engine:
    from egorear_ros.inference.engines.cuda_graph import CudaGraphEngine

    return CudaGraphEngine(spec)


_MAKERS: Final[dict[str, Callable[[EngineSpec], Engine]]] = {
    **{name: _torch(name) for name in ("reference", "torch", "torch-compile")},
    **{name: _openvino(name) for name in ENGINES if name.startswith("openvino")},
    "cuda-graph": _cuda_graph,
}


def _warn(message: str) -> None:
    warnings.warn(message, EngineWarning, stacklevel=3)
