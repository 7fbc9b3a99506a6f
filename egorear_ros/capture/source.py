"""What every source of a camera's frames, and of their ground truth, has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from egorear_ros.datatypes import Skeleton
from egorear_ros.errors import EgorearError


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
        replaced: frames of a device or stream that came before this one and were never read.
    """

    stamp_ns: int
    image: npt.NDArray[np.uint8]
    skipped_ns: int = 0
    replaced: int = 0


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


class TruthSource(ABC):
    """Ground truth in step with the cameras of a recorded or simulated source."""

    @abstractmethod
    def read(self) -> Skeleton:
        """Wait for the next frame and return its truth, with the stamp its frame set has.

        Raises:
            SourceError: there is no more.
        """
