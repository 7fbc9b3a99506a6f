"""Frame sets again, each with its skeleton: for formats that show the images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from egorear_ros.datatypes import CameraFrame, FrameSet, Skeleton
from egorear_ros.estimation import aligned_sets
from egorear_ros.export.job import Export
from egorear_ros.rig import DEVICE_FRAME


class Moment(NamedTuple):
    """A frame set, the skeleton estimated from it, and the same with the fitted body's joints."""

    frames: FrameSet
    free: Skeleton
    fitted: Skeleton


def moments(export: Export, progress: Callable[[int], None]) -> Iterator[Moment]:
    """All frame sets that have a skeleton, in order; every stamp once."""
    fitted = export.fitted_skeletons()
    free = {skeleton.stamp_ns: skeleton for skeleton in reversed(export.skeletons)}
    for _, aligned in aligned_sets(export.recording, export.sync, progress=progress):
        stamp_ns = aligned.acquired_ns
        if stamp_ns not in free:
            continue
        frames = tuple(
            CameraFrame(view, stamp_ns) if frame is None else frame
            for view, frame in zip(export.sync.cameras, aligned.frames, strict=True)
        )
        frame_set = FrameSet(stamp_ns, frames, aligned.span_ns / 1e9, DEVICE_FRAME)
        yield Moment(frame_set, free.pop(stamp_ns), fitted[stamp_ns])
