"""Tracks: encoding shards, pieces as the tracker may meet them, and training that beats the frames it is given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from egorear_ros.cli import main
from egorear_ros.data.frame_sets import DataError, FrameSets
from egorear_ros.evaluation.prediction import predict
from egorear_ros.network import EgoRearSConfig, TemporalConfig, build, save_weights
from egorear_ros.rig import VIEWS
from egorear_ros.tracking.tracker import load_temporal
from egorear_ros.training.temporal_publishing import publish
from egorear_ros.training.temporal_training import BEST, TemporalTraining, train_temporal
from egorear_ros.training.track_batches import (
    LENGTHS,
    LONGEST_GAP_S,
    Chances,
    backward,
    batch_of,
    cues_of,
    mirrored,
    thinned,
)
from egorear_ros.training.tracks import LOST_S, Tracks, encoded_tracks, lost_for_a_while, views_coming_and_going

Json = dict[str, Any]


def swinging(count: int, seed: int = 0, frames: int = 60) -> Tracks:
    """Tracks of joints that swing, and a per-frame network that trembles around a wrong place."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(frames) / 30.0
    truth, velocity = [], []
    for _ in range(count):
        middle, reach = rng.normal(0, 0.4, (16, 3)), rng.uniform(0.02, 0.2, (16, 3))
        phase, speed = rng.uniform(0, 6.28, (16, 3)), rng.uniform(1, 6, (16, 3))
        angle = phase + speed * time_s[:, None, None]
        truth.append(middle + reach * np.sin(angle))
        velocity.append(reach * speed * np.cos(angle))
    joints = np.concatenate(truth).astype(np.float32)
    total, std = len(joints), 0.04
    there = np.ones((total, 2, len(VIEWS)), bool)
    there[:, 1, 0] = False
    return Tracks(
        start=np.arange(count + 1) * frames,
        time_s=np.tile(time_s, count),
        joints_m=joints,
        velocity_m_s=np.concatenate(velocity).astype(np.float32),
        hidden=rng.random((total, 16)) < 0.5,
        down=np.tile([0.0, 0.0, 1.0], (total, 1)),
        stature_m=np.full(total, 1.7),
        pose_m=(joints[:, None] + std * rng.normal(size=(total, 2, 16, 3))).astype(np.float32),
        std_m=np.full((total, 2, 16, 3), std, np.float32),
        scores=np.full((total, 2, len(VIEWS), 15), 0.5, np.float32),
        view_mask=there,
    )


def test_training_beats_the_frames_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On noise alone averaging over time is the right answer: error and intervals must say that it was learnt."""
    monkeypatch.setattr("egorear_ros.training.track_batches.FRAMES_PER_BATCH", 160)
    train, validation = swinging(12), swinging(4, seed=1)
    small = TemporalConfig(dim=16, layers=1, heads=2)
    settings = TemporalTraining(steps=80, learning_rate=0.01, warmup_steps=5, ema=0.9, validate_every=40, network=small)
    error = train_temporal(settings, train, validation, tmp_path, {})
    noise = 1000 * np.linalg.norm(validation.pose_m[:, 0] - validation.joints_m, axis=-1).mean()
    assert error < 0.85 * noise
    figures = publish(tmp_path / BEST, validation, tmp_path / "out.safetensors")
    assert figures["tracker_mpjpe_mm"] < 0.9 * figures["per_frame_mpjpe_mm"]
    assert figures["smoother_mpjpe_mm"] < figures["tracker_mpjpe_mm"]
    assert abs(figures["coverage_percent"]["90"] - 90) < 4
    card = json.loads((tmp_path / "out.json").read_text())
    assert card["source"]["training"]["train_tracks"] == 12 and card["source"]["result"] == figures
    assert load_temporal(tmp_path / "out.safetensors").config.dim == 16


def test_training_follows_from_its_seed(tmp_path: Path) -> None:
    settings = TemporalTraining(steps=2, network=TemporalConfig(dim=16, layers=1, heads=2))
    for name in ("a", "b"):
        train_temporal(settings, swinging(4), swinging(2, seed=1), tmp_path / name, {})
    first, second = (load_temporal(tmp_path / name / BEST).state_dict() for name in ("a", "b"))
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_pieces_have_one_length_no_long_gap_and_known_cues_differ_from_unknown() -> None:
    tracks, rng = swinging(6), np.random.default_rng(0)
    for _ in range(20):
        piece = batch_of(tracks, rng, Chances(), VIEWS)
        assert piece.cues.time_s.shape[1] in LENGTHS
        steps = piece.cues.time_s.diff(dim=1)
        assert steps.min() > 0 and steps.max() <= LONGEST_GAP_S + 1e-6
    known = batch_of(tracks, rng, Chances(no_down=0, no_stature=0, no_lengths=0), VIEWS).cues
    unknown = batch_of(tracks, rng, Chances(no_down=1, no_stature=1, no_lengths=1), VIEWS).cues
    np.testing.assert_allclose(known.down.norm(dim=-1), 1, atol=1e-5)
    assert known.stature_m.min() > 1.4 and known.lengths_m.min() > 0
    for cue in (unknown.down, unknown.stature_m, unknown.lengths_m, unknown.lengths_weight):
        assert not cue.any()


def test_a_mirrored_piece_is_the_mirrored_person_and_twice_mirrored_the_same() -> None:
    track = swinging(1).track(0)
    piece = cues_of(track, 1, None, {"down": True, "stature": True})
    turned = mirrored(piece, VIEWS)
    assert (turned["view_mask"][:, VIEWS.index("front_right")] == 0).all(), "it was the left one that was lost"
    np.testing.assert_array_equal(turned["joints_m"][:, 6], piece["joints_m"][:, 7] * [-1, 1, 1])
    for key, array in mirrored(turned, VIEWS).items():
        np.testing.assert_array_equal(array, piece[key])
    assert mirrored(piece, VIEWS[:3]) is piece, "a view without its counterpart cannot be mirrored"


def test_backward_is_a_motion_whose_velocity_is_its_derivative() -> None:
    turned = backward(swinging(1).track(0))
    assert (np.diff(turned.time_s) > 0).all()
    steps = np.gradient(turned.joints_m, turned.time_s, axis=0)[1:-1]
    np.testing.assert_allclose(steps, turned.velocity_m_s[1:-1], atol=0.02)


def test_thinned_tracks_keep_their_order_and_are_not_too_slow() -> None:
    time_s = np.arange(60) / 10
    for seed in range(50):
        kept = thinned(np.random.default_rng(seed), time_s)
        assert (np.diff(kept) > 0).all() and len(kept) > 25, "10 Hz is not thinned further, only frames are lost"


def test_views_come_and_go_but_one_is_always_there() -> None:
    time_s = np.arange(300) / 30
    there = views_coming_and_going(np.random.default_rng(0), time_s, 4)
    assert there.any(axis=1).all() and not there.all(), "at least one view, not always all"
    lost = lost_for_a_while(np.random.default_rng(0), time_s, 4)
    gone = ~lost.all(axis=1)
    assert gone.sum() / 30 == pytest.approx(LOST_S, abs=0.1) and (~lost).any(axis=0).sum() == 1


@pytest.fixture
def shards(eight: FrameSets, tmp_path: Path) -> Path:
    """Two tracks of four frames."""
    folder = tmp_path / "walks"
    folder.mkdir()
    cues = {
        "sequence": np.repeat([0, 1], 4),
        "frame": np.tile(np.arange(4), 2),
        "action": np.full(8, "walk"),
        "stamp_ns": np.tile(np.arange(4), 2) * 33_333_333,
        "down_device": np.tile(np.float32([0, 0, 1]), (8, 1)),
        "stature_m": np.full(8, 1.7, np.float32),
    }
    np.savez(folder / "shard_00000.npz", **eight.arrays(), **cues)
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    config = EgoRearSConfig(image_size=64, width=16, channels=16, neck_channels=16, dim=16)
    save_weights(tmp_path / "small.safetensors", build(config), config, {})
    return tmp_path / "small.safetensors"


def test_encoded_tracks_are_the_networks_answers_and_are_kept(
    shards: Path, model: Path, eight: FrameSets, tmp_path: Path
) -> None:
    from egorear_ros.network import load_weights

    network, _ = load_weights(model)
    tracks = encoded_tracks(shards, network, "abc", tmp_path / "cache")
    assert tracks.start.tolist() == [0, 4, 8]
    expected = predict(network, eight, (True,) * 4)
    np.testing.assert_allclose(tracks.pose_m[:, 0], expected.joints_m, atol=1e-4)
    np.testing.assert_allclose(tracks.std_m[:, 0], expected.std_m, rtol=1e-3)
    lost = ~tracks.view_mask[:, 1].all(axis=1)
    assert lost.any() and (tracks.scores[:, 1][~tracks.view_mask[:, 1]] == 0).all()
    np.testing.assert_array_equal(tracks.pose_m[~lost, 1], tracks.pose_m[~lost, 0])
    np.testing.assert_array_equal(tracks.hidden, ~eight.visible.any(axis=1))
    assert [path.name for path in (tmp_path / "cache" / "walks").iterdir()] == ["shard_00000_abc.npz"]
    again = encoded_tracks(shards, network, "abc", tmp_path / "cache")
    np.testing.assert_array_equal(again.pose_m, tracks.pose_m)


def test_shards_without_stamps_are_refused(eight: FrameSets, model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    np.savez(folder / "shard_00000.npz", **eight.arrays())
    with pytest.raises(DataError, match="no 'stamp_ns'; render them"):
        from egorear_ros.network import load_weights

        encoded_tracks(folder, load_weights(model)[0], "abc", tmp_path / "cache")


def test_bad_options_are_named(shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = ["train-tracker", "--data", str(shards), "--validation", str(shards), "--work", str(tmp_path)]
    assert main.main([*base, "--steps", "0"]) == 1
    assert main.main([*base, "--out", "x.pt"]) == 1
    errors = capsys.readouterr().err
    assert "--steps must be between" in errors and "'x.pt' must end in .safetensors" in errors
