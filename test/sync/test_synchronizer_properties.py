"""What must hold whatever comes in, and what must hold for real cameras."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from egorear_ros.sync import AlignedSet, SyncConfig, Synchronizer
from test.sync.streams import MS, Frame, Stream, arrivals, instants, play

CAMERAS = ("a", "b", "c")
QUEUE = 4
DEADLINE_MS = 30


class Step(NamedTuple):
    camera: int | None  # None: only poll
    move_ms: int  # of the camera's stamp, against its last one
    wait_ms: int


steps = st.lists(
    st.builds(
        Step,
        st.one_of(st.none(), st.integers(0, len(CAMERAS) - 1)),
        st.one_of(st.integers(0, 20), st.sampled_from([10, 10, 10, -5, -400, 300, 100_000])),
        st.one_of(st.integers(0, 12), st.sampled_from([40, -5, -400])),
    ),
    max_size=60,
)


class Received(NamedTuple):
    camera: int
    corrected_ns: int


@settings(max_examples=400, deadline=None)
@given(steps, st.integers(0, 30), st.integers(1, 3), st.booleans())
def test_guarantees_hold_for_any_input(steps: list[Step], tolerance_ms: int, minimum_views: int, predict: bool) -> None:
    offsets_ms = {"b": 3, "c": -7}
    config = SyncConfig(
        CAMERAS,
        tolerance=tolerance_ms / 1e3,
        deadline=DEADLINE_MS / 1e3,
        offsets={name: ms / 1e3 for name, ms in offsets_ms.items()},
        minimum_views=minimum_views,
        queue_length=QUEUE,
        clock_jump=0.2,
        predict=predict,
    )
    synchronizer: Synchronizer[object] = Synchronizer(config)
    stamps = [0] * len(CAMERAS)
    frames: dict[int, Received] = {}
    sets: list[AlignedSet[object]] = []
    now = 0
    for step in steps:
        now += step.wait_ms * MS
        if step.camera is None:
            sets += synchronizer.poll(now)
        else:
            name = CAMERAS[step.camera]
            stamps[step.camera] += step.move_ms * MS
            frame = object()
            frames[id(frame)] = Received(step.camera, stamps[step.camera] + offsets_ms.get(name, 0) * MS)
            sets += synchronizer.add(name, stamps[step.camera], frame, now)
            frames_alive.append(frame)
        check_bounds(synchronizer, now)
    sets += synchronizer.flush()
    frames_alive.clear()
    check_sets(sets, frames, tolerance_ms * MS, minimum_views)
    check_accounts(synchronizer, sets, received=len(frames))


frames_alive: list[object] = []
"""Keeps frames referenced, so that ids stay unique."""


def check_bounds(synchronizer: Synchronizer[object], now: int) -> None:
    """Nothing waits beyond its deadline and queues are bounded."""
    deadline = synchronizer.next_deadline_ns()
    assert deadline is None or deadline > now
    for track in synchronizer._tracks:
        assert len(track.stamps) == len(track.arrivals) <= QUEUE
        assert track.stamps == sorted(track.stamps)
    assert len(synchronizer._recent) <= QUEUE


def check_sets(
    sets: list[AlignedSet[object]], frames: dict[int, Received], tolerance_ns: int, minimum_views: int
) -> None:
    seen: set[int] = set()
    last: dict[object, int] = {}
    for aligned in sets:
        present = [frame for frame in aligned.frames if frame is not None]
        assert len(present) >= minimum_views
        assert not seen & {id(frame) for frame in present}, "a frame went out twice"
        seen |= {id(frame) for frame in present}
        assert aligned.mask == tuple(frame is not None for frame in aligned.frames)
        corrected = []
        for c, frame in enumerate(aligned.frames):
            if frame is not None:
                assert frames[id(frame)].camera == c
                corrected.append(frames[id(frame)].corrected_ns)
                assert aligned.skews_ns[c] == corrected[-1] - aligned.stamp_ns
                assert corrected[-1] > last.get((aligned.epoch, c), corrected[-1] - 1), "a camera went back in time"
                last[aligned.epoch, c] = corrected[-1]
        assert aligned.stamp_ns == min(corrected)
        assert aligned.span_ns == max(corrected) - min(corrected) <= tolerance_ns
        assert aligned.stamp_ns > last.get(aligned.epoch, aligned.stamp_ns - 1), "sets are out of order"
        last[aligned.epoch] = aligned.stamp_ns


def check_accounts(synchronizer: Synchronizer[object], sets: list[AlignedSet[object]], received: int) -> None:
    """Every frame is accounted for, exactly once."""
    statistics = synchronizer.statistics()
    assert sum(camera.received for camera in statistics.cameras.values()) == received
    for index, camera in enumerate(statistics.cameras.values()):
        assert camera.pending == 0
        assert camera.received == camera.matched + camera.late + camera.duplicate + camera.dropped
        assert camera.matched == sum(aligned.mask[index] for aligned in sets) == camera.skew.count
        assert camera.absent == len(sets) - camera.matched
    assert statistics.complete == sum(aligned.complete for aligned in sets)
    assert statistics.complete + statistics.partial == len(sets)


PERIOD = 10 * MS
INSTANTS = 40
WARM_UP = 6
"""Frames each camera sends before it may lose some: its period must be known."""


@st.composite
def camera_streams(draw: st.DrawFn) -> list[Stream]:
    """2..4 cameras with jitter, different latencies and up to 2 of any 4 frames lost."""
    streams = []
    for c in range(draw(st.integers(2, 4))):
        groups = range(WARM_UP, INSTANTS, 4)
        lost = {g + i for g in groups for i in draw(st.sets(st.integers(0, 3), max_size=2))}
        latency = draw(st.integers(1, 60)) * MS
        spread = draw(st.integers(0, 8)) * MS
        streams.append(Stream(f"camera{c}", frozenset(lost), draw(st.integers(0, PERIOD // 10)), latency, spread))
    return streams


@settings(max_examples=200, deadline=None)
@given(camera_streams(), st.integers(3, 60), st.integers(0, 1000))
def test_no_set_mixes_instants_and_no_full_instant_is_missed(
    streams: list[Stream], tolerance_ms: int, seed: int
) -> None:
    """Up to six periods of tolerance, half the frames lost: still only sets of one instant, and all of them."""
    names = tuple(stream.camera for stream in streams)
    config = SyncConfig(names, tolerance=tolerance_ms / 1e3, deadline=0.5, minimum_views=1, queue_length=64)
    out = play(Synchronizer(config), arrivals(streams, PERIOD, INSTANTS, seed))
    assert all(len(instants(o.aligned)) == 1 for o in out)
    complete = [o.aligned.frames[0].instant for o in out if o.aligned.complete and o.aligned.frames[0]]
    assert complete == [k for k in range(INSTANTS) if not any(k in stream.lost for stream in streams)]


@settings(max_examples=100, deadline=None)
@given(st.integers(3, 60), st.integers(0, PERIOD // 10), st.integers(0, 60), st.integers(0, 1000))
def test_healthy_sets_go_out_with_their_last_view(tolerance_ms: int, jitter_ns: int, spread_ms: int, seed: int) -> None:
    streams = [Stream(f"camera{c}", jitter_ns=jitter_ns, latency_spread_ns=spread_ms * MS) for c in range(4)]
    config = SyncConfig(tuple(s.camera for s in streams), tolerance=tolerance_ms / 1e3, deadline=0.5, queue_length=64)
    events = arrivals(streams, PERIOD, INSTANTS, seed)
    last_view = {event.frame.instant: event.arrival_ns for event in events}
    synchronizer: Synchronizer[Frame] = Synchronizer(config)
    for aligned, now in play(synchronizer, events):
        (instant,) = instants(aligned)
        assert instant < WARM_UP or now == last_view[instant]
