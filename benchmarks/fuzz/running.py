"""Runs readers on damaged files in a process of its own, and judges each: read, refused, or a finding."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import shutil
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.fuzz.mutation import mutated
from benchmarks.fuzz.readers import READERS
from benchmarks.fuzz.seeds import Seed
from egorear_ros.errors import LONGEST, EgorearError

HANG_S: Final = 10.0
"""Processor time of one input; whole files take milliseconds."""
WAITING_S: Final = 300.0
"""Wall time of one input: a reader that waits for something uses no processor."""
MEMORY_BASE: Final = 256 << 20
MEMORY_FACTOR: Final = 64
"""An input may take so many bytes, and so many times its own size more."""
ADDRESS_SPACE: Final = 8 << 30
"""What a reader may map beyond its start, so that a wrong one fails before the machine does."""


MEMORY: Final = Path("/dev/shm")
"""A folder that is no disk."""


@dataclass
class Outcome:
    """What came of a reader's inputs.

    Attributes:
        counts: inputs by "read", "refused" and kind of finding.
        findings: kind and place -> number of the first input.
        largest_growth: bytes of memory beyond the start that one input took.
        slowest_s: processor seconds that one input took.
    """

    counts: Counter[str] = field(default_factory=Counter)
    findings: dict[str, int] = field(default_factory=dict)
    largest_growth: int = 0
    slowest_s: float = 0.0

    def add(self, index: int, kind: str, place: str = "") -> None:
        """Count one input."""
        self.counts[kind] += 1
        if kind not in ("read", "refused"):
            self.findings.setdefault(f"{kind}: {place}", index)


class Subject:
    """A reader with its whole files, ready for inputs.

    Args:
        name: key of READERS.
        folder: empty.
        seed: from which, with the reader's name and the number of the input, everything follows.
    """

    def __init__(self, name: str, folder: Path, seed: int) -> None:
        self._reader, self._name, self._seed = READERS[name], name, seed
        self.seeds = self._reader.make(folder)
        self._whole = [seed.victim.read_bytes() for seed in self.seeds]

    def check_whole(self) -> None:
        """Read every whole file; they must be fine, or the fuzzer shows nothing."""
        for seed in self.seeds:
            self._reader.read(seed.path)

    def input(self, index: int) -> tuple[Seed, bytes]:
        """Damaged file number `index`, and which file it stands for."""
        rng = random.Random(f"{self._seed}/{self._name}/{index}")
        number = rng.randrange(len(self.seeds))
        whole = [self._whole[number], *self._whole[:number], *self._whole[number + 1 :]]
        return self.seeds[number], mutated(self.seeds[number].kind, whole, rng)

    @contextmanager
    def damaged(self, index: int) -> Iterator[tuple[Path, int]]:
        """What to read with an input in place, and the input's size."""
        seed, data = self.input(index)
        number = self.seeds.index(seed)
        _replace(seed.victim, data)
        try:
            yield seed.path, len(data)
        finally:
            _replace(seed.victim, self._whole[number])

    def judge(self, path: Path) -> tuple[str, str]:
        """Read, and say what came of it: kind, and for a finding where."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            warnings.simplefilter(
                "ignore", ResourceWarning
            )  # nobody sees it, and rosbags leaves files to the collector
            try:
                self._reader.read(path)
                kind, place = "read", ""
            except EgorearError as error:
                kind, place = _judged_message(error)
            except Exception as error:
                kind, place = "traceback", _place(error)
        noise = [f"{w.category.__name__} {w.message} ({Path(w.filename).name}:{w.lineno})" for w in caught]
        return ("warning", noise[0]) if noise and kind in ("read", "refused") else (kind, place)


def _judged_message(error: EgorearError) -> tuple[str, str]:
    text = str(error)
    place = f"{_place(error)}: {text[:200]!r}"
    if "\n" in text.strip() or "\r" in text:
        return "several lines", place
    return ("long message", place) if len(text) > LONGEST else ("refused", "")


def _place(error: BaseException) -> str:
    """Type of an error, and the last lines of egorear's own it passed."""
    frames = [f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
    own = [
        frame
        for frame, raw in zip(frames, traceback.extract_tb(error.__traceback__), strict=True)
        if "egorear_ros" in raw.filename
    ]
    return f"{type(error).__name__} at {' < '.join(reversed((own or frames)[-2:]))}: {str(error)[:100]!r}"


def _replace(path: Path, data: bytes) -> None:
    """As a new file: the old one may still be mapped into memory."""
    partial = path.with_name(".damaged")
    partial.write_bytes(data)
    partial.replace(path)


def fuzz(name: str, inputs: int, seed: int = 0, first: int = 0) -> Outcome:
    """Try a reader on so many inputs; an input that hangs or kills the process costs itself alone."""
    outcome, at = Outcome(), first
    context = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        while at < first + inputs:
            running = context.Array("d", [at - 1, time.monotonic(), 0.0])
            receive, send = context.Pipe(duplex=False)
            worker = context.Process(target=_work, args=(name, Path(folder), seed, at, first + inputs, running, send))
            worker.start()
            send.close()
            at = _follow(receive, running, worker, outcome, at)
            worker.join()
            for left in Path(folder).iterdir():
                shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink()
    return outcome


def _follow(receive: Any, running: Any, worker: Any, outcome: Outcome, at: int) -> int:
    """Take results until the worker ends or is ended; returns the number of the next input."""
    while True:
        with suppress(EOFError):
            if receive.poll(0.5):
                index, kind, place, growth, seconds = receive.recv()
                outcome.add(index, kind, place)
                outcome.largest_growth = max(outcome.largest_growth, growth)
                outcome.slowest_s = max(outcome.slowest_s, seconds)
                at = index + 1
                continue
            if worker.is_alive():
                if running[0] >= at and _is_hanging(worker.pid, running):
                    worker.kill()
                    worker.join()
                    outcome.add(at, "hang")
                    return at + 1
                continue
        worker.join()
        if worker.exitcode:
            outcome.add(at, "crash", f"exit code {worker.exitcode}")
            return at + 1
        return at


def _is_hanging(pid: int, running: Any) -> bool:
    return _processor_s(pid) - running[2] > HANG_S or time.monotonic() - running[1] > WAITING_S


def _processor_s(pid: int | str) -> float:
    """Processor time that a process has used."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _work(name: str, folder: Path, seed: int, first: int, end: int, running: Any, send: Any) -> None:
    """In a process of its own: read inputs, send what came of each."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what C libraries say about damaged files
    subject = Subject(name, Path(tempfile.mkdtemp(dir=folder)), seed)
    subject.check_whole()
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + ADDRESS_SPACE,) * 2)
    for index in range(first, end):
        running[1], running[2] = time.monotonic(), time.process_time()
        running[0] = index
        with subject.damaged(index) as (path, size):
            Path("/proc/self/clear_refs").write_text("5")
            before, started = _resident("VmRSS"), time.process_time()
            kind, place = subject.judge(path)
            growth = _resident("VmHWM") - before
        if growth > MEMORY_BASE + MEMORY_FACTOR * size:
            kind, place = "memory", f"{growth >> 20} MiB for {size} bytes ({kind} {place})"
        send.send((index, kind, place, growth, time.process_time() - started))


def _resident(what: str) -> int:
    """Memory of this process, bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) << 10
    return 0
