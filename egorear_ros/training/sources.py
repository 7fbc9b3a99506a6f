"""Frame sets to train on, with the views and at the size a network wants."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.data.checking import Finding, check_folder, summary
from egorear_ros.data.frame_sets import DataError, FrameName, FrameSets, FrameSource, Resize, averaged
from egorear_ros.data.opening import open_frames
from egorear_ros.data.shards import PATTERN, recorded_split
from egorear_ros.errors import EgorearError
from egorear_ros.network.config import ALL_VIEWS
from egorear_ros.training.config import TrainingConfig
from egorear_ros.training.stages import Job

MEAN_SETS: Final = 512
"""Enough for the mean pose; every look at a label may cost a file."""

SHARD_SAMPLE: Final = 256
"""Shards come from our own simulator and appear whole or not at all: a few show whether they are what they seem."""

MOST_FINDINGS: Final = 20


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
        """Nothing but the number is known; no two are of one sequence."""
        return FrameName(str(index), 0)


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


class Joined:
    """Several sources one after the other.

    Args:
        parts: at least one; all of the same views and image size.
    """

    def __init__(self, parts: Sequence[FrameSource]) -> None:
        self._parts = tuple(parts)
        self._ends = np.cumsum([len(part) for part in parts])

    @property
    def views(self) -> tuple[str, ...]:
        """See `FrameSource`."""
        return self._parts[0].views

    def __len__(self) -> int:
        return int(self._ends[-1])

    def take(self, indices: NDArray[np.int64]) -> FrameSets:
        """See `FrameSource`."""
        owner = np.searchsorted(self._ends, indices, side="right")
        starts = np.concatenate([[0], self._ends])
        found = [part.take(indices[owner == i] - starts[i]) for i, part in enumerate(self._parts) if (owner == i).any()]
        arrays = [sets.arrays() for sets in found]
        stacked = FrameSets(**{name: np.concatenate([part[name] for part in arrays]) for name in arrays[0]})
        return stacked.take(np.argsort(np.argsort(owner, kind="stable"), kind="stable"))

    def name(self, index: int) -> FrameName:
        """See `FrameSource`."""
        part = int(np.searchsorted(self._ends, index, side="right"))
        return self._parts[part].name(index - int(self._ends[part]) + len(self._parts[part]))


def check_data(config: TrainingConfig, views: Sequence[str]) -> None:
    """Look for everything that is wrong with the data.

    Raises:
        EgorearError: a list of it; nothing says what to validate on, or it is training data.
    """
    findings: list[Finding] = []
    for folder, split in _folders(config):
        sample = SHARD_SAMPLE if _is_shards(folder) else config.check_sets
        findings.extend(check_folder(folder, split, tuple(views), sample).findings)
    if findings:
        first = "; ".join(f"{finding.kind}: {finding.what}" for finding in findings[:MOST_FINDINGS])
        raise DataError(
            f"the data cannot be trained on ({summary(findings)}): {first}; `egorear data check DIR` lists all"
        )


def open_training(config: TrainingConfig, job: Job) -> tuple[FrameSource, FrameSource]:
    """Open what a job learns from and what it is validated on.

    Shards' images are mapped, so that the processes of a run share one copy of them, in the system's page cache.

    Raises:
        EgorearError: a folder cannot be opened; nothing says what to validate on, or it is training data.
    """
    *training, (validation, _) = _folders(config)
    folders = [folder for folder, _ in training]
    shards = [folder for folder in folders if _is_shards(folder)]
    if shards and config.augmentation.time_jitter_frames:
        raise EgorearError(f"augmentation: time_jitter_frames needs whole sequences, '{shards[0]}' holds single frames")
    form = job.views, job.image_size, job.resize
    parts = [open_frames(folder, "train", *form) for folder in folders]
    return parts[0] if len(parts) == 1 else Joined(parts), open_frames(validation, "val", *form)


def _folders(config: TrainingConfig) -> list[tuple[Path, str]]:
    """Folders with the split wanted of each: those to learn from, then the one to validate on."""
    if not config.data or not (config.validation or not _is_shards(config.data[0])):
        raise EgorearError(
            "name the frame sets: --data DIR ..., and for shards --validation DIR; `egorear render-shards` or "
            "`egorear simulate` make some"
        )
    validation = Path(config.validation or config.data[0])
    if recorded_split(validation) == "train":
        raise EgorearError(
            f"--validation: the shards in '{validation}' are of split train; chosen on them, the weights kept would be "
            "those that learned them by heart; name shards of `egorear render-shards --split val`"
        )
    return [*((Path(folder), "train") for folder in config.data), (validation, "val")]


def _is_shards(folder: str | Path) -> bool:
    return any(Path(folder).glob(PATTERN))


def prepared(
    source: FrameSets | FrameSource, views: Sequence[str], size_px: int, resize: Resize = averaged
) -> FrameSource:
    """The source with these views.

    Args:
        source: frame sets in memory have four views, or just those; larger images are resized. Any other source
            must have been opened at the network's size.
        views: of the network.
        size_px: width and height of the network's images.
        resize: how its larger images are made smaller.

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
    return InMemory(source.resized(size_px, resize), views)


def pick_views(sets: FrameSets, which: Sequence[int]) -> FrameSets:
    """Frame sets with these views, by their numbers."""
    arrays = {name: array[:, list(which)] for name, array in sets.arrays().items() if name != "joints_device_m"}
    return dataclasses.replace(sets, **arrays)


def mean_pose_m(source: FrameSource) -> NDArray[np.float32]:
    """(16, 3) mean of some hundreds of poses spread over a source."""
    return source.take(spread(len(source), MEAN_SETS)).joints_device_m.mean(axis=0)


def spread(count: int, most: int) -> NDArray[np.int64]:
    """At most `most` numbers below `count`, evenly spread."""
    return np.linspace(0, count - 1, min(most, count)).astype(np.int64)


def _views_of(sets: FrameSets, views: tuple[str, ...]) -> tuple[str, ...]:
    """What the second axis is, which arrays do not say."""
    return views if sets.images.shape[1] == len(views) else ALL_VIEWS
