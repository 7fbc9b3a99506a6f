"""Rate and latency of FrameSet messages between two processes, per image size, reliability and Fast DDS profile.

    make setup && .venv/bin/egorear-env python benchmarks/frame_set_transport.py

Each row runs a publisher process and a subscriber process. Latency is from just before the conversion of the dataclass
to the message until the images lie in the subscriber as arrays: what a pose node adds when it runs in a process of its
own. Profile "ours" is config/fastdds_shared_memory.xml, "default" is Fast DDS without a profile.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from egorear_ros.graph.dds_profile import PROFILE_VARIABLES

ROOT = Path(__file__).resolve().parents[1]
PROFILE = ROOT / "config" / "fastdds_shared_memory.xml"
RATE_HZ = 30.0
WARM_UP_S = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="measured time per row (default 10)")
    parser.add_argument("--role", choices=["publish", "subscribe"], help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, default=872, help=argparse.SUPPRESS)
    parser.add_argument("--reliable", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.role == "publish":
        publish(args.size, args.reliable, args.seconds)
    elif args.role == "subscribe":
        subscribe(args.reliable, args.seconds)
    else:
        compare(args.seconds)


def compare(seconds: float) -> None:
    print(
        f"{'images':>10} {'reliability':>12} {'profile':>8} {'received':>9} {'p50 ms':>8} {'p99 ms':>8} {'sub CPU':>8}"
    )
    for size in (256, 640, 872):
        for reliable in (False, True):
            for profile in ("default", "ours"):
                row = run_pair(size, reliable, profile, seconds)
                print(
                    f"{f'4 x {size}':>10} {'reliable' if reliable else 'best effort':>12} {profile:>8} "
                    f"{row['received']:>8.1%} {row['p50_ms']:>8.1f} {row['p99_ms']:>8.1f} {row['cpu']:>8.0%}",
                    flush=True,
                )


def run_pair(size: int, reliable: bool, profile: str, seconds: float) -> dict[str, float]:
    """Run subscriber and publisher; returns the subscriber's figures."""
    environment = {**os.environ, "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST", "ROS_DOMAIN_ID": "77"}
    for name in PROFILE_VARIABLES:
        environment.pop(name, None)
    if profile != "default":
        environment |= dict.fromkeys(PROFILE_VARIABLES, str(PROFILE))
    command = [sys.executable, __file__, "--size", str(size), "--seconds", str(seconds), *["--reliable"] * reliable]
    with tempfile.TemporaryFile("w+") as output:
        subscriber = subprocess.Popen([*command, "--role", "subscribe"], env=environment, stdout=output)
        publisher = subprocess.run([*command, "--role", "publish"], env=environment, stdout=subprocess.PIPE, check=True)
        subscriber.wait()
        output.seek(0)
        figures = json.loads(output.read())
    sent = json.loads(publisher.stdout)["sent"]
    return {**figures, "received": figures["count"] / sent}


def quality(reliable: bool):
    from rclpy.qos import QoSProfile, ReliabilityPolicy

    policy = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
    return QoSProfile(depth=2, reliability=policy)


def publish(size: int, reliable: bool, seconds: float) -> None:
    import rclpy

    from egorear_msgs.msg import FrameSet as FrameSetMessage
    from egorear_ros.datatypes import CameraFrame, FrameSet
    from egorear_ros.nodes.conversions import frame_set_to_message
    from egorear_ros.rig import DEVICE_FRAME, VIEWS

    rclpy.init()
    node = rclpy.create_node("benchmark_publisher")
    publisher = node.create_publisher(FrameSetMessage, "benchmark/frame_set", quality(reliable))
    images = [np.random.default_rng(i).integers(0, 256, (size, size, 3), np.uint8) for i in range(len(VIEWS))]
    while not publisher.get_subscription_count():
        time.sleep(0.05)
    start, sent = time.monotonic(), 0
    for tick in range(int((WARM_UP_S + seconds) * RATE_HZ)):
        time.sleep(max(0.0, start + tick / RATE_HZ - time.monotonic()))
        measured = tick >= WARM_UP_S * RATE_HZ
        stamp = time.time_ns()
        frames = tuple(CameraFrame(view, stamp, image) for view, image in zip(VIEWS, images, strict=True))
        frame_set = FrameSet(stamp, frames, 0.0, DEVICE_FRAME if measured else "warm-up")
        publisher.publish(frame_set_to_message(frame_set))
        sent += measured
    time.sleep(1.0)
    print(json.dumps({"sent": sent}))


def subscribe(reliable: bool, seconds: float) -> None:
    import rclpy

    from egorear_msgs.msg import FrameSet as FrameSetMessage
    from egorear_ros.nodes.conversions import frame_set_from_message

    rclpy.init()
    node = rclpy.create_node("benchmark_subscriber")
    latencies: list[float] = []

    def receive(message: FrameSetMessage) -> None:
        frame_set = frame_set_from_message(message)
        if frame_set.frame_id != "warm-up":
            latencies.append((time.time_ns() - frame_set.stamp_ns) / 1e6)

    node.create_subscription(FrameSetMessage, "benchmark/frame_set", receive, quality(reliable))
    while not node.count_publishers("benchmark/frame_set"):
        rclpy.spin_once(node, timeout_sec=0.05)
    before, end = cpu_seconds(), time.monotonic() + WARM_UP_S + seconds + 0.5
    while time.monotonic() < end:
        rclpy.spin_once(node, timeout_sec=0.05)
    p50, p99 = np.percentile(latencies, [50, 99]) if latencies else (np.nan, np.nan)
    cpu = (cpu_seconds() - before) / (WARM_UP_S + seconds + 0.5)
    print(json.dumps({"count": len(latencies), "p50_ms": p50, "p99_ms": p99, "cpu": cpu}))


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
