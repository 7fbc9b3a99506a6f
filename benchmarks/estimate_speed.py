"""Speed of `egorear estimate` without writing files: the bundled clip, decoded, estimated, and the body fitted.

egorear-env python benchmarks/estimate_speed.py [--rounds 3]

Wall time depends on what else the machine does, so the load and the CPU time of each frame are printed beside it.
"""

from __future__ import annotations

import argparse
import os
import time

from egorear_ros import resources
from egorear_ros.body import fit_body
from egorear_ros.estimation import Named, estimate_recording, open_recording
from egorear_ros.inference import DEFAULT_MODEL, PoseEstimator
from egorear_ros.rig import VIEWS
from egorear_ros.sync import SyncConfig

REAL_TIME_HZ = 30.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", default="auto")
    args = parser.parse_args()
    recording = open_recording(Named(resources.find("assets/demo_clip")), VIEWS)
    estimator = PoseEstimator.from_pretrained(DEFAULT_MODEL, engine=args.engine, rig=recording.rig)
    estimator.warm_up()
    print(f"engine {estimator.engine.name}, {len(os.sched_getaffinity(0))} cores")
    for _ in range(args.rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        sequence = estimate_recording(recording, estimator, SyncConfig(VIEWS)).sequence
        wall_fit, cpu_fit = time.perf_counter(), time.process_time()
        fit_body(sequence)
        end, cpu_end = time.perf_counter(), time.process_time()
        frames, body_ms, estimate_ms = len(sequence), 1e3 * (cpu_end - cpu_fit), 1e3 * (cpu_fit - cpu)
        rate = frames / (end - wall)
        print(f"{rate:.1f} frames/s = {rate / REAL_TIME_HZ:.2f} x real time at 30 Hz, load {os.getloadavg()[0]:.1f}")
        print(f"  CPU per frame: estimate {estimate_ms / frames:.1f} ms, body {body_ms / frames:.1f} ms")
        print(f"  body alone: {frames / (end - wall_fit):.0f} frames/s")


if __name__ == "__main__":
    main()
