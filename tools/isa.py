"""Runs tests as on processors with fewer instructions: every result must be within the tests' limits on all of them.

    python tools/isa.py                     # the folders of tests that compute: NUMERIC below
    python tools/isa.py --all               # the whole suite
    python tools/isa.py --only avx2 -- test/rig -q

torch, oneDNN (torch's and OpenVINO's convolutions) and OpenBLAS (numpy's and scipy's products) choose their code by the
processor; each has a variable that limits it. A limit above what this processor has is left out, and that is said.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

NUMERIC: Final = ("test/network", "test/rig", "test/inference", "test/training", "test/evaluation")

LIMITS: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "sse4": (
        "sse4_1",
        {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "OPENBLAS_CORETYPE": "Nehalem"},
    ),
    "avx2": ("avx2", {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "OPENBLAS_CORETYPE": "Haswell"}),
    "avx512": (
        "avx512f",
        {"ATEN_CPU_CAPABILITY": "avx512", "ONEDNN_MAX_CPU_ISA": "AVX512_CORE", "OPENBLAS_CORETYPE": "SkylakeX"},
    ),
    "native": ("", {}),
}
"""Name -> what the processor must have, and the variables; `native` sets none."""

SHOW: Final = "import torch; print(torch.backends.cpu.get_cpu_capability())"


def main() -> int:
    """Run the tests under each limit; returns 1 if they fail under one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="the whole suite")
    parser.add_argument("--only", choices=LIMITS, action="append", help="only this limit; may be repeated")
    parser.add_argument("pytest", nargs="*", help="arguments of pytest, after --")
    args = parser.parse_args()
    tests = args.pytest or ["--quiet", *([] if args.all else NUMERIC)]
    results = {name: run(name, tests) for name in args.only or LIMITS}
    for name, result in results.items():
        print(f"{name:8} {result}")
    return int(any(result == "failed" for result in results.values()))


def run(name: str, tests: list[str]) -> str:
    """Run the tests under one limit: "passed", "failed", or why not."""
    needed, variables = LIMITS[name]
    if needed and needed not in processor_flags():
        return f"left out: this processor has no {needed}"
    environment = {**os.environ, **variables}
    environment.setdefault("OMP_NUM_THREADS", "1")
    shown = subprocess.run([sys.executable, "-c", SHOW], env=environment, capture_output=True, text=True, check=True)
    print(f"== {name}: torch runs as {shown.stdout.strip()}, {variables or 'no variables'}", flush=True)
    done = subprocess.run([sys.executable, "-m", "pytest", *tests], env=environment, check=False)
    return "failed" if done.returncode else "passed"


def processor_flags() -> set[str]:
    """What this processor can do, as Linux names it."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((set(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), set())


if __name__ == "__main__":
    sys.exit(main())
