"""A recording whose rear cameras were exchanged: `egorear evaluate --bag` and `egorear estimate` say so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from egorear_ros.bags.clip_to_bag import clip_to_bag
from egorear_ros.cli import main
from egorear_ros.data.rig_clip import RigClip, RigClipWriter
from egorear_ros.resources import find
from egorear_ros.rig import load_rig

from ..recording import Recording

SAID = "rear_left and rear_right look exchanged"


@pytest.fixture(scope="module", params=[False, True], ids=["right", "exchanged"])
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bool]:
    """A frame per second of the bundled clip, with the rear cameras as they are or exchanged."""
    source = RigClip(find("assets/demo_clip"))
    path = tmp_path_factory.mktemp("clip") / "walk"
    order = [0, 1, 3, 2] if request.param else [0, 1, 2, 3]
    truth = source.ground_truth["joints_device_m"]
    with RigClipWriter(path, load_rig("ego4view"), source.info.size_px, 1.0) as writer:
        for i in range(5):
            images = np.ascontiguousarray(source.frame(12 * i)[order])
            writer.write(images, (i + 1) * 1_000_000_000, {"joints_device_m": truth[12 * i]})
    return path, request.param


def test_evaluate_says_it(
    clip: tuple[Path, bool], recorded: Recording, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, exchanged = clip
    clip_to_bag(str(path), tmp_path / "bag", "egorear")
    figures = tmp_path / "figures.json"
    assert (
        main.main(["evaluate", "--bag", str(tmp_path / "bag"), "--model", recorded.model, "--json", str(figures)]) == 0
    )
    faults = json.loads(figures.read_text())["rig_faults"]
    assert len(faults) == exchanged
    assert all(fault.startswith(SAID) for fault in faults)
    assert (SAID in capsys.readouterr().out) == exchanged


def test_estimate_says_it(
    clip: tuple[Path, bool], recorded: Recording, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, exchanged = clip
    assert main.main(["estimate", str(path), "--model", recorded.model, "--out", str(tmp_path / "walk.csv")]) == 0
    assert (SAID in capsys.readouterr().out) == exchanged
