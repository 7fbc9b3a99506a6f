"""Bags and parameter files that cannot be evaluated: one line that says why, and no output."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from egorear_ros.bags.errors import BagError
from egorear_ros.bags.message_types import typestore
from egorear_ros.bags.reading import Bag, BagMessage
from egorear_ros.bags.writing import BagWriter
from egorear_ros.cli import main
from egorear_ros.rig import VIEWS

from ..recording import Recording
from .test_bag_evaluation import rewrite


def no_bag(good: Path, path: Path) -> None:
    pass


def empty_folder(good: Path, path: Path) -> None:
    path.mkdir()


def a_text(good: Path, path: Path) -> None:
    path.write_text("not a bag")


def cut_off(good: Path, path: Path) -> None:
    shutil.copytree(good, path)
    (file,) = path.glob("*.mcap")
    file.write_bytes(file.read_bytes()[:100])


def no_messages(good: Path, path: Path) -> None:
    from rosbags.rosbag2 import StoragePlugin, Writer

    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        writer.add_connection("/a", "sensor_msgs/msg/Image", typestore=typestore())


def no_images(good: Path, path: Path) -> None:
    rewrite(good, path, lambda m: None if "image" in m.topic else m)


def no_truth(good: Path, path: Path) -> None:
    rewrite(good, path, lambda m: None if "truth" in m.topic else m)


def two_rigs(good: Path, path: Path) -> None:
    with Bag(good) as bag, BagWriter(path) as writer:
        for prefix in ("", "/second"):
            for topic, kind in bag.topics.items():
                writer.add_topic(prefix + topic, kind)
        for topic, time_ns, message in bag.messages(bag.topics):
            writer.write(topic, time_ns, message)
            writer.write(f"/second{topic}", time_ns, message)


def wide_images(good: Path, path: Path) -> None:
    def stretch(m: BagMessage) -> BagMessage:
        if m.topic.endswith("image_raw"):
            m.message.height, m.message.width, m.message.step = 32, 128, 384
        return m

    rewrite(good, path, stretch)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (no_bag, "there is no bag"),
        (empty_folder, "is no bag, or it is damaged"),
        (a_text, "is no bag, or it is damaged"),
        (cut_off, "was cut off before its first whole message"),
        (no_messages, "is empty"),
        (no_images, "has no images of front_left"),
        (no_truth, "has no ground truth"),
        (two_rigs, "has several topics"),
        (wide_images, "image is 128x32, calibration expects 872x872"),
    ],
)
def test_a_bad_bag_is_one_line_and_no_output(
    spoil: Callable[[Path, Path], None], message: str, recorded: Recording, bag_path: Path, tmp_path: Path, capsys: Any
) -> None:
    spoil(bag_path, tmp_path / "bad")
    command = ["evaluate", "--bag", str(tmp_path / "bad"), "--model", recorded.model, "--device", "cpu"]
    assert main.main([*command, "--json", str(tmp_path / "out.json")]) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1, error
    assert not list(tmp_path.glob("*out.json*"))


def test_a_bag_is_whole_or_not_there(recorded: Recording, tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(RuntimeError), BagWriter(tmp_path / "walk"):
        raise RuntimeError
    with pytest.raises(BagError, match="nothing was recorded"), BagWriter(tmp_path / "walk"):
        pass
    broken = tmp_path / "broken"
    shutil.copytree(recorded.clip, broken)
    (broken / "rear_left.avi").write_bytes(b"no video")
    assert main.main(["record", str(tmp_path / "walk"), "--clip", str(broken)]) == 1
    assert list(tmp_path.glob("walk*")) == []
    assert main.main(["record", str(tmp_path / "walk"), "--clip", str(recorded.clip)]) == 0
    assert main.main(["record", str(tmp_path / "walk"), "--clip", str(recorded.clip)]) == 1
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [", "cannot be read"), ("/**/pose: {model: x}", "no ROS parameter file"), ("- 1", "no ROS parameter file")],
)
def test_a_bad_parameter_file_is_named(text: str, message: str, bag_path: Path, tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(text)
    assert main.main(["evaluate", "--bag", str(bag_path), "--params-file", str(file)]) == 1
    assert message in capsys.readouterr().err


def test_the_parameter_file_repeats_the_defaults() -> None:
    """The shipped file is documentation: what it says of the alignment is what happens without it."""
    from egorear_ros import resources
    from egorear_ros.inference import DEFAULT_MODEL
    from egorear_ros.nodes.parameter_file import node_parameters
    from egorear_ros.sync import config_from_parameters

    file = resources.find("config/egorear.yaml")
    shipped = config_from_parameters(VIEWS, node_parameters(file, "/egorear/synchronizer"))
    assert shipped == config_from_parameters(VIEWS, {})
    assert node_parameters(file, "/egorear/pose")["model"] == DEFAULT_MODEL
