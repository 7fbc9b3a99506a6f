"""Whether a network keeps up with its frame sets. Newer ones replace those that wait, so nothing else would show it."""

from __future__ import annotations

from collections import deque
from typing import Final

WINDOW: Final = 3
"""Seconds, one tick each."""
FEWEST_SETS: Final = 6
SKIPPED: Final = 0.25
"""Share of the frame sets that is worth a warning when it is skipped."""


class Overload:
    """Judges the counters of the pose node, once per second."""

    def __init__(self) -> None:
        self._counters: deque[tuple[int, int]] = deque(maxlen=WINDOW + 1)

    def tick(self, received: int, skipped: int, network_s: float) -> str:
        """What is wrong, in one line; empty while the network keeps up.

        Args:
            received: frame sets so far.
            skipped: those of them that a newer one replaced.
            network_s: what one takes now, seconds.
        """
        self._counters.append((received, skipped))
        if len(self._counters) <= WINDOW:
            return ""
        sets, lost = received - self._counters[0][0], skipped - self._counters[0][1]
        if sets < FEWEST_SETS or lost <= SKIPPED * sets:
            return ""
        return (
            f"{lost} of the last {sets} frame sets were skipped for newer ones: they come at {sets / WINDOW:.0f} Hz, "
            f"and the network takes {1e3 * network_s:.0f} ms for one; take a smaller model, a GPU (`device`), a lower "
            "camera `rate`, or end other programs"
        )
