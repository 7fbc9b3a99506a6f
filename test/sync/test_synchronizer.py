"""Behaviour in the situations users meet, one by one."""

from __future__ import annotations

import math
from typing import Any

import pytest

from egorear_ros.errors import EgorearError
from egorear_ros.sync import AlignedSet, SyncConfig, Synchronizer
from test.sync.streams import MS, ORIGIN, Event, Frame, Output, Stream, arrivals, instants, play

PERIOD = 33 * MS
NAMES = ("front_left", "front_right", "rear_left", "rear_right")


def make(*cameras: str, **settings: Any) -> Synchronizer[Any]:
    return Synchronizer(SyncConfig(cameras or NAMES, **settings))


def complete_instants(outputs: list[Output]) -> list[int]:
    assert all(len(instants(o.aligned)) == 1 for o in outputs), "a set mixes instants"
    return [min(instants(o.aligned)) for o in outputs if o.aligned.complete]


def latencies_ms(outputs: list[Output]) -> list[float]:
    return [(o.now_ns - o.aligned.stamp_ns) / MS for o in outputs]


def test_smoke() -> None:
    synchronizer = make("a", "b")
    assert synchronizer.add("a", 1000, "frame a", 5) == []
    assert synchronizer.add("b", 1300, "frame b", 6) == []  # no period is known yet: the next of a might fit better
    sets = synchronizer.add("a", 1000 + PERIOD, "next a", 7)
    assert sets == [AlignedSet(1000, ("frame a", "frame b"), (1000, 1300), (0, 300), 300, (True, True), 0)]
    sets += synchronizer.add("b", 1300 + PERIOD, "next b", 8)  # from now on sets go out with their last view
    assert [aligned.frames for aligned in sets] == [("frame a", "frame b"), ("next a", "next b")]
    assert sets[0].complete
    assert synchronizer.next_deadline_ns() is None


def test_one_camera_passes_through() -> None:
    synchronizer = make("only", tolerance=0.0)
    assert [a.frames for k in range(5) for a in synchronizer.add("only", k * 7, k, k)] == [(k,) for k in range(5)]


def test_unknown_camera() -> None:
    with pytest.raises(EgorearError, match="unknown camera 'top'; cameras are a, b"):
        make("a", "b").add("top", 0, None, 0)


@pytest.mark.parametrize(("span_ns", "sets"), [(5 * MS, 1), (5 * MS + 1, 0)])
def test_tolerance_is_inclusive(span_ns: int, sets: int) -> None:
    synchronizer = make("a", "b", tolerance=0.005, minimum_views=2)
    synchronizer.add("a", ORIGIN, None, 0)
    synchronizer.add("b", ORIGIN + span_ns, None, 0)
    synchronizer.flush()
    assert synchronizer.statistics().complete == sets


def test_offsets_align_and_acquisition_stamps_stay() -> None:
    synchronizer = make("a", "b", tolerance=0.0, offsets={"b": -0.004})
    synchronizer.add("a", ORIGIN, "a", 0)
    (aligned,) = synchronizer.add("b", ORIGIN + 4 * MS, "b", 0)
    assert aligned.stamps_ns == (ORIGIN, ORIGIN + 4 * MS)
    assert (aligned.stamp_ns, aligned.span_ns) == (ORIGIN, 0)


def test_identical_stamps_and_zero_tolerance() -> None:
    out = play(make(tolerance=0.0), arrivals([Stream(name) for name in NAMES], PERIOD, 30))
    assert complete_instants(out) == list(range(30))


def test_silent_camera_costs_the_deadline_a_few_times_then_nothing_until_it_is_back() -> None:
    dead = frozenset(range(20, 60))
    streams = [Stream(name, lost=dead if name == "rear_left" else frozenset()) for name in NAMES]
    synchronizer = make(deadline=0.1, lost_after=3)
    out = play(synchronizer, arrivals(streams, PERIOD, 80))
    assert complete_instants(out) == [k for k in range(80) if k not in dead]
    assert [min(instants(o.aligned)) for o in out] == list(range(80))
    assert all(o.aligned.mask == (True, True, False, True) for o in out if min(instants(o.aligned)) in dead)
    waited = [min(instants(o.aligned)) for o, ms in zip(out, latencies_ms(out), strict=True) if ms > 6]
    assert 3 <= len(waited) <= 3 + 100 // 33 and waited[0] == 20  # three misses, and what came meanwhile
    assert max(latencies_ms(out)) <= 106
    statistics = synchronizer.statistics()
    assert not statistics.cameras["rear_left"].lost
    assert statistics.cameras["rear_left"].absent == statistics.partial == len(dead)


def test_camera_dead_from_the_start() -> None:
    synchronizer = make(deadline=0.05)
    out = play(synchronizer, arrivals([Stream(name) for name in NAMES[:3]], PERIOD, 30))
    assert [o.aligned.mask for o in out] == [(True, True, True, False)] * 30
    assert all(ms < 6 for ms in latencies_ms(out)[10:])
    assert synchronizer.statistics().cameras["rear_right"].lost


def test_late_camera_is_waited_for_within_the_deadline() -> None:
    streams = [Stream(name, latency_ns=300 * MS if name == "front_left" else 5 * MS) for name in NAMES]
    out = play(make(deadline=0.4), arrivals(streams, PERIOD, 60))
    assert complete_instants(out) == list(range(60))


def test_late_camera_beyond_the_deadline_does_not_slow_the_others() -> None:
    streams = [Stream(name, latency_ns=300 * MS if name == "front_left" else 5 * MS) for name in NAMES]
    synchronizer = make(deadline=0.1)
    out = play(synchronizer, arrivals(streams, PERIOD, 60))
    assert [o.aligned.mask for o in out] == [(False, True, True, True)] * 60
    assert all(ms < 6 for ms in latencies_ms(out)[10:])
    late = synchronizer.statistics().cameras["front_left"]
    assert late.lost and late.late == 60


def test_lost_camera_with_more_latency_than_the_others_comes_back() -> None:
    """Its frames come after the sets that no longer wait for it, but within the deadline."""
    dead = frozenset(range(20, 40))
    streams = [Stream(n, dead, latency_ns=25 * MS) if n == "rear_left" else Stream(n) for n in NAMES]
    synchronizer = make(deadline=0.05)
    out = play(synchronizer, arrivals(streams, PERIOD, 60))
    assert complete_instants(out)[-18:] == list(range(42, 60))
    assert synchronizer.statistics().cameras["rear_left"].late <= 2


@pytest.mark.parametrize("tolerance", [0.005, 0.1])
def test_camera_at_half_rate(tolerance: float) -> None:
    streams = [Stream(name, every=2 if name == "rear_right" else 1) for name in NAMES]
    out = play(make(tolerance=tolerance, deadline=0.2), arrivals(streams, PERIOD, 60))
    assert complete_instants(out) == list(range(0, 60, 2))
    assert [min(instants(o.aligned)) for o in out] == list(range(60))


@pytest.mark.parametrize("phases", [(0, 0.5), (0, 0.25, 0.5, 0.75)])
def test_free_running_cameras_keep_their_pairing(phases: tuple[float, ...]) -> None:
    """Pairing either way is equally good and jitter decides; each change of mind would lose a set."""
    streams = [
        Stream(name, jitter_ns=MS // 2, phase_ns=round(phase * PERIOD))
        for name, phase in zip(NAMES, phases, strict=False)
    ]
    synchronizer = make(*NAMES[: len(phases)], tolerance=0.03)
    out = play(synchronizer, arrivals(streams, PERIOD, 300))
    assert synchronizer.statistics().complete >= 299
    delays = sorted(ms - o.aligned.span_ns / MS for o, ms in zip(out, latencies_ms(out), strict=True))
    assert delays[290] < 7  # and they go out with their last view


def test_a_frame_known_to_be_lost_is_not_waited_for() -> None:
    streams = [Stream(name, lost=frozenset({20}) if name == "front_left" else frozenset()) for name in NAMES]
    synchronizer = make(tolerance=0.05, deadline=0.5)
    out = play(synchronizer, arrivals(streams, PERIOD, 40))
    assert [min(instants(o.aligned)) for o in out] == list(range(40))
    assert max(latencies_ms(out)[2:]) <= 5 + 33  # settled by the camera's next frame, not by the deadline
    assert synchronizer.statistics().cameras["front_left"].gaps == 1


def shifted(events: list[Event], stamp_ns: int, arrival_ns: int) -> list[Event]:
    return [e._replace(stamp_ns=e.stamp_ns + stamp_ns, arrival_ns=e.arrival_ns + arrival_ns) for e in events]


@pytest.mark.parametrize("tolerance", [0.005, 0.05])
def test_bag_loop_resets_once_and_goes_on(tolerance: float) -> None:
    """At the seam cameras overtake each other: old frames arrive among the new ones."""
    streams = [Stream(name, latency_spread_ns=40 * MS) for name in NAMES]
    once = arrivals(streams, PERIOD, 100)
    twice = sorted(once + shifted(once, 0, 100 * PERIOD), key=lambda e: e.arrival_ns)
    synchronizer = make(tolerance=tolerance)
    out = play(synchronizer, twice)
    assert synchronizer.statistics().resets == 1
    assert complete_instants([o for o in out if o.aligned.epoch == 1]) == list(range(100))
    assert len([o for o in out if o.aligned.epoch == 0]) >= 98


def test_step_back_below_the_threshold_heals() -> None:
    once = arrivals([Stream(name) for name in NAMES], PERIOD, 60)
    events = once[:120] + shifted(once[120:], -900 * MS, 0)
    synchronizer = make()
    out = play(synchronizer, events)
    assert synchronizer.statistics().resets == 1
    assert complete_instants(out)[-25:] == list(range(35, 60))


def test_one_stamp_far_in_the_future_does_not_block_for_ever() -> None:
    once = arrivals([Stream(name) for name in NAMES], PERIOD, 60)
    bogus = [e._replace(stamp_ns=1 << 62) if e.frame == Frame("front_left", 20) else e for e in once]
    bogus = [e for e in bogus if e.camera != "front_left" or e.frame.instant <= 20]  # and the camera dies of it
    out = play(make(minimum_views=1), bogus)
    assert [min(instants(o.aligned)) for o in out][-25:] == list(range(35, 60))


def test_clock_set_back_resets() -> None:
    synchronizer = make("a", "b")
    synchronizer.add("a", ORIGIN, None, 10**12)
    assert synchronizer.poll(0) == []
    assert synchronizer.next_deadline_ns() is None
    assert synchronizer.statistics().resets == 1
    assert synchronizer.statistics().cameras["a"].dropped == 1


def test_duplicates_and_reordered_frames_are_refused() -> None:
    synchronizer = make("a", "b", minimum_views=1)
    for stamp in (0, 33, 33, 0, 20):
        synchronizer.add("a", ORIGIN + stamp * MS, stamp, 0)
    counters = synchronizer.statistics().cameras["a"]
    assert (counters.received, counters.duplicate, counters.late, counters.pending) == (5, 2, 1, 2)


def test_deadline_is_told_and_kept() -> None:
    synchronizer = make("a", "b", "c", deadline=0.1, minimum_views=2)
    synchronizer.add("a", ORIGIN, "a", 1000)
    synchronizer.add("b", ORIGIN + 1, "b", 9000)
    deadline = synchronizer.next_deadline_ns()
    assert deadline == 1000 + 100 * MS
    assert synchronizer.poll(deadline - 1) == []
    (aligned,) = synchronizer.poll(deadline)
    assert aligned.frames == ("a", "b", None)
    assert not aligned.complete


def test_too_few_views_are_dropped_and_counted() -> None:
    synchronizer = make("a", "b", "c", minimum_views=3)
    synchronizer.add("a", ORIGIN, "a", 0)
    synchronizer.add("b", ORIGIN, "b", 0)
    assert synchronizer.poll(10**9) == []
    statistics = synchronizer.statistics()
    assert (statistics.discarded, statistics.partial) == (1, 0)
    assert [camera.dropped for camera in statistics.cameras.values()] == [1, 1, 0]


def test_full_queue_forces_the_oldest_out() -> None:
    synchronizer = make("a", "b", minimum_views=1, queue_length=4, deadline=1e3)
    sets = [s for k in range(10) for s in synchronizer.add("a", ORIGIN + k * PERIOD, k, k)]
    assert [aligned.frames[0] for aligned in sets][:1] == [0]
    assert synchronizer.statistics().cameras["a"].pending <= 4
    assert synchronizer.statistics().cameras["b"].lost  # waiting for it filled the queue


def test_at_the_deadline_instants_do_not_mix() -> None:
    """Camera b lost frame 6 and camera a has fallen silent: 5 of a must not pair with 7 of b, or 6 of c with 5 of a."""
    lost = {"a": frozenset(range(6, 99)), "b": frozenset({5, 7, 8}), "c": frozenset({5, 8})}
    streams = [Stream(name, lost[name]) for name in "abc"]
    out = play(make(*"abc", tolerance=0.05, minimum_views=1), arrivals(streams, PERIOD, 9))
    assert complete_instants(out) == [0, 1, 2, 3, 4]
    assert {min(instants(o.aligned)) for o in out} == {0, 1, 2, 3, 4, 5, 6, 7}


def test_skew_statistics_tell_the_offset() -> None:
    streams = [Stream(name, jitter_ns=MS // 2) for name in NAMES]
    events = [
        e._replace(stamp_ns=e.stamp_ns + 4 * MS * (e.camera == "rear_left")) for e in arrivals(streams, PERIOD, 99)
    ]
    synchronizer = make(tolerance=0.01)
    play(synchronizer, events)
    cameras = synchronizer.statistics().cameras
    assert cameras["rear_left"].skew.mean_ns == pytest.approx(4 * MS, abs=MS / 2)
    assert cameras["front_left"].skew.mean_ns == pytest.approx(0, abs=MS / 2)
    assert 3 * MS <= cameras["rear_left"].skew.min_ns <= cameras["rear_left"].skew.max_ns <= 5 * MS
    assert cameras["rear_left"].period_ns == pytest.approx(PERIOD, rel=0.02)


def test_distribution_is_exact() -> None:
    synchronizer = make("a", "b", tolerance=1.0)
    assert math.isnan(synchronizer.statistics().span.mean_ns)
    for k, skew in enumerate((1, 3, 8)):
        synchronizer.add("a", ORIGIN + k * PERIOD, None, 0)
        synchronizer.add("b", ORIGIN + k * PERIOD + skew, None, 0)
    synchronizer.flush()
    span = synchronizer.statistics().span
    assert (span.count, span.mean_ns, span.min_ns, span.max_ns) == (3, 4, 1, 8)
    assert span.std_ns == pytest.approx(math.sqrt(26 / 3))


def test_flush_ends_a_recording() -> None:
    synchronizer = make("a", "b", minimum_views=1)
    synchronizer.add("a", ORIGIN, "a", 0)
    assert [aligned.frames for aligned in synchronizer.flush()] == [("a", None)]
    assert synchronizer.flush() == []
