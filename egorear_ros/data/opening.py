"""Opens whatever labelled data a folder holds, and the registry of what it may hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from egorear_ros.data.ego4view import Ego4ViewFrames
from egorear_ros.data.ego4view_layout import layout_of
from egorear_ros.data.frame_sets import DataError, FrameSource, Resize, averaged
from egorear_ros.data.shards import PATTERN, ShardFrames
from egorear_ros.extensions import Registry
from egorear_ros.rig import VIEWS

Opener = Callable[[Path, str | None, Sequence[str], int | None, Resize], FrameSource]
"""Folder, split, views, size and resizing of `open_frames` -> its frame sets."""


@dataclass(frozen=True)
class DataFormat:
    """One layout of labelled data.

    Attributes:
        looks_like: how a folder of it looks, for the user.
        recognises: whether a folder is of this layout.
        open: opens such a folder; raises EgorearError if that is not possible.
    """

    looks_like: str
    recognises: Callable[[Path], bool]
    open: Opener


def _open_shards(
    folder: Path, split: str | None, views: Sequence[str], size_px: int | None, resize: Resize
) -> FrameSource:
    """Shards are of one split: which is asked for says nothing."""
    return ShardFrames(folder, views, size_px, resize)


def _open_ego4view(
    folder: Path, split: str | None, views: Sequence[str], size_px: int | None, resize: Resize
) -> FrameSource:
    layout = layout_of(folder)
    assert layout is not None
    frames = Ego4ViewFrames(folder, layout, split, views, size_px, resize)
    if frames.missing:
        raise DataError(
            f"'{folder}' lacks {len(frames.missing)} of the folders in its split '{split}', "
            f"first '{frames.missing[0]}'; `egorear data check {folder}` lists what is wrong"
        )
    if not len(frames):
        raise DataError(f"split '{split}' of '{folder}' has no frames" if split else f"'{folder}' has no frames")
    return frames


DATA_FORMATS: Final[Registry[DataFormat]] = Registry(
    "data format",
    {
        "shards": DataFormat(
            "those of `egorear render-shards` (shard_*.npz)", lambda folder: any(folder.glob(PATTERN)), _open_shards
        ),
        "ego4view": DataFormat(
            "Ego4View-Syn or `egorear simulate` (train.txt, rp_*/<sequence>/json_smplx_gendered), Ego4View-RW "
            "(train.txt, <date>/S<n>/seq_<n>/json_smplx)",
            lambda folder: layout_of(folder) is not None,
            _open_ego4view,
        ),
    },
)
"""Every layout by its name; the first one that recognises a folder opens it."""


def open_frames(
    path: str | Path,
    split: str | None,
    views: Sequence[str] = VIEWS,
    size_px: int | None = None,
    resize: Resize = averaged,
) -> FrameSource:
    """Open a folder of labelled frame sets; it finds out by itself what the folder holds.

    Args:
        path: folder of Ego4View-Syn, Ego4View-RW, the simulator (`egorear simulate`), shards, or of a layout that
            another package has added.
        split: "train", "val" or "test" of a data set that has split lists; None: all frames there are. A folder of
            shards is of one split, so that `split` says nothing there.
        views: views to load, in this order.
        size_px: width and height to make the images smaller to; None: as they are.
        resize: how; a function of a module, so that worker processes can be told.

    Raises:
        EgorearError: there is no such folder, it is none of these, or has no such split, view or any frame.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise DataError(f"there is no folder '{path}'")
    for known in DATA_FORMATS.values():
        if known.recognises(folder):
            return known.open(folder, split, views, size_px, resize)
    looks = "; ".join(known.looks_like for known in DATA_FORMATS.values())
    raise DataError(f"'{path}' is not a data set; recognised are {looks}")
