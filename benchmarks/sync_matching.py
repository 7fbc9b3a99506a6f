"""Sets that come out right, and what they cost: egorear's synchronizer against message_filters, on the same stamps.

    python benchmarks/sync_matching.py [--message-filters FOLDER]

Four simulated cameras share a trigger; each frame knows its capture instant, the synchronizers see stamps only. Without
an installed message_filters (or a FOLDER that holds the package, and rclpy) ours is measured alone. Columns:

    expected      instants whose frames all four cameras delivered
    correct       complete sets that show one instant; lost = expected - correct
    mixed         sets, complete or partial, that show several instants
    order         sets older than one that went out before
    partial       sets without all views (message_filters has none)
    delay         from the arrival of a correct set's last view to its going out: median / 99 % / max, simulated ms
    us, worst     CPU time of add() per message, mean and longest, microseconds, of this machine

In the rows "free-running" there is no trigger: cameras of one rate, a quarter of a period apart, the least favourable
phases. Expected is then the number of periods, and every complete set within tolerance counts as correct.

The second table is the longest add() with full queues in two unfavourable cases: "crowd", stamps within tolerance of
the new one but not of each other, which is message_filters' worst; and "chain", each frame nearer to the next than to
the one before, so that nothing is settled until the end, the worst we found for ours (without prediction; with it, such
a chain is settled on the way).
"""

from __future__ import annotations

import argparse
import importlib
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from egorear_ros.sync import SyncConfig, Synchronizer

CAMERAS = ("front_left", "front_right", "rear_left", "rear_right")
MS = 1_000_000
ORIGIN_NS = 1_700_000_000 * 1000 * MS
USUAL_QUEUE = 10  # of message_filters


class Event(NamedTuple):
    """A frame arrives at the synchronizer."""

    arrival_ns: int
    camera: int
    stamp_ns: int
    instant: int


class Emission(NamedTuple):
    """A set goes out: per camera the instant its frame shows."""

    now_ns: int
    instants: tuple[int | None, ...]


@dataclass(frozen=True)
class Scenario:
    """What the cameras do. Jitter is uniform, +-."""

    name: str
    jitter_ms: float = 0.5
    drops: float = 0.0
    drift_ppm: float = 0.0  # of the last camera's clock
    late_ms: float = 0.0  # latency of the last camera on top
    every: int = 1  # the last camera sends at each n-th instant
    loop: bool = False  # half-way stamps start again
    free_running: bool = False


SCENARIOS = (
    Scenario("jitter"),
    Scenario("drops 5 %", drops=0.05),
    Scenario("drops 5 %, jitter 1.5 ms", drops=0.05, jitter_ms=1.5),
    Scenario("drops 5 %, drift 50 ppm", drops=0.05, drift_ppm=50),
    Scenario("drops 5 %, drift 200 ppm", drops=0.05, drift_ppm=200),
    Scenario("drops 5 %, bag loop", drops=0.05, loop=True),
    Scenario("drops 5 %, one 300 ms late", drops=0.05, late_ms=300),
    Scenario("drops 5 %, one at half rate", drops=0.05, every=2),
    Scenario("free-running", free_running=True),
)


def events_of(scenario: Scenario, rate_hz: float, seconds: float, seed: int) -> list[Event]:
    """Simulate the cameras; events in order of arrival."""
    rng = random.Random(seed)
    period = 1e9 / rate_hz
    count = int(seconds * rate_hz)
    events: list[Event] = []
    for camera in range(len(CAMERAS)):
        last = camera == len(CAMERAS) - 1
        phase = camera * period / len(CAMERAS) if scenario.free_running else 0.0
        previous = 0
        for k in range(0, count, scenario.every if last else 1):
            truth = k * period * (1 + scenario.drift_ppm * 1e-6 * last) + phase
            arrival = truth + (5 + rng.uniform(0, 2) + scenario.late_ms * last) * MS
            played = truth - (count // 2 * period if scenario.loop and k >= count // 2 else 0)
            stamp = ORIGIN_NS + round(played + rng.uniform(-1, 1) * scenario.jitter_ms * MS)
            previous = max(previous + 1, ORIGIN_NS + round(arrival))  # one camera's frames stay in order
            if rng.random() >= scenario.drops:
                events.append(Event(previous, camera, stamp, k))
    return sorted(events)


class Run(NamedTuple):
    """What a synchronizer did with the events."""

    emissions: list[Emission]
    add_ns: list[int]


def run_ours(events: list[Event], tolerance: float, predict: bool = True) -> Run:
    config = SyncConfig(CAMERAS, tolerance=tolerance, deadline=0.4, queue_length=64, predict=predict)
    synchronizer: Synchronizer[int] = Synchronizer(config)
    run = Run([], [])
    for event in events:
        while (deadline := synchronizer.next_deadline_ns()) is not None and deadline <= event.arrival_ns:
            run.emissions.extend(Emission(deadline, aligned.frames) for aligned in synchronizer.poll(deadline))
        began = time.thread_time_ns()
        sets = synchronizer.add(CAMERAS[event.camera], event.stamp_ns, event.instant, event.arrival_ns)
        run.add_ns.append(time.thread_time_ns() - began)
        run.emissions.extend(Emission(event.arrival_ns, aligned.frames) for aligned in sets)
    run.emissions.extend(Emission(events[-1].arrival_ns, aligned.frames) for aligned in synchronizer.flush())
    return run


def run_message_filters(package: ModuleType, events: list[Event], tolerance: float, queue: int) -> Run:
    from builtin_interfaces.msg import Time

    class Header:
        def __init__(self, stamp_ns: int) -> None:
            self.stamp = Time(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)

    class Message:
        def __init__(self, event: Event) -> None:
            self.header = Header(event.stamp_ns)
            self.instant = event.instant

    inputs = [package.SimpleFilter() for _ in CAMERAS]
    synchronizer = package.ApproximateTimeSynchronizer(inputs, queue, tolerance)
    sets: list[tuple[int, ...]] = []
    synchronizer.registerCallback(lambda *messages: sets.append(tuple(m.instant for m in messages)))
    run = Run([], [])
    for event in events:
        message = Message(event)
        began = time.thread_time_ns()
        inputs[event.camera].signalMessage(message)
        run.add_ns.append(time.thread_time_ns() - began)
        run.emissions.extend(Emission(event.arrival_ns, instants) for instants in sets)
        sets.clear()
    return run


def crowd(count: int) -> list[Event]:
    """Three full queues at -30, +30 and +30 ms, then a frame at 0: with 50 ms tolerance no set exists, many seem to."""
    events = [
        Event(ORIGIN_NS + camera, camera, ORIGIN_NS + side * MS + k * 1000, k)
        for camera, side in enumerate((-30, 30, 30))
        for k in range(count)
    ]
    return [*events, Event(ORIGIN_NS + len(CAMERAS), 3, ORIGIN_NS, 0)]


def chain(count: int) -> list[Event]:
    """Frames in turn, always nearer to the next; then one far away, which settles them all at once."""
    stamp = ORIGIN_NS
    events = []
    for k in range(count * len(CAMERAS) - 1):
        stamp += 100_000 - 10 * k
        events.append(Event(ORIGIN_NS + k, k % len(CAMERAS), stamp, k))
    return [*events, Event(ORIGIN_NS + len(events), len(CAMERAS) - 1, stamp + 100 * MS, 0)]


@dataclass
class Score:
    """Sums over the runs of one row."""

    expected: int = 0
    correct: int = 0
    mixed: int = 0
    disordered: int = 0
    partial: int = 0
    delays_ms: list[float] | None = None
    add_us: list[float] | None = None

    def take(self, scenario: Scenario, events: list[Event], run: Run) -> None:
        """Judge one run by the instants its frames show."""
        delivered: dict[int, dict[int, int]] = {}  # instant -> camera -> arrival
        for event in events:
            delivered.setdefault(event.instant, {})[event.camera] = event.arrival_ns
        self.expected += sum(len(cameras) == len(CAMERAS) for cameras in delivered.values())
        newest = -1
        self.delays_ms = self.delays_ms or []
        self.add_us = (self.add_us or []) + [ns / 1e3 for ns in run.add_ns]
        for now, views in run.emissions:
            present = [(k, camera) for camera, k in enumerate(views) if k is not None]
            instants = {k for k, _ in present}
            self.disordered += min(instants) < newest
            newest = max(newest, min(instants))
            self.partial += len(present) < len(CAMERAS)
            one = len(instants) == 1 or scenario.free_running
            self.mixed += not one
            if one and len(present) == len(CAMERAS):
                self.correct += 1
                self.delays_ms.append((now - max(delivered[k][camera] for k, camera in present)) / MS)

    def row(self) -> str:
        """The row of the table, from "expected" on."""
        delays = sorted(self.delays_ms or [])
        delay = (
            "-" if not delays else f"{delays[len(delays) // 2]:.1f} / {percentile(delays, 0.99):.1f} / {delays[-1]:.1f}"
        )
        add = self.add_us or [0.0]
        share = f"{self.correct / self.expected:.2%}"
        return (
            f"{self.expected} | {self.correct} ({share}) | {self.expected - self.correct} | {self.mixed} | "
            f"{self.disordered} | {self.partial} | {delay} | {statistics.fmean(add):.1f} | {max(add):.0f} |"
        )


def percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def import_message_filters(folder: str | None) -> ModuleType | None:
    if folder:
        sys.path.insert(0, folder)
    try:
        return importlib.import_module("message_filters")
    except ImportError as error:
        print(f"message_filters is left out: {error}\n", file=sys.stderr)
        return None


def score(
    scenario: Scenario, rate: float, tolerance: float, seeds: Iterable[int], seconds: float, run: Callable[..., Run]
) -> Score:
    total = Score()
    for seed in seeds:
        events = events_of(scenario, rate, seconds, seed)
        total.take(scenario, events, run(events, tolerance))
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--message-filters", metavar="FOLDER", help="folder that holds the package message_filters")
    parser.add_argument("--rates", type=float, nargs="+", default=[30, 60, 120], help="frame rates in Hz")
    parser.add_argument("--tolerances", type=float, nargs="+", default=[5, 50], help="tolerances (slop) in ms")
    parser.add_argument("--seconds", type=float, default=20.0, help="simulated time of a run (default 20)")
    parser.add_argument("--seeds", type=int, default=3, help="runs per row (default 3)")
    args = parser.parse_args()
    package = import_message_filters(args.message_filters)
    methods: dict[str, Callable[..., Run]] = {"egorear": run_ours}
    if package is not None:
        found: Any = package
        methods["message_filters"] = lambda *run: run_message_filters(found, *run, queue=USUAL_QUEUE)
    header = (
        "scenario | Hz | tol. ms | method | expected | correct | lost | mixed | order | partial | delay ms | us | worst"
    )
    print(f"| {header} |\n|{'---|' * 13}")
    for scenario in SCENARIOS:
        for rate in args.rates:
            for tolerance in args.tolerances:
                if scenario.free_running and tolerance < 1e3 / rate:
                    continue  # hardly any sets exist
                for name, run in methods.items():
                    row = score(scenario, rate, tolerance / 1e3, range(args.seeds), args.seconds, run).row()
                    print(f"| {scenario.name} | {rate:g} | {tolerance:g} | {name} | {row}", flush=True)
    methods["egorear"] = lambda *run: run_ours(*run, predict=False)
    if package is not None:
        methods["message_filters"] = lambda *run: run_message_filters(found, *run, queue=1000)
    print(f"\n| case | in queue | {' | '.join(methods)} |\n|{'---|' * (2 + len(methods))}")
    for case in (crowd, chain):
        for count in (10, 20, 30):
            longest = [max(run(case(count), 0.05).add_ns) / 1e6 for run in methods.values()]
            print(f"| {case.__name__} | {count} | {' | '.join(f'{ms:.2f} ms' for ms in longest)} |", flush=True)


if __name__ == "__main__":
    main()
