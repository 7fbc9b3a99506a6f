"""On what was measured: processor, its vector instructions, device, versions."""

from __future__ import annotations

import os
import platform
import re
import time
from importlib import metadata
from pathlib import Path
from typing import Any, Final

VECTOR_FLAGS: Final = re.compile(r"sse4_2|avx\w*|fma|amx\w*|neon|asimd\w*|sve\w*|bf16|i8mm")
LIBRARIES: Final = ("torch", "openvino", "onnxruntime", "opencv-python-headless", "numpy")


def describe_machine() -> dict[str, Any]:
    """Plain values: cpu, vector_flags, cores, memory_gib (None where unknown), system, python, versions."""
    info = _cpu_info()
    return {
        "cpu": info.get("model name", platform.processor() or platform.machine()),
        "vector_flags": sorted(set(VECTOR_FLAGS.findall(info.get("flags", info.get("Features", ""))))),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": _memory_gib(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in LIBRARIES if _installed(name)},
    }


def peak_memory_mib() -> float:
    """Largest resident memory of this process so far.

    From /proc where there is one: getrusage counts what the parent held when it started us.
    """
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="utf-8"))
        if found:
            return int(found[1]) / 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if platform.system() == "Darwin" else 2**10)


class OtherWork:
    """How busy others keep the processor while we measure: their share of all cores, since this was made."""

    def __init__(self) -> None:
        self._started = time.perf_counter(), time.process_time(), _busy_seconds()

    def percent(self) -> float | None:
        """0 to 100; None where /proc does not tell."""
        wall, own, busy = self._started
        now_busy = _busy_seconds()
        if busy is None or now_busy is None:
            return None
        others = (now_busy - busy) - (time.process_time() - own)
        share = others / ((time.perf_counter() - wall) * (os.cpu_count() or 1))
        return round(100 * min(max(share, 0.0), 1.0), 1)


def _busy_seconds() -> float | None:
    """Seconds all processors together have worked, stolen time of virtual machines included."""
    path = Path("/proc/stat")
    if not path.exists():
        return None
    user, nice, system, _, _, *rest = map(int, path.read_text(encoding="utf-8").split("\n", 1)[0].split()[1:9])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def _cpu_info() -> dict[str, str]:
    """The first processor's entries of /proc/cpuinfo, none where there is no such file."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").split("\n\n")[0].splitlines() if path.exists() else []
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


def _memory_gib() -> float | None:
    names = ("SC_PAGE_SIZE", "SC_PHYS_PAGES")
    if not all(name in os.sysconf_names for name in names):
        return None
    return round(os.sysconf(names[0]) * os.sysconf(names[1]) / 2**30, 1)


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
