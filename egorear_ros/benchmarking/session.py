"""Engines compared in one run: the baseline and one other at a time take turns, each in a process of its own.

So no engine's memory, threads or settings disturb another's, and a machine that slows down slows both: each engine is
compared with what the baseline did in the same minute.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from types import TracebackType
from typing import Any, Final, TypeVar

from egorear_ros.benchmarking.machine import describe_machine
from egorear_ros.benchmarking.report import baseline_row, engine_row, failed_row
from egorear_ros.benchmarking.settings import BASELINE, BenchmarkError, BenchmarkSettings
from egorear_ros.benchmarking.worker import Failed, Measured, Samples, Started, work

FORMAT: Final = "egorear-benchmark/1"
END_TIMEOUT_S: Final = 10.0

Message = TypeVar("Message", Started, Measured)
Report = Callable[[str], None]


class EngineError(BenchmarkError):
    """An engine that cannot be measured here, and why."""

    def __init__(self, engine: str, reason: str) -> None:
        super().__init__(f"engine '{engine}': {reason}")
        self.engine, self.reason = engine, reason


class Worker:
    """An engine's process. Use as a context manager.

    Raises:
        EngineError: the engine cannot start, or ends early.
    """

    def __init__(self, settings: BenchmarkSettings, engine: str) -> None:
        self.settings, self.engine, self.samples = settings, engine, list[Samples]()
        self.others_percent: list[float | None] = []
        self.peak_memory_mib = 0.0
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        arguments = (other, settings, engine, time.time())
        self._process = context.Process(target=work, args=arguments, daemon=True, name=f"benchmark {engine}")
        self._process.start()
        other.close()

    def __enter__(self) -> Worker:
        try:
            self.started = self._receive(Started)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def measure(self, seconds: float) -> None:
        """Measure for a while; adds to `samples`."""
        with suppress(OSError):  # if it is gone, what it left behind says why
            self._connection.send(seconds)
        measured = self._receive(Measured)
        self.samples.append(measured.samples_s)
        self.others_percent.append(measured.others_percent)
        self.peak_memory_mib = measured.peak_memory_mib

    def _receive(self, kind: type[Message]) -> Message:
        try:
            message = self._connection.recv()
        except EOFError:
            self._process.join(END_TIMEOUT_S)
            status = self._process.exitcode
            reason = f"its process ended (status {status}); if memory ran out, try a smaller --batch or --size"
            raise EngineError(self.engine, reason) from None
        if isinstance(message, Failed):
            raise EngineError(self.engine, message.reason)
        assert isinstance(message, kind)
        return message

    def _end(self) -> None:
        with suppress(OSError):  # it may be gone already
            self._connection.send(None)
        self._process.join(END_TIMEOUT_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._connection.close()


def compare(settings: BenchmarkSettings, engines: Sequence[str], report: Report = lambda line: None) -> dict[str, Any]:
    """Measure the baseline and each engine against it.

    Args:
        settings: what to measure.
        engines: names of the engines; those that cannot start here are in the result with the reason.
        report: called with a line before each engine.

    Returns:
        Plain values, as docs/performance.md describes them.

    Raises:
        BenchmarkError: the baseline itself cannot be measured.
    """
    report(f"starting {BASELINE}")
    with Worker(settings, BASELINE) as baseline:
        rows = []
        for name in (name for name in engines if name != BASELINE):
            report(f"starting {name}, to take turns with {BASELINE}")
            rows.append(_against(baseline, settings, name))
        if not baseline.samples:  # alone, or none of the others works here
            for _ in range(settings.rounds):
                baseline.measure(settings.seconds)
        return {
            "format": FORMAT,
            "machine": {**describe_machine(), "device": baseline.started.device},
            "model": baseline.started.model,
            "settings": asdict(settings),
            "engines": [baseline_row(baseline), *rows],
        }


def _against(baseline: Worker, settings: BenchmarkSettings, name: str) -> dict[str, Any]:
    """The row of one engine that took turns with the baseline."""
    before = len(baseline.samples)
    try:
        with Worker(settings, name) as worker:
            for _ in range(settings.rounds):
                baseline.measure(settings.seconds)
                worker.measure(settings.seconds)
            return engine_row(worker, baseline, baseline.samples[before:])
    except EngineError as error:
        return failed_row(name, error.reason)


def check_names(settings: BenchmarkSettings, engines: Sequence[str]) -> tuple[str, ...]:
    """What can be said before anything is started: is there such a model, and such engines.

    Returns:
        Names of the engines; "all" stands for all of them.

    Raises:
        EgorearError: no such model or engine.
    """
    from egorear_ros.benchmarking.model import random_config

    random_config(settings.model)
    return _chosen(engines)


def _chosen(names: Sequence[str]) -> tuple[str, ...]:
    from egorear_ros.inference.engines import ENGINES

    if "all" in names:
        return tuple(ENGINES)
    for name in names:
        if name not in ENGINES:
            raise BenchmarkError(f"there is no engine '{name}'; known are all, {', '.join(ENGINES)}")
    return tuple(dict.fromkeys(names))
