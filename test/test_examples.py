"""The scripts in examples/ run, from another folder, and do what they say."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from egorear_ros.bags.clip_to_bag import clip_to_bag
from egorear_ros.skeleton import JOINTS
from test import recording
from test.ros_network import node, private_ros_network  # noqa: F401

ROOT = Path(__file__).parents[1]


def example(name: str, folder: Path, *arguments: str) -> list[str]:
    """Run an example in `folder` and return the lines it prints."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, str(ROOT / "examples" / f"{name}.py"), *arguments]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_images_to_pose_prints_every_joint(tmp_path: Path) -> None:
    lines = example("images_to_pose", tmp_path)
    assert [line.split()[0] for line in lines[1:17]] == list(JOINTS)
    assert float(lines[17].split()[2]) < 120, "the shipped model on the bundled clip, mm"


def test_bag_to_file_writes_a_row_per_joint_and_frame_set(tmp_path: Path) -> None:
    clip_to_bag(str(recording.make(tmp_path).clip), tmp_path / "bag", "egorear")
    lines = example("bag_to_file", tmp_path, "bag", "out.csv")
    assert lines == [f"{recording.FRAMES} frame sets in out.csv"]
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["joint"] for row in rows] == list(JOINTS) * recording.FRAMES
    stamps = sorted({int(row["stamp_ns"]) for row in rows})
    assert np.diff(stamps).tolist() == [recording.PERIOD_NS] * (recording.FRAMES - 1)


def test_own_rig_moves_the_pose_with_the_cameras(tmp_path: Path) -> None:
    lines = example("own_rig", tmp_path, "mine.yaml")
    assert [line.split()[0] for line in lines[:4]] == ["front_left", "front_right", "rear_left", "rear_right"]
    assert float(lines[4].split()[-4]) > 0.1


def test_train_small_gives_weights_that_load(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    with np.load(ROOT / "test" / "data" / "frame_sets_64.npz") as content:
        np.savez(tmp_path / "shards" / "shard_00000.npz", **content)
    lines = example("train_small", tmp_path, "shards", "out", "4")
    assert "after 4 steps" in lines[-2]
    assert lines[-1] == "loaded again, views front_left, front_right, rear_left, rear_right"


@pytest.mark.ros
def test_live_subscriber_prints_what_is_published(tmp_path: Path, node: Any) -> None:  # noqa: F811
    from egorear_msgs import msg
    from egorear_ros.nodes.conversions import skeleton_to_message
    from test.nodes import samples

    skeleton = samples.skeleton()
    publisher, done = node.create_publisher(msg.Skeleton, "/egorear/skeleton", 5), threading.Event()

    def publish() -> None:
        while not done.wait(0.2):
            publisher.publish(skeleton_to_message(skeleton))

    sender = threading.Thread(target=publish)
    sender.start()
    try:
        (line,) = example("live_subscriber", tmp_path, "--count", "1")
    finally:
        done.set()
        sender.join()
    x, y, z = skeleton.positions_m[JOINTS.index("Head")]
    assert line.startswith("1700000000.123456789 egorear_device_frame: ")
    assert f"Head ({x:.2f}, {y:.2f}, {z:.2f})" in line
