"""Watches what reaches the synchronizer, camera by camera: a rate that falls, and frames that find no set.

    watch = StreamWatch(config)
    watch.observe(camera, stamp_ns, now_ns)                    # beside Synchronizer.add
    warnings = watch.tick(now_ns, synchronizer.statistics())   # once per second: camera -> one line

What is wrong with stamps is said by `ClockJudge`; a camera that sends nothing at all is none of our business.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from statistics import median
from typing import Final

from egorear_ros.sync.config import NANOSECONDS, SyncConfig
from egorear_ros.sync.starvation import main_condition
from egorear_ros.sync.statistics import CameraStatistics, SyncStatistics

WINDOW_S: Final = (3.0, 5.0)
"""Shortest and longest time that is looked at."""
ENOUGH_FRAMES: Final = 24
"""The time is as long as so many frames take, or the longest: of fewer, some may be lost by chance."""
FEWEST_FRAMES: Final = 6
"""Frames of a camera within the longest time before it is judged: 1.2 Hz."""
LONG: Final = 1.5
"""Periods above which an interval is long: a frame is missing in it."""
RHYTHM: Final = 0.4
"""Part of the usual interval by which most intervals of a camera with a rhythm differ from it at most."""
FEWEST_LONG: Final = 4
"""Long intervals before a camera is slow: one is a pause."""
SHARE: Final = 0.25
"""Share of long intervals, or of frames without a set, that is worth a warning."""
MEMORY: Final = 60
"""Seconds for which a camera's own earlier rate is expected of it."""
FEWEST_STEADY: Final = 5
MOST_UNSTEADY: Final = 3
"""Seconds with a rhythm that a camera must have shown, and those without that it may have, to be measured by itself."""
NOTHING: Final = 0.0
UNSTEADY: Final = -1.0
CONFIRMED: Final = 2
"""Ticks in a row that must show a fault which may be chance."""
REMEDY: Final = (
    "look at the exposure time (dark rooms make cameras slow), the bandwidth, and the load of the cameras' machine"
)


class StreamWatch:
    """Compares every camera with the others and with itself a while ago. Not thread-safe.

    Args:
        config: of the synchronizer beside which it stands.
    """

    def __init__(self, config: SyncConfig) -> None:
        self._frames: dict[str, deque[tuple[int, int]]] = {name: deque() for name in config.cameras}
        self._rates: dict[str, deque[float]] = {name: deque(maxlen=MEMORY) for name in config.cameras}
        self._snapshots: deque[SyncStatistics] = deque(maxlen=int(WINDOW_S[0]) + 1)
        self._suspected: dict[str, int] = dict.fromkeys(config.cameras, 0)
        self._misfits: dict[str, int] = dict.fromkeys(config.cameras, 0)
        self._minimum_views = config.minimum_views

    def observe(self, camera: str, stamp_ns: int, now_ns: int) -> None:
        """Take in that a frame has arrived."""
        self._frames[camera].append((now_ns, stamp_ns))

    def tick(self, now_ns: int, statistics: SyncStatistics) -> dict[str, str]:
        """Camera -> what is wrong with its stream now, in one line; the well ones are left out.

        What is wrong with all of them alike stands once, under an empty name.
        """
        intervals = self._intervals(now_ns)
        usual = {name: _steady_hz(each) for name, each in intervals.items()}
        self._snapshots.append(statistics)
        slow = {name for name in usual if self._is_slow(name, intervals[name], usual)}
        for name, rates in self._rates.items():
            rates.append(NOTHING if name in slow else usual.get(name, NOTHING))
        if 1 < len(slow) == len(usual) and all(self._own_hz(name) >= max(usual.values()) for name in slow):
            now, before = max(map(_mean_hz, intervals.values())), max(map(self._own_hz, slow))
            return {"": f"all cameras send {now:.1f} Hz, it was {before:.1f} Hz; {REMEDY}"}
        texts = {name: self._unmatched(name) for name in self._frames if name not in slow}
        texts |= {name: self._slow_text(name, _mean_hz(intervals[name]), usual) for name in slow}
        return {name: f"camera '{name}': {text}" for name, text in texts.items() if text}

    def _intervals(self, now_ns: int) -> dict[str, list[int]]:
        """Times between the stamps of the last seconds, of every camera that sends; forgets older frames."""
        for frames in self._frames.values():
            while frames and now_ns - frames[0][0] > WINDOW_S[1] * NANOSECONDS:
                frames.popleft()
        fastest = max(map(len, self._frames.values())) / WINDOW_S[1]
        window_ns = min(max(ENOUGH_FRAMES / max(fastest, 1.0), WINDOW_S[0]), WINDOW_S[1]) * NANOSECONDS
        stamps = {
            name: sorted(stamp for arrival, stamp in frames if now_ns - arrival <= window_ns)
            for name, frames in self._frames.items()
        }
        return {name: [b - a for a, b in pairwise(each)] for name, each in stamps.items() if len(each) > FEWEST_FRAMES}

    def _own_hz(self, name: str) -> float:
        """What the camera has sent in the last minute, if it kept a rhythm; else 0."""
        rates = self._rates[name]
        steady, unsteady = sum(rate > 0 for rate in rates), rates.count(UNSTEADY)
        return max(rates) if steady >= FEWEST_STEADY and unsteady <= MOST_UNSTEADY else 0.0

    def _others_hz(self, name: str, usual: dict[str, float]) -> float:
        return max([rate for other, rate in usual.items() if other != name], default=NOTHING)

    def _is_slow(self, name: str, intervals: list[int], usual: dict[str, float]) -> bool:
        """Whether all intervals of late are long, or for a while more than a few."""
        expected = max(self._others_hz(name, usual), self._own_hz(name))
        long = [interval * expected > LONG * NANOSECONDS for interval in intervals]
        many = sum(long) >= max(FEWEST_LONG, SHARE * len(long))
        self._suspected[name] = self._suspected[name] + 1 if many else 0
        return all(long[-FEWEST_FRAMES:]) or self._suspected[name] >= CONFIRMED

    def _slow_text(self, name: str, rate_hz: float, usual: dict[str, float]) -> str:
        others, own = self._others_hz(name, usual), self._own_hz(name)
        against = f"the others {others:.1f} Hz" if others >= 0.9 * own else f"it was {own:.1f} Hz"
        return f"sends {rate_hz:.1f} Hz, {against}, so sets lack it; {REMEDY}"

    def _unmatched(self, name: str) -> str:
        """Frames that found no set though the others would have had one for them."""
        if len(self._snapshots) < 2:
            return ""
        before, now = self._snapshots[0].cameras, self._snapshots[-1].cameras
        received = sorted((now[each].received - before[each].received for each in now), reverse=True)
        instants = received[min(self._minimum_views, len(received)) - 1]
        matched = now[name].matched - before[name].matched
        lost = unmatched_count(now[name]) - unmatched_count(before[name])
        beyond = max(0, now[name].received - before[name].received - instants)  # no partner can be there
        misfit = matched + lost >= FEWEST_FRAMES and lost - beyond > SHARE * (matched + lost)
        self._misfits[name] = self._misfits[name] + 1 if misfit else 0
        if self._misfits[name] < CONFIRMED:
            return ""
        condition = main_condition(now[name], before[name])
        return f"{lost} of its last {matched + lost} frames found no set: {condition}"


def _steady_hz(intervals: list[int]) -> float:
    """Rate of a camera that keeps a rhythm; `UNSTEADY` for one that does not, as with a trigger now and then."""
    usual = median(intervals)
    odd = sum(abs(interval - usual) > RHYTHM * usual for interval in intervals)
    return NANOSECONDS / usual if usual > 0 and odd < SHARE * len(intervals) else UNSTEADY


def _mean_hz(intervals: list[int]) -> float:
    """Rate with all that is missing."""
    return len(intervals) * NANOSECONDS / max(sum(intervals), 1)


def unmatched_count(camera: CameraStatistics) -> int:
    """Frames that found no set so far."""
    return camera.late + camera.duplicate + camera.dropped
