"""What the graph adds to the network's time, from a camera's stamp to its skeleton, and what becomes of every frame.

    .venv/bin/egorear-env python -m benchmarks.graph_latency                # latency per image size and layout
    .venv/bin/egorear-env python -m benchmarks.graph_latency --minutes 10   # 4 x 872 at 30 Hz: no growth, no loss
    .venv/bin/egorear-env python -m benchmarks.graph_latency --overload     # more than the machine can do

The graph is the real one, as `egorear run` starts it; two of its parts are replaced: cameras hand out images from
memory at the moment they are due (a device's decoding is not the graph's), and the network takes no time, or the time
asked for. overhead = arrival of the skeleton in this process - stamp - the estimator's own time. The frames are counted
where they leave the cameras, and by the nodes' own counters (/diagnostics); the two must agree to the frame. Exit
status 1 if not.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.measured_graph import Counted, Load, MeasuredGraph

MINUTE_S = 60.0
OVERLOAD = {"rate_hz": 90.0, "network_s": 0.05}
"""872 px sets at 90 Hz are 0.8 GB/s; a network of 50 ms takes at most 20 of them."""


def main() -> int:
    args = parse()
    os.environ.update(ROS_DOMAIN_ID="78", ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST")
    rows, sound = [], True
    for load in loads(args):
        with tempfile.TemporaryDirectory() as folder, MeasuredGraph(load, Path(folder)) as graph:
            graph.run()
        rows.append(report(graph))
        sound = sound and graph.counted.adds_up
    if args.json:
        args.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 0 if sound else 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="measured time per row (default 20)")
    parser.add_argument("--sizes", type=int, nargs="+", help="image sizes, px (default 256 640 872, 872 for long runs)")
    parser.add_argument("--layouts", nargs="+", default=["composed", "processes"], choices=["composed", "processes"])
    parser.add_argument("--minutes", type=int, help="measure so long, and show each minute")
    parser.add_argument("--overload", action="store_true", help="90 Hz and a network of 50 ms")
    parser.add_argument("--json", type=Path, help="also write the rows here")
    return parser.parse_args()


def loads(args: argparse.Namespace) -> list[Load]:
    long = bool(args.minutes) or args.overload
    sizes = args.sizes or ([872] if long else [256, 640, 872])
    seconds = MINUTE_S * args.minutes if args.minutes else args.seconds
    demands = OVERLOAD if args.overload else {}
    return [Load(size, layout, seconds, **demands) for size in sizes for layout in args.layouts]


def report(graph: MeasuredGraph) -> dict[str, object]:
    """Print what was measured; returns it."""
    load, figures = graph.load, {}
    at, overhead = (np.array(column) for column in zip(*graph.overhead_ms, strict=True))
    figures["overhead_p50_ms"], figures["overhead_p99_ms"] = (float(x) for x in np.percentile(overhead, [50, 99]))
    figures["sync_p50_ms"] = float(np.median(graph.sync_p50_ms))
    figures["cpu_cores"] = graph.cpu_s / load.seconds
    print(
        f"4 x {load.size} {load.layout:9} {load.rate_hz:.0f} Hz: overhead p50 {figures['overhead_p50_ms']:.2f} ms, "
        f"p99 {figures['overhead_p99_ms']:.2f} ms; stamp to frame set p50 {figures['sync_p50_ms']:.2f} ms; "
        f"{figures['cpu_cores']:.2f} cores; {graph.counted.verdict()}",
        flush=True,
    )
    minutes = [
        {"p50_ms": float(np.median(part)), "p99_ms": float(np.percentile(part, 99)), "memory_mib": sample.memory_mib}
        for minute, sample in enumerate(graph.samples)
        if (part := overhead[(at >= MINUTE_S * minute) & (at < MINUTE_S * (minute + 1))]).size
    ]
    if load.seconds > MINUTE_S:
        print("   per minute, p50 / p99 ms, MiB: " + ", ".join(
            f"{m['p50_ms']:.2f} / {m['p99_ms']:.2f}, {m['memory_mib']:.0f}" for m in minutes
        ))  # fmt: skip
    for line in graph.counted.lines():
        print(f"   {line}")
    counted: Counted = graph.counted
    return {**vars(load), **figures, "minutes": minutes, "counted": vars(counted)}


if __name__ == "__main__":
    sys.exit(main())
