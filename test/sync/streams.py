"""Made-up camera streams in order of arrival."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import NamedTuple

from egorear_ros.sync import AlignedSet, Synchronizer

MS = 1_000_000
ORIGIN = 1_000_000 * MS


class Frame(NamedTuple):
    camera: str
    instant: int  # which trigger it shows: the truth a synchronizer cannot see


class Event(NamedTuple):
    arrival_ns: int
    camera: str
    stamp_ns: int
    frame: Frame


@dataclass(frozen=True)
class Stream:
    """One camera: its lost frames, per-frame jitter, latency and spread of latency in nanoseconds."""

    camera: str
    lost: frozenset[int] = frozenset()
    jitter_ns: int = 0
    latency_ns: int = 5 * MS
    latency_spread_ns: int = 0
    every: int = 1  # sends at each n-th instant only
    phase_ns: int = 0  # captures this long after the instant

    def events(self, period_ns: int, instants: int, seed: int) -> list[Event]:
        rng = random.Random(f"{seed} {self.camera}")
        events: list[Event] = []
        for k in range(0, instants, self.every):
            if k in self.lost:
                continue
            stamp = ORIGIN + self.phase_ns + k * period_ns + rng.randint(-self.jitter_ns, self.jitter_ns)
            arrival = stamp + self.latency_ns + rng.randint(0, self.latency_spread_ns)
            if events:
                arrival = max(arrival, events[-1].arrival_ns + 1)  # one camera's frames stay in order
            events.append(Event(arrival, self.camera, stamp, Frame(self.camera, k)))
        return events


def arrivals(streams: list[Stream], period_ns: int, instants: int, seed: int = 0) -> list[Event]:
    events = [event for stream in streams for event in stream.events(period_ns, instants, seed)]
    return sorted(events, key=lambda event: event.arrival_ns)


class Output(NamedTuple):
    aligned: AlignedSet[Frame]
    now_ns: int


def play(synchronizer: Synchronizer[Frame], events: list[Event]) -> list[Output]:
    """Feed the events, polling exactly when the synchronizer asks to be polled."""
    out: list[Output] = []
    for event in events:
        while (deadline := synchronizer.next_deadline_ns()) is not None and deadline <= event.arrival_ns:
            out += [Output(aligned, deadline) for aligned in synchronizer.poll(deadline)]
        sets = synchronizer.add(event.camera, event.stamp_ns, event.frame, event.arrival_ns)
        out += [Output(aligned, event.arrival_ns) for aligned in sets]
    while (deadline := synchronizer.next_deadline_ns()) is not None:
        out += [Output(aligned, deadline) for aligned in synchronizer.poll(deadline)]
    return out


def instants(aligned: AlignedSet[Frame]) -> set[int]:
    """The instants that a set's frames show: one if the set is correct."""
    return {frame.instant for frame in aligned.frames if frame is not None}
