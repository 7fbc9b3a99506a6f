"""How fast bags are evaluated: frames (four-view sets) per second, and against real time at 30 Hz.

    python benchmarks/bag_evaluation.py --frames 60 --sizes 256 872 --networks egorear-4view egorear-front

"reading" is everything but the network: bag, JPEG, synchronizer. Networks have random weights, which cost the same as
trained ones. Take figures on an idle machine; the load is printed beside them.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from egorear_ros.bags.clip_to_bag import clip_to_bag
from egorear_ros.bags.reading import Bag
from egorear_ros.data.rig_clip import RigClipWriter
from egorear_ros.evaluation.bag_evaluation import estimate_bag
from egorear_ros.inference import PoseEstimate, PoseEstimator
from egorear_ros.network import build, config_of
from egorear_ros.rig import VIEWS, load_rig
from egorear_ros.sync import SyncConfig

RATE_HZ = 30.0


class NoNetwork:
    """Stands in for the estimator: costs nothing."""

    def estimate(self, images: Mapping[str, Any]) -> PoseEstimate:
        """See `PoseEstimator.estimate`."""
        nothing = np.zeros((16, 3), np.float32)
        return PoseEstimate(nothing, nothing[:, 0], nothing, {}, {}, {})


def make_bag(folder: Path, size: int, frames: int, jpeg: bool) -> Path:
    out = folder / f"{size}{'jpeg' if jpeg else 'raw'}"
    if not (folder / str(size)).exists():
        rng = np.random.default_rng(0)
        coarse = rng.integers(0, 256, (8, 16, 16, 3), np.uint8)  # enlarged: compresses like a picture, not like noise
        pictures = [cv2.resize(each, (size, size), interpolation=cv2.INTER_CUBIC) for each in coarse]
        with RigClipWriter(folder / str(size), load_rig("ego4view"), (size, size), RATE_HZ) as clip:
            for frame in range(frames):
                images = np.stack([pictures[(frame + view) % len(pictures)] for view in range(len(VIEWS))])
                clip.write(images, round(frame * 1e9 / RATE_HZ), {"joints_device_m": rng.normal(size=(16, 3))})
    clip_to_bag(str(folder / str(size)), out, "egorear", 90 if jpeg else None)
    return out


def measure(path: Path, estimator: Any) -> float:
    with Bag(path) as bag:
        started = time.perf_counter()
        result = estimate_bag(bag, estimator, SyncConfig(VIEWS))
        return len(result.skeletons) / (time.perf_counter() - started)


def network(name: str) -> PoseEstimator:
    config = config_of(name)
    estimator = PoseEstimator(build(config).eval(), config, load_rig(config.rig), "auto")
    estimator.warm_up()
    return estimator


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 872])
    parser.add_argument("--networks", nargs="*", default=["egorear-4view"])
    args = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print("load, images, what, frames/s, x real time at 30 Hz")
    estimators: dict[str, Any] = {"reading": NoNetwork(), **{name: network(name) for name in args.networks}}
    with tempfile.TemporaryDirectory() as folder:
        for size in args.sizes:
            for jpeg in (False, True):
                path = make_bag(Path(folder), size, args.frames, jpeg)
                for name, estimator in estimators.items():
                    speed = measure(path, estimator)
                    images = f"4 x {size} {'jpeg' if jpeg else 'raw'}"
                    load = f"{os.getloadavg()[0]:.1f}"
                    print(f"{load}, {images}, {name}, {speed:.1f}, {speed / RATE_HZ:.2f}", flush=True)


if __name__ == "__main__":
    main()
