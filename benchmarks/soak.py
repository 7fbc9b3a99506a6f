"""The live graph for a long time, 4 x 872 px at 30 Hz: does memory grow, does latency, is every frame counted?

    .venv/bin/egorear-env python -m benchmarks.soak --minutes 60 --out docs/images/soak.png

The graph in one process as `egorear run` starts it, with a shipped network; cameras hand out images from memory at the
moment they are due. Writes a plot, and its figures as JSON beside it. Exit status 1 if a frame is unexplained, or if
memory has grown by more than 5 % from the first to the last fifth of the time.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measured_graph import Load, MeasuredGraph

SAMPLE_S = 5.0
GROWTH = 0.05
PERCENTILES = (50, 99)


def main() -> int:
    args = parse()
    os.environ.update(ROS_DOMAIN_ID="78", ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST")
    load = Load(args.size, "composed", 60.0 * args.minutes, args.rate, network=args.network)
    with tempfile.TemporaryDirectory() as folder, MeasuredGraph(load, Path(folder), SAMPLE_S) as graph:
        graph.run()
    result = figures(graph)
    args.out.with_suffix(".json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    plot(result, args.out)
    for line in (*graph.counted.lines(), graph.counted.verdict(), result["summary"]):
        print(line, flush=True)
    return 0 if graph.counted.adds_up and result["growth"] <= GROWTH else 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="how long (default 60)")
    parser.add_argument("--size", type=int, default=872, help="of the images, px (default 872)")
    parser.add_argument("--rate", type=float, default=30.0, help="of each camera, Hz (default 30)")
    parser.add_argument("--network", default="egorear-s", help="network (default egorear-s)")
    parser.add_argument("--out", type=Path, default=Path("soak.png"), help="the plot (default soak.png)")
    return parser.parse_args()


def figures(graph: MeasuredGraph) -> dict[str, Any]:
    """Everything over time, and a line that sums it up."""
    samples = [sample for sample in graph.samples if sample.at_s >= 0]
    at, overhead = (np.array(column) for column in zip(*graph.overhead_ms, strict=True))
    edges = [0.0, *(sample.at_s for sample in samples)]
    parts = [overhead[(at >= low) & (at < high)] for low, high in pairwise(edges)]
    latency = [[float(x) for x in np.percentile(part, PERCENTILES)] if part.size else [None, None] for part in parts]
    memory = np.array([sample.memory_mib for sample in samples])
    fifth = max(1, len(memory) // 5)
    first, last = float(np.median(memory[:fifth])), float(np.median(memory[-fifth:]))
    summary = (
        f"memory {first:.0f} -> {last:.0f} MiB (medians of the first and the last fifth); overhead p50 "
        f"{np.percentile(overhead, 50):.1f} ms, p99 {np.percentile(overhead, 99):.1f} ms; {len(overhead)} skeletons; "
        f"load average {os.getloadavg()[2]:.0f} on {os.cpu_count()} cores"
    )
    return {
        "load": vars(graph.load),
        "minutes": [sample.at_s / 60 for sample in samples],
        "memory_mib": [float(value) for value in memory],
        "overhead_ms": latency,
        "synchronizer": [dict(sample.synchronizer) for sample in samples],
        "pose": [dict(sample.pose) for sample in samples],
        "growth": last / first - 1,
        "counted": vars(graph.counted),
        "summary": summary,
    }


def plot(result: dict[str, Any], path: Path) -> None:
    """Memory, latency and counters over the minutes."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    minutes = result["minutes"]
    figure, (memory, latency, counters) = plt.subplots(3, 1, sharex=True, figsize=(9, 8), layout="constrained")
    load = result["load"]
    memory.set_title(f"4 x {load['size']} px, {load['rate_hz']:g} Hz, {load['network']}, {minutes[-1]:.2g} minutes")
    memory.plot(minutes, result["memory_mib"], color="tab:blue")
    memory.set(ylabel="memory, MiB", ylim=(0, 1.2 * max(result["memory_mib"])))
    for column, percent in enumerate(PERCENTILES):
        values = [np.nan if pair[column] is None else pair[column] for pair in result["overhead_ms"]]
        latency.semilogy(minutes, values, label=f"{percent} %")
    latency.set(ylabel="stamp to skeleton, ms,\nwithout the network")
    latency.legend(loc="upper right")
    for name in ("received", "matched"):
        counters.plot(minutes, [each.get(name, 0) / 4 for each in result["synchronizer"]], label=f"frames {name} / 4")
    for name in ("skeletons", "skipped"):
        counters.plot(minutes, [each[name] for each in result["pose"]], label=name, linestyle="--")
    counters.set(ylabel="counted so far", xlabel="minutes", ylim=(0, None))
    counters.legend(loc="upper left")
    for axes in (memory, latency, counters):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    sys.exit(main())
