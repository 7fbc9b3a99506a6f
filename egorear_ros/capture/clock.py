"""The shared clock of recorded sources: four camera processes play one recording in step, without talking."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

NANOSECONDS = 1_000_000_000
PATIENCE_NS = NANOSECONDS // 2
"""A player further behind than this leaves out what it has missed."""


@dataclass
class LoopClock:
    """Maps a recording of `duration_ns` onto wall time, over and over.

    Every process that plays the same recording computes the same answers, since they depend on the wall clock alone:
    the n-th round begins at n * duration_ns since 1970.

    Attributes:
        duration_ns: length of one round.
        wall_ns: current time; passed in so that tests need not wait.
        sleep: how to wait, seconds.
    """

    duration_ns: int
    wall_ns: Callable[[], int] = time.time_ns
    sleep: Callable[[float], None] = time.sleep

    def round_start_ns(self, at_ns: int) -> int:
        """Wall time at which the round of wall time `at_ns` began."""
        return at_ns - at_ns % self.duration_ns

    def is_late(self, due_ns: int) -> bool:
        """Whether what was due at wall time `due_ns` is too old to be worth showing."""
        return self.wall_ns() - due_ns > PATIENCE_NS

    def rejoin_ns(self) -> int:
        """Wall time at which a late player goes on.

        It is the next of a grid, so that cameras that fall behind together go on with the same frame: frame sets need
        one from each.
        """
        return (self.wall_ns() // PATIENCE_NS + 1) * PATIENCE_NS

    def wait_until(self, stamp_ns: int) -> None:
        """Return at wall time `stamp_ns`, at once if it has passed."""
        remaining = stamp_ns - self.wall_ns()
        if remaining > 0:
            self.sleep(remaining / NANOSECONDS)
