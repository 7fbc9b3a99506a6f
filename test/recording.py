"""A tiny recording with known answers, and the fixtures of the folders that use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from egorear_ros.bags.clip_to_bag import clip_to_bag
from egorear_ros.data.rig_clip import RigClipWriter
from egorear_ros.network import EgoRearConfig, EgoRearSConfig, TemporalConfig, build
from egorear_ros.network.weights import save_weights
from egorear_ros.rig import load_rig

FRAMES, RATE_HZ, SIZE_PX = 8, 5.0, 64
PERIOD_NS = round(1e9 / RATE_HZ)
START_NS = 1_700_000_000_000_000_000
SKEWS_NS = (1_000_000, 0, 2_000_000, 3_000_000)
"""Later than the frame's time, per view: the second camera is the first to expose."""


class Recording(NamedTuple):
    """Paths of a clip and a model, and the clip's true joints (T, 16, 3) in metres."""

    clip: Path
    model: str
    truth_m: NDArray[np.float64]


def stamps_ns(frame: int) -> tuple[int, ...]:
    return tuple(START_NS + frame * PERIOD_NS + skew for skew in SKEWS_NS)


def make(folder: Path) -> Recording:
    rng = np.random.default_rng(0)
    truth: NDArray[Any] = rng.normal(scale=0.5, size=(FRAMES, 16, 3))
    with RigClipWriter(folder / "clip", load_rig("ego4view"), (SIZE_PX, SIZE_PX), RATE_HZ) as clip:
        for frame in range(FRAMES):
            images = rng.integers(0, 256, (4, SIZE_PX, SIZE_PX, 3), np.uint8)
            clip.write(images, stamps_ns(frame), {"joints_device_m": truth[frame]})
    return Recording(folder / "clip", write_tiny_model(folder / "tiny.safetensors"), truth)


def write_tiny_model(path: Path) -> str:
    """A network of the real architecture with random weights, small enough to run at camera rate beside the tests."""
    torch.manual_seed(0)
    config = EgoRearConfig(refinement=False, image_size=64, channels=16, lifting_layers=1)
    network = build(config)
    with torch.no_grad():  # spread the joints like a person's, in cm; untrained they all lie in the origin
        network.get_parameter("lifter.proposal.mlp.4.bias").copy_(30 * torch.randn(48))
    save_weights(path, network, config, {"made_by": "tests"})
    return str(path)


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """The recording; a conftest that imports this shares it among the tests of its folder."""
    return make(tmp_path_factory.mktemp("recording"))


@pytest.fixture(scope="session")
def bag_path(recorded: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recording as a bag."""
    path = tmp_path_factory.mktemp("bag") / "walk"
    clip_to_bag(str(recorded.clip), path, "egorear")
    return path


def write_tracked_model(folder: Path) -> Path:
    """A small network with standard deviations, and beside it a temporal part that adds half of them to the pose."""
    torch.manual_seed(0)
    config = EgoRearSConfig(image_size=64, width=16, channels=16, neck_channels=16, dim=16)
    network = build(config)
    network.get_buffer("mean_pose_m").copy_(0.3 * torch.randn(16, 3))  # untrained, all joints but two are at one place
    save_weights(folder / "small.safetensors", network, config, {"made_by": "tests"})
    temporal = TemporalConfig(dim=16, layers=1, heads=2)
    after = build(temporal)
    with torch.no_grad():
        after.get_parameter("out.bias").fill_(0.5)
        after.get_parameter("gates.bias").fill_(0.1)  # averages of the past, too
    save_weights(folder / "small-tracker.safetensors", after, temporal, {"made_by": "tests"})
    return folder / "small.safetensors"
