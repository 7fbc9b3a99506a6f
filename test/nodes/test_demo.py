"""The demo as a new user runs it, headless: picture, recording and summary, with and without a model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from . import live


def demo(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "egorear_ros",
        "demo",
        "--headless",
        "--seconds",
        "8",
        "--out",
        str(out),
        *arguments,
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("with_model", [True, False], ids=["model", "no model"])
def test_headless_demo_on_the_bundled_clip(tmp_path: Path, with_model: bool) -> None:
    model = live.write_tiny_model(tmp_path / "tiny.safetensors") if with_model else "nosuch"
    result = demo(tmp_path / "out", "--model", model)
    assert result.returncode == 0, result.stderr
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["frame_sets"] > 20
    picture = cv2.imread(str(tmp_path / "out" / "demo.png"))
    assert picture.shape == (720, 1080, 3) and picture.std() > 20
    assert (tmp_path / "out" / "demo.rrd").stat().st_size > 100_000
    if with_model:
        assert summary["skeletons"] > 5 and summary["median_mpjpe_mm"] > 0
        assert "MPJPE" in result.stdout
    else:
        assert summary["skeletons"] == 0 and summary["median_mpjpe_mm"] is None
        assert "no trained model 'nosuch'" in result.stdout


def test_a_source_without_truth_is_refused(tmp_path: Path) -> None:
    result = demo(tmp_path, "--source", "0")
    assert result.returncode == 1 and "takes clip:DIR or sim:SEED" in result.stderr
