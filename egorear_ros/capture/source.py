"""One camera's frames behind one interface, opened by a URI.

| URI | source |
|---|---|
| `0`, `/dev/video0` | V4L2 device |
| `rtsp://...`, `http://...` | network stream |
| `gst: v4l2src ! ... ! appsink` | GStreamer pipeline (where OpenCV was built with it) |
| `walk.mp4` | video file, each frame at its presentation time, in a loop, all views in step |
| `frames/`, `frames/*.png`, `frames/%06d.jpg` | images in natural order at 30 Hz, or named after their stamps |
| `frames/?fps=15` | the same at another rate |
| `clip:DIR` | this view of a recorded rig clip, all views in step |
| `bag:PATH` | this view of a ROS bag, all views in step |
| `sim:SEED` | this view of the simulated helmet, all views in step |
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from egorear_ros.errors import EgorearError
from egorear_ros.rig import Rig


class SourceError(EgorearError):
    """A source that cannot be opened, or has stopped giving frames."""


class SilentSourceError(SourceError):
    """A live source that sends nothing at the moment; it is still open, read it again.

    Attributes:
        silent_s: for how long, seconds.
    """

    def __init__(self, message: str, silent_s: float) -> None:
        super().__init__(message)
        self.silent_s = silent_s


class NoTruthError(SourceError):
    """A source that has no ground truth, as most recordings of real people."""


@dataclass(frozen=True)
class CapturedFrame:
    """One image with the time it was taken.

    Attributes:
        stamp_ns: acquisition time, nanoseconds of the wall clock.
        image: (H, W, 3) uint8 RGB.
        skipped_ns: time of a recording left out just before, because it could not be read as fast as it plays.
    """

    stamp_ns: int
    image: npt.NDArray[np.uint8]
    skipped_ns: int = 0


@dataclass(frozen=True)
class CaptureOptions:
    """How to read a source; each kind of source takes what concerns it.

    Attributes:
        rate_hz: frame rate to ask for; 0 takes the source's own.
        width, height: image size to ask a device for, pixels; 0 takes the rig's calibrated one.
        fourcc: pixel format to ask a device for, such as "MJPG"; empty takes the driver's choice.
        loop_frames: frames of a video file played before it begins anew; 0 takes all. Files of one rig keep in step
            only if they share it, see `video.shared_loop`.
        loop_s: length of a round where frames do not come evenly; 0 takes the file's own.
        loop_start_ns: stamp at which a round of images named after their stamps begins; 0 takes the first image's.
    """

    rate_hz: float = 0.0
    width: int = 0
    height: int = 0
    fourcc: str = ""
    loop_frames: int = 0
    loop_s: float = 0.0
    loop_start_ns: int = 0


class FrameSource(ABC):
    """A running camera.

    Attributes:
        remark: what the user should know about it though it works; empty if nothing.
    """

    remark: str = ""

    @abstractmethod
    def read(self) -> CapturedFrame:
        """Wait for the next frame and return it.

        Raises:
            SourceError: the device vanished or the stream ended; open the source again later.
        """

    def close(self) -> None:  # noqa: B027 (most sources hold nothing)
        """Release the device."""


def open_source(uri: str, view: str, rig: Rig, options: CaptureOptions | None = None) -> FrameSource:
    """Open the source a URI names (see the table above).

    Args:
        uri: what to open.
        view: which view of a clip, a bag or the simulator; whose calibrated size a device is asked for.
        rig: the rig whose views a bag holds, the simulator renders, or devices see.
        options: how to read it.

    Raises:
        SourceError: nothing there, or it cannot be read; says what was tried.
    """
    from egorear_ros.capture.video import open_video

    options = options or CaptureOptions()
    scheme, _, rest = uri.partition(":")
    if not uri:
        raise SourceError(
            f"camera '{view}' has no source; set 'source' to a device, file, stream, folder, clip:DIR, bag:PATH or "
            "sim:SEED"
        )
    if scheme == "bag":
        from egorear_ros.capture.bag import open_bag

        return open_bag(rest, view, rig)
    if scheme in RECORDED_SCHEMES:
        from egorear_ros.capture.recorded import open_clip, open_simulator

        return open_clip(rest, view) if scheme == "clip" else open_simulator(rest, view, rig, options.rate_hz)
    model = rig[view].model
    sized = replace(options, width=options.width or model.width, height=options.height or model.height)
    return open_video(uri, view, sized)


def check_source(uri: str, view: str) -> None:
    """Look whether a recording is there, without playing it; devices and streams may come later.

    Raises:
        EgorearError: it is not, or it cannot be read.
    """
    from egorear_ros.capture.frame_files import open_frame_files
    from egorear_ros.capture.video import is_live
    from egorear_ros.data.bag import Bag
    from egorear_ros.data.rig_clip import RigClip

    scheme, _, rest = uri.partition(":")
    if scheme == "clip":
        RigClip(rest)
    elif scheme == "bag":
        Bag(rest).close()
    elif scheme == "sim":
        if not rest.isdecimal():
            raise SourceError(f"source 'sim:{rest}' needs a whole number as its seed, for example sim:0")
    elif not is_live(uri):
        open_frame_files(uri, f"camera '{view}', source '{uri}'").close()


RECORDED_SCHEMES = ("clip", "bag", "sim")
