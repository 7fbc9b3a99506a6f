from __future__ import annotations

import csv
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from egorear_ros.cli.main import main
from egorear_ros.data.frame_sets import FrameSets
from egorear_ros.data.opening import open_frames
from egorear_ros.errors import EgorearError
from egorear_ros.evaluation.metrics import mpjpe_mm
from egorear_ros.evaluation.prediction import predict
from egorear_ros.network import load_weights
from egorear_ros.simulator.shard_writing import ShardSettings, write_shards
from egorear_ros.training.augmentation import AugmentationConfig
from egorear_ros.training.checkpoint import CHECKPOINT, load_checkpoint
from egorear_ros.training.config import TrainingConfig, load_config
from egorear_ros.training.log import LOG
from egorear_ros.training.run import build_run
from egorear_ros.training.schedule import learning_rate
from egorear_ros.training.start import BEST
from egorear_ros.training.trainer import train

TINY = {"width": 16, "channels": 16, "dim": 32, "image_size": 64, "refinement_layers": 1, "lifting_layers": 1}


def config(out: Path, **changes: Any) -> TrainingConfig:
    values = {"steps": 6, "batch": 4, "warmup_steps": 2, "validate_every": 2, "validation_sets": 4, "network": TINY}
    return TrainingConfig(out=str(out), **{**values, **changes})


class KilledError(Exception):
    pass


def test_overfits_eight_frame_sets(tmp_path: Path, eight: FrameSets) -> None:
    """The whole path learns: network, losses, optimiser, validation."""
    network = {**TINY, "dim": 64, "lifting_layers": 2}
    settings = config(
        tmp_path,
        steps=240,
        batch=8,
        warmup_steps=20,
        validate_every=240,
        learning_rate=5e-3,
        weight_decay=0.0,
        augmentation=AugmentationConfig.off(),
        bf16=False,
        network=network,
    )
    run = build_run(settings, eight, eight)
    train(run, resume=False)
    predicted = predict(run.network, eight, (True,) * 4)
    assert mpjpe_mm(predicted.joints_m, eight.joints_device_m).mean() < 15.0


def test_a_killed_run_goes_on_as_if_it_had_not_been(tmp_path: Path, eight: FrameSets) -> None:
    whole = build_run(config(tmp_path / "whole"), eight, eight)
    train(whole, resume=False)

    def kill(step: int, error_mm: float) -> None:
        if step == 5:  # one step after the checkpoint of step 4
            raise KilledError

    with pytest.raises(KilledError):
        train(build_run(config(tmp_path / "killed"), eight, eight), resume=False, progress=kill)
    resumed = build_run(config(tmp_path / "killed"), eight, eight)
    train(resumed, resume=True)
    for name, value in whole.network.state_dict().items():
        torch.testing.assert_close(resumed.network.state_dict()[name], value, rtol=1e-5, atol=1e-6, msg=name)
    with (tmp_path / "killed" / LOG).open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["2", "4", "6"]


def test_a_stopped_run_saves_where_it_stopped(tmp_path: Path, eight: FrameSets) -> None:
    train(build_run(config(tmp_path), eight, eight), resume=False, stop_after=3)
    resumed = build_run(config(tmp_path), eight, eight)
    load_checkpoint(resumed)
    assert resumed.step == 3


def test_best_weights_load_and_say_where_they_come_from(tmp_path: Path, eight: FrameSets) -> None:
    run = build_run(config(tmp_path), eight, eight)
    best = train(run, resume=False)
    network, card = load_weights(tmp_path / BEST)
    assert card.source["training"]["steps"] == 6 and card.source["training"]["train_sets"] == 8
    assert card.source["validation_mpjpe_mm"] == pytest.approx(best, abs=0.1)
    assert np.allclose(network.mean_pose_m.numpy(), eight.joints_device_m.mean(0), atol=1e-6)


def test_a_run_is_not_overwritten_and_not_resumed_as_another(tmp_path: Path, eight: FrameSets) -> None:
    with pytest.raises(EgorearError, match="nothing to resume"):
        train(build_run(config(tmp_path), eight, eight), resume=True)
    train(build_run(config(tmp_path, steps=2), eight, eight), resume=False)
    assert (tmp_path / CHECKPOINT).exists()
    with pytest.raises(EgorearError, match="--resume"):
        train(build_run(config(tmp_path), eight, eight), resume=False)
    with pytest.raises(EgorearError, match="another network"):
        train(build_run(config(tmp_path, network={**TINY, "dim": 64}), eight, eight), resume=True)


def test_learning_rate_rises_then_falls_to_zero() -> None:
    settings = TrainingConfig(steps=100, warmup_steps=10, learning_rate=1.0)
    rates = [learning_rate(step, settings) for step in range(101)]
    assert rates[0] == 0.1 and max(rates) == rates[10] == 1.0 and rates[100] == pytest.approx(0.0)
    assert rates[10:] == sorted(rates[10:], reverse=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour: 1", "unknown field 'colour'"),
        ("steps: 0", "steps is 0, expected a whole number, at least 1, or none"),
        ("wieght_decay: 0", "did you mean 'weight_decay'"),
        ("augmentation: {occluder: 0}", "'augmentation.occluder', did you mean 'occluders'"),
        ("stage2: {bach: 1}", "unknown field 'stage2.bach', did you mean 'batch'"),
        ("{batch: 0, ema: 2}", "batch is 0, .*; ema is 2, expected a number, at least 0, below 1"),
        ("steps: many", "steps is 'many', expected a whole number"),
        ("steps: 1.5", "steps is 1.5, expected a whole number"),
        ("batch: [4]", r"batch is \[4\], expected a whole number"),
        ("bf16: 1", "bf16 is 1, expected true or false"),
        ("drops: [a]", r"drops\[0\] is 'a', expected a whole number"),
        ("network: wide", "network is 'wide', expected names mapped to values"),
        ("quirks: no_such", r"quirks\[0\] is 'no_such', expected one of full_first_step"),
        ("{1: 2, colour: 1}", "unknown field"),
        ("network: {height: 3}", "unknown field 'height'"),
        ("network: {width: 0}", "width is 0"),
        ("augmentation: {rain: 1}", "unknown field 'augmentation.rain'; augmentation has photometric"),
        ("augmentation: {occluders: 2}", "augmentation.occluders is 2, expected a number from 0 to 1"),
        ("augmentation: {photometric: 1}", "augmentation.photometric is 1, expected true or false"),
        ("augmentation: {time_jitter_frames: 0.5}", "time_jitter_frames is 0.5, expected a whole number"),
        ("augmentation: true", "augmentation is True, expected names mapped to values"),
        ("- 1", "must map"),
        ("a: [", "cannot be read"),
    ],
)
def test_bad_configurations_say_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(EgorearError, match=message):
        load_config(path)


def test_yaml_means_what_it_obviously_means(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(
        "{learning_rate: 1e-3, steps: '100', data: shards/train, quirks: last_weights, gradient_clip: null, "
        "augmentation: {occluders: 1e-1, photometric: }, network: , drops: , initial: , batch: }"
    )
    expected = TrainingConfig(
        learning_rate=1e-3,
        steps=100,
        data=("shards/train",),
        quirks=("last_weights",),
        gradient_clip=None,
        augmentation=AugmentationConfig(occluders=0.1),
    )
    assert load_config(path) == expected


def test_the_shipped_configuration_is_the_registrys_network() -> None:
    from egorear_ros import resources
    from egorear_ros.network import config_of

    assert load_config(resources.find("config/training/egorear-s.yaml")).network_config() == config_of("egorear-s")


def test_train_without_data_says_how_to_make_some(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train"]) == 1
    assert "egorear render-shards" in capsys.readouterr().err


def test_shards_do_not_depend_on_the_run_and_train_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("egorear_ros.simulator.shard_writing.SEQUENCES_PER_SHARD", 1)
    settings = ShardSettings(size_px=64, sequence_frames=2, stride=1)
    write_shards(tmp_path / "a", settings, 4)
    write_shards(tmp_path / "b", settings, 2)
    write_shards(tmp_path / "b", settings, 4)  # goes on
    a, b = (open_frames(tmp_path / name, None).take(np.arange(4)) for name in "ab")
    assert len(a) == 4 and a.images.shape == (4, 4, 64, 64, 3)
    assert all(np.array_equal(x, b.arrays()[name]) for name, x in a.arrays().items())
    inside = a.pixels[a.in_view]
    assert inside.min() > 0 and inside.max() < 1 and not (a.visible & ~a.in_view).any()
    with pytest.raises(EgorearError, match="seed"):
        write_shards(tmp_path / "a", ShardSettings(size_px=64, sequence_frames=2, stride=1, seed=1), 4)
    (tmp_path / "run.yaml").write_text(f"{{batch: 2, validate_every: 1, steps: 1, network: {TINY}}}")
    folder = str(tmp_path / "a")
    write_shards(tmp_path / "val", dataclasses.replace(settings, split="val"), 2)
    arguments = ["--config", str(tmp_path / "run.yaml"), "--data", folder, "--validation", str(tmp_path / "val")]
    assert main(["train", *arguments, "--out", str(tmp_path / "run")]) == 0
    assert main(["train", *arguments, "--out", str(tmp_path / "run"), "--steps", "2", "--resume"]) == 0
    assert (tmp_path / "run" / BEST).exists()


def test_an_empty_folder_says_how_to_fill_it(tmp_path: Path) -> None:
    with pytest.raises(EgorearError, match="render-shards"):
        open_frames(tmp_path, None)
