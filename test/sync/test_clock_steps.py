"""Clocks that are set while the cameras run, and clocks that are not the machine's."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egorear_ros.sync import ClockSteps, SyncConfig

MS = 1_000_000
SECOND = 1_000_000_000
NAMES = ("front_left", "front_right", "rear_left", "rear_right")
START = 1_700_000_000 * SECOND


def play(stamp_of: Callable[[str, int], int], delay_of: Callable[[int], int] = lambda t: 5 * MS) -> list[str]:
    """Four cameras at 10 Hz for 12 s; what was said each second, and once between.

    Args:
        stamp_of: camera and true time to its clock.
        delay_of: time since the start to how long the frame takes to arrive.
    """
    steps, said, true = ClockSteps(SyncConfig(NAMES)), [], START
    for k in range(120):
        true = START + k * 100 * MS
        for name in NAMES:
            steps.observe(name, stamp_of(name, true), true - START + delay_of(true - START))
            if k == 63 and name == "front_right":  # a second ends between two cameras
                said.append(steps.steps())
        if k % 10 == 9:
            said.append(steps.steps())
    return said


@pytest.mark.parametrize(("moved_s", "text"), [(100, "100.000 s ahead"), (-100, "100.000 s back"), (0.8, "ahead")])
def test_clocks_that_are_set_are_said_once(moved_s: float, text: str) -> None:
    moved = round(moved_s * SECOND)
    said = play(lambda name, t: t + moved * (t > START + 6 * SECOND))
    assert [bool(line) for line in said] == [number == 8 for number in range(13)]
    assert "all cameras" in said[8] and text in said[8]


def test_one_camera_is_named() -> None:
    said = play(lambda name, t: t - 3 * SECOND * (name == "rear_left" and t > START + 6 * SECOND))
    assert sum(map(bool, said)) == 1 and said[8].startswith("camera 'rear_left': the stamps jumped 3.000 s back")


def test_a_single_odd_stamp_is_no_step() -> None:
    assert not any(play(lambda name, t: t + 9 * SECOND * (t == START + 6 * SECOND)))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_busy_machine_is_no_step(seed: int) -> None:
    """Frames pile up for seconds, then all come at once."""
    rng = random.Random(seed)
    begin, length = rng.randint(1, 8) * SECOND, rng.randint(1, 30) * SECOND // 10
    assert not any(play(lambda name, t: t, lambda t: 5 * MS + max(0, begin + length - t) * (t >= begin)))


@pytest.mark.parametrize(
    ("offsets_ms", "key", "text"),
    [
        ((0, 0, 0, 0), None, ""),
        ((-3, 0, 4, 12), None, ""),
        ((-(10**8),) * 4, "", "100000.0"),
        ((50,) * 4, "", "45.0 ms ahead of this machine's clock"),
        ((0, 0, 40, 0), "rear_left", "35.0 ms in the future"),
    ],
)
def test_stamps_are_held_against_the_machines_clock(offsets_ms: tuple[int, ...], key: str | None, text: str) -> None:
    steps = ClockSteps(SyncConfig(NAMES))
    for k in range(10):
        for name, offset_ms in zip(NAMES, offsets_ms, strict=True):
            steps.observe(name, START + (k * 100 + offset_ms) * MS, (k * 100 + 5) * MS)
    found = steps.against_host(START)
    assert list(found) == ([] if key is None else [key]) and text in "".join(found.values())
    assert steps.against_host(START) == found, "without new frames the last verdict stands"
    for k in range(5):
        for name in NAMES:
            steps.observe(name, START + 2 * SECOND + k * MS, 2 * SECOND + (k + 5) * MS)
    assert not steps.against_host(START)
