"""EgoRear-Sim stays what it is: the fingerprint of its first frames, and what the fingerprint notices."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from egorear_ros.cli.main import main
from egorear_ros.errors import EgorearError
from egorear_ros.simulator.published_set import (
    FINGERPRINT_FILE,
    FRAMES,
    VERSION,
    benchmark_recording,
    difference,
    fingerprint,
    published,
    seal,
)
from egorear_ros.simulator.recorder import record

FIRST_FRAMES = {
    "benchmark": "EgoRear-Sim test",
    "version": 1,
    "frames": 2,
    "identity_sha256": "d025b7e4f562ec73a6d7a01a5cae93032fa78acb283517e6a1b8e6be65e63fce",
    "mean_joints_cm": [
        [0.016, 15.424, 3.425],
        [-0.108, 21.208, 11.568],
        [-14.093, 21.345, 19.577],
        [13.794, 21.76, 19.704],
        [-21.721, 31.389, 36.571],
        [21.128, 31.53, 36.865],
        [-19.956, 21.374, 41.951],
        [20.358, 21.239, 42.402],
        [-9.135, 30.852, 56.32],
        [9.006, 31.585, 55.857],
        [-12.254, 30.367, 84.164],
        [13.567, 31.409, 83.503],
        [-14.407, 52.592, 111.801],
        [15.326, 53.791, 111.039],
        [-15.942, 46.943, 121.491],
        [17.806, 48.304, 120.626],
    ],
}
"""Of the test set's first two frames. If this test fails, the benchmark has changed: raise `VERSION`, publish anew."""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("benchmark") / "test"
    record(replace(benchmark_recording("test", out, size_px=64, frames=2), motion_blur=False), workers=1)
    return out


def test_the_first_frames_are_those_of_this_version(tiny: Path) -> None:
    assert difference(fingerprint("test", tiny), FIRST_FRAMES) == ""


def test_the_fingerprint_notices_another_truth_and_another_wearer(tiny: Path, tmp_path: Path) -> None:
    found = seal("test", tiny)
    assert json.loads((tiny / FINGERPRINT_FILE).read_text()) == found
    path = sorted(tiny.glob("rp_*/*/json_smplx_gendered/*.json"))[1]
    original = path.read_text()
    try:
        changed: dict[str, Any] = json.loads(original)
        changed["joints"]["LeftHand"]["device_pts3d"][2] += 0.05
        path.write_text(json.dumps(changed))
        moved = fingerprint("test", tiny)
        assert "0.025 cm apart" in difference(moved, found) and moved["truth_sha256"] != found["truth_sha256"]
        changed["egorear"]["body"] += 1
        path.write_text(json.dumps(changed))
        assert "identity_sha256" in difference(fingerprint("test", tiny), found)
    finally:
        path.write_text(original)
    with pytest.raises(EgorearError, match="holds no frames"):
        fingerprint("test", tmp_path)


@pytest.mark.parametrize("name", ["val", "test"])
def test_the_published_sets_are_of_this_version(name: str) -> None:
    content = published(name)
    assert (content["benchmark"], content["version"], content["frames"]) == (f"EgoRear-Sim {name}", VERSION, FRAMES)
    assert np.shape(content["mean_joints_cm"]) == (16, 3)
    other = published("val" if name == "test" else "test")
    assert other["identity_sha256"] != content["identity_sha256"]


def test_the_command_lets_nobody_change_what_is_fixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["simulate", "--out", str(tmp_path / "a"), "--benchmark", "test"]
    for option in (["--seed", "4"], ["--frames", "7"], ["--fps", "30.5"], ["--views", "front_left"], ["--clip"]):
        assert main([*command, *option]) == 1
        assert f"{option[0]} cannot be used with --benchmark" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_the_command_says_that_a_set_is_not_the_published_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("egorear_ros.simulator.published_set.FRAMES", 1)
    monkeypatch.setattr(benchmark_recording, "__defaults__", (64, "procedural", 1))
    assert main(["simulate", "--out", str(tmp_path / "a"), "--benchmark", "val", "--size", "64"]) == 0
    assert "NOT the published set: frames is 1, expected 4000" in capsys.readouterr().out
