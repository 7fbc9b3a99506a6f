"""A video (.mp4): the fitted body drawn into the four images, and beside them from the front and from the left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from egorear_ros.data.jpeg import readable_images
from egorear_ros.errors import EgorearError
from egorear_ros.export.job import Export
from egorear_ros.export.moments import Moment, moments
from egorear_ros.visualization.picture import Rgb, draw_moment, titled

NANOSECONDS: Final = 1_000_000_000
LONGEST_STILL_S: Final = 10.0
"""A gap in the recording is shown as a still picture of at most this length."""


def write(path: Path, export: Export, progress: Callable[[int], None]) -> None:
    """Write the file, at the recording's median rate; where frame sets are missing the last picture stays.

    Raises:
        EgorearError: OpenCV cannot write MPEG-4 here.
    """
    period_s = export.body.sequence.period_s
    start_ns, shown = int(export.body.sequence.stamps_ns[0]), 0
    writer: cv2.VideoWriter | None = None
    last: Rgb | None = None
    try:
        for moment in moments(export, progress):
            due = round((moment.frames.stamp_ns - start_ns) / NANOSECONDS / period_s)
            picture = _picture(export, moment, (moment.frames.stamp_ns - start_ns) / NANOSECONDS)
            writer = writer or _opened(path, picture, 1 / period_s)
            for _ in range(min(due - shown, int(LONGEST_STILL_S / period_s))):
                writer.write(cv2.cvtColor(picture if last is None else last, cv2.COLOR_RGB2BGR))
            writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
            last, shown = picture, due + 1
    finally:
        if writer is not None:
            writer.release()


def _picture(export: Export, moment: Moment, time_s: float) -> Rgb:
    images, _ = readable_images(moment.frames.frames)
    picture = draw_moment(export.rig, images, {"estimate": moment.fitted})
    std_mm = 1e3 * np.sqrt(np.trace(moment.free.covariance_m2, axis1=1, axis2=2) / 3).mean()
    unsure = "" if np.isnan(std_mm) else f", standard deviation {std_mm:.0f} mm"
    views = f"{len(moment.free.views)} of {len(export.sync.cameras)} views"
    text = f"{export.recording.name}  {time_s:.2f} s, {views}{unsure}"
    return titled(picture, text.encode("ascii", "replace").decode(), kinds=("estimate",))


def _opened(path: Path, picture: Rgb, rate_hz: float) -> cv2.VideoWriter:
    height, width = picture.shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate_hz, (width, height))
    if not writer.isOpened():
        raise EgorearError("this OpenCV cannot write MPEG-4 video; write .rrd instead, or install opencv with FFmpeg")
    return writer
