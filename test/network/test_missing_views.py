"""A missing view says nothing, whatever its image holds, and is not computed where nobody has it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from egorear_ros.network import EgoRearConfig, EgoTapHeatmapConfig, EgoTapLiftingConfig, NetworkOutput, build
from egorear_ros.network.config import NetworkConfig

SMALL: dict[str, NetworkConfig] = {
    "egorear": EgoRearConfig(image_size=64),
    "egorear, Syn projection": EgoRearConfig(image_size=64, syn_inplace_projection=True),
    "egorear without refinement": EgoRearConfig(image_size=64, refinement=False),
    "egoposeformer": EgoRearConfig(image_size=64, refinement=False, proposal="pooling"),
    "egoposeformer with refinement": EgoRearConfig(image_size=64, proposal="pooling"),
    "refinement": EgoRearConfig(image_size=64, lifting=False),
    "egotap heatmaps": EgoTapHeatmapConfig("limb"),
}


def network_of(config: NetworkConfig) -> nn.Module:
    torch.manual_seed(0)
    network = build(config)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("sampling_offsets.bias"):
                parameter.normal_(0.0, 2.0)
            if "head" in name and name.endswith("bias") and parameter.shape == (15,):
                parameter.fill_(0.5)  # so that about half of the anchors are valid
    return network.eval()


def tensors(output: NetworkOutput) -> list[Tensor]:
    return [*(output.heatmaps or ()), *(output.poses or ())]


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("mode", ["eval", "train"])
def test_content_of_a_missing_view_changes_nothing(name: str, mode: str) -> None:
    """Not even NaN, not even through batch normalisation; alone in the batch, or with a sample that has the view."""
    views = 2 if name == "egotap heatmaps" else 4
    network = network_of(SMALL[name]).train(mode == "train")
    images = torch.randn(3, views, 3, 64, 64)
    mask = torch.ones(3, views, dtype=torch.bool)
    mask[0, 1] = mask[1, -1] = False
    other = images.clone()
    other[0, 1] = float("nan")
    other[1, -1] = 7.0
    with torch.no_grad():
        first, second = tensors(network(images, None, mask)), tensors(network(other, None, mask))
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a, b)
        assert torch.isfinite(a).all()


@pytest.mark.parametrize("name", [name for name in SMALL if name != "egotap heatmaps"])
def test_a_view_matters_while_it_is_there(name: str) -> None:
    """Otherwise the test above could not fail."""
    network = network_of(SMALL[name])
    images = torch.randn(1, 4, 3, 64, 64)
    other = images.clone()
    other[0, 3] += 1.0
    with torch.no_grad():
        first, second = tensors(network(images)), tensors(network(other))
    assert not torch.equal(first[-1], second[-1])


@pytest.mark.parametrize("name", [name for name in SMALL if name != "egotap heatmaps"])
def test_skipping_a_view_gives_what_computing_it_would(name: str) -> None:
    """A batch where nobody has a view, and the same sample in a batch where somebody has it."""
    network = network_of(SMALL[name])
    images = torch.randn(2, 4, 3, 64, 64)
    mask = torch.tensor([[True, True, False, False], [True, True, True, True]])
    with torch.no_grad():
        alone = tensors(network(images[:1], None, mask[:1]))
        together = tensors(network(images, None, mask))
    for a, b in zip(alone, together, strict=True):
        torch.testing.assert_close(a, b[:1], rtol=1e-4, atol=1e-5)


def test_a_missing_pair_is_not_computed() -> None:
    network = network_of(SMALL["egorear"])
    called: list[str] = []
    for name, module in network.named_modules():
        if name in ("estimators.rear.encoder", "refinement.refiners.rear_left", "refinement.refiners.front_left"):
            module.register_forward_hook(lambda _m, _i, _o, name=name: called.append(name))
    mask = torch.tensor([[True, True, False, False]])
    with torch.no_grad():
        network(torch.randn(1, 4, 3, 64, 64), None, mask)
    assert called == ["refinement.refiners.front_left"]


def test_missing_view_is_an_invalid_anchor() -> None:
    """With the proposal's input blanked as well, an EgoRear lifter cannot tell the two apart."""
    lifter = network_of(SMALL["egorear without refinement"]).lifter
    features = torch.randn(1, 4, 128, 16, 16)
    extrinsics = torch.eye(4).expand(1, 4, 4, 4).clone()
    mask = torch.tensor([[True, True, True, False]])
    far = extrinsics.clone()
    far[:, 3, 0, 3] = 1e6  # the whole body far outside this view's image
    summaries = []
    lifter.proposal.convolutions.register_forward_hook(lambda _m, _i, out: summaries.append(out))
    with torch.no_grad():
        masked = lifter(features, None, extrinsics, mask)
        proposal = lifter.proposal.mlp(
            torch.cat([summaries[0][:3], torch.zeros_like(summaries[0][3:])]).flatten()[None]
        )
        lifter.proposal.forward = lambda *_: proposal
        outside = lifter(features, None, far)
    for a, b in zip(masked, outside, strict=True):
        torch.testing.assert_close(a, b)


def test_egotap_lifting_ignores_missing_views() -> None:
    torch.manual_seed(0)
    lifting = build(EgoTapLiftingConfig(vit_dim=32)).eval()
    joints, limbs = torch.rand(2, 2, 15, 64, 64), torch.rand(2, 2, 30, 64, 64)
    mask = torch.tensor([[True, False], [True, True]])
    other = joints.clone(), limbs.clone()
    other[0][0, 1], other[1][0, 1] = 9.0, float("nan")
    with torch.no_grad():
        assert torch.equal(lifting.lift(joints, limbs, mask), lifting.lift(*other, mask))
        assert not torch.equal(lifting.lift(joints, limbs), lifting.lift(joints, limbs, mask))
