"""`estimate` and `evaluate --bag` track as live, smooth, or look at every frame set by itself, as asked for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from egorear_ros.cli import main

from ..recording import Recording, write_tracked_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_tracked_model(tmp_path_factory.mktemp("tracked")))


def joints(source: Path, out: Path, *options: str) -> NDArray[np.float64]:
    assert main.main(["estimate", str(source), "--out", str(out), *options]) == 0
    with np.load(out) as content:
        return np.asarray(content["joints_m"])


def test_a_recording_is_tracked_smoothed_or_neither(recorded: Recording, model: str, tmp_path: Path) -> None:
    common = ("--model", model, "--device", "cpu", "--engine", "reference")
    ways = {
        "live": ("--track",),
        "smooth": ("--smooth",),
        "frames": ("--per-frame",),
        "tall": ("--track", "--stature-m", "1.9"),
    }
    found = {name: joints(recorded.clip, tmp_path / f"{name}.npz", *common, *way) for name, way in ways.items()}
    for one, other in (("live", "frames"), ("live", "smooth"), ("smooth", "frames")):
        assert np.abs(found[one] - found[other]).max() > 1e-4, f"{one} and {other} should differ"


def test_the_parameter_file_decides_where_no_option_does(recorded: Recording, model: str, tmp_path: Path) -> None:
    settings = tmp_path / "frames.yaml"
    settings.write_text("/**/pose:\n  ros__parameters:\n    temporal: true\n", encoding="utf-8")
    common = ("--model", model, "--device", "cpu", "--engine", "reference")
    by_file = joints(recorded.clip, tmp_path / "file.npz", *common, "--params-file", str(settings))
    np.testing.assert_array_equal(by_file, joints(recorded.clip, tmp_path / "frames.npz", *common, "--track"))


def test_a_bag_is_evaluated_as_asked_for(bag_path: Path, model: str, tmp_path: Path) -> None:
    errors = {}
    for name, way in {"live": ["--track"], "smooth": ["--smooth"], "frames": ["--per-frame"]}.items():
        out = tmp_path / f"{name}.json"
        common = ["--model", model, "--device", "cpu", "--engine", "reference", "--json", str(out)]
        assert main.main(["evaluate", "--bag", str(bag_path), *common, *way]) == 0
        errors[name] = json.loads(out.read_text())["tables"]["all"]["mpjpe_mm"]
    assert len(set(errors.values())) == 3


def test_options_without_effect_are_refused(
    recorded: Recording, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["estimate", str(recorded.clip), "--out", str(tmp_path / "x.npz"), "--model", model, "--engine", "reference"]
    assert main.main([*base, "--per-frame", "--stature-m", "1.8"]) == 1
    assert "--stature-m has no effect on single frames" in capsys.readouterr().err
    assert main.main([*base, "--track", "--stature-m", "180"]) == 1
    assert "stature_m is 180" in capsys.readouterr().err
    assert main.main(["evaluate", "--data", str(tmp_path), "--smooth"]) == 1
    assert "--smooth has no effect with --data" in capsys.readouterr().err
