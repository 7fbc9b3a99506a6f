"""Registry, configurations, official key tables, and cost."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
import torch

from egorear_ros.cli import main
from egorear_ros.network import (
    OFFICIAL_MODELS,
    VIEW_SETS,
    ConfigError,
    EgoRearConfig,
    EgoTapConfig,
    EgoTapLiftingConfig,
    HeatmapConfig,
    build,
    config_of,
    list_models,
)
from egorear_ros.network.cost import cost_of, example_inputs
from egorear_ros.network.official import official_layout
from egorear_ros.network.weights import config_from_json, config_to_json
from egorear_ros.rig import RigError, load_rig
from test.golden_spec import GOLDEN


def key_tables() -> dict[str, dict[str, list[int]]]:
    return json.loads(gzip.decompress((GOLDEN.parent / "official_keys.json.gz").read_bytes()))


@pytest.mark.parametrize("name", OFFICIAL_MODELS)
def test_every_official_entry_has_its_place_and_shape(name: str) -> None:
    with torch.device("meta"):
        network = build(OFFICIAL_MODELS[name].config)
    shapes = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    expected = {key: tuple(shape) for key, shape in key_tables()[name].items()}
    assert official_layout(name, network).shapes(shapes) == expected


@pytest.mark.parametrize(
    ("name", "views", "parameters", "gflop"),
    [
        ("egorear-4view", 4, 126_047_857, 64.37),
        ("egorear-front", 2, 42_242_357, 28.92),
        ("refinement-4view", 4, 57_436_664, 61.11),
        ("heatmap-front", 2, 11_843_279, 13.63),
        ("egoposeformer-front", 2, 14_172_601, 14.71),
        ("egotap-heatmap-joint-front", 2, 36_143_562 - 513_000, 53.64),  # without the unused classifier
    ],
)
def test_cost_is_that_of_the_official_network(name: str, views: int, parameters: int, gflop: float) -> None:
    cost = cost_of(config_of(name))
    assert (cost.views, cost.parameters) == (views, parameters)
    assert cost.flops / 1e9 == pytest.approx(gflop, abs=0.006)


def test_paper_tables_are_covered() -> None:
    for views in VIEW_SETS:
        assert {f"egorear-{views}", f"egorear-{views}-unrefined", f"refinement-{views}"} <= set(list_models())
        assert {f"egoposeformer-{views}", f"egoposeformer-{views}+refinement"} <= set(list_models())
    for views in ("front", "4view"):
        assert {f"egotap-{views}", f"egotap-{views}+refinement"} <= set(list_models())


@pytest.mark.parametrize("name", list_models())
def test_every_network_runs(name: str) -> None:
    """On the meta device: shapes only."""
    config = config_of(name)
    with torch.device("meta"), torch.no_grad():
        output = build(config).eval()(*example_inputs(config, batch=2))
    for pose in output.poses or ():
        assert pose.shape == (2, 16, 3)
    for maps in output.heatmaps or ():
        size = getattr(config, "image_size", 256) // 4
        assert maps.shape[0] == 2 and maps.shape[2] in (15, 30) and maps.shape[3:] == (size, size)
    stages = (len(output.heatmaps or ()), len(output.poses or ()))
    refined = name == "egorear-s" or (isinstance(config, EgoRearConfig | EgoTapConfig) and config.refinement)
    assert stages[0] == (2 if refined else 0 if "egoposeformer" in name or "lifting" in name else 1)


@pytest.mark.parametrize("name", list_models())
def test_configurations_survive_json(name: str) -> None:
    content = json.loads(json.dumps(config_to_json(config_of(name))))
    assert config_from_json(content) == config_of(name)


@pytest.mark.parametrize("backbone", ["resnet34", "resnet50"])
def test_larger_backbones_run(backbone: str) -> None:
    with torch.device("meta"), torch.no_grad():
        output = build(EgoRearConfig(backbone=backbone)).eval()(torch.zeros(1, 4, 3, 256, 256))
    assert output.poses[-1].shape == (1, 16, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EgoRearConfig(("rear_left", "front_left")), "views"),
        (lambda: EgoRearConfig(()), "views"),
        (lambda: EgoRearConfig(image_size=100), "image_size is 100"),
        (lambda: EgoRearConfig(refinement=False, lifting=False), "refinement"),
        (lambda: EgoRearConfig(proposal="guess"), "proposal is 'guess'"),
        (lambda: EgoRearConfig(syn_inplace_projection=True, extrinsics="input"), "syn_inplace_projection"),
        (lambda: EgoRearConfig(length_unit_m=0.0), "length_unit_m"),
        (lambda: HeatmapConfig(backbone="resnet19"), "resnet18, resnet34, resnet50"),
        (lambda: EgoTapConfig(("front_left",)), "whole stereo pairs"),
        (lambda: EgoTapConfig(lifting=EgoTapLiftingConfig(views=4)), "2 views"),
        (lambda: EgoTapConfig(image_size=128), "32 x 32 heatmaps"),
        (lambda: EgoTapLiftingConfig(map_size=10), "map_size is 10, expected a whole number above 0, a multiple of 4"),
        (lambda: config_of("egorear-5view"), "egorear-4view"),
        (lambda: config_from_json({"kind": "egorear", "colour": 1}), "unknown field 'colour'"),
    ],
)
def test_bad_configurations_say_what_is_wrong(make: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


def test_rig_without_a_view_is_refused() -> None:
    with pytest.raises(RigError, match="rear_left"):
        build("egorear-4view", load_rig("unrealego"))


def test_wrong_inputs_say_what_is_wrong() -> None:
    network = build(EgoRearConfig(("front_left", "front_right"), image_size=64, extrinsics="input")).eval()
    images = torch.zeros(1, 2, 3, 64, 64)
    with pytest.raises(ValueError, match="camera_from_device is required"):
        network(images)
    with pytest.raises(ValueError, match=r"expected \(1, 2, 4, 4\)"):
        network(images, torch.eye(4)[None])
    with pytest.raises(ValueError, match=r"\(B, 2, 3, H, W\)"):
        network(torch.zeros(1, 4, 3, 64, 64))
    with pytest.raises(ValueError, match="False everywhere"):
        network(images, None, torch.zeros(1, 2, dtype=torch.bool))
    with pytest.raises(ValueError, match="expected bool"):
        network(images, None, torch.ones(1, 2))


def test_models_command_lists_parameters_and_flops(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["models", "--cost", "heatmap-front"]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if "heatmap-front" in line)
    assert row.split() == ["heatmap-front", "2", "11.84", "13.63"]
    assert main.main(["models", "nonsense"]) == 1
    assert "there is no model 'nonsense'" in capsys.readouterr().err
