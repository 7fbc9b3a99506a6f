"""Tracks: frames one after another for the tracker, with what it learns from besides images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from egorear_ros.cli import main
from egorear_ros.simulator.shard_writing import ShardSettings, render_shard
from egorear_ros.simulator.track_picks import RATE_SHARES, TRACK_FPS, TRACK_FRAMES, TRACK_SETS, track_picks


@pytest.mark.parametrize("seed", range(20))
def test_picks_of_a_track_are_even_and_inside(seed: int) -> None:
    picks = np.array(track_picks(np.random.default_rng(seed)))
    assert len(picks) == TRACK_SETS and picks[0] >= 0 and picks[-1] < TRACK_FRAMES
    (step,) = set(np.diff(picks).tolist())
    assert TRACK_FPS / step in RATE_SHARES


def test_settings_of_tracks_are_not_those_of_even_picks() -> None:
    tracks = ShardSettings(tracks=True)
    assert (tracks.sets_per_sequence, tracks.length) == (TRACK_SETS, TRACK_FRAMES)
    assert len(tracks.picks(3)) == TRACK_SETS and len(ShardSettings().picks(3)) == 16
    assert tracks.content() != ShardSettings().content(), "a folder of one kind is not continued with the other"


def test_a_shard_says_when_where_down_is_and_how_tall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("egorear_ros.simulator.shard_writing.SEQUENCES_PER_SHARD", 2)
    settings = ShardSettings(size_px=64, sequence_frames=4, stride=2)
    simulator = settings.simulator()
    arrays = render_shard(simulator, settings, 0)
    assert len(arrays["images"]) == 4 and arrays["sequence"].tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(arrays["stamp_ns"], arrays["frame"] * 1e9 / 30, atol=1)
    sequence = simulator.sequence(1, 4)
    truth = sequence.frame(int(arrays["frame"][2])).truth
    np.testing.assert_allclose(arrays["down_device"][2], truth.device_from_world[:3, :3] @ [0, 0, -1], atol=1e-6)
    shape = sequence.character.shape
    assert arrays["stature_m"][3] == pytest.approx(shape.stature_m) and 1.3 < shape.stature_m < 2.1
    toes_to_head = truth.joints_device_m[:, :] @ arrays["down_device"][2]
    assert np.ptp(toes_to_head) < shape.stature_m


def test_options_without_effect_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for extra in ("--stride", "--sequence-frames"):
        assert main.main(["render-shards", "--out", str(tmp_path / "x"), "--tracks", extra, "3"]) == 1
        assert f"{extra} has no effect with --tracks" in capsys.readouterr().err
