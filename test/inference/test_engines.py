"""Rearranged networks give the plain ones' numbers; engines agree, fall back with one warning, keep their graphs."""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from egorear_ros import resources
from egorear_ros.data.rig_clip import RigClip
from egorear_ros.inference import PoseEstimator
from egorear_ros.inference.engines import ENGINES, EngineError, available_engines, choice, make_engine
from egorear_ros.inference.engines.base import Engine, EngineSpec, PoseConfig
from egorear_ros.inference.engines.cache import cached
from egorear_ros.inference.engines.openvino_engine import OpenVinoEngine
from egorear_ros.inference.engines.torch_engines import ReferenceEngine
from egorear_ros.inference.estimator import find_weights
from egorear_ros.inference.optimised import optimise
from egorear_ros.network import EgoRearConfig, EgoRearSConfig, NetworkOutput, build
from egorear_ros.network.config import FRONT
from egorear_ros.network.weights import load_weights
from egorear_ros.rig import fit_equidistant, load_rig

RELATIVE = 2e-5
LENGTH_M = 2e-5  # every part that is rearranged changes the pose by more than this
INT8_M = 4e-3  # mean change of a joint of the shipped model; of random weights under bfloat16

CONFIGS: dict[str, PoseConfig] = {
    "egorear": EgoRearConfig(image_size=64, lifting_layers=2),
    "Syn projection": EgoRearConfig(image_size=64, syn_inplace_projection=True),
    "front": EgoRearConfig(FRONT, image_size=64),
    "three views": EgoRearConfig((*FRONT, "rear_right"), image_size=64),
    "unrefined": EgoRearConfig(FRONT, image_size=64, refinement=False),
    "egoposeformer": EgoRearConfig(FRONT, image_size=64, refinement=False, heatmaps=False, proposal="pooling"),
    "egoposeformer, refined": EgoRearConfig(FRONT, image_size=64, proposal="pooling"),
    "egorear-s": EgoRearSConfig(image_size=64, width=16, channels=32, dim=32, refinement_layers=1, lifting_layers=1),
}
COMPILED: list[str] = ["egorear", "egorear-s"]
RIG = load_rig("ego4view")


def network_of(config: PoseConfig) -> nn.Module:
    """Random weights of a trained network's kind: nothing is zero, half of the anchors are valid, poses are below."""
    torch.manual_seed(0)
    network = build(config)
    own = isinstance(config, EgoRearSConfig)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if own:
                parameter.add_(0.02 * torch.randn_like(parameter))
            elif name.endswith(("sampling_offsets.weight", "attention_weights.weight")):
                parameter.normal_(0.0, 0.1)
            elif name.endswith("sampling_offsets.bias"):
                parameter.normal_(0.0, 4.0)  # some points lie outside the map
            elif "head" in name and len(parameter) == 15:
                parameter.normal_(0.5, 0.05) if name.endswith("bias") else parameter.mul_(0.1)
            elif parameter.ndim > 1 and name.endswith("weight"):
                parameter.normal_(0.0, math.sqrt(2.0 / parameter[0].numel()))
            elif not name.endswith("weight"):
                parameter.normal_(0.0, 0.1)
        for name, buffer in network.named_buffers():
            if name.endswith("running_var"):
                buffer.uniform_(0.8, 1.25)
            elif name.endswith("running_mean"):
                buffer.normal_(0.0, 0.1)
        if not own:
            network.lifter.proposal.mlp[-1].bias.normal_(0.0, 25.0)
            network.lifter.proposal.mlp[-1].bias[2::3] += 60.0
    return network.eval()


def extrinsics_of(config: PoseConfig, batch: int) -> Tensor:
    matrices = np.stack([RIG[view].camera_from_device for view in config.views])
    matrices[:, :3, 3] += 0.01  # not those the network has built in
    return torch.from_numpy(matrices)[None].float().expand(batch, -1, -1, -1)


def images_of(config: PoseConfig, batch: int = 1) -> Tensor:
    size = config.image_size
    return torch.randn(batch, len(config.views), 3, size, size, generator=torch.Generator().manual_seed(1))


def masks_of(config: PoseConfig) -> list[Tensor | None]:
    """All views; several subsets of them, in one batch."""
    views = len(config.views)
    subsets = [[True] * views, [True] + [False] * (views - 1), [False] + [True] * (views - 1)]
    return [None, torch.tensor(subsets)]


def assert_close(found: Tensor | None, expected: Tensor | None) -> None:
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        torch.testing.assert_close(found, expected, rtol=0, atol=RELATIVE * expected.abs().max().item())


@pytest.fixture(scope="module", params=CONFIGS)
def config(request: pytest.FixtureRequest) -> PoseConfig:
    return CONFIGS[request.param]


def test_rearranged_networks_give_the_same_numbers(config: PoseConfig) -> None:
    network = network_of(config)
    for mask in masks_of(config):
        batch = 1 if mask is None else len(mask)
        images, extrinsics = images_of(config, batch), extrinsics_of(config, batch)
        with torch.no_grad():
            expected = network(images, extrinsics, mask)
            found = optimise(network)(images, extrinsics, mask)
        assert (found.pose - expected.poses[-1]).abs().max() <= LENGTH_M
        assert_close(found.pose, expected.poses[-1])
        assert_close(found.log_std, expected.log_std)
        assert_close(found.heatmaps, None if expected.heatmaps is None else expected.heatmaps[-1])


def test_what_is_rearranged_matters() -> None:
    """Positions, view validity and points outside the map all change the pose, or the test above shows nothing."""
    config = CONFIGS["egorear"]
    network = network_of(config)
    inputs = images_of(config), extrinsics_of(config, 1)
    fast = optimise(network)
    seen: list[tuple[Tensor, Tensor]] = []
    fast.refinement.layers.register_forward_pre_hook(lambda _, args: seen.append(args[2:]))
    pose = fast(*inputs, None).pose
    valid = seen[0][1]
    assert 0.1 < valid.mean() < 0.9
    for name in ("table", "value_bias", "said_bias"):
        changed = optimise(network)
        getattr(changed.refinement.layers.cross, name).zero_()
        assert (changed(*inputs, None).pose - pose).abs().max() > LENGTH_M, name


@pytest.mark.parametrize("name", COMPILED)
def test_heatmaps_are_left_out_where_nobody_wants_them(name: str) -> None:
    config = CONFIGS[name]
    network = network_of(config)
    inputs = images_of(config), extrinsics_of(config, 1), None
    with_maps, without = optimise(network)(*inputs), optimise(network, heatmaps=False)(*inputs)
    assert without.heatmaps is None
    torch.testing.assert_close(without.pose, with_maps.pose)


@pytest.mark.parametrize("name", COMPILED)
def test_openvino_gives_the_same_pose(name: str) -> None:
    config = CONFIGS[name]
    network = network_of(config)
    reference = make_engine("reference", network, config, RIG, "cpu")
    engine = make_engine("openvino", network, config, RIG, "cpu", warn=pytest.fail)
    assert engine.name == "openvino"
    images = images_of(config)
    for present in ((True,) * 4, (True, True, False, False), (False, False, False, True)):
        mask = None if all(present) else torch.tensor([present])
        for extrinsics in (None, extrinsics_of(config, 1)):
            expected, found = reference(images, extrinsics, mask), engine(images, extrinsics, mask)
            assert (found.poses[-1] - expected.poses[-1]).abs().max() <= LENGTH_M
            assert_close(found.heatmaps[-1], expected.heatmaps[-1])
            assert_close(found.log_std, expected.log_std)


def test_openvino_takes_lenses_of_an_own_rig() -> None:
    """Equidistant ones, whose inverse is found step by step: a long graph."""
    cameras = tuple(replace(camera, model=fit_equidistant(camera.model)[0]) for camera in RIG.cameras)
    rig, config = replace(RIG, cameras=cameras), EgoRearSConfig()
    torch.manual_seed(0)
    network, images = build(config, rig).eval(), images_of(config)
    reference = make_engine("reference", network, config, rig, "cpu")
    engine = make_engine("openvino", network, config, rig, "cpu", warn=pytest.fail)
    assert engine.name == "openvino"
    assert (engine(images).poses[-1] - reference(images).poses[-1]).abs().max() <= LENGTH_M


def test_a_batch_is_its_samples() -> None:
    config = CONFIGS["egorear-s"]
    engine = make_engine("openvino", network_of(config), config, RIG, "cpu", warn=pytest.fail)
    images = images_of(config, 2)
    both = engine(images).poses[-1]
    for i in range(2):
        torch.testing.assert_close(both[i : i + 1], engine(images[i : i + 1]).poses[-1], atol=1e-5, rtol=0)


def test_eight_bits_change_the_shipped_models_pose_a_little() -> None:
    """On frame sets that it was not calibrated on."""
    clip = RigClip(resources.find("assets/demo_clip"))
    exact, fast = (PoseEstimator.from_pretrained("egorear-s", "cpu", name) for name in ("torch", "openvino-int8"))
    assert fast.engine.name == "openvino-int8"
    changes = []
    for index in range(7, len(clip), 16):
        images = {view: clip.view(view, index) for view in fast.views}
        change = fast.estimate(images).joints_device_m - exact.estimate(images).joints_device_m
        changes.append(np.linalg.norm(change, axis=-1))
    assert 0 < np.mean(changes) < INT8_M
    assert share_of_eight_bits(fast.engine) > 0.8


def share_of_eight_bits(engine: Engine) -> float:
    """Of the convolutions, by what the processor runs: a graph with ranges of 8 bits may still compute with floats."""
    assert isinstance(engine, OpenVinoEngine)
    nodes = [node.get_rt_info() for node in engine._requests[1].get_compiled_model().get_runtime_model().get_ops()]
    kinds = [node["primitiveType"].astype(str) for node in nodes if node["layerType"].astype(str) == "Convolution"]
    return float(np.mean([kind.endswith("_I8") for kind in kinds]))


def test_a_view_set_of_the_wrong_size_is_refused() -> None:
    config = CONFIGS["egorear-s"]
    network = network_of(config)
    for name in ("reference", "torch", "openvino"):
        with pytest.raises(ValueError, match="images have shape"):
            make_engine(name, network, config, RIG, "cpu")(images_of(config)[:, :2])


def test_auto_takes_the_best_that_works_and_is_silent_about_it() -> None:
    config = CONFIGS["egorear-s"]
    engine = make_engine("auto", network_of(config), config, RIG, "cpu", warn=pytest.fail)
    assert engine.name in ("openvino", "openvino-bf16")


def test_a_fall_back_is_one_warning_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    config = CONFIGS["egorear-s"]
    network, warnings = network_of(config), list[str]()
    engine = make_engine("cuda-graph", network, config, RIG, "cpu", warn=warnings.append)
    assert engine.name.startswith("openvino")
    assert len(warnings) == 1
    assert "'cuda-graph' cannot be used: it runs on CUDA devices" in warnings[0] and engine.name in warnings[0]

    def broken(_: object) -> None:
        raise RuntimeError("no such operation\nand more")

    for name in ENGINES:
        if name.startswith("openvino"):
            monkeypatch.setitem(ENGINES._things, name, dataclasses.replace(ENGINES[name], make=broken))
    for asked in ("auto", "openvino"):
        warnings.clear()
        assert make_engine(asked, network, config, RIG, "cpu", warn=warnings.append).name == "torch"
        assert len(warnings) == 1 and "RuntimeError: no such operation; using engine 'torch'" in warnings[0]
    with pytest.warns(choice.EngineWarning, match="no such operation"):
        make_engine("openvino", network, config, RIG, "cpu")


class Wrong:
    """The plain network with a mistake."""

    name, proof = "openvino", ""

    def __init__(self, mistake: str, spec: EngineSpec) -> None:
        self._mistake, self._reference = mistake, ReferenceEngine(spec)

    def __call__(
        self, images: Tensor, camera_from_device: Tensor | None = None, view_mask: Tensor | None = None
    ) -> NetworkOutput:
        if self._mistake == "mask":
            view_mask = None
        if self._mistake == "extrinsics":
            camera_from_device = None
        if self._mistake == "colours":
            images = images.flip(2)
        if self._mistake == "views":
            images = images[:, [1, 0, 2, 3]]
        output = self._reference(images, camera_from_device, view_mask)
        assert output.poses is not None and output.heatmaps is not None
        pose = output.poses[-1]
        changed = {
            "shifted": {"poses": (pose + 0.002,)},
            "not finite": {"poses": (pose * float("nan"),)},
            "another shape": {"poses": (pose[:, :15],)},
            "no pose": {"poses": None},
            "heatmaps": {"heatmaps": (torch.zeros_like(output.heatmaps[-1]),)},
            "log_std": {"log_std": None if output.log_std is None else output.log_std - 1.0},
        }
        return output._replace(**changed.get(self._mistake, {}))


def use_instead(monkeypatch: pytest.MonkeyPatch, name: str, mistake: str) -> None:
    """Let an engine's name stand for a wrong one."""
    wrong = dataclasses.replace(ENGINES[name], make=lambda spec: Wrong(mistake, spec))
    monkeypatch.setitem(ENGINES._things, name, wrong)


MISTAKES = (
    *("mask", "extrinsics", "colours", "views", "shifted", "not finite", "another shape", "no pose", "heatmaps"),
    "log_std",
)


@pytest.fixture(scope="module")
def shipped() -> tuple[nn.Module, PoseConfig]:
    """Trained weights: what random ones say depends little on what they see."""
    network, card = load_weights(find_weights("egorear-s"))
    assert isinstance(card.config, EgoRearSConfig)
    return network, card.config


@pytest.mark.parametrize("mistake", MISTAKES)
def test_auto_keeps_no_engine_that_is_wrong(
    mistake: str, shipped: tuple[nn.Module, PoseConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    network, config = shipped
    for name in ENGINES:
        if name.startswith("openvino"):
            use_instead(monkeypatch, name, mistake)
    for asked in ("auto", "openvino"):
        warnings = list[str]()
        engine = make_engine(asked, network, config, RIG, "cpu", warn=warnings.append)
        assert engine.name == "torch" and len(warnings) == 1
        assert "it is wrong here: it" in warnings[0] and "using engine 'torch'" in warnings[0]


def test_an_engine_says_how_it_proved_itself(
    shipped: tuple[nn.Module, PoseConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    network, config = shipped
    assert make_engine("reference", network, config, RIG, "cpu").proof == ""
    right = make_engine("auto", network, config, RIG, "cpu", warn=pytest.fail)
    assert re.fullmatch(r"its first answers are within \S+ mm of the plain network's", right.proof)
    use_instead(monkeypatch, "openvino", "none")
    assert make_engine("openvino", network, config, RIG, "cpu", warn=pytest.fail).proof.startswith(
        "its first answers are within 0 mm"
    )


def test_without_openvino_there_is_still_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    find = choice.importlib.util.find_spec
    monkeypatch.setattr(choice.importlib.util, "find_spec", lambda name: None if name == "openvino" else find(name))
    config = CONFIGS["egorear-s"]
    assert make_engine("auto", network_of(config), config, RIG, "cpu", warn=pytest.fail).name == "torch"
    assert "not installed" in available_engines()["openvino-int8"]


def test_unknown_engines_are_named() -> None:
    config = CONFIGS["egorear-s"]
    with pytest.raises(EngineError, match=r"no engine 'tensorrt'; known are auto, reference"):
        make_engine("tensorrt", network_of(config), config, RIG, "cpu")
    assert set(available_engines()) == set(ENGINES)
    assert available_engines()["reference"] == "" and "CUDA" in available_engines()["cuda-graph"]


def test_graphs_are_made_once_and_whole(own_cache: Path) -> None:
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "graph").write_text("x")

    def fail(folder: Path) -> None:
        (folder / "graph").write_text("half")
        raise OSError("disk full")

    assert cached("key", make) == cached("key", make) == own_cache / "egorear" / "engines" / "key"
    assert len(made) == 1
    with pytest.raises(OSError, match="disk full"):
        cached("other", fail)
    assert not (own_cache / "egorear" / "engines" / "other").exists()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", COMPILED)
def test_cuda_graph_gives_nearly_the_same_pose(name: str) -> None:
    config = CONFIGS[name]
    network = network_of(config).cuda()
    reference = make_engine("reference", network, config, RIG, "cuda")
    engine = make_engine("cuda-graph", network, config, RIG, "cuda", warn=pytest.fail)
    images = images_of(config).cuda()
    for mask in (None, torch.tensor([[True, False, True, True]], device="cuda")):
        difference = engine(images, None, mask).poses[-1] - reference(images, None, mask).poses[-1]
        assert difference.norm(dim=-1).mean() < INT8_M
