"""One camera's frames behind one interface, opened by a URI.

| URI | source |
|---|---|
| `0`, `/dev/video0` | V4L2 device |
| `rtsp://...`, `http://...` | network stream |
| `gst: v4l2src ! ... ! appsink` | GStreamer pipeline (where OpenCV was built with it) |
| `walk.mp4`, `frames/%06d.jpg` | video file or numbered images, played at its frame rate, in a loop |
| `clip:DIR` | this view of a recorded rig clip, all views in step |
| `bag:PATH` | this view of a ROS bag, all views in step |
| `sim:SEED` | this view of the simulated helmet, all views in step |
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from egorear_ros.errors import EgorearError
from egorear_ros.rig import Rig


class SourceError(EgorearError):
    """A source that cannot be opened, or has stopped giving frames."""


class NoTruthError(SourceError):
    """A source that has no ground truth, as most recordings of real people."""


@dataclass(frozen=True)
class CapturedFrame:
    """One image with the time it was taken.

    Attributes:
        stamp_ns: acquisition time, nanoseconds of the wall clock.
        image: (H, W, 3) uint8 RGB.
    """

    stamp_ns: int
    image: npt.NDArray[np.uint8]


class FrameSource(ABC):
    """A running camera."""

    @abstractmethod
    def read(self) -> CapturedFrame:
        """Wait for the next frame and return it.

        Raises:
            SourceError: the device vanished or the stream ended; open the source again later.
        """

    def close(self) -> None:  # noqa: B027 (most sources hold nothing)
        """Release the device."""


def open_source(uri: str, view: str, rig: Rig, rate_hz: float = 0.0) -> FrameSource:
    """Open the source a URI names (see the table above).

    Args:
        uri: what to open.
        view: which view of a clip or of the simulator; devices and files do not need it.
        rig: the rig whose views a bag holds or the simulator renders.
        rate_hz: frame rate to ask for; 0 takes the source's own.

    Raises:
        SourceError: nothing there, or it cannot be read; says what was tried.
    """
    from egorear_ros.capture.video import open_video

    scheme, _, rest = uri.partition(":")
    if not uri:
        raise SourceError(
            f"camera '{view}' has no source; set 'source' to a device, file, stream, clip:DIR, bag:PATH or sim:SEED"
        )
    if scheme == "bag":
        from egorear_ros.capture.bag import open_bag

        return open_bag(rest, view, rig)
    if scheme in RECORDED_SCHEMES:
        from egorear_ros.capture.recorded import open_clip, open_simulator

        return open_clip(rest, view) if scheme == "clip" else open_simulator(rest, view, rig, rate_hz)
    return open_video(uri, view, rate_hz)


RECORDED_SCHEMES = ("clip", "bag", "sim")
