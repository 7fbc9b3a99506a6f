"""Clocks that do not fit are named with the right figure, and healthy ones never."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egorear_ros.sync import ClockFinding, ClockJudge, Starvation, SyncConfig, Synchronizer

MS = 1_000_000
SECOND = 1_000_000_000
NAMES = ("front_left", "front_right", "rear_left", "rear_right")
START = 1_700_000_000 * SECOND


@dataclass(frozen=True)
class Camera:
    """One camera's clock and transport. Nanoseconds; `stamp_of` maps true time to its clock."""

    stamp_of: Callable[[int], int] = lambda true: true
    latency: int = 5 * MS
    spread: int = 3 * MS
    jitter: int = MS // 2
    loss: float = 0.0
    phase: int = 0
    every: int = 1


@dataclass
class Run:
    """What judge and starvation said each second, and what was left in the end."""

    ticks: list[tuple[ClockFinding, ...]] = field(default_factory=list)
    starved: list[str] = field(default_factory=list)
    judge: ClockJudge | None = None
    synchronizer: Synchronizer[int] | None = None
    end: tuple[ClockFinding, ...] = ()

    @property
    def found(self) -> dict[str, ClockFinding]:
        return {finding.camera: finding for tick in self.ticks for finding in tick}


def healthy() -> list[Camera]:
    return [Camera() for _ in NAMES]


def simulate(
    cameras: list[Camera],
    seconds: float = 8.0,
    rate: float = 30.0,
    seed: int = 0,
    config: SyncConfig | None = None,
    recorded_at_stamp: bool = False,
) -> Run:
    """Play cameras with a common trigger; the judge's clock (arrivals) starts anywhere."""
    rng = random.Random(seed)
    config = config or SyncConfig(NAMES[: len(cameras)])
    period = round(SECOND / rate)
    events: list[tuple[int, str, int]] = []
    for name, camera in zip(config.cameras, cameras, strict=True):
        last = 0
        for k in range(0, int(seconds * rate), camera.every):
            if rng.random() < camera.loss:
                continue
            true = START + k * period + camera.phase
            stamp = camera.stamp_of(true)
            if stamp > 0:
                stamp += rng.randint(-camera.jitter, camera.jitter)
            last = max(last + 1, true + camera.latency + rng.randint(0, camera.spread))
            events.append((stamp if recorded_at_stamp else last, name, stamp))
    run = Run(judge=ClockJudge(config), synchronizer=Synchronizer(config))
    judge, synchronizer, starvation = run.judge, run.synchronizer, Starvation(config)
    assert judge is not None and synchronizer is not None
    tick_at, now = START, START
    for now, name, stamp in sorted(events):
        while (deadline := synchronizer.next_deadline_ns()) is not None and deadline < now:
            synchronizer.poll(deadline)
        judge.observe(name, stamp, now)
        synchronizer.add(name, stamp, 0, now)
        if now >= tick_at + SECOND:
            tick_at = now
            run.ticks.append(judge.tick(now, synchronizer.statistics()))
            run.starved.append(starvation.tick(now, synchronizer.statistics(), run.ticks[-1]))
    synchronizer.flush()
    run.end = judge.finish(now, synchronizer.statistics())
    return run


def with_clock(stamp_of: Callable[[int], int], *names: str) -> list[Camera]:
    return [
        replace(camera, stamp_of=stamp_of) if name in names else camera
        for name, camera in zip(NAMES, healthy(), strict=True)
    ]


def moved(by_ns: int) -> Callable[[int], int]:
    return lambda true: true + by_ns


@pytest.mark.parametrize("rate", [5.0, 10.0, 30.0, 60.0])
@pytest.mark.parametrize("skew_ms", [20, -20, 8, -8, 12.5, 120, -700])
def test_a_constant_skew_is_measured_and_named(rate: float, skew_ms: float) -> None:
    period_ms = 1e3 / rate
    if abs((skew_ms + period_ms / 2) % period_ms - period_ms / 2) < 5:
        pytest.skip("fits the neighbouring frames: nothing in the stamps tells it from none")
    run = simulate(with_clock(moved(round(skew_ms * MS)), "rear_left"), rate=rate)
    assert set(run.found) == {"rear_left"}, run.ticks
    finding = run.found["rear_left"]
    assert finding.is_error and finding.offset_ns == pytest.approx(skew_ms * MS, abs=0.5 * MS)
    assert f"{abs(finding.offset_ns) / MS:.1f} ms {'ahead of' if skew_ms > 0 else 'behind'}" in finding.message
    values = re.search(r"offsets: \[(.*?)\]", finding.message)
    assert values is not None
    assert [float(v) for v in values[1].split(",")] == pytest.approx([0, 0, -skew_ms / 1e3, 0], abs=5e-4)


def test_the_offsets_it_names_mend_it() -> None:
    cameras = with_clock(moved(20 * MS), "rear_left")
    message = simulate(cameras).found["rear_left"].message
    values = re.search(r"offsets: \[(.*?)\]", message)
    assert values is not None
    offsets = dict(zip(NAMES, map(float, values[1].split(",")), strict=True))
    mended = simulate(cameras, config=SyncConfig(NAMES, offsets=offsets))
    assert mended.found == {} and mended.synchronizer is not None
    assert mended.synchronizer.statistics().complete >= 8 * 30 - 1


@pytest.mark.parametrize(
    "names", [("front_left",), ("rear_right",), ("rear_left", "rear_right"), ("front_left", "rear_right")]
)
@pytest.mark.parametrize("offset_s", [100.0, -100.0, -1_699_999_000.0, 3600.25])
def test_cameras_on_another_clock(names: tuple[str, ...], offset_s: float) -> None:
    run = simulate(with_clock(moved(round(offset_s * SECOND)), *names))
    assert set(run.found) == set(names), run.ticks
    for finding in run.found.values():
        assert finding.is_error and finding.offset_ns == pytest.approx(offset_s * SECOND, abs=MS)


def test_a_camera_ten_seconds_late() -> None:
    cameras = healthy()
    cameras[1] = replace(cameras[1], latency=10 * SECOND)
    run = simulate(cameras, seconds=20)
    assert set(run.found) == {"front_right"}
    finding = run.found["front_right"]
    assert finding.offset_ns == pytest.approx(-10 * SECOND, abs=5 * MS) and "10.000 s behind" in finding.message
    assert "`deadline` can be 10 s at most" in finding.message


def test_a_camera_later_than_the_deadline() -> None:
    cameras = healthy()
    cameras[1] = replace(cameras[1], latency=400 * MS)
    run = simulate(cameras)
    assert set(run.found) == {"front_right"}
    assert "set `deadline` (now 0.1 s) to 0.48" in run.found["front_right"].message


@pytest.mark.parametrize("names", [("front_left",), NAMES])
def test_images_without_a_stamp(names: tuple[str, ...]) -> None:
    run = simulate(with_clock(lambda true: 0, *names))
    assert set(run.found) == set(names)
    assert all("no stamp (0)" in finding.message for finding in run.found.values())
    if names == NAMES:
        assert "no frame set for" in run.starved[-1] and "without a stamp (0)" in run.starved[-1]


def test_a_clock_that_stands_still() -> None:
    run = simulate([replace(camera, jitter=0) for camera in with_clock(lambda true: START, "rear_left")])
    assert {f.kind for f in run.found.values()} == {"still"}


@pytest.mark.parametrize("ppm", [100, -100, 1000, -5000])
def test_a_drifting_clock(ppm: int) -> None:
    cameras = with_clock(running_at(ppm), "rear_left")
    run = simulate(cameras, seconds=30)
    drifting = [f for tick in run.ticks for f in tick if f.kind == "drifting"]
    assert {f.camera for f in drifting} == {"rear_left"} == set(run.found)
    stated = float(re.search(r"\(([+-]\d+) ppm\)", drifting[-1].message)[1])  # type: ignore[index]
    assert stated == pytest.approx(ppm, rel=0.05, abs=3)


@pytest.mark.parametrize("by_s", [60, -60])
def test_a_clock_that_jumps_is_named_after_the_jump(by_s: int) -> None:
    border = START + 5 * SECOND
    run = simulate(with_clock(lambda true: true + (true > border) * by_s * SECOND, "rear_left"), seconds=12)
    assert set(run.found) == {"rear_left"} and not any(run.ticks[:4])
    assert run.found["rear_left"].offset_ns == pytest.approx(by_s * SECOND, abs=MS)


def test_a_recording_whose_times_are_the_stamps() -> None:
    """Where a recording's times are its stamps, arrivals say nothing; that all cameras begin together does."""
    run = simulate(with_clock(moved(20 * MS), "rear_left"), recorded_at_stamp=True)
    finding = run.found["rear_left"]
    assert finding.offset_ns == pytest.approx(20 * MS, abs=MS)
    assert "ms behind: one frame period from that)" in finding.message


def test_short_recordings_are_judged_at_the_end() -> None:
    run = simulate(with_clock(moved(20 * MS), "rear_left"), seconds=1.7, rate=5.0)
    assert not any(run.ticks) and [f.camera for f in run.end] == ["rear_left"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_healthy_rigs_are_never_accused(data: st.DataObject) -> None:
    """Jitter, loss, different latencies within the deadline, half rates: no finding and no starvation."""
    rate = data.draw(st.sampled_from([5.0, 10.0, 15.0, 30.0, 60.0]))
    period = round(SECOND / rate)
    cameras = [
        Camera(
            latency=data.draw(st.integers(0, 80)) * MS,
            spread=data.draw(st.integers(0, 15)) * MS,
            jitter=data.draw(st.sampled_from([0, MS // 2, 2 * MS])),
            loss=data.draw(st.sampled_from([0.0, 0.02, 0.1])),
            every=data.draw(st.sampled_from([1, 1, 1, 2])),
        )
        for _ in range(data.draw(st.integers(1, 4)))
    ]
    config = SyncConfig(NAMES[: len(cameras)], deadline=0.2, tolerance=min(0.005, period / SECOND / 5))
    run = simulate(cameras, 10.0, rate, data.draw(st.integers(0, 10**6)), config)
    assert not any(run.ticks) and not any(run.starved) and not run.end


@pytest.mark.parametrize("seed", range(8))
def test_free_running_cameras_are_not_accused(seed: int) -> None:
    rng = random.Random(seed)
    cameras = [Camera(phase=rng.randint(0, 33 * MS)) for _ in NAMES]
    assert not simulate(cameras, 10.0, seed=seed, config=SyncConfig(NAMES, tolerance=0.025)).found


def running_at(ppm: float) -> Callable[[int], int]:
    return lambda true: true + int((true - START) * ppm / 1e6)


@pytest.mark.parametrize("seed", range(8))
def test_a_minute_of_quartz_clocks_is_healthy(seed: int) -> None:
    rng = random.Random(seed)
    cameras = [replace(Camera(), stamp_of=running_at(rng.uniform(-5, 5))) for _ in NAMES]
    assert not simulate(cameras, 70.0, 15.0, seed).found


def test_a_single_sending_camera_is_named() -> None:
    cameras = healthy()
    cameras[0] = replace(cameras[0], loss=0.0)
    for i in range(1, 4):
        cameras[i] = replace(cameras[i], loss=1.0)
    run = simulate(cameras)
    assert not run.found and "only 1 of 4 cameras send (front_left) and `minimum_views` is 2" in run.starved[-1]
