"""Command line: damaged inputs for some readers or all, a table of what came of them, and every kind of finding."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.fuzz.readers import READERS
from benchmarks.fuzz.running import Outcome, Subject, fuzz

FINDINGS = ("traceback", "warning", "several lines", "long message", "hang", "crash", "memory")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("readers", nargs="*", choices=[*READERS, []], metavar="READER", help=f"of {', '.join(READERS)}")
    parser.add_argument("--inputs", type=int, default=10_000, help="per reader (default 10000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first input (default 0)")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="write input number --first of the one reader there")
    parser.add_argument("--out", type=Path, metavar="DIR", help="also write a JSON file per reader")
    args = parser.parse_args()
    names = args.readers or list(READERS)
    if args.keep:
        return keep(names[0], args.seed, args.first, args.keep)
    print(
        f"| reader | inputs | read | refused | findings | slowest, s | most memory, MiB |\n|---|{'---:|' * 6}",
        flush=True,
    )
    found = 0
    for name in names:
        outcome = fuzz(name, args.inputs, args.seed, args.first)
        found += report(name, outcome)
        if args.out:
            args.out.mkdir(parents=True, exist_ok=True)
            (args.out / f"{name}.json").write_text(json.dumps(vars(outcome), indent=1) + "\n")
    return int(found > 0)


def report(name: str, outcome: Outcome) -> int:
    """Print a reader's row, and its findings on standard error; returns how many inputs were findings."""
    counts = outcome.counts
    found = counts.total() - counts["read"] - counts["refused"]
    print(
        f"| {name} | {counts.total()} | {counts['read']} | {counts['refused']} | {found} "
        f"| {outcome.slowest_s:.2f} | {outcome.largest_growth >> 20} |",
        flush=True,
    )
    for place, index in outcome.findings.items():
        print(f"{name} #{index}: {place}", file=sys.stderr, flush=True)
    return found


def keep(name: str, seed: int, index: int, out: Path) -> int:
    """Write one damaged file, and say what comes of it."""
    folder = out.with_name(out.name + ".parts")
    folder.mkdir()
    subject = Subject(name, folder, seed)
    out.write_bytes(subject.input(index)[1])
    with subject.damaged(index) as (path, _):
        print(*subject.judge(path))
    return 0


if __name__ == "__main__":
    sys.exit(main())
