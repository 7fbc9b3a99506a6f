"""One engine in a process of its own: starts, says how long that took, and measures when it is told to.

Nothing heavy is imported at the top: the time to import it is one of the figures.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.benchmarking.settings import BenchmarkSettings
from egorear_ros.errors import EgorearError

if TYPE_CHECKING:
    from egorear_ros.benchmarking.frames import BenchmarkFrames
    from egorear_ros.benchmarking.model import BenchmarkModel

Samples = dict[str, list[float]]

WARM_UP_SETS: Final = 2
LEAST_SETS: Final = 5


@dataclass(frozen=True)
class Started:
    """What a worker says first.

    Attributes:
        startup_s: "imports", "load" (network and engine), "first_estimate", and "total" since the process was started.
        model: plain values: name, weights, views, image size.
        device: name of the device.
        threads: threads torch may use.
        poses_m: (N, 16, 3) poses in the benchmark's frame sets.
        truth_m: (N, 16, 3) their truth.
    """

    startup_s: dict[str, float]
    model: dict[str, Any]
    device: str
    threads: int
    poses_m: NDArray[np.float32]
    truth_m: NDArray[np.float32]


@dataclass(frozen=True)
class Failed:
    """Why a worker could not go on."""

    reason: str


@dataclass(frozen=True)
class Measured:
    """What a turn gave.

    Attributes:
        samples_s: seconds of each stage of each measured call.
        others_percent: share of the processor that other processes used meanwhile; None where unknown.
        peak_memory_mib: largest resident memory so far.
    """

    samples_s: Samples
    others_percent: float | None
    peak_memory_mib: float


def work(connection: Connection, settings: BenchmarkSettings, engine: str, started_at: float) -> None:
    """Send `Started`, then `Measured` for each number of seconds received, until None; or `Failed`.

    Args:
        connection: to the process that compares.
        settings: what to measure.
        engine: name of the engine.
        started_at: `time.time()` when this process was started.
    """
    try:
        measure, started = _start(settings, engine, started_at)
        connection.send(started)
        while (seconds := connection.recv()) is not None:
            connection.send(measure(seconds))
    except EgorearError as error:
        connection.send(Failed(str(error)))
    except (EOFError, KeyboardInterrupt):  # the comparing process is gone, or told to stop
        return
    except Exception as error:  # an engine may fail in ways of its own; the others shall still be measured
        connection.send(Failed(f"{type(error).__name__}: {error}"))


def _start(settings: BenchmarkSettings, engine: str, started_at: float) -> tuple[Callable[[float], Measured], Started]:
    begun = time.perf_counter()
    import torch

    from egorear_ros.benchmarking.frames import benchmark_frames
    from egorear_ros.benchmarking.machine import OtherWork, peak_memory_mib
    from egorear_ros.benchmarking.model import load_model
    from egorear_ros.data.jpeg import images_of

    imported = time.perf_counter()
    model = load_model(settings, engine)
    loaded = time.perf_counter()
    frames = benchmark_frames(model.estimator.views, settings.size_px)
    prepared = time.perf_counter()
    model.estimator.estimate(images_of(frames.sets[0]))
    seconds = {
        "imports": imported - begun,
        "load": loaded - imported,
        "first_estimate": time.perf_counter() - prepared,
        "total": time.time() - started_at - (prepared - loaded),
    }
    poses = np.stack([model.estimator.estimate(images_of(frame_set)).joints_device_m for frame_set in frames.sets])
    call = _pipeline(model, frames) if settings.batch == 1 else _network_alone(model, frames, settings.batch)

    def measure(duration_s: float) -> Measured:
        others = OtherWork()
        samples = _repeat(call, duration_s)
        return Measured(samples, others.percent(), peak_memory_mib())

    return measure, Started(
        startup_s=seconds,
        model=model.description,
        device=model.device_name,
        threads=torch.get_num_threads(),
        poses_m=poses,
        truth_m=frames.joints_device_m,
    )


def _repeat(call: Callable[[int], dict[str, float]], duration_s: float) -> Samples:
    """Call for a while, with an untimed start: caches are cold after another process's turn."""
    for number in range(WARM_UP_SETS):
        call(number)
    samples: Samples = {}
    end, number = time.perf_counter() + duration_s, 0
    while number < LEAST_SETS or time.perf_counter() < end:
        for stage, seconds in call(number).items():
            samples.setdefault(stage, []).append(seconds)
        number += 1
    return samples


def _pipeline(model: BenchmarkModel, frames: BenchmarkFrames) -> Callable[[int], dict[str, float]]:
    """From JPEGs to the pose, as a node does."""
    from egorear_ros.data.jpeg import images_of

    def call(number: int) -> dict[str, float]:
        started = time.perf_counter()
        images = images_of(frames.sets[number % len(frames.sets)])
        decoded = time.perf_counter()
        stages = model.estimator.estimate(images).stage_seconds
        return {"decode": decoded - started, **stages, "end_to_end": time.perf_counter() - started}

    return call


def _network_alone(model: BenchmarkModel, frames: BenchmarkFrames, batch: int) -> Callable[[int], dict[str, float]]:
    """Several frame sets at once through the network."""
    images = model.batch_of(frames.sets, batch)

    def call(number: int) -> dict[str, float]:
        del number  # always the same batch
        started = time.perf_counter()
        model.run_network(*images)
        return {"network": time.perf_counter() - started}

    return call
