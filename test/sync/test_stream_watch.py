"""A camera that slows down, or whose frames find no set, is named; healthy rigs never."""

from __future__ import annotations

import random
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from egorear_ros.sync import StreamWatch, SyncConfig, Synchronizer

MS = 1_000_000
SECOND = 1_000_000_000
NAMES = ("front_left", "front_right", "rear_left", "rear_right")
START = 1_700_000_000 * SECOND

Sends = Callable[[str, int, int], int | None]
"""(camera, number of the frame, true time) -> nanoseconds until it arrives; None where it never does."""


def watch(sends: Sends, rate_hz: float = 10.0, seconds: int = 16) -> list[dict[str, str]]:
    """What was said each second."""
    config = SyncConfig(NAMES)
    synchronizer: Synchronizer[int] = Synchronizer(config)
    stream_watch, period = StreamWatch(config), round(SECOND / rate_hz)
    events = [
        (START + k * period + delay, name, START + k * period)
        for k in range(int(seconds * rate_hz))
        for name in NAMES
        if (delay := sends(name, k, k * period)) is not None
    ]
    said, tick = [], START + SECOND
    for arrival, name, stamp in sorted(events):
        while arrival >= tick:
            synchronizer.poll(tick)
            said.append(stream_watch.tick(tick, synchronizer.statistics()))
            tick += SECOND
        synchronizer.add(name, stamp, 0, arrival)
        stream_watch.observe(name, stamp, arrival)
    return said


def first(said: list[dict[str, str]], camera: str) -> int:
    """Number of the first second in which a camera was named."""
    return next(number for number, found in enumerate(said) if camera in found)


def test_a_low_rate_is_judged_as_fast() -> None:
    said = watch(lambda name, k, t: None if name == "rear_left" and t > 8 * SECOND and k % 2 else 5 * MS, 5.0)
    assert first(said, "rear_left") <= 12


def test_half_the_rate_of_the_others_is_named_within_five_seconds_and_forgiven() -> None:
    said = watch(lambda name, k, t: None if name == "rear_left" and 5 * SECOND < t < 11 * SECOND and k % 2 else 5 * MS)
    assert first(said, "rear_left") <= 9 and not any(said[:5]) and not said[-1]
    assert all(set(found) <= {"rear_left"} for found in said)
    assert "sends 5.0 Hz, the others 10.0 Hz" in said[9]["rear_left"]


def test_all_cameras_at_half_rate_are_named() -> None:
    said = watch(lambda name, k, t: None if t > 8 * SECOND and k % 2 else 5 * MS)
    assert first(said, "") <= 12 and set(said[13]) == {""}
    assert "all cameras send 5.0 Hz, it was 10.0 Hz" in said[13][""]


def test_frames_that_come_too_late_are_named_with_the_condition() -> None:
    said = watch(lambda name, k, t: 300 * MS if name == "rear_right" and t > 5 * SECOND and k % 5 < 3 else 5 * MS)
    assert first(said, "rear_right") <= 10
    assert "found no set" in said[12]["rear_right"] and "`deadline`" in said[12]["rear_right"]


def test_a_camera_that_stops_or_begins_is_not_called_slow() -> None:
    said = watch(lambda name, k, t: None if name == "front_right" and 5.3 * SECOND < t < 10.7 * SECOND else 5 * MS)
    assert not any(said)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_trigger_that_comes_now_and_then_is_no_fault(seed: int) -> None:
    rng = random.Random(seed)
    fired = [rng.random() < 0.4 for _ in range(200)]
    assert not any(watch(lambda name, k, t: 5 * MS if fired[k] else None))


# Not at random: at 5 Hz a few lost frames among 24 can look like a slow camera, once in thousands of seeds.
@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), rate_hz=st.sampled_from([5.0, 15.0, 30.0, 60.0]))
def test_healthy_cameras_are_left_in_peace(seed: int, rate_hz: float) -> None:
    rng = random.Random(seed)
    latency = {name: rng.randint(0, 60) for name in NAMES}
    loss = rng.choice([0.0, 0.02, 0.05])
    said = watch(
        lambda name, k, t: None if rng.random() < loss else (latency[name] + rng.randint(0, 10)) * MS, rate_hz, 8
    )
    assert not any(said)
