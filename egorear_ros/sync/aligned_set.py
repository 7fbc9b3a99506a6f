"""What the synchronizer returns."""

from __future__ import annotations

from typing import Generic, NamedTuple

from egorear_ros.sync.track import FrameT


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
