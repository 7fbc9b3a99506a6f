"""`egorear estimate`: every kind of source gives the same skeletons; trouble is named; finished files are kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from egorear_ros.bags.message_reading import skeleton_from_message
from egorear_ros.bags.reading import Bag
from egorear_ros.bags.writing import BagWriter
from egorear_ros.cli import main
from egorear_ros.estimation import Estimates, Named, estimate_recording, open_recording, parse_sources
from egorear_ros.evaluation.bag_evaluation import estimate_bag
from egorear_ros.inference import PoseEstimator
from egorear_ros.rig import VIEWS
from egorear_ros.sync import SyncConfig

from ..recording import FRAMES, RATE_HZ, Recording, stamps_ns

SYNC = SyncConfig(VIEWS)


def estimate(named: Named, estimator: PoseEstimator, rate_hz: float = 0.0) -> Estimates:
    return estimate_recording(open_recording(named, VIEWS, rate_hz), estimator, SYNC)


def command(recorded: Recording, *arguments: str | Path) -> list[str]:
    model = ["--model", recorded.model, "--device", "cpu", "--engine", "reference"]
    return ["estimate", *map(str, arguments), *model]


def test_a_bag_gives_what_its_evaluation_gives(bag_path: Path, estimator: PoseEstimator) -> None:
    with Bag(bag_path) as bag:
        expected = estimate_bag(bag, estimator, SYNC).skeletons
    found = estimate(Named(bag_path), estimator).skeletons
    assert len(found) == FRAMES
    assert np.array_equal([s.positions_m for s in found], [s.positions_m for s in expected])
    assert [s.stamp_ns for s in found] == [s.stamp_ns for s in expected] == [min(stamps_ns(i)) for i in range(FRAMES)]


def test_all_kinds_of_source_give_the_same(
    recorded: Recording, bag_path: Path, images: Path, estimator: PoseEstimator, tmp_path: Path
) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    for view in VIEWS:
        shutil.copy(recorded.clip / f"{view}.avi", videos)
    expected = estimate(Named(recorded.clip), estimator).sequence
    assert len(expected) == FRAMES
    assert expected.views_used.all()
    mcap = next(bag_path.glob("*.mcap"))
    named = {view: recorded.clip / f"{view}.avi" for view in VIEWS}
    for source in (Named(bag_path), Named(mcap), Named(videos), Named(images), Named(views=named)):
        found = estimate(source, estimator, RATE_HZ if source.path == images else 0.0).sequence
        assert np.array_equal(found.positions_m, expected.positions_m), source
        assert np.diff(found.stamps_ns).tolist() == pytest.approx(np.diff(expected.stamps_ns).tolist()), source


def test_a_missing_image_is_a_missing_view(images: Path, estimator: PoseEstimator, tmp_path: Path) -> None:
    shutil.copytree(images, tmp_path / "walk")
    (tmp_path / "walk" / "rear_left" / "rear_left_3.png").unlink()
    (tmp_path / "walk" / "rear_right" / "rear_right_5.png").write_bytes(b"no image")
    found = estimate(Named(tmp_path / "walk"), estimator)
    used = found.sequence.views_used
    assert len(used) == FRAMES
    assert np.argwhere(~used).tolist() == [[3, VIEWS.index("rear_left")], [5, VIEWS.index("rear_right")]]
    assert any("rear_right_5.png' cannot be read" in problem for problem in found.problems)


def test_numbers_order_images_not_letters(images: Path, estimator: PoseEstimator, tmp_path: Path) -> None:
    """img_9 comes before img_10."""
    for view in VIEWS:
        (tmp_path / "walk" / view).mkdir(parents=True)
        for index in range(FRAMES):
            shutil.copy(images / view / f"{view}_{index}.png", tmp_path / "walk" / view / f"img_{index + 5}.png")
    expected, found = (estimate(Named(folder), estimator).sequence for folder in (images, tmp_path / "walk"))
    assert np.array_equal(found.positions_m, expected.positions_m)


def test_parse_sources() -> None:
    found = parse_sources(["a", "front_left=x", "rear_left=y", "front_left=z", "b"])
    assert [named.path for named in found] == [Path("a"), None, None, Path("b")]
    assert found[1].views == {"front_left": Path("x"), "rear_left": Path("y")}
    assert found[2].views == {"front_left": Path("z")}


def test_every_file_of_one_recording(recorded: Recording, tmp_path: Path, capsys: Any) -> None:
    files = [tmp_path / f"walk{suffix}" for suffix in (".npz", ".csv", ".bvh", ".trc", ".mcap", ".mp4")]
    assert main.main([*command(recorded, recorded.clip), "--out", *map(str, files)]) == 0
    out = capsys.readouterr().out
    assert f"{FRAMES} skeletons" in out and "body to free joints: mean" in out
    assert sorted(tmp_path.iterdir()) == sorted(files)
    with np.load(files[0]) as data:
        assert data["joints_m"].shape == (FRAMES, 16, 3)


def test_skeletons_lie_beside_the_input_of_a_bag(recorded: Recording, bag_path: Path, tmp_path: Path) -> None:
    assert main.main([*command(recorded, bag_path), "--out", str(tmp_path / "a.mcap")]) == 0
    with Bag(bag_path) as before, Bag(tmp_path / "a.mcap") as after:
        skeletons = [skeleton_from_message(m.message) for m in after.messages(["/egorear/skeleton"])]
        assert len(skeletons) == FRAMES
        per_frame = ("/egorear/skeleton", "/egorear/skeleton_fitted", "/egorear/joint_states", "/tf")
        added = {**dict.fromkeys(per_frame, FRAMES), "/egorear/robot_description": 1}
        assert {**before.counts, **added} == after.counts
        for was, now in zip(before.messages(before.topics), after.messages(before.topics), strict=True):
            assert (was.topic, was.time_ns) == (now.topic, now.time_ns)
        # Estimating from what was written gives the same again, under another name.
    assert main.main([*command(recorded, tmp_path / "a.mcap"), "--out", str(tmp_path / "b.mcap")]) == 0
    with Bag(tmp_path / "b.mcap") as twice:
        again = [skeleton_from_message(m.message) for m in twice.messages(["/egorear/skeleton_estimated"])]
        assert np.array_equal([s.positions_m for s in again], [s.positions_m for s in skeletons])


def test_finished_files_are_kept(
    recorded: Recording, images: Path, bag_path: Path, tmp_path: Path, capsys: Any
) -> None:
    out = tmp_path / "out"
    shutil.copytree(images, tmp_path / "run")
    arguments = command(recorded, recorded.clip, tmp_path / "run")
    assert main.main([*arguments, "--out", str(out), "--formats", "npz", "csv"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["clip.csv", "clip.npz", "run.csv", "run.npz"]
    (out / "run.csv").unlink()
    (out / "clip.npz").write_text("kept")
    capsys.readouterr()
    assert main.main([*arguments, "--out", str(out), "--formats", "npz", "csv"]) == 0
    said = capsys.readouterr().out
    assert "3 finished files are kept" in said and "clip:" not in said and "run.csv" in said
    assert (out / "clip.npz").read_text() == "kept"
    assert main.main([*command(recorded, recorded.clip), "--out", str(out), "--overwrite"]) == 0
    assert (out / "clip.npz").read_bytes()[:2] == b"PK"


def test_one_bad_recording_does_not_stop_the_others(recorded: Recording, tmp_path: Path, capsys: Any) -> None:
    bad = tmp_path / "bad"
    shutil.copytree(recorded.clip, bad)
    (bad / "rear_left.avi").write_bytes(b"no video")
    out = tmp_path / "out"
    assert main.main([*command(recorded, bad, recorded.clip), "--out", str(out)]) == 1
    error = capsys.readouterr().err
    assert "bad: clip video" in error and "1 of 2 recordings failed" in error
    assert [path.name for path in out.iterdir()] == ["clip.npz"]


def empty(folder: Path) -> list[str | Path]:
    (folder / "empty").mkdir()
    return [folder / "empty"]


def a_text(folder: Path) -> list[str | Path]:
    (folder / "a.txt").write_text("text")
    return [folder / "a.txt"]


def no_video(folder: Path) -> list[str | Path]:
    (folder / "a.mp4").write_text("text")
    return [f"front_left={folder / 'a.mp4'}"]


def no_images(folder: Path) -> list[str | Path]:
    (folder / "left").mkdir()
    return [f"front_left={folder / 'left'}"]


def mixed(folder: Path) -> list[str | Path]:
    (folder / "left").mkdir()
    (folder / "right.mp4").write_text("text")
    return [f"front_left={folder / 'left'}", f"front_right={folder / 'right.mp4'}"]


def unnumbered(folder: Path) -> list[str | Path]:
    (folder / "left").mkdir()
    cv2.imwrite(str(folder / "left" / "a.png"), np.zeros((64, 64, 3), np.uint8))
    return [f"front_left={folder / 'left'}"]


def wrong_shape(folder: Path) -> list[str | Path]:
    (folder / "left").mkdir()
    cv2.imwrite(str(folder / "left" / "1.png"), np.zeros((32, 128, 3), np.uint8))
    return [f"front_left={folder / 'left'}"]


def broken_bag(folder: Path) -> list[str | Path]:
    (folder / "a.mcap").write_bytes(b"no bag")
    return [folder / "a.mcap"]


def other_rates(folder: Path) -> list[str | Path]:
    for name, rate in (("a", 10), ("b", 20)):
        video = cv2.VideoWriter(str(folder / f"{name}.avi"), cv2.VideoWriter.fourcc(*"MJPG"), rate, (64, 64))
        video.write(np.zeros((64, 64, 3), np.uint8))
        video.release()
    return [f"front_left={folder / 'a.avi'}", f"front_right={folder / 'b.avi'}"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: [folder / "none"], "there is no such file or folder"),
        (empty, "has no metadata.yaml (bag), no clip.yaml (rig clip)"),
        (a_text, "is one file but not a bag"),
        (no_video, "is not a video file that OpenCV can read"),
        (no_images, "has no images"),
        (mixed, "use one kind for all cameras"),
        (unnumbered, "has no number in its name"),
        (wrong_shape, "image is 128x32, calibration expects 872x872"),
        (broken_bag, "a.mcap"),
        (other_rates, "need one frame rate"),
        (lambda folder: ["left=x"], "camera 'left' is not one of front_left"),
        (lambda folder: ["front_left=x"], "there is no file or folder 'x'"),
    ],
)
def test_a_bad_source_is_one_line_and_no_output(
    make: Callable[[Path], list[str | Path]], message: str, recorded: Recording, tmp_path: Path, capsys: Any
) -> None:
    arguments = command(recorded, *make(tmp_path))
    assert main.main([*arguments, "--out", str(tmp_path / "out.npz")]) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1, error
    assert not list(tmp_path.glob("*out*"))


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (["a.fbx"], "suffix '.fbx' is not one of .npz"),
        (["a.npz", "folder"], "'folder' is not a file ending in .npz"),
        (["none/a.npz"], "there is no folder 'none'"),
        (["a.npz", "--formats", "csv"], "--formats has no effect"),
        (["out", "--formats", "fbx"], "'.fbx' is not one of .npz"),
        (["a.npz", "--rate", "0"], "--rate must be between"),
    ],
)
def test_bad_outputs_are_refused_before_the_work(
    out: list[str], message: str, recorded: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main.main([*command(recorded, recorded.clip), "--out", *out]) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1, error


def test_two_recordings_need_two_names(recorded: Recording, tmp_path: Path, capsys: Any) -> None:
    shutil.copytree(recorded.clip, tmp_path / "clip")
    arguments = command(recorded, recorded.clip, tmp_path / "clip")
    assert main.main([*arguments, "--out", str(tmp_path / "out")]) == 1
    assert "two recordings are named 'clip'" in capsys.readouterr().err
    assert main.main([*arguments, "--out", str(tmp_path / "a.npz")]) == 1
    assert "there are 2 recordings" in capsys.readouterr().err


def test_views_can_be_chosen(recorded: Recording, tmp_path: Path) -> None:
    arguments = command(recorded, recorded.clip, "--views", "front_left", "rear_right")
    assert main.main([*arguments, "--out", str(tmp_path / "a.npz")]) == 0
    with np.load(tmp_path / "a.npz") as data:
        assert data["view_names"].tolist() == ["front_left", "rear_right"]
        assert data["views_used"].all()


def test_a_cut_off_bag_is_estimated_up_to_the_break(
    recorded: Recording, bag_path: Path, tmp_path: Path, capsys: Any
) -> None:
    shutil.copytree(bag_path, tmp_path / "walk")
    mcap = next((tmp_path / "walk").glob("*.mcap"))
    mcap.write_bytes(mcap.read_bytes()[: mcap.stat().st_size // 2])
    assert main.main([*command(recorded, tmp_path / "walk"), "--out", str(tmp_path / "a.npz")]) == 0
    assert "cut off" in capsys.readouterr().err
    with np.load(tmp_path / "a.npz") as content:
        assert 0 < len(content["stamps_ns"]) < FRAMES


def test_other_messages_are_copied(recorded: Recording, bag_path: Path, tmp_path: Path) -> None:
    """What else was recorded is not lost."""
    source = tmp_path / "walk"
    with Bag(bag_path) as bag, BagWriter(source) as writer:
        for topic, kind in {**bag.topics, "/odom": "std_msgs/msg/String"}.items():
            writer.add_topic(topic, kind)
        from egorear_ros.bags.message_writing import make_for_bag

        writer.write("/odom", bag.start_ns, make_for_bag("std_msgs/msg/String", data="here"))
        for message in bag.messages(bag.topics):
            writer.write(message.topic, message.time_ns, message.message)
    assert main.main([*command(recorded, source), "--out", str(tmp_path / "a.mcap")]) == 0
    with Bag(tmp_path / "a.mcap") as after:
        assert [m.message.data for m in after.messages(["/odom"])] == ["here"]
