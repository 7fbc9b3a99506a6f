"""The four-view network leaves Python: torch.export and ONNX give its numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor

from egorear_ros.network import EgoRearConfig, build
from egorear_ros.network.egorear import EgoRear
from egorear_ros.rig import load_rig

TOLERANCE_M = 1e-5  # 1e-3 cm


@pytest.fixture(scope="module")
def network() -> EgoRear:
    """All parts of egorear-4view, for small images, with poses some 60 cm below the cameras."""
    torch.manual_seed(0)
    network = build(EgoRearConfig(image_size=64))
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("sampling_offsets.bias"):
                parameter.normal_(0.0, 2.0)
            if name.startswith("refinement.initial_heads") and parameter.shape == (15,):
                parameter.fill_(0.5)
        network.lifter.proposal.mlp[-1].bias.normal_(0.0, 25.0)
        network.lifter.proposal.mlp[-1].bias[2::3] += 60.0
    return network.eval()


@pytest.fixture(scope="module")
def inputs() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(1, 4, 3, 64, 64, generator=generator)
    extrinsics = np.stack([camera.camera_from_device for camera in load_rig("ego4view").cameras])
    return images, torch.from_numpy(extrinsics).float()[None], torch.tensor([[True, True, True, False]])


@pytest.fixture(scope="module")
def program(network: EgoRear, inputs: tuple[Tensor, ...]) -> torch.export.ExportedProgram:
    return torch.export.export(network, inputs)


def results(network: EgoRear, inputs: tuple[Tensor, ...]) -> list[Tensor]:
    with torch.no_grad():
        output = network(*inputs)
    return [*output.heatmaps, *output.poses]


def test_torch_export_agrees(
    network: EgoRear, inputs: tuple[Tensor, ...], program: torch.export.ExportedProgram
) -> None:
    exported: EgoRear = program.module()
    for mask in (inputs[2], torch.ones_like(inputs[2])):
        for ours, theirs in zip(
            results(network, (*inputs[:2], mask)), results(exported, (*inputs[:2], mask)), strict=True
        ):
            torch.testing.assert_close(theirs, ours, rtol=0, atol=TOLERANCE_M)


def test_onnx_agrees(
    network: EgoRear, inputs: tuple[Tensor, ...], program: torch.export.ExportedProgram, tmp_path: Path
) -> None:
    path = tmp_path / "network.onnx"
    torch.onnx.export(program, (), path, dynamo=True, opset_version=20, optimize=False, verbose=False)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert [item.name for item in session.get_inputs()] == ["images", "camera_from_device", "view_mask"]
    found = session.run(None, {item.name: x.numpy() for item, x in zip(session.get_inputs(), inputs, strict=True)})
    expected = results(network, inputs)
    assert len(found) == len(expected) == 6
    for theirs, ours in zip(found, expected, strict=True):
        torch.testing.assert_close(torch.from_numpy(theirs), ours, rtol=0, atol=TOLERANCE_M)
    assert not torch.allclose(expected[-1], expected[-2], atol=TOLERANCE_M)  # a layer that does nothing would pass
