"""Opens whatever labelled data a folder holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from egorear_ros.data.ego4view import Ego4ViewFrames
from egorear_ros.data.ego4view_layout import layout_of
from egorear_ros.data.frame_sets import DataError, FrameSource, Resize, averaged
from egorear_ros.data.shards import PATTERN, ShardFrames
from egorear_ros.rig import VIEWS


def open_frames(
    path: str | Path,
    split: str | None,
    views: Sequence[str] = VIEWS,
    size_px: int | None = None,
    resize: Resize = averaged,
) -> FrameSource:
    """Open a folder of labelled frame sets; it finds out by itself what the folder holds.

    Args:
        path: folder of Ego4View-Syn, Ego4View-RW, the simulator (`egorear simulate`) or shards.
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
    if any(folder.glob(PATTERN)):
        return ShardFrames(folder, views, size_px, resize)
    layout = layout_of(folder)
    if layout is None:
        raise DataError(
            f"'{path}' is no data set; recognised are folders of Ego4View-Syn or `egorear simulate` "
            "(train.txt, rp_*/<sequence>/json_smplx_gendered), of Ego4View-RW (train.txt, "
            "<date>/S<n>/seq_<n>/json_smplx), and of `egorear render-shards` (shard_*.npz)"
        )
    frames = Ego4ViewFrames(folder, layout, split, views, size_px, resize)
    if frames.missing:
        raise DataError(
            f"'{path}' lacks {len(frames.missing)} of the folders in its split '{split}', first '{frames.missing[0]}'; "
            f"`egorear data check {path}` lists what is wrong"
        )
    if not len(frames):
        raise DataError(f"split '{split}' of '{path}' has no frames" if split else f"'{path}' has no frames")
    return frames
