"""Frame sets to train on, with the views and at the size a network wants."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from egorear_ros.data.frame_sets import FrameName, FrameSets, FrameSource
from egorear_ros.errors import EgorearError
from egorear_ros.network.config import ALL_VIEWS

MEAN_SETS = 512


@dataclass(frozen=True)
class InMemory:
    """Frame sets in memory as a `FrameSource`."""

    sets: FrameSets
    views: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.sets)

    def take(self, indices: NDArray[np.int64]) -> FrameSets:
        """See `FrameSource`."""
        return self.sets.take(indices)

    def name(self, index: int) -> FrameName:
        """Nothing but the number is known."""
        return FrameName("", index)


@dataclass(frozen=True)
class SomeViews:
    """Some of the views of a source."""

    source: FrameSource
    views: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.source)

    def take(self, indices: NDArray[np.int64]) -> FrameSets:
        """See `FrameSource`."""
        return pick_views(self.source.take(indices), [self.source.views.index(view) for view in self.views])

    def name(self, index: int) -> FrameName:
        """See `FrameSource`."""
        return self.source.name(index)


def prepared(source: FrameSets | FrameSource, views: Sequence[str], size_px: int) -> FrameSource:
    """The source with these views.

    Args:
        source: frame sets in memory have four views, or just those; larger images are averaged down. Any other source
            must have been opened at the network's size.
        views: of the network.
        size_px: width and height of the network's images.

    Raises:
        EgorearError: views are missing; images in memory whose size is no multiple.
    """
    views = tuple(views)
    own = source.views if not isinstance(source, FrameSets) else _views_of(source, views)
    missing = [view for view in views if view not in own]
    if missing:
        raise EgorearError(f"the frame sets have no view '{missing[0]}', the network needs it: they have {own}")
    if not isinstance(source, FrameSets):
        return source if own == views else SomeViews(source, views)
    if own != views:
        source = pick_views(source, [own.index(view) for view in views])
    return InMemory(source.resized(size_px), views)


def pick_views(sets: FrameSets, which: Sequence[int]) -> FrameSets:
    """Frame sets with these views, by their numbers."""
    arrays = {name: array[:, list(which)] for name, array in sets.arrays().items() if name != "joints_device_m"}
    return dataclasses.replace(sets, **arrays)


def mean_pose_m(source: FrameSource) -> NDArray[np.float32]:
    """(16, 3) mean of all poses in memory, or of some hundreds spread over a larger source."""
    if isinstance(source, InMemory):
        return source.sets.joints_device_m.mean(axis=0)
    return source.take(spread(len(source), MEAN_SETS)).joints_device_m.mean(axis=0)


def spread(count: int, most: int) -> NDArray[np.int64]:
    """At most `most` numbers below `count`, evenly spread."""
    return np.linspace(0, count - 1, min(most, count)).astype(np.int64)


def _views_of(sets: FrameSets, views: tuple[str, ...]) -> tuple[str, ...]:
    """What the second axis is, which arrays do not say."""
    return views if sets.images.shape[1] == len(views) else ALL_VIEWS
