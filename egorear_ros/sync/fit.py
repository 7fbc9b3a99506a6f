"""How well the cameras' frames found their sets lately, from the synchronizer's counters."""

from __future__ import annotations

from typing import Final

from egorear_ros.sync.statistics import CameraStatistics, SyncStatistics

MISFIT: Final = 0.3
"""Share of a camera's frames without a set, or of the sets without it, above which it does not fit the others."""


def settled_cameras(
    now: SyncStatistics, before: SyncStatistics | None, sending: tuple[str, ...], minimum_views: int
) -> set[str]:
    """Sending cameras whose frames find sets together with the others', by what was counted since `before`.

    It is more than half of the sending cameras, or none: of two halves on two clocks nobody knows which is right.
    """
    deltas = {name: _Delta(now.cameras[name], before.cameras[name] if before else None) for name in sending}
    sets = now.complete + now.partial - (before.complete + before.partial if before else 0)
    received = sorted((delta.received for delta in deltas.values()), reverse=True)
    if sets > (1 + MISFIT) * max(received, default=0):  # every half of the cameras makes its own sets
        return set()
    instants = received[min(minimum_views, len(received)) - 1] if received else 0
    fitting = {name for name, delta in deltas.items() if delta.fits(sets, instants)}
    return fitting if 2 * len(fitting) > len(sending) else set()


class _Delta:
    """One camera's counters since an earlier snapshot."""

    def __init__(self, now: CameraStatistics, before: CameraStatistics | None) -> None:
        def since(field: str) -> int:
            return int(getattr(now, field)) - (int(getattr(before, field)) if before else 0)

        self.received, self.matched, self.absent = since("received"), since("matched"), since("absent")
        self.unmatched = since("late") + since("duplicate") + since("dropped")

    def fits(self, sets: int, instants: int) -> bool:
        """Its frames are in sets, and the sets have its frames, apart from what different frame rates explain.

        Args:
            sets: that went out.
            instants: at which enough cameras sent, if all were in step.
        """
        decided = self.matched + self.unmatched
        unmatched = self.unmatched - max(0, self.received - instants)
        absent = self.absent - max(0, sets - self.received)
        return decided > 0 and unmatched <= MISFIT * decided and absent <= MISFIT * max(sets, 1)
