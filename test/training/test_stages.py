"""The paper's systems, stage by stage, through the trainer and the command."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from egorear_ros import resources
from egorear_ros.cli.main import main
from egorear_ros.data.frame_sets import FrameSets, averaged
from egorear_ros.errors import EgorearError
from egorear_ros.inference.preprocessing import resize_official
from egorear_ros.network import build, config_of, load_weights
from egorear_ros.network.config import FRONT, HeatmapConfig
from egorear_ros.training.config import load_config
from egorear_ros.training.run import build_run
from egorear_ros.training.sources import open_training, prepared
from egorear_ros.training.stages import Job, jobs_of
from egorear_ros.training.start import BEST, LAST
from test.training.narrow import EGOTAP, NETWORK, column, command, config, csv_header, job, shards, trained, untrained


def test_every_stage_learns_from_the_one_before(tmp_path: Path, eight: FrameSets) -> None:
    """Eight frame sets, narrow networks: each stage gets well below where it starts."""
    settings = config(tmp_path, learning_rate=1e-2, schedule="linear", validate_every=5)
    first = trained(dataclasses.replace(settings, steps=60, validate_every=20), "stage1-front", eight)
    nothing = prepared(eight, FRONT, 64).take(np.arange(8))
    silent = float((first.task.targets(nothing)["heatmaps"] ** 2).mean())
    assert first.best < 0.8 * silent

    second = trained(dataclasses.replace(settings, steps=15), "stage2", eight)
    assert column(second, "loss")[-1] < 0.75 * column(second, "loss")[0]
    estimator = load_weights(tmp_path / "stage1-front" / BEST)[0].state_dict()
    for name, value in second.network.estimators["front"].state_dict().items():
        torch.testing.assert_close(value, estimator[name], rtol=0, atol=0)  # frozen, statistics too

    third = trained(dataclasses.replace(settings, steps=20), "stage3", eight)
    errors = column(third, "validation_mpjpe_mm")
    assert errors[-1] < 0.75 * errors[0] and column(third, "pose_3")[-1] < 0.6 * column(third, "pose_3")[0]
    assert "stage2" in load_weights(tmp_path / "stage3" / BEST)[1].source["training"]["started_from"][0]


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


def test_a_stage_that_is_stopped_is_not_built_upon(
    tmp_path: Path, eight: FrameSets, capsys: pytest.CaptureFixture[str]
) -> None:
    data = shards(tmp_path / "data", eight)
    assert main(command(tmp_path, data, "--stop-after", "3")) == 0
    assert "stopped in stage1-front (--stop-after 3); not begun: stage2, stage3" in capsys.readouterr().out
    assert not (tmp_path / "run" / "stage2").exists()
    assert main(command(tmp_path, data, "--stop-after", "0")) == 1
    assert "--stop-after must be at least 1, got 0" in capsys.readouterr().err


def test_the_views_of_all_jobs_are_checked(
    tmp_path: Path, eight: FrameSets, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last job of a four-view system's stage 1 sees the rear pair only."""
    pixels = eight.pixels.copy()
    pixels[2, 0] += 0.5
    data = shards(tmp_path / "data", dataclasses.replace(eight, pixels=pixels))
    assert main(command(tmp_path, data, "--stage", "1", "--system", "egorear-4view")) == 1
    assert "2D and 3D: " in capsys.readouterr().err and not (tmp_path / "run").exists()


def test_shards_of_the_train_split_do_not_choose_weights(
    tmp_path: Path, eight: FrameSets, capsys: pytest.CaptureFixture[str]
) -> None:
    data = shards(tmp_path / "data", eight)
    (data / "shards.json").write_text('{"split": "train"}')
    assert main(command(tmp_path, data)) == 1
    assert "are of split train" in capsys.readouterr().err and not (tmp_path / "run").exists()


STAGE_NAMES = ("stage1-front", "stage2", "stage3")


def test_images_are_made_smaller_as_they_are_in_use(tmp_path: Path, eight: FrameSets) -> None:
    """Pillow's bicubic for the paper's systems, averages for egorear-s."""
    large = dataclasses.replace(eight, images=eight.images.repeat(2, axis=2).repeat(2, axis=3))
    data = str(shards(tmp_path / "data", large))
    settings = config(tmp_path, data=(data,), validation=data)
    heatmaps = HeatmapConfig("front", channels=16, image_size=64, width=16)
    for network, resize in (
        (heatmaps, resize_official),
        (dataclasses.replace(config_of("egorear-s"), image_size=64), averaged),
    ):
        expected = [resize(image, 64) for image in large.images[:2, :2].reshape(-1, 128, 128, 3)]
        for source in open_training(settings, Job("", 1, "heatmap", network, FRONT)):
            found = source.take(np.arange(2)).images.reshape(-1, 64, 64, 3)
            np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(resize_official(large.images[0, 0], 64), averaged(large.images[0, 0], 64))


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
        build_run(settings, eight, eight, second)
    small = {"channels": 16, "image_size": 64, "width": 16}
    for wrong, message in (
        (HeatmapConfig("rear", **small), "pair is 'rear', here 'front'"),
        (HeatmapConfig("front", **{**small, "channels": 32}), "channels is 32, here 16"),
        (second.network, "is a EgoRear network, stage2 needs a Heatmap network"),
    ):
        untrained(tmp_path / "stage1-front", wrong)
        with pytest.raises(EgorearError, match=message):
            build_run(settings, eight, eight, second)
    file = str(tmp_path / "stage1-front" / BEST)
    with pytest.raises(EgorearError, match="entries missing: lifter"):
        build_run(config(tmp_path, initial=file), eight, eight)


def test_fine_tuning_starts_from_a_file_and_says_what_differs(tmp_path: Path, eight: FrameSets) -> None:
    network = dataclasses.replace(config_of("egorear-front"), **NETWORK, syn_inplace_projection=True)
    file = untrained(tmp_path, network)
    run = build_run(config(tmp_path, initial=str(file)), eight, eight)
    assert "syn_inplace_projection is True, here False" in run.started_from[0]
    expected = load_weights(file)[0].state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in run.network.state_dict().items())


def test_backbones_start_from_torchvisions_weights(tmp_path: Path, eight: FrameSets) -> None:
    settings = config(tmp_path, network={**NETWORK, "width": 64}, backbone_weights=str(tmp_path / "resnet18.pth"))
    backbone = build(HeatmapConfig()).encoder.backbone.state_dict()
    torch.save(
        {**backbone, "fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}, tmp_path / "resnet18.pth"
    )
    run = build_run(settings, eight, eight, job(settings, "stage1-front"))
    assert torch.equal(run.network.encoder.backbone.conv1.weight, backbone["conv1.weight"])
    narrow = dataclasses.replace(settings, network=NETWORK)
    with pytest.raises(EgorearError, match=r"'conv1.weight' is \(64, 3, 7, 7\), expected \(16, 3, 7, 7\)"):
        build_run(narrow, eight, eight, job(narrow, "stage1-front"))


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


def test_egotap_trains_through_all_stages_on_refined_heatmaps(tmp_path: Path, eight: FrameSets) -> None:
    """With four views, so that the maps of each pair must find their place."""
    settings = config(tmp_path, system="egotap-4view+refinement", network=EGOTAP, steps=1)
    for each in jobs_of(settings.network_config()):
        run = trained(settings, each.name, eight)
    assert {part.module: part.job for part in run.job.parts} == {
        "refinement": "stage2",
        "limb_heatmaps.front": "stage1-egotap-limb-front",
        "limb_heatmaps.rear": "stage1-egotap-limb-rear",
    }
    for part in run.job.parts:
        for name, value in load_weights(tmp_path / part.job / BEST)[0].state_dict().items():
            torch.testing.assert_close(run.network.get_submodule(part.module).state_dict()[name], value, rtol=0, atol=0)
    again, card = load_weights(run.out / BEST)
    assert card.config == run.job.network and again.lifting.vit.patch.weight.shape == (16, 1, 4, 4)


def test_egoposeformer_starts_from_heatmap_networks_without_their_last_layer(tmp_path: Path, eight: FrameSets) -> None:
    settings = config(tmp_path, system="egoposeformer-front")
    untrained(tmp_path / "stage1-front", job(settings, "stage1-front").network)
    run = trained(settings, "stage3", eight)
    assert set(csv_header(run)) >= {"proposal", "pose_3"} and "refined" not in csv_header(run)
