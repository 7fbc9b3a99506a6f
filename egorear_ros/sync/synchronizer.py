"""The synchronizer: frames in, aligned sets out. What it promises is in the package's docstring."""

from __future__ import annotations

from collections import deque
from typing import Generic

from egorear_ros.errors import EgorearError
from egorear_ros.sync.aligned_set import AlignedSet, View, assemble
from egorear_ros.sync.config import SyncConfig, nanoseconds
from egorear_ros.sync.matching import ABSENT, FOREVER, NO_FAVOUR, Choice, Favour, all_choices, first_choice
from egorear_ros.sync.statistics import RunningDistribution, SyncStatistics
from egorear_ros.sync.track import LONG_AGO, Arrival, FrameT, Track

ALL_LATE = 4
"""Late frames per camera, with no frame in time between them, after which matching starts anew: the timeline has
stepped back by less than `clock_jump`, or one frame with a stamp far in the future has gone out."""


HANDICAP = 1 / 5
"""Share of a period by which a set that begins with another camera than the last one must be better. Free-running
cameras half a period apart pair either way equally well: without this, jitter would change the pairing all the time,
and each change loses a set. The larger, the steadier; but a set of one instant must beat mixed ones by as much."""


class Synchronizer(Generic[FrameT]):
    """Aligns the frames of 1..N cameras by acquisition stamp.

    Not thread-safe: call it from one thread or under the caller's lock; sets are returned, so that lock need not be
    held while they are used.

    Args:
        config: Settings.
    """

    def __init__(self, config: SyncConfig) -> None:
        self.config = config
        self._tolerance = nanoseconds(config.tolerance)
        self._deadline = nanoseconds(config.deadline)
        self._clock_jump = nanoseconds(config.clock_jump)
        self._minimum_views = config.minimum_views
        self._tracks: list[Track[FrameT]] = [Track(name, config.offset_ns(name)) for name in config.cameras]
        self._by_name = {track.name: track for track in self._tracks}
        # Start and first arrival of the sets that went out last.
        self._recent: deque[tuple[int, int]] = deque(maxlen=config.queue_length)
        self._complete = self._partial = self._discarded = self._resets = 0
        self._span = RunningDistribution()
        self._favour = NO_FAVOUR
        self._late_in_a_row = 0
        self._now = self._reset_at = LONG_AGO

    def add(self, camera: str, stamp_ns: int, frame: FrameT, now_ns: int) -> list[AlignedSet[FrameT]]:
        """Take in a frame and return the sets that are finished by it, oldest first.

        Args:
            camera: Name of the camera.
            stamp_ns: Acquisition stamp, nanoseconds.
            frame: Any object; handed through.
            now_ns: The time now, nanoseconds; any clock, the same in each call.

        Raises:
            EgorearError: If the camera is not in the configuration.
        """
        track = self._by_name.get(camera)
        if track is None:
            raise EgorearError(f"sync: frame of unknown camera {camera!r}; cameras are {', '.join(self._by_name)}")
        self._watch_clock(now_ns)
        track.received += 1
        stamp = stamp_ns + track.offset
        if self._admit(track, stamp, now_ns):
            self._append(track, stamp, Arrival(stamp_ns, frame, now_ns, False))
        return self._release(now_ns, track)

    def poll(self, now_ns: int) -> list[AlignedSet[FrameT]]:
        """Return the sets whose deadline has come, oldest first."""
        self._watch_clock(now_ns)
        return self._release(now_ns)

    def flush(self) -> list[AlignedSet[FrameT]]:
        """Return what can be made of all pending frames, as if none came any more: the end of a recording."""
        out: list[AlignedSet[FrameT]] = []
        while any(track.stamps for track in self._tracks):
            self._force(out, blame=False)
        return out

    def reset(self) -> None:
        """Drop all pending frames and start anew, as after a clock jump. Counters and periods are kept."""
        for track in self._tracks:
            track.dropped += track.frames_pending()
            track.stale = max(track.last, track.stale)
            track.clear()
        self._recent.clear()
        self._favour = NO_FAVOUR
        self._resets += 1
        self._late_in_a_row = 0
        self._reset_at = self._now

    def next_deadline_ns(self) -> int | None:
        """When `poll` should be called next, on the clock of `now_ns`; None while nothing waits."""
        oldest = self._oldest_arrival()
        return None if oldest == FOREVER else oldest + self._deadline

    def statistics(self) -> SyncStatistics:
        """A snapshot of all counters."""
        return SyncStatistics(
            cameras={track.name: track.snapshot() for track in self._tracks},
            complete=self._complete,
            partial=self._partial,
            discarded=self._discarded,
            resets=self._resets,
            span=self._span.snapshot(),
        )

    # Taking in a frame

    def _watch_clock(self, now_ns: int) -> None:
        """Start anew if the injected clock was set back: deadlines on the old clock would never come."""
        if now_ns < self._now - self._clock_jump:
            self._now = now_ns
            self.reset()
        self._now = now_ns

    def _admit(self, track: Track[FrameT], stamp: int, now_ns: int) -> bool:
        """Decide whether a frame can still be used; count it if not."""
        if stamp > track.last and stamp > track.floor and track.stale == LONG_AGO:
            self._late_in_a_row = 0
            return True
        if track.stale != LONG_AGO:
            if stamp > track.stale - self._clock_jump and now_ns - self._reset_at <= self._deadline:
                track.dropped += 1  # sent before the reset, overtaken by another camera's first frame after it
                return False
            track.stale = LONG_AGO
        if stamp < track.last - self._clock_jump:
            self.reset()
            track.stale = LONG_AGO
        elif track.holds(stamp):
            track.duplicate += 1
            return False
        elif stamp <= max(track.last, track.floor):
            self._refuse_late(track, stamp, now_ns)
            return False
        self._late_in_a_row = 0
        return True

    def _refuse_late(self, track: Track[FrameT], stamp: int, now_ns: int) -> None:
        track.late += 1
        if track.lost and self._was_in_time(stamp, now_ns):
            track.revive()
        self._late_in_a_row += 1
        if self._late_in_a_row >= ALL_LATE * len(self._tracks):
            self.reset()
            for each in self._tracks:  # the timeline has not jumped far, so nothing tells old frames from new ones
                each.stale = LONG_AGO

    def _was_in_time(self, stamp: int, now_ns: int) -> bool:
        """Whether a frame late for its set would have been in time, had the set waited for it until its deadline."""
        for start, first_arrival in reversed(self._recent):
            if start <= stamp + self._tolerance:
                return now_ns - first_arrival <= self._deadline
        return False

    def _append(self, track: Track[FrameT], stamp: int, arrival: Arrival[FrameT]) -> None:
        """Add an admitted frame, and before it the gaps that it reveals."""
        shortest = 0
        if self.config.predict:
            if track.last != LONG_AGO:
                interval = stamp - track.last
                period = self._period(track)
                if period and interval > period + period // 2:
                    after = self._recent[-1][0] if self._recent else LONG_AGO
                    room = self.config.queue_length - 1 - len(track.stamps)
                    track.append_gaps(stamp, period, after, room, arrival.arrival_ns)
                track.period.add(interval)
            shortest = track.period.shortest_ns if track.period.mature else self._period(track)
        track.append(stamp, arrival)
        track.expect(shortest)
        track.revive()

    def _period(self, track: Track[FrameT]) -> int:
        """A camera's period; while it has hardly been seen, the shortest of all cameras'; 0 while there is none."""
        if track.period.mature:
            return track.period.period_ns
        return min((each.period.period_ns for each in self._tracks if each.period.period_ns), default=0)

    # Sending out sets

    def _release(self, now_ns: int, added: Track[FrameT] | None = None) -> list[AlignedSet[FrameT]]:
        out: list[AlignedSet[FrameT]] = []
        self._settle(out)
        overdue = now_ns - self._deadline
        while self._oldest_arrival() <= overdue or (added and len(added.stamps) > self.config.queue_length):
            self._force(out, blame=True)
            self._settle(out)
        return out

    def _oldest_arrival(self) -> int:
        return min([track.arrivals[0].arrival_ns for track in self._tracks if track.arrivals], default=FOREVER)

    def _settle(self, out: list[AlignedSet[FrameT]]) -> None:
        """Send out the sets that no frame to come can change."""
        tracks = self._tracks
        while True:
            if self._oldest_may_grow():
                return
            stamps = [track.stamps for track in tracks]
            ends = [len(each) for each in stamps]
            expected = [FOREVER if track.lost else track.expected for track in tracks]
            choice = first_choice(stamps, [0] * len(tracks), ends, self._tolerance, expected, self._favour)
            if not choice.settled:
                return
            self._send(stamps, choice, out)

    def _oldest_may_grow(self) -> bool:
        """Whether the oldest slot may get another view, or there is none: the usual case, so cheap to tell."""
        first = min([track.stamps[0] for track in self._tracks if track.stamps], default=FOREVER)
        if first == FOREVER:
            return True
        limit = first + self._tolerance
        return any(not track.stamps and not track.lost and track.expected <= limit for track in self._tracks)

    def _force(self, out: list[AlignedSet[FrameT]], blame: bool) -> None:
        """Send out the oldest set as if no frames came any more; there must be a slot.

        Where a silent camera's frames were expected they are taken as gaps, lest their instants mix.

        Args:
            out: Gets the sets.
            blame: Count a miss for the cameras that were waited for.
        """
        tracks = self._tracks
        periods = [self._period(track) if self.config.predict else 0 for track in tracks]
        oldest = min(track.stamps[0] for track in tracks if track.stamps)
        newest = max(track.stamps[-1] for track in tracks if track.stamps)
        stamps = [
            [*track.stamps, *track.foreseen(period, oldest, newest, self.config.queue_length)]
            for track, period in zip(tracks, periods, strict=True)
        ]
        closed = [FOREVER] * len(tracks)
        ends = [len(each) for each in stamps]
        choice = first_choice(stamps, [0] * len(tracks), ends, self._tolerance, closed, self._favour)
        if blame:
            for track, period in zip(tracks, periods, strict=True):
                if track.last < choice.start and track.last + period <= choice.start + self._tolerance:
                    track.misses += 1
                    track.lost = track.misses >= self.config.lost_after
        self._send(stamps, choice, out)

    def _send(self, stamps: list[list[int]], choice: Choice, out: list[AlignedSet[FrameT]]) -> None:
        """Send out what lies before a choice, then the choice; remove their slots."""
        chosen = [choice.indices]
        if any(choice.before):
            chosen[:0] = all_choices(stamps, [0] * len(stamps), choice.before, self._tolerance, self._favour)
        for indices in chosen:
            self._send_set(stamps, indices, out)
        for track, index, count in zip(self._tracks, choice.indices, choice.before, strict=True):
            track.remove(count if index == ABSENT else count + 1)

    def _send_set(self, stamps: list[list[int]], indices: list[int], out: list[AlignedSet[FrameT]]) -> None:
        """Send out one set if it has enough frames; drop and count them if not."""
        views: list[View[FrameT] | None] = []
        for track, each, index in zip(self._tracks, stamps, indices, strict=True):
            real = index != ABSENT and index < len(track.arrivals) and not track.arrivals[index].is_gap
            views.append(View(each[index], track.arrivals[index]) if real else None)
        present = len(views) - views.count(None)
        if present >= self._minimum_views:
            out.append(assemble(views, self._resets))
            self._account(views)
        elif present:
            self._discarded += 1
            for track, view in zip(self._tracks, views, strict=True):
                track.dropped += view is not None

    def _account(self, views: list[View[FrameT] | None]) -> None:
        """Count a set that goes out, and close its time for the cameras absent."""
        stamps = sorted([view.stamp for view in views if view is not None])
        median = stamps[(len(stamps) - 1) // 2]
        first_arrival = min([view.arrival.arrival_ns for view in views if view is not None])
        whole = True  # as whole as can be: only lost cameras are absent
        for track, view in zip(self._tracks, views, strict=True):
            if view is None:
                track.absent += 1
                track.floor = stamps[-1]
                whole = whole and track.lost
            else:
                track.matched += 1
                track.skew.add(view.stamp - median)
                track.lag.add(view.arrival.arrival_ns - first_arrival)
        self._complete += len(stamps) == len(views)
        self._partial += len(stamps) < len(views)
        self._span.add(stamps[-1] - stamps[0])
        self._recent.append((stamps[0], first_arrival))
        if whole:
            first = [view is not None and view.stamp == stamps[0] for view in views].index(True)
            self._favour = Favour(first, self._handicap())

    def _handicap(self) -> int:
        periods = [track.period.period_ns for track in self._tracks if not track.lost]
        return int(min(periods, default=0) * HANDICAP)
