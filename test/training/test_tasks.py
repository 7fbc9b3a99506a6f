"""What is particular in the tasks: losses, quirks, averages, schedules, sources."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from egorear_ros.data.frame_sets import FrameSets
from egorear_ros.errors import EgorearError
from egorear_ros.network import config_of, load_weights
from egorear_ros.network.config import FRONT, HeatmapConfig
from egorear_ros.training.batches import Batch, make_batch
from egorear_ros.training.egotap_tasks import EgoTapHeatmapTask, EgoTapLiftingTask
from egorear_ros.training.quirks import QUIRKS
from egorear_ros.training.run import Run, build_run
from egorear_ros.training.schedule import learning_rate
from egorear_ros.training.sources import InMemory, Joined, SomeViews, prepared
from egorear_ros.training.start import BEST, LAST
from egorear_ros.training.tasks import Task
from egorear_ros.training.trainer import train, training_step
from test.training.narrow import EGOTAP, NETWORK, config, job, untrained


def test_bfloat16_gives_nearly_the_same_losses(tmp_path: Path, eight: FrameSets) -> None:
    file = str(untrained(tmp_path, dataclasses.replace(config_of("egorear-front"), **NETWORK)))
    runs = [build_run(config(tmp_path, initial=file, bf16=bf16), eight, eight) for bf16 in (False, True)]
    batch = next(iter(runs[0].batches(1)))
    plain, half = (run.task.losses(batch) for run in runs)
    for name, loss in plain.items():
        assert half[name].dtype == torch.float32
        assert half[name].item() == pytest.approx(loss.item(), rel=0.02), name


def test_the_average_is_kept_and_survives_a_stop(tmp_path: Path, eight: FrameSets) -> None:
    def run(out: str, workers: int = 0) -> Run:
        settings = config(tmp_path / out, ema=0.5, steps=4, batch=4, validate_every=2, workers=workers)
        return build_run(settings, eight, eight, job(settings, "stage1-front"))

    whole, stopped, resumed = run("whole"), run("stopped"), run("stopped", workers=1)
    train(whole, resume=False)
    train(stopped, resume=False, stop_after=2)
    train(resumed, resume=True)
    for name, value in whole.kept.state_dict().items():
        assert torch.equal(resumed.kept.state_dict()[name], value), name
    weights = load_weights(whole.out / LAST)[0].state_dict()
    assert torch.equal(weights["head.weight"], whole.kept.head.weight)
    assert not torch.equal(weights["head.weight"], whole.network.head.weight)
    with pytest.raises(EgorearError, match="ema"):
        settings = config(tmp_path / "stopped", steps=4)
        train(build_run(settings, eight, eight, job(settings, "stage1-front")), resume=True)


def test_quirks_do_what_they_say(tmp_path: Path, eight: FrameSets) -> None:
    assert set(QUIRKS) == {
        "full_first_step", "drifting_statistics", "row_heatmap_loss", "decayed_norms", "last_weights"
    }  # fmt: skip
    plain, odd = config(tmp_path), config(tmp_path, quirks=tuple(QUIRKS))
    plain, odd = plain.for_data(8), odd.for_data(8)
    assert [learning_rate(step, odd) for step in (0, 1)] == [1.5e-3, 0.75e-3]
    assert [learning_rate(step, plain) for step in (0, 1)] == [0.75e-3, 1.5e-3]

    pair = HeatmapConfig("front", channels=16, image_size=64, width=16)
    untrained(tmp_path / "stage1-front", pair).rename(tmp_path / "stage1-front" / LAST)
    with pytest.raises(EgorearError, match=BEST):
        build_run(plain, eight, eight, job(plain, "stage2"))
    untrained(tmp_path / "stage1-front", pair)
    for settings, drifts in ((plain, False), (odd, True)):
        run = build_run(settings, eight, eight, job(settings, "stage2"))
        mean = run.network.estimators["front"].encoder.backbone.bn1.running_mean
        before = mean.clone()
        training_step(run, next(iter(run.batches(1))))
        assert torch.equal(mean, before) != drifts

    file = str(untrained(tmp_path / "whole", dataclasses.replace(config_of("egorear-front"), **NETWORK)))
    third = {quirky: build_run(dataclasses.replace(settings, initial=file), eight, eight)
             for quirky, settings in ((False, plain), (True, odd))}  # fmt: skip
    batch = next(iter(third[False].batches(1)))
    found = {quirky: run.task.losses(batch) for quirky, run in third.items()}
    assert found[True]["pose_3"] == found[False]["pose_3"] and found[True]["refined"] > 2 * found[False]["refined"]
    spared = {quirky: set(run.task.undecayed()) for quirky, run in third.items()}
    assert "estimators.front.encoder.backbone.bn1.weight" in spared[False] - spared[True]
    assert spared[True] < spared[False]


def test_schedules() -> None:
    drops = config(Path(), steps=None, epochs=12, schedule="drops", drops=(8, 10), warmup_steps=0, learning_rate=1.0)
    drops = drops.for_data(8 * 7)
    assert drops.steps == 84 and drops.validate_every == 7
    rates = [learning_rate(step, drops) for step in range(84)]
    assert rates == pytest.approx([1.0] * 56 + [0.1] * 14 + [0.01] * 14)
    linear = dataclasses.replace(drops, schedule="linear", drops=(), steps=10)
    assert [learning_rate(step, linear) for step in (0, 5, 6, 9)] == pytest.approx([1.0, 1.0, 0.8, 0.2])
    assert dataclasses.replace(drops, warmup_epochs=2).for_data(8 * 7).warmup_steps == 14
    with pytest.raises(EgorearError, match="steps and epochs"):
        config(Path(), steps=None).for_data(8)


def losses_while_learning(task: Task, batch: Batch, steps: int) -> list[float]:
    parameters = [parameter for parameter in task.network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, 1e-3, eps=1e-4)
    found = []
    for _ in range(steps):
        loss = torch.stack(list(task.losses(batch).values())).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


@pytest.mark.parametrize(("maps", "channels"), [("joint", 15), ("limb", 30)])
def test_egotaps_heatmap_networks_learn(tmp_path: Path, eight: FrameSets, maps: str, channels: int) -> None:
    settings = config(tmp_path, system="egotap-front", network=EGOTAP).for_data(8)
    task = EgoTapHeatmapTask(job(settings, f"stage1-egotap-{maps}-front"), settings)
    batch = make_batch(prepared(eight, FRONT, 64), np.arange(8), targets=task.targets)
    assert batch.targets["heatmaps"].shape == (8, 2, channels, 16, 16)
    found = losses_while_learning(task, batch, 20)
    assert found[-1] < 0.9 * found[0]
    if maps == "limb":  # cos and sin of one angle: together they are the line itself
        cos, sin = batch.targets["heatmaps"].split(15, dim=2)
        assert (cos**2 + sin**2).max() > 0.5 and sin.min() < 0


def test_egotaps_lifting_learns_on_frozen_heatmap_networks(tmp_path: Path, eight: FrameSets) -> None:
    settings = config(tmp_path, system="egotap-front", network=EGOTAP).for_data(8)
    third = job(settings, "stage3")
    for part in third.parts:
        untrained(tmp_path / part.job, part.network)
    task = build_run(settings, eight, eight, third).task
    assert isinstance(task, EgoTapLiftingTask)
    assert not any(parameter.requires_grad for parameter in task.network.limb_heatmaps.parameters())
    assert task.network.lifting.training and not task.network.joint_heatmaps.training
    source = prepared(eight.take(np.arange(2)), FRONT, 64)
    found = losses_while_learning(task, make_batch(source, np.arange(2)), 10)
    assert found[-1] < 0.95 * found[0]
    assert task.validate(task.network, source) > 0


def test_sources_join_and_select(eight: FrameSets) -> None:
    views = config_of("egorear-4view").views
    joined = Joined([InMemory(eight.take(np.arange(3)), views), InMemory(eight.take(np.arange(3, 8)), views)])
    order = np.array([7, 0, 3, 2, 3])
    for name, array in joined.take(order).arrays().items():
        assert np.array_equal(array, eight.arrays()[name][order]), name
    assert joined.name(4).sequence == "1" and len(joined) == 8
    rear = SomeViews(joined, ("rear_right", "front_left")).take(order)
    assert np.array_equal(rear.images, eight.images[order][:, [3, 0]])
    assert np.array_equal(prepared(joined, FRONT, 64).take(order).visible, eight.visible[order][:, :2])
    with pytest.raises(EgorearError, match="no view 'rear_left'"):
        prepared(InMemory(eight, FRONT), views, 64)
