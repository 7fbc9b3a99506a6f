"""What the graph of the matrix works on: a small network, a small clip, a parameter file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from egorear_ros.data.rig_clip import RigClipWriter
from egorear_ros.network import EgoRearConfig, build
from egorear_ros.network.weights import save_weights
from egorear_ros.resources import find
from egorear_ros.rig import VIEWS, load_rig

FRAMES = 20


def write_network(path: Path) -> str:
    """A network of the real architecture with random weights; returns its path."""
    import torch

    torch.manual_seed(0)
    config = EgoRearConfig(refinement=False, image_size=64, channels=16, lifting_layers=1)
    network = build(config)
    save_weights(path, network, config, {"made_by": "benchmarks.faults"})
    return str(path)


def write_clip(folder: Path, rate_hz: float, size: int) -> Path:
    """A clip of noise with a truth."""
    rng, start_ns = np.random.default_rng(0), time.time_ns()
    with RigClipWriter(folder, load_rig("ego4view"), (size, size), rate_hz) as clip:
        for frame in range(FRAMES):
            images = rng.integers(0, 256, (len(VIEWS), size, size, 3), np.uint8)
            stamps_ns = (start_ns + int(frame * 1e9 / rate_hz),) * len(VIEWS)
            clip.write(images, stamps_ns, {"joints_device_m": rng.normal(scale=0.5, size=(16, 3))})
    return folder


def write_parameters(folder: Path) -> Path:
    """The shipped parameter file, but for a browser view that opens no browser."""
    parameters: dict[str, Any] = yaml.safe_load(find("config/egorear.yaml").read_text(encoding="utf-8"))
    parameters["/**/browser_view"]["ros__parameters"].update(open_browser=False, port=19190)
    path = folder / "parameters.yaml"
    path.write_text(yaml.safe_dump(parameters), encoding="utf-8")
    return path
