"""The paper's systems through the same trainer: narrow networks on small images."""

from __future__ import annotations

import csv
import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from egorear_ros import resources
from egorear_ros.cli.main import main
from egorear_ros.data.frame_sets import FrameSets
from egorear_ros.errors import EgorearError
from egorear_ros.network import EgoTapConfig, NetworkOutput, build, config_of, load_weights, save_weights
from egorear_ros.network.config import FRONT, EgoTapLiftingConfig, HeatmapConfig
from egorear_ros.training.augmentation import AugmentationConfig
from egorear_ros.training.batches import Batch, make_batch
from egorear_ros.training.config import TrainingConfig, load_config
from egorear_ros.training.egotap_tasks import EgoTapHeatmapTask, EgoTapLiftingTask
from egorear_ros.training.log import LOG
from egorear_ros.training.quirks import QUIRKS
from egorear_ros.training.schedule import learning_rate
from egorear_ros.training.sources import InMemory, Joined, SomeViews, prepared
from egorear_ros.training.stages import Job, jobs_of
from egorear_ros.training.start import BEST, LAST
from egorear_ros.training.tasks import Task
from egorear_ros.training.trainer import Run, train

NETWORK = {"image_size": 64, "width": 16, "channels": 16}


def config(out: Path, **changes: Any) -> TrainingConfig:
    values: dict[str, Any] = {
        "system": "egorear-front",
        "network": NETWORK,
        "steps": 2,
        "batch": 8,
        "warmup_steps": 2,
        "weight_decay": 0.0,
        "augmentation": AugmentationConfig.off(),
        "bf16": False,
    }
    return TrainingConfig(out=str(out), **{**values, **changes})


def job(settings: TrainingConfig, name: str) -> Job:
    return next(job for job in jobs_of(settings.network_config()) if job.name == name)


def trained(settings: TrainingConfig, name: str, sets: FrameSets) -> Run:
    run = Run(settings, sets, sets, job(settings, name))
    train(run, resume=False)
    return run


def column(run: Run, name: str) -> list[float]:
    with (run.out / LOG).open() as file:
        return [float(row[name]) for row in csv.DictReader(file)]


def test_every_stage_learns_from_the_one_before(tmp_path: Path, eight: FrameSets) -> None:
    """Eight frame sets, narrow networks: each stage gets well below where it starts."""
    settings = config(tmp_path, learning_rate=1e-2, validate_every=5)
    first = trained(dataclasses.replace(settings, steps=50), "stage1-front", eight)
    nothing = prepared(eight, FRONT, 64).take(np.arange(8))
    silent = float((first.task.targets(nothing)["heatmaps"] ** 2).mean())
    assert first.best < 0.85 * silent

    second = trained(dataclasses.replace(settings, steps=15), "stage2", eight)
    assert column(second, "loss")[-1] < 0.75 * column(second, "loss")[0]
    estimator = load_weights(tmp_path / "stage1-front" / BEST)[0].state_dict()
    for name, value in second.network.estimators["front"].state_dict().items():
        torch.testing.assert_close(value, estimator[name], rtol=0, atol=0)  # frozen, statistics too

    third = trained(dataclasses.replace(settings, steps=25), "stage3", eight)
    errors = column(third, "validation_mpjpe_mm")
    assert third.best < 0.6 * errors[0] and column(third, "pose_3")[-1] < 0.6 * column(third, "pose_3")[0]
    assert "stage2" in load_weights(tmp_path / "stage3" / BEST)[1].source["training"]["started_from"][0]


def shards(folder: Path, sets: FrameSets) -> Path:
    folder.mkdir()
    np.savez(folder / "shard_00000.npz", **sets.arrays())
    return folder


def command(tmp_path: Path, data: Path, *extra: str) -> list[str]:
    (tmp_path / "tiny.yaml").write_text(
        "{system: egorear-front, network: {image_size: 64, width: 16, channels: 16}, epochs: 1, batch: 4, bf16: false, "
        "augmentation: {view_dropout: false, photometric: false}, stage1: {epochs: 2}, stage3: {batch: 8}}"
    )
    paths = ["--data", str(data), "--validation", str(data), "--out", str(tmp_path / "run")]
    return ["train", "--config", str(tmp_path / "tiny.yaml"), *paths, *extra]


def test_the_command_trains_all_stages_and_takes_up_where_it_was_stopped(
    tmp_path: Path, eight: FrameSets, capsys: pytest.CaptureFixture[str]
) -> None:
    data = shards(tmp_path / "data", eight)
    assert main(command(tmp_path, data, "--stage", "2")) == 1
    assert "stage2 starts from stage1-front" in capsys.readouterr().err
    assert main(command(tmp_path, data, "--stage", "1", "--stop-after", "3")) == 0
    assert main(command(tmp_path, data, "--resume")) == 0
    assert "stage3 starts from" in capsys.readouterr().out
    steps = {name: load_weights(tmp_path / "run" / name / LAST)[1].source["step"] for name in STAGE_NAMES}
    assert steps == {"stage1-front": 4, "stage2": 2, "stage3": 1}
    _, card = load_weights(tmp_path / "run" / "stage3" / BEST)
    assert card.config == dataclasses.replace(config_of("egorear-front"), **NETWORK)
    assert card.source["training"]["batch"] == 8
    assert list((tmp_path / "run" / "stage2").glob("events.out.tfevents*")), "no curves for TensorBoard"
    assert main(command(tmp_path, data, "--system", "egorear-s", "--stage", "2")) == 1


STAGE_NAMES = ("stage1-front", "stage2", "stage3")


def test_bad_data_stop_before_training_with_a_list(
    tmp_path: Path, eight: FrameSets, capsys: pytest.CaptureFixture[str]
) -> None:
    pixels = eight.pixels.copy()
    pixels[2, 0] += 0.5
    pixels[5, 1, 3] = np.nan
    data = shards(tmp_path / "data", dataclasses.replace(eight, pixels=pixels))
    assert main(command(tmp_path, data, "--stage", "1")) == 1
    said = capsys.readouterr().err
    assert "labels: " in said and "2D and 3D: " in said and not (tmp_path / "run").exists()


def untrained(folder: Path, network: Any) -> Path:
    torch.manual_seed(5)
    save_weights(folder / BEST, build(network), network, {})
    return folder / BEST


def test_two_processes_give_the_weights_of_one_with_the_whole_batch(tmp_path: Path, eight: FrameSets) -> None:
    """Stage 2, whose frozen estimators leave no batch statistics that would differ; and micro-batches do, too."""
    data = shards(tmp_path / "data", eight)
    untrained(tmp_path / "run" / "stage1-front", HeatmapConfig("front", channels=16, image_size=64, width=16))
    arguments = command(tmp_path, data, "--stage", "2", "--batch", "8", "--steps", "2")
    assert main(arguments) == 0
    one = load_weights(tmp_path / "run" / "stage2" / LAST)[0].state_dict()
    start = load_weights(untrained(tmp_path / "start", config_of_stage2()))[0].state_dict()
    earlier = ["--earlier", str(tmp_path / "run")]
    torchrun = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node=2",
        "-m",
        "egorear_ros",
    ]
    together = [*torchrun, *arguments, *earlier, "--out", str(tmp_path / "two")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(together, capture_output=True, text=True, check=False, env=environment, timeout=240)
    assert done.returncode == 0, done.stderr
    assert main([*arguments, *earlier, "--out", str(tmp_path / "parts"), "--accumulate", "2"]) == 0
    for out in ("two", "parts"):
        other = load_weights(tmp_path / out / "stage2" / LAST)[0].state_dict()
        for name, value in one.items():
            torch.testing.assert_close(other[name], value, rtol=1e-4, atol=2e-5, msg=f"{out}: {name}")
    moved = [name for name, value in one.items() if not torch.equal(value, start[name])]
    assert any(name.startswith("refinement.refiners.front_right") for name in moved)


def config_of_stage2() -> Any:
    return jobs_of(config(Path()).network_config())[1].network


def test_weights_of_another_stage_or_network_are_refused(tmp_path: Path, eight: FrameSets) -> None:
    settings = config(tmp_path)
    second = job(settings, "stage2")
    with pytest.raises(EgorearError, match="'.*stage1-front.*' does not exist: train it first"):
        Run(settings, eight, eight, second)
    small = {"channels": 16, "image_size": 64, "width": 16}
    for wrong, message in (
        (HeatmapConfig("rear", **small), "pair is 'rear', here 'front'"),
        (HeatmapConfig("front", **{**small, "channels": 32}), "channels is 32, here 16"),
        (second.network, "is a EgoRear network, stage2 needs a Heatmap network"),
    ):
        untrained(tmp_path / "stage1-front", wrong)
        with pytest.raises(EgorearError, match=message):
            Run(settings, eight, eight, second)
    file = str(tmp_path / "stage1-front" / BEST)
    with pytest.raises(EgorearError, match="entries missing: lifter"):
        Run(config(tmp_path, initial=file), eight, eight)


def test_fine_tuning_starts_from_a_file_and_says_what_differs(tmp_path: Path, eight: FrameSets) -> None:
    network = dataclasses.replace(config_of("egorear-front"), **NETWORK, syn_inplace_projection=True)
    file = untrained(tmp_path, network)
    run = Run(config(tmp_path, initial=str(file)), eight, eight)
    assert "syn_inplace_projection is True, here False" in run.started_from[0]
    expected = load_weights(file)[0].state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in run.network.state_dict().items())


def test_backbones_start_from_torchvisions_weights(tmp_path: Path, eight: FrameSets) -> None:
    settings = config(tmp_path, network={**NETWORK, "width": 64}, backbone_weights=str(tmp_path / "resnet18.pth"))
    backbone = build(HeatmapConfig()).encoder.backbone.state_dict()
    torch.save(
        {**backbone, "fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}, tmp_path / "resnet18.pth"
    )
    run = Run(settings, eight, eight, job(settings, "stage1-front"))
    assert torch.equal(run.network.encoder.backbone.conv1.weight, backbone["conv1.weight"])
    narrow = dataclasses.replace(settings, network=NETWORK)
    with pytest.raises(EgorearError, match=r"'conv1.weight' is \(64, 3, 7, 7\), expected \(16, 3, 7, 7\)"):
        Run(narrow, eight, eight, job(narrow, "stage1-front"))


def test_the_average_is_kept_and_survives_a_stop(tmp_path: Path, eight: FrameSets) -> None:
    def run(out: str, **changes: Any) -> Run:
        settings = config(tmp_path / out, ema=0.5, steps=4, batch=4, validate_every=2, **changes)
        return Run(settings, eight, eight, job(settings, "stage1-front"))

    whole, stopped, resumed = run("whole"), run("stopped"), run("stopped")
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
        train(Run(settings, eight, eight, job(settings, "stage1-front")), resume=True)


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
        Run(plain, eight, eight, job(plain, "stage2"))
    untrained(tmp_path / "stage1-front", pair)
    for settings, drifts in ((plain, False), (odd, True)):
        run = Run(settings, eight, eight, job(settings, "stage2"))
        mean = run.network.estimators["front"].encoder.backbone.bn1.running_mean
        before = mean.clone()
        run.learn(next(iter(run.batches(1))))
        assert torch.equal(mean, before) != drifts

    file = str(untrained(tmp_path / "whole", dataclasses.replace(config_of("egorear-front"), **NETWORK)))
    third = {quirky: Run(dataclasses.replace(settings, initial=file), eight, eight)
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


EGOTAP_MAPS = [f"stage1-egotap-{maps}-{pair}" for maps in ("joint", "limb") for pair in ("front", "rear")]


@pytest.mark.parametrize(
    ("file", "stage", "batch", "names"),
    [
        ("egorear", 2, 64, ["stage1-front", "stage1-rear", "stage2", "stage3"]),
        ("egoposeformer", 3, 32, ["stage1-front", "stage1-rear", "stage3"]),
        ("egotap", 1, 16, [*EGOTAP_MAPS, "stage3"]),
    ],
)
def test_shipped_configurations(file: str, stage: int, batch: int, names: list[str]) -> None:
    settings = load_config(resources.find(f"config/training/{file}.yaml"), stage)
    assert settings.batch == batch
    assert [job.name for job in jobs_of(settings.network_config())] == names


def test_jobs_of_other_systems() -> None:
    def names(system: str) -> list[str]:
        return [job.name for job in jobs_of(config_of(system))]

    assert names("egorear-front-rear_left") == ["stage1-front", "stage1-rear_left", "stage2", "stage3"]
    assert names("egotap-front+refinement") == ["stage1-front", "stage1-egotap-limb-front", "stage2", "stage3"]
    assert jobs_of(config_of("egoposeformer-4view+refinement"))[2] == jobs_of(config_of("egorear-4view"))[2]
    with pytest.raises(EgorearError, match="name a system"):
        names("egoposeformer-unrealego")


def test_egoposeformer_starts_from_heatmap_networks_without_their_last_layer(tmp_path: Path, eight: FrameSets) -> None:
    settings = config(tmp_path, system="egoposeformer-front")
    untrained(tmp_path / "stage1-front", job(settings, "stage1-front").network)
    run = trained(settings, "stage3", eight)
    assert set(csv_header(run)) >= {"proposal", "pose_3"} and "refined" not in csv_header(run)


def csv_header(run: Run) -> list[str]:
    return (run.out / LOG).read_text().splitlines()[0].split(",")


class AnyMaps(nn.Module):
    """In place of EgoTAP's heatmap networks, which are too large to train here: colours of pixels as maps."""

    def __init__(self, maps: int, size: int) -> None:
        super().__init__()
        self.filters, self.size = nn.Conv2d(3, maps, 1), size

    def forward(self, images: Tensor, extrinsics: None = None, view_mask: Tensor | None = None) -> NetworkOutput:
        found = self.filters(nn.functional.interpolate(images.flatten(0, 1), self.size))
        return NetworkOutput(heatmaps=(found.unflatten(0, images.shape[:2]),))


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
    settings = config(tmp_path, system="egotap-front", network={}).for_data(8)
    task = EgoTapHeatmapTask(job(settings, f"stage1-egotap-{maps}-front"), settings)
    batch = make_batch(prepared(eight, FRONT, 64), np.arange(8), targets=task.targets)
    assert batch.targets["heatmaps"].shape == (8, 2, channels, 16, 16)
    with torch.no_grad():
        assert task.losses(batch.parts(8)[0])["heatmap"] > 0  # what the real network gives fits the target
    task.network = AnyMaps(channels, 16)
    found = losses_while_learning(task, batch, 20)
    assert found[-1] < 0.9 * found[0]
    if maps == "limb":  # cos and sin of one angle: together they are the line itself
        cos, sin = batch.targets["heatmaps"].split(15, dim=2)
        assert (cos**2 + sin**2).max() > 0.5 and sin.min() < 0


def test_egotaps_lifting_learns_on_frozen_heatmap_networks(tmp_path: Path, eight: FrameSets) -> None:
    network = EgoTapConfig(FRONT, lifting=EgoTapLiftingConfig(vit_layers=1, vit_dim=16))
    settings = config(tmp_path, system="egotap-front", network={}).for_data(8)
    task = EgoTapLiftingTask(Job("stage3", 3, "egotap-lifting", network, FRONT), settings)
    assert not any(parameter.requires_grad for parameter in task.network.limb_heatmaps.parameters())
    for maps, folder in ((15, task.network.joint_heatmaps), (30, task.network.limb_heatmaps)):
        folder["front"] = AnyMaps(maps, 64).requires_grad_(False)
    task.train_mode()
    assert task.network.lifting.training and not task.network.joint_heatmaps.training
    source = prepared(eight.take(np.arange(2)), FRONT, 64)
    found = losses_while_learning(task, make_batch(source, np.arange(2)), 5)
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
