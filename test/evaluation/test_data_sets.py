"""Evaluation on data sets: the same answers as one by one, figures that are right, and a report that is whole."""

from __future__ import annotations

import json
import runpy
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from egorear_ros.cli.main import main
from egorear_ros.data.frame_sets import FrameName, FrameSets
from egorear_ros.data.opening import open_frames
from egorear_ros.errors import EgorearError
from egorear_ros.evaluation.baselines import MEAN_POSE, NEAREST, learn_by_heart
from egorear_ros.evaluation.calibration import calibration, coverage_percent, fit_std_scale, scale_std
from egorear_ros.evaluation.loading import camera_sets, load_pose_network
from egorear_ros.evaluation.measurement import Measured, demands_extrinsics, measure, spread
from egorear_ros.evaluation.metrics import joint_errors_mm, mpjpe_mm
from egorear_ros.evaluation.prediction import Predictions, predict
from egorear_ros.evaluation.summary import summarize
from egorear_ros.evaluation.tables import all_tables
from egorear_ros.evaluation.view_sets import ALL, FRONT_PAIR, sets_with_one_lost, view_sets
from egorear_ros.inference import PoseEstimator
from egorear_ros.network import EgoRearConfig
from egorear_ros.rig import VIEWS
from egorear_ros.visualization.evaluation_report import worst_frames, write_report
from test.training.conftest import FRAME_SETS

ROOT = Path(__file__).parents[2]


class InMemory:
    """Frame sets as a source: two sequences of four frames."""

    views = VIEWS

    def __init__(self, sets: FrameSets) -> None:
        self._sets = sets

    def __len__(self) -> int:
        return len(self._sets)

    def take(self, indices: NDArray[np.int64]) -> FrameSets:
        return self._sets.take(indices)

    def name(self, index: int) -> FrameName:
        return FrameName(f"s{index // 4}", index % 4, ("walk", "sit")[index // 4])


@pytest.fixture(scope="session")
def eight() -> FrameSets:
    with np.load(FRAME_SETS) as content:
        return FrameSets(**{name: content[name] for name in content.files})


@pytest.fixture(scope="session")
def measured(eight: FrameSets) -> Measured:
    network, config, _ = load_pose_network("egorear-s", "cpu")
    return measure(network, InMemory(eight), camera_sets(config), learn_by_heart([eight]))


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    with np.load(FRAME_SETS) as content:
        arrays = {name: content[name] for name in content.files}
    count = len(arrays["images"])
    names = {"sequence": np.zeros(count, int), "frame": np.arange(count), "action": np.full(count, "walk")}
    np.savez(folder / "shard_00000.npz", **arrays, **names)
    return folder


def made_up(predicted_m: NDArray[Any], truth_m: NDArray[Any], std_m: NDArray[Any] | None = None) -> Measured:
    std = np.full_like(predicted_m, np.nan) if std_m is None else std_m
    return Measured(
        VIEWS[:1],
        tuple(FrameName("s", i) for i in range(len(truth_m))),
        truth_m,
        None,
        {ALL: (True,)},
        {ALL: Predictions(predicted_m, std)},
    )


@pytest.mark.parametrize("size", [64, 160])
def test_batches_answer_as_the_estimator_does_one_by_one(eight: FrameSets, size: int) -> None:
    """Also where images must be resized, and with lost views."""
    large = replace(eight, images=np.repeat(np.repeat(eight.images, 3, 2), 3, 3)[:, :, :size, :size])
    estimator = PoseEstimator.from_pretrained("egorear-s", "cpu", "reference")
    network, _, _ = load_pose_network("egorear-s", "cpu")
    mask = (True, False, True, True)
    found = predict(network, large, mask)
    for i, images in enumerate(large.images):
        given = {view: image for view, image, there in zip(VIEWS, images, mask, strict=True) if there}
        one = estimator.estimate(given)
        np.testing.assert_allclose(found.joints_m[i], one.joints_device_m, atol=1e-4)
        np.testing.assert_allclose(found.std_m[i], one.joints_std_m, rtol=1e-3)


def test_view_sets_are_those_of_the_papers_tables_and_a_lost_camera() -> None:
    masks = view_sets(VIEWS)
    assert masks[ALL] == (True,) * 4 and masks[FRONT_PAIR] == (True, True, False, False)
    assert masks["front + rear_left"] == (True, True, True, False)
    assert len(set(masks.values())) == len(masks) == 6
    assert [masks[name].index(False) for name in sets_with_one_lost(masks)] == [3, 2, 0, 1]
    assert list(view_sets(VIEWS[:2]).values()) == [(True, True), (False, True), (True, False)]


def test_figures_are_those_of_the_metrics(measured: Measured, eight: FrameSets) -> None:
    summary = summarize(measured)
    errors = joint_errors_mm(measured.predictions[ALL].joints_m, eight.joints_device_m)
    figures = summary["view_sets"][ALL]
    assert figures["mpjpe_mm"] == pytest.approx(errors.mean(), abs=1e-2)
    seen = eight.visible.any(axis=1)
    assert figures["visibility"]["all"]["seen_mm"] == pytest.approx(errors[seen].mean(), abs=0.06)
    assert figures["visibility"]["all"]["hidden_mm"] == pytest.approx(errors[~seen].mean(), abs=0.06)
    front = summary["view_sets"][FRONT_PAIR]["visibility"]["all"]["seen_percent"]
    assert front == pytest.approx(100 * eight.visible[:, :2].any(axis=1).mean(), abs=0.06)
    assert summary["per_action"]["sit"]["mpjpe_mm"] == pytest.approx(errors[4:].mean(), abs=0.06)
    assert [part["frames"] for part in summary["per_sequence"].values()] == [4, 4]
    lost = [summary["view_sets"][name]["mpjpe_mm"] for name in sets_with_one_lost(dict(measured.masks))]
    assert summary["compared"]["one_lost_mm"] == pytest.approx(np.mean(lost), abs=0.06)


def test_the_baselines_are_a_floor_and_can_look_things_up(measured: Measured, eight: FrameSets) -> None:
    """Asked about its own training data the nearest picture is right; the mean pose is not."""
    np.testing.assert_array_equal(measured.baselines[NEAREST], eight.joints_device_m)
    mean = mpjpe_mm(eight.joints_device_m.mean(axis=0), eight.joints_device_m).mean()
    assert summarize(measured)["baselines"][MEAN_POSE]["mpjpe_mm"] == pytest.approx(mean, abs=1e-2)
    brighter = replace(eight, images=(eight.images * 0.6 + 40).astype(np.uint8))
    np.testing.assert_array_equal(learn_by_heart([eight]).nearest_pose_m(brighter, (True,) * 4), eight.joints_device_m)


def test_calibration_finds_honest_deviations_honest_and_others_not() -> None:
    rng = np.random.default_rng(0)
    std = rng.uniform(0.01, 0.2, (600, 16, 3)).astype(np.float32)
    error = rng.laplace(0, 1, std.shape) * std / np.sqrt(2)
    found = calibration(error, 0 * error, std)
    for percent, covered in found["coverage_percent"].items():
        assert covered == pytest.approx(float(percent), abs=1.0)
    assert found["monotone"] and len(found["deciles"]) == 10
    assert coverage_percent(error, std / 2)["90"] < 75
    assert not calibration(error[::-1], 0 * error, std)["monotone"]
    factor = fit_std_scale(error, 0 * error, std / 2)
    assert factor == pytest.approx(2.0, abs=0.03)
    assert coverage_percent(error, std / 2 * factor)["90"] == pytest.approx(90, abs=0.1)


def test_scaling_the_weights_scales_what_the_network_predicts(eight: FrameSets) -> None:
    network, _, _ = load_pose_network("egorear-s", "cpu")
    before = predict(network, eight, (True,) * 4)
    scale_std(network, 1.3)  # type: ignore[arg-type]
    after = predict(network, eight, (True,) * 4)
    np.testing.assert_allclose(after.std_m, before.std_m * 1.3, rtol=1e-4)
    np.testing.assert_array_equal(after.joints_m, before.joints_m)


def test_a_perfect_answer_has_no_error_and_no_confidence_is_made_up(eight: FrameSets) -> None:
    summary = summarize(made_up(eight.joints_device_m, eight.joints_device_m))
    assert summary["view_sets"][ALL]["mpjpe_mm"] == 0 and summary["view_sets"][ALL]["pck_150mm_percent"] == 100
    assert summary["calibration"] is None and summary["view_sets"][ALL]["visibility"] is None
    assert [table.title for table in all_tables(summary)] == [
        "Errors", "MPJPE per joint group (mm)", f"Per sequence, {ALL}"
    ]  # fmt: skip


def test_spread_takes_evenly(eight: FrameSets) -> None:
    few = spread(InMemory(eight), 3)
    assert [few.name(i).frame for i in range(3)] == [0, 3, 3] and len(few) == 3
    np.testing.assert_array_equal(few.take(np.array([2, 0])).images, eight.images[[7, 0]])
    with pytest.raises(EgorearError, match="at least 1"):
        spread(InMemory(eight), 0)


def test_the_worst_frames_are_of_different_sequences(measured: Measured) -> None:
    error = mpjpe_mm(measured.predictions[ALL].joints_m, measured.truth_m)
    worst = worst_frames(measured)
    assert worst[0] == error.argmax() and sorted(i // 4 for i in worst) == [0, 1]


def test_the_command_writes_a_whole_report(shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, figures = tmp_path / "report", tmp_path / "figures.json"
    command = ["evaluate", "--data", str(shards), "--device", "cpu", "--sets", "6", "--training", str(shards)]
    assert main([*command, "--out", str(out), "--json", str(figures)]) == 0
    content = json.loads((out / "report.json").read_text())
    assert content == json.loads(figures.read_text()) and content["frames"] == 6
    text = (out / "report.md").read_text()
    for table in all_tables(content):
        assert table.markdown() in text
    pictures = {path.name for path in out.glob("*.png")}
    assert pictures >= {"joints.png", "curve.png", "sequence.png", "confidence.png", "worst_1.png"}
    assert all(f"({name})" in text for name in pictures) and min(p.stat().st_size for p in out.glob("*.png")) > 5000
    assert f"{content['view_sets'][ALL]['mpjpe_mm']:.1f}" in capsys.readouterr().out
    assert main([*command, "--out", str(out)]) == 1 and "not empty" in capsys.readouterr().err


def test_the_report_names_the_split_and_the_extrinsics(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of shards the split is the recorded one; a network that demands extrinsics has the data's without being asked."""
    data = tmp_path / "shards"
    shutil.copytree(shards, data)
    figures = tmp_path / "figures.json"
    command = ["evaluate", "--data", str(data), "--device", "cpu", "--sets", "1", "--json", str(figures)]
    assert main(command) == 0
    facts = json.loads(figures.read_text())["measured"]
    assert (facts["split"], facts["extrinsics"]) == ("not recorded", "the rig's drawing")
    (data / "shards.json").write_text('{"split": "val"}')
    monkeypatch.setattr("egorear_ros.cli._evaluate_data.demands_extrinsics", lambda network: True)
    assert main(command) == 0
    facts = json.loads(figures.read_text())["measured"]
    assert (facts["split"], facts["extrinsics"]) == ("val", "the data's own")
    assert main([*command, "--split", "test"]) == 1
    assert "are of split val; leave out --split" in capsys.readouterr().err
    assert len(open_frames(data, "test")) == 8, "tools/publish_weights.py measures validation shards, too"


def test_a_network_that_demands_extrinsics_is_known() -> None:
    for config, demands in ((EgoRearConfig(VIEWS), False), (EgoRearConfig(VIEWS, extrinsics="input"), True)):
        assert demands_extrinsics(SimpleNamespace(config=config)) == demands  # type: ignore[arg-type]


def test_poses_that_are_no_numbers_are_an_error_not_a_traceback(eight: FrameSets) -> None:
    network, _, _ = load_pose_network("egorear-s", "cpu")
    with torch.no_grad():
        next(network.parameters()).fill_(float("nan"))
    with pytest.raises(EgorearError, match="not finite for 8 of 8 frame sets"):
        measure(network, InMemory(eight), {ALL: (True,) * 4})


def test_a_report_that_fails_leaves_nothing(measured: Measured, tmp_path: Path) -> None:
    summary = {**summarize(measured), "per_action": object()}
    with pytest.raises(Exception, match="object"):
        write_report(tmp_path / "report", measured, summary, {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--model", "no-such"], "no model 'no-such'"),
        (["--views", "left"], "no view 'left'"),
        (["--training", "/no/where"], "no folder '/no/where'"),
    ],
)
def test_what_cannot_be_evaluated_is_one_line(
    shards: Path, extra: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--data", str(shards), *extra]) == 1
    assert message in capsys.readouterr().err


def test_some_views_are_one_camera_set_and_other_networks_are_not_asked_to_miss_any() -> None:
    _, config, _ = load_pose_network("egorear-s", "cpu")
    assert camera_sets(config, ["rear_left", "front_left"]) == {"rear_left, front_left": (True, False, True, False)}
    assert camera_sets(EgoRearConfig(VIEWS)) == {ALL: (True,) * 4}


def test_the_claims_command_judges_every_claim(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(shards)
    arguments = ["--refined", "egorear-s", "--unrefined", "egorear-s", "--training", folder, "--validation", folder]
    monkeypatch.setattr(sys, "argv", ["x", *arguments, "--test", folder, "--out", str(tmp_path / "out")])
    runpy.run_path(str(ROOT / "benchmarks" / "egorear_sim_claims.py"), run_name="__main__")
    claims = json.loads((tmp_path / "out" / "claims.json").read_text())["test"]["claims"]
    verdict = {figure: holds for figure, _, _, holds in claims}
    assert verdict["MPJPE with 4 views (mm)"] == "NO", "these first weights do not reach 60 mm"
    assert verdict["with - without refinement, all views (mm)"] == "NO", "the same weights are no better"
    assert verdict[f"floor: {NEAREST} (mm)"] == "NO", "it looks up its own training data"
    assert verdict[f"floor: {MEAN_POSE} (mm)"] == "yes" and len(verdict) == len(claims)
    assert "claims.md" in capsys.readouterr().out
