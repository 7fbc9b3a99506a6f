"""The demo as a new user runs it, headless: picture, recording and summary, with and without a model."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from egorear_ros.cli import main
from egorear_ros.errors import EgorearError
from egorear_ros.result_file import write_whole

from .. import recording


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
    model = recording.write_tiny_model(tmp_path / "tiny.safetensors") if with_model else "nosuch"
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


def test_a_bad_port_or_folder_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["demo", "--port", "64999"]) == 1
    assert "--port must be between 1024 and 64000, got 64999" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert main.main(["demo", "--headless", "--out", str(tmp_path / "file")]) == 1
    assert "cannot be made: File exists" in capsys.readouterr().err


def test_results_are_whole_or_the_failure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", no_space)
        with pytest.raises(EgorearError, match=r"demo\.png' cannot be written: No space left"):
            write_whole(tmp_path / "demo.png", b"picture")
    assert list(tmp_path.iterdir()) == []


def no_space(path: Path, target: Path) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_source_without_truth_is_refused(tmp_path: Path) -> None:
    result = demo(tmp_path, "--source", "0")
    assert result.returncode == 1 and "takes clip:DIR or sim:SEED" in result.stderr
