"""The command that makes the results table: what has weights is measured, what has none is said."""

from __future__ import annotations

import dataclasses
import itertools
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from egorear_ros.network import build, config_of, list_models, save_weights
from egorear_ros.network.config import EgoRearSConfig
from egorear_ros.training.checkpoint import CHECKPOINT
from egorear_ros.training.config import load_config
from egorear_ros.training.stages import jobs_of
from test.training.conftest import FRAME_SETS

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "egorear_sim.py"
NARROW = SCRIPT.parent / "narrow"
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


def tables_of(path: Path) -> list[dict[str, list[str]]]:
    """Each table of a Markdown file: first column and, if it says so, the refinement -> the other cells."""
    tables: list[dict[str, list[str]]] = []
    for line in path.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| lifter") or line.startswith("| row"):
            named, table = 1 + (cells[1] == "refinement"), {}
            tables.append(table)
        elif line.startswith("| ") and "---" not in line:
            table[" ".join(filter(None, cells[:named]))] = cells[named:]
    return tables


def test_rows_with_weights_are_measured_and_the_others_named(
    tmp_path: Path, shards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    plain = dataclasses.replace(TINY, refinement_layers=0)
    for name, config in (("s", TINY), ("p", plain)):
        save_weights(tmp_path / f"{name}.safetensors", build(config), config, {"training": {"steps": 7}})
    files = {"egorear-s": [str(tmp_path / "s.safetensors")] * 2, "egorear-s-unrefined": str(tmp_path / "p.safetensors")}
    (tmp_path / "w.yaml").write_text(yaml.safe_dump(files))
    arguments = ["--weights", tmp_path / "w.yaml", "--data", shards, "--training", shards, "--sets", 2]
    call(monkeypatch, "table", *arguments, "--out", tmp_path / "table.md")
    errors, refinement, views, budgets = tables_of(tmp_path / "table.md")
    assert all("+- 0.0" in text for text in errors["egorear-s with"])
    assert errors["EgoPoseFormer without"] == ["no weights"] * 4
    assert errors["EgoTAP without"][1:3] == ["no such system"] * 2
    assert errors["nearest picture"][3] == "0.0 (0.0)", "it looks up its own training data"
    means = {row: [float(text.split()[0]) for text in errors[row]] for row in ("egorear-s with", "egorear-s without")}
    with_it, without = means.values()
    for text, difference in zip(refinement["egorear-s"], np.subtract(with_it, without), strict=True):
        assert float(text.split()[0]) == pytest.approx(difference, abs=0.11)
    assert float(views["egorear-s with"][2].split()[0]) == pytest.approx(with_it[3] - with_it[0], abs=0.11)
    assert refinement["EgoTAP"] == [""] * 4
    assert budgets["egorear-s"][2] == "7"


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


class PretendedTraining:
    """In place of `subprocess.run`: each job that is not finished gets a checkpoint that only it has."""

    def __init__(self, failing_stage: int | None) -> None:
        self.failing_stage = failing_stage
        self.calls: list[tuple[str, int, int]] = []
        self.trained: list[str] = []

    def __call__(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        options = dict(itertools.pairwise(command))
        config, stage, steps = Path(options["--config"]), int(options.get("--stage", 0)), int(options["--steps"])
        self.calls.append((config.parent.name, stage, steps))
        if stage == self.failing_stage:
            return subprocess.CompletedProcess(command, 1)
        for job in jobs_of(load_config(config).network_config()):
            folder = config.parent / job.name
            if job.stage == stage and not (folder / CHECKPOINT).exists():
                folder.mkdir(exist_ok=True)
                self.trained.append(f"{config.parent.name}/{job.name}")
                torch.save({"step": steps, "by": self.trained[-1]}, folder / CHECKPOINT)
        return subprocess.CompletedProcess(command, 0)


def test_training_goes_row_by_row_with_one_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every network has the same steps, rows share what they have in common, and finished ones stay."""
    training = PretendedTraining(failing_stage=3)
    monkeypatch.setattr(subprocess, "run", training)
    rows = [
        "egorear-front",
        "egoposeformer-front+refinement",
        "egotap-front+refinement",
        "egotap-front",
        "egorear-s-unrefined",
    ]
    arguments: list[object] = ["train", "--data", "d", "--validation", "v", "--seeds", 3]
    arguments += ["--runs", tmp_path / "runs", "--configs"]
    with pytest.raises(SystemExit, match="'egorear-front' stopped in stage 3"):
        call(monkeypatch, *arguments, NARROW, "--steps", 60, 90, 30, "--rows", *rows[:-1])
    training.failing_stage = None
    call(monkeypatch, *arguments, NARROW, "--steps", 60, 90, 30, "--rows", *rows[:-1])
    assert training.calls[3:6] == [("egorear-front-seed3", *budget) for budget in ((1, 60), (2, 90), (3, 30))]
    assert training.calls[-2:] == [("egotap-front-seed3", 1, 60), ("egotap-front-seed3", 3, 30)]
    assert training.trained == [
        *(f"egorear-front-seed3/{job}" for job in ("stage1-front", "stage2", "stage3")),
        "egoposeformer-front+refinement-seed3/stage3",
        *(f"egotap-front+refinement-seed3/{job}" for job in ("stage1-egotap-limb-front", "stage3")),
        *(f"egotap-front-seed3/{job}" for job in ("stage1-egotap-joint-front", "stage3")),
    ]
    shared = tmp_path / "runs" / "egotap-front-seed3" / "stage1-egotap-limb-front" / CHECKPOINT
    assert torch.load(shared)["by"] == "egotap-front+refinement-seed3/stage1-egotap-limb-front"

    calls = len(training.calls)
    arguments.append(SCRIPT.parents[1] / "config" / "training")
    with pytest.raises(SystemExit, match="one number, or three for rows with stages; got 3"):
        call(monkeypatch, *arguments, "--steps", 60, 90, 30, "--rows", *rows)
    call(monkeypatch, *arguments, "--steps", 60, "--rows", *rows)
    assert training.calls[calls:] == [("egorear-s-unrefined-seed3", 0, 60)]
    weights = yaml.safe_load((tmp_path / "runs" / "weights.yaml").read_text())
    assert list(weights) == sorted(rows) and weights["egotap-front"][0].endswith("stage3/best.safetensors")
    settings = yaml.safe_load((tmp_path / "runs" / "egorear-s-unrefined-seed3" / "config.yaml").read_text())
    assert settings["seed"] == 3 and settings["network"]["refinement_layers"] == 0


def test_rows_trained_differently_share_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The published settings of EgoPoseFormer's heatmap network have another batch than EgoRear's."""
    training = PretendedTraining(failing_stage=None)
    monkeypatch.setattr(subprocess, "run", training)
    arguments = ["train", "--data", "d", "--validation", "v", "--steps", 60, "--runs", tmp_path]
    call(monkeypatch, *arguments, "--rows", "egorear-front-unrefined", "egoposeformer-front")
    assert training.trained[-2:] == ["egoposeformer-front-seed0/stage1-front", "egoposeformer-front-seed0/stage3"]


def test_the_rows_are_those_of_the_registry() -> None:
    rows = runpy.run_path(str(SCRIPT))["all_rows"]()
    systems = {name for name in list_models() if name.startswith(("egorear-", "egoposeformer-", "egotap-"))}
    parts = {name for name in systems if name.startswith(("egotap-heatmap", "egotap-lifting"))}
    assert set(rows) == (systems - parts - {"egoposeformer-unrealego"}) | {"egorear-s-unrefined"}
    assert all(config_of(row) for row in rows if row != "egorear-s-unrefined")
