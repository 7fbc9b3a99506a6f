"""The check that runs beside a stream of frame sets: when to look, and what counts as found."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from typing import Final

from egorear_ros.rig.checking.judging import Fault, Verdict, judge
from egorear_ros.rig.checking.matching import Matcher, Matches, Rgb, joined
from egorear_ros.rig.rig import Rig

CALM_S: Final = 20.0
"""Between two looks while all is well: a look costs about 90 ms of one core, so this is half a percent of it."""

SOON_S: Final = 2.5
"""Between two looks at the start, and while something is suspected."""

SOON_LOOKS: Final = 3
"""Looks in quick succession at most; then it is calm again, whatever they have shown."""

KEPT_LOOKS: Final = 2
"""Looks whose matches are judged together."""


class RigCheck:
    """Whether the images are what a rig file says, from a look now and then.

    A fault counts once two successive looks agree on it, and is over once two successive looks see none. Deterministic:
    stamps are the clock.

    Args:
        rig: the file in question.

    Attributes:
        fault: what is wrong now, None if nothing is known to be.
        faults: everything that was found so far, each once, in the order it was found.
        verdict: of the last look; None before the first.
    """

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.fault: Fault | None = None
        self.faults: list[Fault] = []
        self.verdict: Verdict | None = None
        self._matcher = Matcher(rig)
        self._looks: deque[Matches] = deque(maxlen=KEPT_LOOKS)
        self._last_ns, self._next_ns = 0, 0
        self._soon = SOON_LOOKS
        self._views: frozenset[str] = frozenset()

    def due(self, stamp_ns: int, views: Collection[str]) -> bool:
        """Whether it is time to look at a frame set.

        Args:
            stamp_ns: its stamp; one before that of the last look means that a recording began again.
            views: those that are there. When one comes back, its cable may be another one: the next look is soon.
        """
        there = frozenset(views).intersection(self.rig.names)
        if there - self._views and self.verdict is not None:
            self._looks.clear()
            self._next_ns = min(self._next_ns, self._last_ns + round(1e9 * SOON_S))
        self._views = there
        return len(there) > 1 and self.is_time(stamp_ns)

    def is_time(self, stamp_ns: int) -> bool:
        """Whether a look is planned at this stamp, whatever views there are."""
        return self.verdict is None or stamp_ns >= self._next_ns or stamp_ns < self._last_ns

    def look(self, stamp_ns: int, images: Mapping[str, Rgb]) -> Verdict:
        """Judge the images of one frame set, together with those of the look before. Takes about 80 ms.

        Args:
            stamp_ns: of the frame set.
            images: view -> (H, W, 3) uint8 RGB of the views that are there.
        """
        self._looks.append(self._matcher(images))
        before, self.verdict = self.verdict, judge(self.rig, joined(list(self._looks)))
        self._conclude(before, self.verdict)
        self._plan(stamp_ns, self.verdict)
        return self.verdict

    def describe(self) -> str:
        """The state in a few words, for /diagnostics."""
        if self.fault is not None:
            return self.fault.text
        if self.verdict is None:
            return "has not looked yet"
        if not self.verdict.known:
            return f"too little to see in more than one image ({self.verdict.matches} points)"
        return f"images fit the rig file ({self.verdict.agreement:.0%} of {self.verdict.matches} points)"

    def _conclude(self, before: Verdict | None, now: Verdict) -> None:
        if before is None or not before.known or not now.known:
            return
        if now.fault is None:
            if before.fault is None:
                self.fault = None
        elif now.fault.same_as(before.fault):
            if not now.fault.same_as(self.fault):
                self.faults.append(now.fault)
            self.fault = now.fault

    def _plan(self, stamp_ns: int, now: Verdict) -> None:
        """When to look again."""
        settled = now.known and (now.fault is None if self.fault is None else now.fault is not None)
        at_start = len(self._looks) < KEPT_LOOKS
        if settled and not at_start:
            self._soon, wait_s = SOON_LOOKS, CALM_S
        else:
            self._soon -= 1
            wait_s = SOON_S if self._soon > 0 else CALM_S
            self._soon = self._soon or SOON_LOOKS
        self._last_ns, self._next_ns = stamp_ns, stamp_ns + round(1e9 * wait_s)
