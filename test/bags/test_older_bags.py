"""Bags with messages of egorear_msgs 0.1 are read, also when they are cut off, and copied beside new skeletons."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from egorear_ros.bags import message_writing
from egorear_ros.bags.clip_to_bag import clip_to_bag
from egorear_ros.bags.message_reading import skeleton_from_message
from egorear_ros.bags.message_types import SKELETON, typestore
from egorear_ros.bags.reading import Bag
from egorear_ros.cli import main
from egorear_ros.skeleton import JOINTS

from .. import recording

SKELETON_0_1 = """
uint8 NUM_JOINTS=16
std_msgs/Header header
string skeleton_id
string[16] joint_names
geometry_msgs/Point[16] positions
float32[16] confidence
float32[144] covariance
bool[16] valid
string[] views
string[] stage_names
float32[] stage_seconds
"""
TRUTH = "/egorear/ground_truth"
STAGES = {"preprocess": 0.25, "network": 0.5}


def store_0_1() -> Any:
    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(get_types_from_msg(SKELETON_0_1, SKELETON))
    return store


def skeleton_0_1(store: Any, now: Any) -> bytes:
    """Today's skeleton as version 0.1 wrote it."""

    def make(kind: str, /, **fields: Any) -> Any:
        if kind == SKELETON:
            known = {name for name in store.types[kind].__dataclass_fields__ if name in fields}
            fields = {name: fields[name] for name in known} | {
                "stage_names": list(STAGES),
                "stage_seconds": np.array(list(STAGES.values()), np.float32),
            }
        return store.types[kind](**fields)

    return bytes(store.serialize_cdr(message_writing.skeleton(now, make), SKELETON))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> recording.Recording:
    return recording.make(tmp_path_factory.mktemp("recorded"))


@pytest.fixture(scope="module")
def old_bag(recorded: recording.Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recorded clip whose truth is of version 0.1."""
    folder, store = tmp_path_factory.mktemp("old"), store_0_1()
    clip_to_bag(str(recorded.clip), folder / "new", "egorear")
    with (
        Writer(folder / "old", version=9, storage_plugin=StoragePlugin.MCAP) as writer,
        AnyReader([folder / "new"], default_typestore=typestore()) as reader,
    ):
        topics = {c.topic: writer.add_connection(c.topic, c.msgtype, typestore=store) for c in reader.connections}
        for connection, time_ns, content in reader.messages():
            data = bytes(content)
            if connection.topic == TRUTH:
                data = skeleton_0_1(store, skeleton_from_message(reader.deserialize(data, SKELETON)))
            writer.write(topics[connection.topic], time_ns, data)
    return folder / "old"


@pytest.fixture(params=["whole", "cut"])
def bag(request: pytest.FixtureRequest, old_bag: Path, tmp_path: Path) -> Iterator[Bag]:
    path = old_bag
    if request.param == "cut":
        path = tmp_path / "cut.mcap"
        path.write_bytes(next(old_bag.glob("*.mcap")).read_bytes()[:-200])
    with Bag(path) as opened:
        assert bool(opened.remark) == (request.param == "cut")
        yield opened


def test_skeletons_of_the_older_version_are_read(bag: Bag, recorded: recording.Recording) -> None:
    found = [skeleton_from_message(message.message) for message in bag.messages([TRUTH])]
    np.testing.assert_allclose([skeleton.positions_m for skeleton in found], recorded.truth_m, atol=1e-6)
    assert len(found) == recording.FRAMES
    assert found[0].stage_seconds == STAGES and found[0].joint_names == JOINTS
    assert found[0].velocities_m_s is None and found[0].cues == ()


def test_estimates_stand_beside_an_older_truth(
    old_bag: Path, recorded: recording.Recording, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file has one definition per type, so that the older skeletons are written anew."""
    out = tmp_path / "out.mcap"
    model = ["--model", recorded.model, "--device", "cpu", "--engine", "reference"]
    assert main.main(["estimate", str(old_bag), "--out", str(out), *model]) == 0, capsys.readouterr().err
    with Bag(out) as bag:
        truths = [skeleton_from_message(message.message) for message in bag.messages([TRUTH])]
        estimates = [skeleton_from_message(message.message) for message in bag.messages(["/egorear/skeleton"])]
    np.testing.assert_allclose([truth.positions_m for truth in truths], recorded.truth_m, atol=1e-6)
    assert len(estimates) == recording.FRAMES and truths[0].stage_seconds == STAGES
