"""What the synchronizer returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NamedTuple

from egorear_ros.sync.track import Arrival, FrameT


class AlignedSet(NamedTuple, Generic[FrameT]):
    """Frames of one instant, one entry per camera of `SyncConfig.cameras`, in that order.

    Attributes:
        stamp_ns: Earliest corrected stamp of the views; strictly increases within an epoch.
        frames: The frames as passed to `add`; None where the view is absent.
        stamps_ns: Acquisition stamps as passed to `add`; None where the view is absent.
        skews_ns: Corrected stamp - `stamp_ns`, >= 0; None where the view is absent.
        span_ns: Largest skew; at most the tolerance.
        mask: Which views are present.
        epoch: Number of resets before this set: a change means that time has been reset.
    """

    stamp_ns: int
    frames: tuple[FrameT | None, ...]
    stamps_ns: tuple[int | None, ...]
    skews_ns: tuple[int | None, ...]
    span_ns: int
    mask: tuple[bool, ...]
    epoch: int

    @property
    def complete(self) -> bool:
        """Whether all views are present."""
        return all(self.mask)

    @property
    def acquired_ns(self) -> int:
        """Earliest acquisition stamp of the views, without offsets: the stamp that frame sets and skeletons carry."""
        return min(stamp for stamp in self.stamps_ns if stamp is not None)


class View(NamedTuple, Generic[FrameT]):
    """A frame that was chosen, with its corrected stamp."""

    stamp: int
    arrival: Arrival[FrameT]


def assemble(views: Sequence[View[FrameT] | None], epoch: int) -> AlignedSet[FrameT]:
    """Build a set from one view per camera, None where absent; at least one is present."""
    stamps = [view.stamp for view in views if view is not None]
    start = min(stamps)
    return AlignedSet(
        stamp_ns=start,
        frames=tuple([None if view is None else view.arrival.frame for view in views]),
        stamps_ns=tuple([None if view is None else view.arrival.stamp_ns for view in views]),
        skews_ns=tuple([None if view is None else view.stamp - start for view in views]),
        span_ns=max(stamps) - start,
        mask=tuple([view is not None for view in views]),
        epoch=epoch,
    )
