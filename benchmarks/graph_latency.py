"""What the graph adds to the network's time: capture to skeleton, per image size, composed and one process per node.

    make setup && .venv/bin/egorear-env python benchmarks/graph_latency.py

Cameras play numbered images at 30 Hz against the wall clock, so a frame's stamp is the moment it is due. A tiny network
(random weights) takes the pose node's place; its own time, from the skeleton's stage timings, is subtracted.
Overhead = arrival of the skeleton at this process - stamp - time inside the network.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from egorear_ros.network import EgoRearConfig, build
from egorear_ros.network.weights import save_weights
from egorear_ros.rig import VIEWS

RATE_HZ = 30.0
FRAMES = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="measured time per row (default 20)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 640, 872], help="image sizes, px")
    parser.add_argument("--layouts", nargs="+", default=["composed", "processes"], choices=["composed", "processes"])
    parser.add_argument("--json", type=Path, help="also write the rows here")
    args = parser.parse_args()
    os.environ.update(ROS_DOMAIN_ID="78", ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST")
    rows = []
    print(
        f"{'images':>8} {'layout':>10} {'skeletons':>10} {'camera frames':>14} {'lost':>5} {'skipped':>8} "
        f"{'overhead p50':>13} {'p99 ms':>8} {'first/last third p50':>21}"
    )
    with tempfile.TemporaryDirectory() as folder:
        model = tiny_model(Path(folder) / "tiny.safetensors")
        for size in args.sizes:
            source = write_videos(Path(folder) / str(size), size)
            for layout in args.layouts:
                row = {"size": size, "layout": layout, **measure(source, model, layout, args.seconds)}
                rows.append(row)
                print(line(row), flush=True)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def line(row: dict) -> str:
    return (
        f"{row['size']:>8} {row['layout']:>10} {row['skeletons']:>10} {row['frames']:>14} {row['lost']:>5} "
        f"{row['skipped']:>8} {row['p50_ms']:>13.1f} {row['p99_ms']:>8.1f} "
        f"{row['first_ms']:>12.1f} / {row['last_ms']:.1f}"
    )


def tiny_model(path: Path) -> str:
    torch.manual_seed(0)
    config = EgoRearConfig(refinement=False, image_size=64, channels=16, lifting_layers=1)
    save_weights(path, build(config), config, {"made_by": "benchmarks/graph_latency.py"})
    return str(path)


def write_videos(folder: Path, size: int) -> str:
    """Motion-JPEG videos, as cameras deliver them; returns the graph's source."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for view in VIEWS:
        codec = cv2.VideoWriter.fourcc(*"MJPG")
        video = cv2.VideoWriter(str(folder / f"{view}.avi"), codec, RATE_HZ, (size, size))
        small = rng.integers(0, 256, (FRAMES, 16, 16, 3), np.uint8)
        for frame in small:
            video.write(cv2.resize(frame, (size, size)))
        video.release()
    return f"{folder}/{{view}}.avi"


def measure(source: str, model: str, layout: str, seconds: float) -> dict[str, float]:
    import rclpy

    from egorear_msgs import msg

    command = [sys.executable, "-m", "egorear_ros", "run", "--source", source, "--model", model, "--device", "cpu"]
    graph = subprocess.Popen([*command, *["--processes"] * (layout == "processes"), "--log-level", "error"])
    rclpy.init()
    node = rclpy.create_node("benchmark")
    overhead: list[float] = []
    statuses: list[msg.PipelineStatus] = []

    def receive(skeleton: msg.Skeleton) -> None:
        age_s = time.time() - skeleton.header.stamp.sec - skeleton.header.stamp.nanosec / 1e9
        network_s = dict(zip(skeleton.stage_names, skeleton.stage_seconds, strict=True))["network"]
        overhead.append(1e3 * (age_s - network_s))

    node.create_subscription(msg.Skeleton, "/egorear/skeleton", receive, 10)
    node.create_subscription(msg.PipelineStatus, "/egorear/status", statuses.append, 10)
    deadline = time.monotonic() + 60
    while len(overhead) < 3 * RATE_HZ and time.monotonic() < deadline:  # warm-up
        rclpy.spin_once(node, timeout_sec=0.1)
    overhead.clear()
    statuses.clear()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        rclpy.spin_once(node, timeout_sec=0.1)
    graph.send_signal(signal.SIGINT)
    graph.wait(30)
    node.destroy_node()
    rclpy.shutdown()
    return {**latency_figures(overhead), **loss_figures(statuses)}


def latency_figures(overhead: list[float]) -> dict[str, float]:
    third = max(1, len(overhead) // 3)
    p50, p99 = np.percentile(overhead, [50, 99])
    first, last = np.median(overhead[:third]), np.median(overhead[-third:])
    return {"skeletons": len(overhead), "p50_ms": p50, "p99_ms": p99, "first_ms": first, "last_ms": last}


def loss_figures(statuses: list) -> dict[str, float]:
    """Between the first and the last status: frames received, those neither matched nor pending, sets not inferred."""
    sync = [s for s in statuses if s.cameras]
    pose = [s for s in statuses if not s.cameras]
    first, last = sync[0], sync[-1]
    received = sum(b.received - a.received for a, b in zip(first.cameras, last.cameras, strict=True))
    lost = sum(b.late + b.dropped - a.late - a.dropped for a, b in zip(first.cameras, last.cameras, strict=True))
    expected = 4 * RATE_HZ * (last.header.stamp.sec - first.header.stamp.sec)
    skipped = pose[-1].skipped_sets - pose[0].skipped_sets
    return {"frames": received, "expected_frames": expected, "lost": lost, "skipped": skipped}


if __name__ == "__main__":
    main()
