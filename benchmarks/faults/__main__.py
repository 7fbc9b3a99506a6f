"""The fault matrix of docs/reliability.md: each fault put into the running graph, and every frame counted.

    .venv/bin/egorear-env python -m benchmarks.faults                    # all, about ten minutes; writes the page
    .venv/bin/egorear-env python -m benchmarks.faults --only half jitter --dry     # some of them, only printed

The graph is the real one, as `egorear run` starts it; the cameras are drivers of our own (benchmarks/faults/driver.py),
or play a clip. The network has the real architecture but is small, so that it also runs on a busy machine. Exit status
1 if a process died, a frame is unexplained, or a fault was not named within 5 s.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.faults.ending import ENDS_S, hung_streams, killed_supervisor
from benchmarks.faults.faults import CLIP_FAULTS, DRIVER_FAULTS, NODE_FAULTS, Fault
from benchmarks.faults.material import write_clip, write_network, write_parameters
from benchmarks.faults.matrix import ClipStage, Row, Stage
from benchmarks.faults.page import line, write_page
from benchmarks.faults.watching import Watcher

NAMED_S = 5.0


def main() -> int:
    args = parse()
    os.environ.update(ROS_DOMAIN_ID=str(args.domain), ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for row in matrix(args, Path(folder)):
            print(line(row), flush=True)
            rows.append(row)
    if not args.dry:
        write_page(rows, args)
    return 0 if all(map(is_sound, rows)) else 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=5.0, help="of each camera, Hz (default 5)")
    parser.add_argument("--size", type=int, default=64, help="of the images, px (default 64)")
    parser.add_argument("--only", nargs="+", help="faults whose name contains one of these")
    parser.add_argument("--dry", action="store_true", help="print the rows, leave docs/reliability.md alone")
    parser.add_argument("--domain", type=int, default=77, help="ROS_DOMAIN_ID (default 77)")
    return parser.parse_args()


def matrix(args: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """All rows, each as it is made."""
    model, clip = write_network(folder / "small.safetensors"), write_clip(folder / "clip", args.rate, args.size)
    network = (f"--model={model}", "--device=cpu")
    processes = (*network, "--composition=false", "--evaluate", "--view", f"--params-file={write_parameters(folder)}")
    watcher = Watcher()
    try:
        if faults := chosen(DRIVER_FAULTS, args.only):
            with Stage(folder, watcher, args.rate, args.size, "--source=", *network) as stage:
                yield from map(stage.run, faults)
        if faults := chosen(NODE_FAULTS, args.only):
            with Stage(folder, watcher, args.rate, args.size, "--source=", *processes) as stage:
                yield from map(stage.run, faults)
        if faults := chosen(CLIP_FAULTS, args.only):
            with ClipStage(folder, watcher, args.rate, f"--source=clip:{clip}", *processes) as stage:
                yield from map(stage.run, faults)
        if not args.only or "ctrl-c" in args.only:
            yield hung_streams(folder, watcher, model, "true")
            yield hung_streams(folder, watcher, model, "false")
        if not args.only or "supervisor" in args.only:
            yield killed_supervisor(folder, watcher, model)
    finally:
        watcher.close()


def chosen(faults: Sequence[Fault], only: Sequence[str] | None) -> list[Fault]:
    """The faults to run."""
    return [fault for fault in faults if only is None or any(word in fault.name for word in only)]


def is_sound(row: Row) -> bool:
    """Whether a row shows what it must."""
    ends = "Ctrl-C" in row.name or "supervisor" in row.name
    named = row.named_s <= NAMED_S or "supervisor" in row.name
    return named and not row.died and not row.account.unexplained and row.recovered_s <= (ENDS_S if ends else 1e9)


if __name__ == "__main__":
    sys.exit(main())
