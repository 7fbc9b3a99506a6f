"""`egorear benchmark`: figures follow from the samples, the file is complete, wrong names are one clear line."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from egorear_ros.benchmarking.machine import OtherWork, describe_machine, peak_memory_mib
from egorear_ros.benchmarking.model import draw_weights
from egorear_ros.benchmarking.report import engine_row
from egorear_ros.benchmarking.session import compare
from egorear_ros.benchmarking.settings import BenchmarkSettings
from egorear_ros.benchmarking.worker import Samples, Started
from egorear_ros.cli import main
from egorear_ros.network import EgoRearConfig, EgoRearSConfig, build
from egorear_ros.network.weights import save_weights

TINY = EgoRearSConfig(width=16, channels=16, dim=32, image_size=64, refinement_layers=1, lifting_layers=1)
STAGES = {"decode", "preprocess", "network", "postprocess", "end_to_end"}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    save_weights(path, build(TINY), TINY, {"made_by": "tests"})
    return str(path)


def run_of(shift_m: float, samples: list[Samples]) -> SimpleNamespace:
    truth = np.zeros((2, 16, 3), np.float32)
    poses = truth.copy()
    poses[1, 3, 0] += shift_m
    started = Started({"load": 1.0, "first_estimate": 0.5, "total": 3.0}, {}, "CPU", 2, poses, truth)
    settings = BenchmarkSettings("any", batch=4)
    return SimpleNamespace(
        settings=settings, engine="e", started=started, samples=samples, others_percent=[0.0], peak_memory_mib=10.0
    )


def test_figures_follow_from_the_samples() -> None:
    """An engine is compared with the baseline's turns beside its own, not with all of them."""
    baseline = run_of(0.0, [{"network": [0.1]}, {"network": [0.2, 0.2, 0.2]}])
    engine = run_of(0.016, [{"network": [0.04, 0.05]}, {"network": [0.05, 0.06]}])
    row = engine_row(engine, baseline, baseline.samples[1:])
    assert row["speedup"] == {"network": 4.0}
    assert row["pose_change_mm"] == {"largest": 16.0, "mean": 0.5, "mpjpe": 0.5}
    assert row["stages_ms"]["network"] == {"calls": 4, "mean": 50.0, "p50": 50.0, "p95": 58.5, "p99": 59.7}
    assert row["sets_per_s"] == {"network": 80.0} and row["round_p50_ms"] == {"network": [45.0, 55.0]}


def test_poses_of_random_weights_depend_on_the_images() -> None:
    """Otherwise no engine could be caught changing them."""
    network = build(EgoRearConfig(image_size=64, channels=16, lifting_layers=1)).eval()
    draw_weights(network)
    images = torch.rand(2, 4, 3, 64, 64, generator=torch.Generator().manual_seed(0)) - 0.5
    with torch.inference_mode():
        first, second = network(images).poses[-1]
        assert (first - second).norm(dim=-1).mean() > 1e-3 and first.abs().max() < 5
        draw_weights(network)
        torch.testing.assert_close(network(images).poses[-1][0], first)


def test_engines_side_by_side_in_one_file(tiny: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "figures.json"
    arguments = [
        "--model",
        tiny,
        "--engines",
        "reference",
        "torch",
        "--size",
        "80",
        "--seconds",
        "0.05",
        "--rounds",
        "2",
    ]
    assert main.main(["benchmark", *arguments, "--json", str(out)]) == 0
    assert "peak MiB" in capsys.readouterr().out
    result = json.loads(out.read_text())
    assert result["format"] == "egorear-benchmark/1" and result["model"]["preprocessing"] == "fast"
    assert [row["engine"] for row in result["engines"]] == ["reference", "torch"]
    for row in result["engines"]:
        assert set(row["stages_ms"]) == STAGES and len(row["round_p50_ms"]["network"]) == 2
        assert row["stages_ms"]["end_to_end"]["calls"] >= 10 and row["peak_memory_mib"] > 50
    assert result["engines"][1]["pose_change_mm"]["largest"] < 0.1
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"], "nothing half written lies beside it"


def test_a_batch_measures_the_network_and_an_engine_that_fails_is_in_the_result(tiny: str) -> None:
    settings = BenchmarkSettings(tiny, ("front_left", "rear_right"), batch=3, size_px=64, seconds=0.01, rounds=1)
    good, bad = compare(settings, ["nosuch"])["engines"]
    assert set(good["stages_ms"]) == {"network"} and good["failure"] is None
    assert bad["engine"] == "nosuch" and "nosuch" in bad["failure"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "nosuch"], "no model 'nosuch'"),
        (["--model", "heatmap-front"], "'heatmap-front' does not estimate poses"),
        (["--engines", "steam"], "there is no engine 'steam'"),
        (["--views", "top"], r"--views\[0\] is 'top', expected one of front_left"),
        (["--size", "3"], "--size is 3, expected a whole number from 16 to 4096"),
        (["--json", "/nowhere/a.json"], "--json: there is no folder '/nowhere'"),
    ],
)
def test_wrong_names_are_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["benchmark", "--engines", "reference", *arguments]) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_the_machine_is_described() -> None:
    machine = describe_machine()
    assert machine["cores"] >= 1 and machine["cpu"] and "torch" in machine["versions"]
    others = OtherWork().percent()
    assert others is None or 0 <= others <= 100
    before = peak_memory_mib()
    block = np.ones(60 * 2**20, np.uint8)
    assert peak_memory_mib() >= before and block.nbytes < 2**20 * peak_memory_mib()
