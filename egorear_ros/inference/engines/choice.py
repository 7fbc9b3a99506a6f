"""Which engines there are, which work here, and which one is taken."""

from __future__ import annotations

import importlib.util
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import nn

from egorear_ros.extensions import Registry
from egorear_ros.inference.engines.base import Engine, EngineError, EngineSpec, PoseConfig, Warn
from egorear_ros.inference.engines.proof import WrongAnswersError, prove
from egorear_ros.rig import Rig

AUTO: Final = "auto"


def _no_reason(device: torch.device) -> str:
    return ""


@dataclass(frozen=True)
class EngineKind:
    """One way to run a network.

    Attributes:
        description: one line for the user.
        make: builds an engine; it imports what it needs, for not everybody has that.
        reason_against: why it cannot be used on a device, as far as that can be told without building it; "" if it can.
    """

    description: str
    make: Callable[[EngineSpec], Engine]
    reason_against: Callable[[torch.device], str] = _no_reason


def _torch(name: str) -> Callable[[EngineSpec], Engine]:
    def make(spec: EngineSpec) -> Engine:
        from egorear_ros.inference.engines.torch_engines import ReferenceEngine, TorchEngine

        return ReferenceEngine(spec) if name == "reference" else TorchEngine(spec, name)

    return make


def _against_compile(device: torch.device) -> str:
    if device.type == "cpu" and not shutil.which("c++"):
        return "torch compiles with a C++ compiler, and there is none; on Debian or Ubuntu: apt install build-essential"
    return ""


def _cuda_graph(spec: EngineSpec) -> Engine:
    from egorear_ros.inference.engines.cuda_graph import CudaGraphEngine

    return CudaGraphEngine(spec)


def _against_cuda_graph(device: torch.device) -> str:
    return "" if device.type == "cuda" else f"it runs on CUDA devices, the device is {device.type}"


def _openvino(name: str) -> Callable[[EngineSpec], Engine]:
    def make(spec: EngineSpec) -> Engine:
        from egorear_ros.inference.engines.openvino_engine import OpenVinoEngine  # takes a third of a second to load

        return OpenVinoEngine(spec, name)

    return make


def _against_openvino(device: torch.device) -> str:
    if device.type != "cpu":
        return f"it runs on the CPU, the device is {device.type}"
    if importlib.util.find_spec("openvino") is None:
        return "openvino is not installed; pip install 'egorear[engines]'"
    return ""


def _against_bf16(device: torch.device) -> str:
    from egorear_ros.inference.engines.openvino_engine import cpu_capabilities

    has_bf16 = "BF16" in cpu_capabilities()
    return "" if has_bf16 else "this CPU has no bfloat16 arithmetic"


ENGINES: Final[Registry[EngineKind]] = Registry(
    "engine",
    {
        "reference": EngineKind("the plain network in torch: the baseline", _torch("reference")),
        "torch": EngineKind("rearranged network in torch, the same numbers to float rounding", _torch("torch")),
        "torch-compile": EngineKind(
            "the same, compiled by torch; the first frame set takes a minute", _torch("torch-compile"), _against_compile
        ),
        "cuda-graph": EngineKind("rearranged network as a CUDA graph in bfloat16", _cuda_graph, _against_cuda_graph),
        "openvino": EngineKind("rearranged network in OpenVINO, float32", _openvino("openvino"), _against_openvino),
        "openvino-bf16": EngineKind(
            "the same in bfloat16, on CPUs that have it",
            _openvino("openvino-bf16"),
            lambda device: _against_openvino(device) or _against_bf16(device),
        ),
        "openvino-int8": EngineKind(
            "the same with 8-bit convolutions, calibrated on simulated images",
            _openvino("openvino-int8"),
            _against_openvino,
        ),
    },
)
"""Every engine by its name."""

PREFERENCE: Final = {
    "cuda": ("cuda-graph", "torch", "reference"),
    "cpu": ("openvino-bf16", "openvino", "torch", "reference"),
}
"""What `auto` tries, by kind of device. 8 bits and engines of other packages are taken only if they are asked for."""


class EngineWarning(UserWarning):
    """The engine asked for cannot be used; another one is."""


def available_engines(device: torch.device | str = "cpu") -> dict[str, str]:
    """Name of every engine -> why it cannot be used on this device, or "" where it can."""
    return {name: kind.reason_against(torch.device(device)) for name, kind in ENGINES.items()}


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
    """Make a network ready to run; every engine must first give what the plain network gives (`proof`).

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
        if not failure and (name != AUTO or not ENGINES[candidate].reason_against(device)):
            failure = f"engine '{candidate}' cannot be used: {reason}"
    raise EngineError(failure)


def _attempt(name: str, spec: EngineSpec) -> tuple[Engine | None, str]:
    """Build, warm and prove an engine, or say why that fails."""
    reason = ENGINES[name].reason_against(spec.device)
    if reason:
        return None, reason
    size = spec.config.image_size
    try:
        engine = ENGINES[name].make(spec)
        engine(torch.zeros(1, len(spec.config.views), 3, size, size, device=spec.device))
        if name != "reference":
            engine.proof = prove(engine, spec)
    except WrongAnswersError as error:
        return None, f"it is wrong here: {error}"
    except Exception as error:  # third-party compilers fail in many ways; the plain network always works
        if name == "reference":
            raise
        lines = str(error).strip().splitlines()
        return None, f"{type(error).__name__}: {lines[0] if lines else 'no reason given'}"
    return engine, ""


def _warn(message: str) -> None:
    warnings.warn(message, EngineWarning, stacklevel=3)
