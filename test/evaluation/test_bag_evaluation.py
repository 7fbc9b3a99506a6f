"""Bags offline: written, read, evaluated; against the clip they were made from, and when they are bad."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from egorear_ros.bags.clip_to_bag import clip_to_bag
from egorear_ros.bags.message_reading import rgb_from_message, skeleton_from_message, stamp_to_ns
from egorear_ros.bags.reading import Bag, BagMessage, find_topics
from egorear_ros.bags.writing import BagWriter
from egorear_ros.cli import main
from egorear_ros.data.jpeg import decode_jpeg
from egorear_ros.data.rig_clip import RigClip
from egorear_ros.datatypes import JPEG_FORMAT
from egorear_ros.evaluation.bag_evaluation import estimate_bag, evaluate_bag
from egorear_ros.evaluation.pose_table import pose_table
from egorear_ros.inference import PoseEstimator
from egorear_ros.rig import VIEWS, Rig
from egorear_ros.sync import SyncConfig

from ..recording import FRAMES, SKEWS_NS, START_NS, Recording, stamps_ns

SYNC = SyncConfig(VIEWS)


@pytest.fixture(scope="session")
def estimator(recorded: Recording) -> PoseEstimator:
    return PoseEstimator.from_pretrained(recorded.model, "cpu")


def rewrite(source: Path, out: Path, change: Callable[[BagMessage], BagMessage | None]) -> Path:
    """Copy a bag, changing or leaving out messages."""
    with Bag(source) as bag, BagWriter(out) as writer:
        for topic, kind in bag.topics.items():
            writer.add_topic(topic, kind)
        for message in bag.messages(bag.topics):
            if (changed := change(message)) is not None:
                writer.write(*changed)
    return out


def evaluate(path: Path, estimator: PoseEstimator, sync: SyncConfig = SYNC) -> dict[str, Any]:
    with Bag(path) as bag:
        return evaluate_bag(estimate_bag(bag, estimator, sync), sync.tolerance)


def test_a_clip_comes_back_from_its_bag(recorded: Recording, bag_path: Path) -> None:
    clip = RigClip(recorded.clip)
    with Bag(bag_path) as bag:
        topics = find_topics(bag, VIEWS)
        assert (topics.namespace, topics.compressed, list(topics.images)) == ("egorear", False, list(VIEWS))
        assert bag.start_ns == START_NS and bag.counts["/egorear/front_left/camera_info"] == FRAMES
        for i, view in enumerate(VIEWS):
            for frame, item in enumerate(bag.messages([topics.images[view]])):
                assert stamp_to_ns(item.message.header.stamp) == item.time_ns == stamps_ns(frame)[i]
                np.testing.assert_array_equal(rgb_from_message(item.message), clip.view(view, frame))
        truths = [skeleton_from_message(item.message) for item in bag.messages([str(topics.ground_truth)])]
        np.testing.assert_allclose([t.positions_m for t in truths], recorded.truth_m, atol=1e-6)
        (tree,) = [item.message for item in bag.messages(["/tf_static"])]
        assert {edge.child_frame_id for edge in tree.transforms} >= {f"{view}_optical_frame" for view in VIEWS}
        (info, *_) = (item.message for item in bag.messages(["/egorear/rear_left/camera_info"]))
        assert (info.width, info.distortion_model, info.header.frame_id) == (
            64, "equidistant", "rear_left_optical_frame",
        )  # fmt: skip


def test_compressed_images_are_jpeg_of_the_clip(recorded: Recording, tmp_path: Path) -> None:
    clip_to_bag(str(recorded.clip), tmp_path / "jpeg", "", jpeg_quality=95)
    with Bag(tmp_path / "jpeg") as bag:
        topics = find_topics(bag, VIEWS)
        assert topics.compressed and topics.images["rear_left"] == "/rear_left/image_raw/compressed"
        first = next(bag.messages([topics.images["rear_left"]])).message
    image = RigClip(recorded.clip).view("rear_left", 0)
    error = np.abs(decode_jpeg(bytes(first.data), "rear_left").astype(float) - image)
    assert 0 < error.mean() < 20


def test_evaluation_equals_that_of_the_frames_themselves(
    recorded: Recording, bag_path: Path, estimator: PoseEstimator
) -> None:
    clip = RigClip(recorded.clip)
    direct = [
        estimator.estimate(dict(zip(VIEWS, clip.frame(i), strict=True))).joints_device_m.astype(np.float64)
        for i in range(FRAMES)
    ]
    assert np.ptp(direct, axis=0).max() > 1e-6, "the network must tell the frames apart, or this test cannot fail"
    with Bag(bag_path) as bag:
        estimates = estimate_bag(bag, estimator, SYNC)
    np.testing.assert_array_equal([s.positions_m for s in estimates.skeletons], direct)
    assert [s.stamp_ns for s in estimates.skeletons] == [min(stamps_ns(i)) for i in range(FRAMES)]
    result = evaluate_bag(estimates, SYNC.tolerance)
    assert result["tables"]["all"] == pose_table(np.array(direct), recorded.truth_m.astype(np.float32))
    assert result["tables"]["complete"] == result["tables"]["all"] and "partial" not in result["tables"]
    counts = result["frames"]
    assert (counts["complete"], counts["compared"], counts["truths_without_skeleton"]) == (FRAMES, FRAMES, 0)


def test_two_runs_give_the_same_file(recorded: Recording, bag_path: Path, tmp_path: Path, capsys: Any) -> None:
    for name in ("one.json", "two.json"):
        command = ["evaluate", "--bag", str(bag_path), "--model", recorded.model, "--device", "cpu"]
        assert main.main([*command, "--json", str(tmp_path / name)]) == 0
    first = (tmp_path / "one.json").read_bytes()
    assert first == (tmp_path / "two.json").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.json", "two.json"]
    printed = capsys.readouterr().out
    mpjpe = json.loads(first)["tables"]["all"]["mpjpe_mm"]
    assert f"{mpjpe:.2f}" in printed and "MPJPE (mm)" in printed and "x real time" in printed


def test_a_rig_that_is_named_reaches_the_network(
    bag_path: Path, estimator: PoseEstimator, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Rig | None] = []

    def load(*args: Any, rig: Rig | None) -> PoseEstimator:
        given.append(rig)
        return estimator

    monkeypatch.setattr(PoseEstimator, "from_pretrained", load)
    command = ["evaluate", "--bag", str(bag_path), "--model", "any"]
    assert main.main(command) == main.main([*command, "--rig", "ego4view"]) == 0
    model_own, named = given
    assert model_own is None and named is not None and named.name == "ego4view"


def test_a_recording_has_a_report_with_the_same_figures(
    recorded: Recording, bag_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it is there before the tables, whose reader may have left."""

    def interrupted(result: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("egorear_ros.cli._evaluate_bag.print_tables", interrupted)
    command = ["evaluate", "--bag", str(bag_path), "--model", recorded.model, "--device", "cpu"]
    assert main.main([*command, "--json", str(tmp_path / "out.json"), "--out", str(tmp_path / "report")]) == 130
    content = json.loads((tmp_path / "out.json").read_text())
    figures = content["tables"]["all"]
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert content["calibration"] == report["calibration"]
    assert content["per_joint_mm"] == report["view_sets"]["as recorded"]["per_joint_mm"]
    assert report["view_sets"]["as recorded"]["mpjpe_mm"] == pytest.approx(figures["mpjpe_mm"], abs=2e-3)
    assert report["frames"] == FRAMES == report["per_sequence"][bag_path.stem]["frames"]
    assert {path.name for path in (tmp_path / "report").glob("*.png")} >= {"joints.png", "curve.png", "sequence.png"}


def test_a_lost_image_makes_a_partial_frame_set(bag_path: Path, estimator: PoseEstimator, tmp_path: Path) -> None:
    lost = stamps_ns(3)[2]

    def drop(m: BagMessage) -> BagMessage | None:
        return None if m.topic == "/egorear/rear_left/image_raw" and m.time_ns == lost else m

    result = evaluate(rewrite(bag_path, tmp_path / "b", drop), estimator)
    counts = result["frames"]
    assert (counts["complete"], counts["partial"], counts["compared"]) == (FRAMES - 1, 1, FRAMES)
    assert result["tables"]["partial"]["frames"] == 1
    assert result["cameras"]["rear_left"]["received"] == FRAMES - 1


def test_a_broken_image_is_counted_and_left_out(bag_path: Path, estimator: PoseEstimator, tmp_path: Path) -> None:
    def cut(m: BagMessage) -> BagMessage:
        if m.topic == "/egorear/rear_left/image_raw" and m.time_ns == stamps_ns(3)[2]:
            m.message.data = m.message.data[:10]
        return m

    result = evaluate(rewrite(bag_path, tmp_path / "b", cut), estimator)
    ((reason, count),) = result["problems"].items()
    assert count == 1 and "rear_left" in reason and "holds 10 bytes" in reason
    assert result["frames"]["partial"] == 1


def test_a_jpeg_that_cannot_be_decoded_costs_its_view_alone(
    recorded: Recording, estimator: PoseEstimator, tmp_path: Path
) -> None:
    def spoil(m: BagMessage) -> BagMessage:
        if m.topic == "/egorear/rear_left/image_raw/compressed" and m.time_ns == stamps_ns(3)[2]:
            m.message.data = m.message.data[:20]
        return m

    clip_to_bag(str(recorded.clip), tmp_path / "jpeg", "egorear", jpeg_quality=90)
    result = evaluate(rewrite(tmp_path / "jpeg", tmp_path / "b", spoil), estimator)
    problem = f"camera 'rear_left': compressed image of 20 bytes of format '{JPEG_FORMAT}' cannot be decoded"
    assert result["problems"] == {problem: 1}
    assert (result["frames"]["compared"], result["frames"]["partial"]) == (FRAMES, 1)


def test_offsets_of_the_parameter_file_align_the_cameras(
    recorded: Recording, bag_path: Path, tmp_path: Path, capsys: Any
) -> None:
    """With 1 ms tolerance the cameras, up to 3 ms apart, fit together only by their offsets."""
    complete = []
    for offsets in ([0.0], [-skew / 1e9 for skew in SKEWS_NS]):
        parameters = tmp_path / "rig.yaml"
        parameters.write_text(f"/**/synchronizer: {{ros__parameters: {{tolerance: 0.0001, offsets: {offsets}}}}}\n")
        command = ["evaluate", "--bag", str(bag_path), "--model", recorded.model, "--params-file", str(parameters)]
        out = tmp_path / "out.json"
        out.unlink(missing_ok=True)
        status = main.main([*command, "--json", str(out), "--device", "cpu"])
        complete.append(json.loads(out.read_text())["frames"]["complete"] if status == 0 else 0)
    assert complete == [0, FRAMES]
    assert "nothing to compare: 0 skeletons" in capsys.readouterr().err


@pytest.mark.parametrize(("shift_ns", "compared"), [(2_000_000, FRAMES), (-4_000_000, FRAMES)])
def test_truth_may_be_near_in_time(
    bag_path: Path, estimator: PoseEstimator, tmp_path: Path, shift_ns: int, compared: int
) -> None:
    result = evaluate(rewrite(bag_path, tmp_path / "b", shifted_truth(shift_ns)), estimator)
    assert result["frames"]["compared"] == compared


def test_truth_too_far_in_time_is_not_taken(bag_path: Path, estimator: PoseEstimator, tmp_path: Path) -> None:
    path = rewrite(bag_path, tmp_path / "b", shifted_truth(20_000_000))
    with pytest.raises(main.EgorearError, match=f"{FRAMES} skeletons, {FRAMES} true ones, and no two within 0.005 s"):
        evaluate(path, estimator)


def shifted_truth(shift_ns: int) -> Callable[[BagMessage], BagMessage]:
    def shift(m: BagMessage) -> BagMessage:
        if m.topic.endswith("ground_truth"):
            stamp = stamp_to_ns(m.message.header.stamp) + shift_ns
            m.message.header.stamp.sec, m.message.header.stamp.nanosec = divmod(stamp, 1_000_000_000)
        return m

    return shift
