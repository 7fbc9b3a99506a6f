"""The command that makes the results table: what has weights is measured, what has none is said."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from egorear_ros.network import build, config_of, list_models, save_weights
from egorear_ros.network.config import EgoRearSConfig
from test.training.conftest import FRAME_SETS

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "egorear_sim.py"
TINY = EgoRearSConfig(width=16, channels=16, dim=32, image_size=64, refinement_layers=1, lifting_layers=1)


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    folder = tmp_path / "shards"
    folder.mkdir()
    with np.load(FRAME_SETS) as content:
        np.savez(folder / "shard_00000.npz", **{name: content[name] for name in content.files})
    return folder


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *map(str, arguments)])
    runpy.run_path(str(SCRIPT), run_name="__main__")


def test_rows_with_weights_are_measured_and_the_others_named(
    tmp_path: Path, shards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_weights(tmp_path / "s.safetensors", build(TINY), TINY, {"training": {"steps": 7}})
    (tmp_path / "w.yaml").write_text(yaml.safe_dump({"egorear-s": [str(tmp_path / "s.safetensors")] * 2}))
    arguments = ["--weights", tmp_path / "w.yaml", "--data", shards, "--training", shards, "--sets", 2]
    call(monkeypatch, "table", *arguments, "--out", tmp_path / "table.md")
    rows = [line.split(" | ") for line in (tmp_path / "table.md").read_text().splitlines() if " | " in line]
    by_name = {(row[0].strip("| "), row[1]): row[2:] for row in rows}
    assert all("+- 0.0" in text for text in by_name["egorear-s", "with"])
    assert by_name["egorear-s", "without"] == ["no weights"] * 3 + ["no weights |"]
    assert by_name["EgoTAP", "without"][1:3] == ["no such system"] * 2
    assert by_name["nearest picture", ""][3] == "0.0 (0.0) |", "it looks up its own training data"
    assert ["egorear-s", "?", "?", "7"] == [text.strip("| ") for text in rows[-1][:4]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("no-such-row: a", "unknown row 'no-such-row'"),
        ("egorear-s-unrefined: {}", "another network"),
        ("1", "must map"),
    ],
)
def test_mixed_up_weights_are_refused(
    tmp_path: Path, shards: Path, monkeypatch: pytest.MonkeyPatch, content: str, message: str
) -> None:
    save_weights(tmp_path / "s.safetensors", build(TINY), TINY, {})
    (tmp_path / "w.yaml").write_text(content.replace("{}", str(tmp_path / "s.safetensors")))
    with pytest.raises(SystemExit, match=message):
        call(monkeypatch, "table", "--weights", tmp_path / "w.yaml", "--data", shards)


def test_training_goes_row_by_row_with_one_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row's networks share the steps, two of one stage, too; failed rows are begun again, finished ones not."""
    commands: list[list[str]] = []
    failing = ["egotap-front"]

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, int(failing != [] and failing[0] in command))

    monkeypatch.setattr(subprocess, "run", run)
    rows = ["egoposeformer-front+refinement", "egotap-front", "egorear-s-unrefined"]
    arguments = [
        "train",
        "--data",
        "d",
        "--validation",
        "v",
        "--configs",
        SCRIPT.parents[1] / "config" / "training",
        "--steps",
        60,
    ]
    arguments += ["--runs", tmp_path / "runs", "--seeds", 3, "--rows", *rows]
    with pytest.raises(SystemExit, match="'egotap-front' stopped in stage 1"):
        call(monkeypatch, *arguments)
    assert [command[command.index("--steps") + 1] for command in commands] == ["20", "20", "20", "20"]
    failing.clear()
    commands.clear()
    call(monkeypatch, *arguments)
    assert [command[command.index("--out") + 1].split("/")[-1] for command in commands] == [
        "egotap-front-seed3", "egotap-front-seed3", "egorear-s-unrefined-seed3"
    ]  # fmt: skip
    assert [command[command.index("--steps") + 1] for command in commands] == ["20", "20", "60"]
    weights = yaml.safe_load((tmp_path / "runs" / "weights.yaml").read_text())
    assert list(weights) == sorted(rows) and weights["egotap-front"][0].endswith("stage3/best.safetensors")
    settings = yaml.safe_load((tmp_path / "runs" / "egorear-s-unrefined-seed3" / "config.yaml").read_text())
    assert settings["seed"] == 3 and settings["network"]["refinement_layers"] == 0


def test_the_rows_are_those_of_the_registry() -> None:
    rows = runpy.run_path(str(SCRIPT))["all_rows"]()
    systems = {name for name in list_models() if name.startswith(("egorear-", "egoposeformer-", "egotap-"))}
    parts = {name for name in systems if name.startswith(("egotap-heatmap", "egotap-lifting"))}
    assert set(rows) == (systems - parts - {"egoposeformer-unrealego"}) | {"egorear-s-unrefined"}
    assert all(config_of(row) for row in rows if row != "egorear-s-unrefined")
