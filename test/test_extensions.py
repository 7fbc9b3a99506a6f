"""Lens model, data set, engine and node of another package: one file each, and nothing here knows of them."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from egorear_ros.errors import EgorearError
from egorear_ros.extensions import GROUP, ExtensionWarning, Registry, load_extensions
from egorear_ros.graph.arguments import ARGUMENTS, graph_options
from egorear_ros.graph.description import build_graph, own_name
from test import recording
from test.ros_network import node, private_ros_network  # noqa: F401

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples" / "extensions"

RIG = """
format: egorear-rig/1
name: mine
cameras:
  front_left:
    model: stereographic
    image_size: [640, 480]
    image_circle_radius: 320
    center: [320, 240]
    focal_length: 150
    max_angle_deg: 85
    strength: 1.1
    camera_from_device: {rotation: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], translation: [0.06, 0, 0]}
"""

USE = """
import numpy as np, torch, yaml
from egorear_ros.data.opening import open_frames
from egorear_ros.inference import PoseEstimator
from egorear_ros.rig import load_rig, rig_content

lens = load_rig("mine.yaml")["front_left"].model
angle = np.linspace(0, np.radians(85), 50)
rays = np.stack([np.sin(angle), 0 * angle, np.cos(angle)], -1)
pixels = lens.project(rays)
expected = 320 + 150 * 1.1 * 2 * np.tan(angle / 2)
print("lens", type(lens).__name__, np.abs(pixels[:, 0] - expected).max() < 1e-9)
by_torch = lens.project(torch.tensor(rays))
print("inverse", np.abs(lens.unproject(pixels) - rays).max() < 1e-9, np.allclose(by_torch, pixels))
print("written", rig_content(load_rig("mine.yaml"))["cameras"]["front_left"]["strength"])
frames = open_frames("data", None, ("rear_left", "front_left"))
print("data", len(frames), frames.take(np.array([2, 0])).images[:, :, 0, 0, 0].tolist())
estimator = PoseEstimator.from_pretrained("tiny.safetensors", "cpu", "autocast")
plain = PoseEstimator.from_pretrained("tiny.safetensors", "cpu", "reference")
images = {view: np.full((64, 64, 3), 90, np.uint8) for view in estimator.views}
apart = [one.estimate(images).joints_device_m for one in (estimator, plain)]
print("engine", estimator.engine.name, 0 < np.abs(apart[0] - apart[1]).max() < 0.2)
"""


def installed(folder: Path, *modules: str) -> dict[str, str]:
    """Variables under which a package with these extensions counts as installed, as pip would leave it."""
    info = folder / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    points = "\n".join(f"{module} = {module}" for module in modules)
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{points}\n")
    places = [str(folder), str(EXAMPLES), str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))}


def run(folder: Path, *command: str, modules: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=installed(folder, *modules),
        capture_output=True,
        text=True,
        check=False,
    )


def test_lens_data_set_and_engine_of_another_package(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(RIG)
    (tmp_path / "data").mkdir()
    images = np.arange(12, dtype=np.uint8).reshape(3, 4, 1, 1, 1) * np.ones((1, 1, 8, 8, 3), np.uint8)
    flags = np.ones((3, 4, 16), bool)
    np.savez(
        tmp_path / "data" / "frames.npz",
        images=images,
        joints_device_m=np.zeros((3, 16, 3), np.float32),
        pixels=np.zeros((3, 4, 16, 2), np.float32),
        in_view=flags,
        visible=flags,
        camera_from_device=np.tile(np.eye(4, dtype=np.float32), (3, 4, 1, 1)),
    )
    recording.write_tiny_model(tmp_path / "tiny.safetensors")
    done = run(tmp_path, "-c", USE, modules=("stereographic_lens", "one_file_data", "autocast_engine"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "lens StereographicModel True",
        "inverse True True",
        "written 1.1",
        "data 3 [[10, 8], [2, 0]]",
        "engine autocast True",
    ]


def test_an_extension_that_fails_is_left_out_with_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, "no_such_module")
    monkeypatch.syspath_prepend(str(tmp_path))
    load_extensions.cache_clear()
    registry = Registry("thing", {"own": 1})
    assert registry["own"] == 1
    with pytest.warns(ExtensionWarning, match="'no_such_module' of the package 'mine' is left out: No module named"):
        assert "theirs" not in registry
    registry.add("theirs", 2)
    assert dict(registry) == {"own": 1, "theirs": 2} and len(registry) == 2
    with pytest.raises(EgorearError, match="there is a thing 'theirs' already"):
        registry.add("theirs", 3)


def test_nodes_of_other_packages_are_part_of_the_graph() -> None:
    values = {name: argument.default or "" for name, argument in ARGUMENTS.items()}
    options = graph_options({**values, "nodes": "my_package.views:DepthView, hand_height:HandHeight"})
    assert [spec.name for spec in build_graph(options)[-2:]] == ["depth_view", "hand_height"]
    for wrong in ("hand_height", "hand_height:", "hand-height:Hand", "a:b:c"):
        with pytest.raises(EgorearError, match="is not of the form module:Class"):
            own_name(wrong)


def test_a_viewer_of_another_package_shows_skeletons(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    rclpy = pytest.importorskip("rclpy")
    from egorear_msgs.msg import Skeleton
    from egorear_ros.datatypes import Skeleton as Plain
    from egorear_ros.graph.description import NodeSpec
    from egorear_ros.graph.main import make_node, node_class
    from egorear_ros.nodes.conversions import skeleton_to_message
    from egorear_ros.rig import DEVICE_FRAME
    from egorear_ros.skeleton import JOINTS

    with pytest.raises(EgorearError, match="node 'no_module:View' cannot be imported: No module named 'no_module'"):
        node_class("no_module:View")
    monkeypatch.syspath_prepend(str(EXAMPLES))
    viewer: Any = make_node(NodeSpec("hand_height:HandHeight", "hand_height"), "egorear")
    positions = np.zeros((16, 3))
    positions[JOINTS.index("LeftHand"), 2] = -0.25  # above the hips, which are at 0: z points down
    plain = Plain(
        5, positions, np.ones(16, np.float32), np.zeros((16, 3, 3), np.float32), np.ones(16, bool), (), DEVICE_FRAME
    )
    publisher = node.create_publisher(Skeleton, "/egorear/skeleton", 10)
    until = time.monotonic() + 60
    while not viewer.line and time.monotonic() < until:
        publisher.publish(skeleton_to_message(plain))
        rclpy.spin_once(viewer, timeout_sec=0.1)
    viewer.destroy_node()
    assert viewer.line == "hands above the hips: Left +0.25 m, Right +0.00 m"


def test_the_newcomers_route_names_what_there_is() -> None:
    """Eight files at most, and every file and function the page names exists."""
    page = (ROOT / "docs" / "newcomer.md").read_text(encoding="utf-8")
    steps = re.findall(r"^\| (\d) \| `([^`]+)` \| ([^|]+) \|", page, re.MULTILINE)
    assert [int(number) for number, _, _ in steps] == list(range(1, len(steps) + 1)) and 5 <= len(steps) <= 8
    for _, path, names in steps:
        module = importlib.import_module(f"egorear_ros.{path.removesuffix('.py').replace('/', '.')}")
        for name in re.findall(r"`([^`]+)`", names):
            found: Any = module
            for part in name.split("."):
                found = getattr(found, part)
            assert callable(found), name
    for path in re.findall(r"`([a-z_]+/[a-z_/0-9]+\.py)`", page):
        assert (ROOT / "egorear_ros" / path).is_file() or (ROOT / path).is_file(), path
    for example in re.findall(r"`([a-z_]+\.py)` \|$", page, re.MULTILINE):
        assert (EXAMPLES / example).is_file(), example
