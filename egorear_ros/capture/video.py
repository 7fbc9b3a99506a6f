"""Devices, files and streams through OpenCV's VideoCapture."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from egorear_ros.capture.clock import NANOSECONDS, LoopClock
from egorear_ros.capture.source import CapturedFrame, FrameSource, SourceError

DEFAULT_RATE_HZ = 30.0
GSTREAMER = "gst:"


def open_video(uri: str, view: str, rate_hz: float) -> FrameSource:
    """Open a device, stream, file or image sequence.

    Raises:
        SourceError: it cannot be opened.
    """
    if uri.startswith(GSTREAMER):
        return LiveVideo(uri, view, cv2.VideoCapture(uri.removeprefix(GSTREAMER).strip(), cv2.CAP_GSTREAMER), rate_hz)
    device = Path(uri).exists() and not Path(uri).is_file()
    if uri.isdecimal() or device:
        return LiveVideo(uri, view, cv2.VideoCapture(int(uri) if uri.isdecimal() else uri, cv2.CAP_V4L2), rate_hz)
    if "://" in uri:
        return LiveVideo(uri, view, cv2.VideoCapture(uri), rate_hz)
    return RecordedVideo(uri, view, rate_hz)


class LiveVideo(FrameSource):
    """A device or stream: frames are stamped when they arrive, which is the earliest moment OpenCV lets us know of."""

    def __init__(self, uri: str, view: str, capture: cv2.VideoCapture, rate_hz: float) -> None:
        self._name = f"camera '{view}', source '{uri}'"
        self._capture = capture
        if not capture.isOpened():
            raise SourceError(f"{self._name}: cannot be opened; is it connected, and may this user read it?")
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # an old frame is worse than none
        if rate_hz > 0:
            capture.set(cv2.CAP_PROP_FPS, rate_hz)

    def read(self) -> CapturedFrame:
        """See `FrameSource.read`."""
        if not self._capture.grab():
            raise SourceError(f"{self._name}: gives no more frames")
        stamp_ns = time.time_ns()
        decoded, image = self._capture.retrieve()
        if not decoded:
            raise SourceError(f"{self._name}: frame cannot be decoded")
        return CapturedFrame(stamp_ns, _to_rgb(image))

    def close(self) -> None:
        """See `FrameSource.close`."""
        self._capture.release()


class RecordedVideo(FrameSource):
    """A video file or numbered images, played at their rate against the shared wall clock, in a loop."""

    def __init__(self, uri: str, view: str, rate_hz: float, clock_of: Callable[[int], LoopClock] = LoopClock) -> None:
        self._name = f"camera '{view}', source '{uri}'"
        self._uri = uri
        self._capture = self._open()
        frames = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        if frames < 1:
            raise SourceError(f"{self._name}: has no frames")
        rate = rate_hz or self._capture.get(cv2.CAP_PROP_FPS) or DEFAULT_RATE_HZ
        self._period_ns, self._frames = round(NANOSECONDS / rate), frames
        self._clock = clock_of(self._period_ns * frames)
        self._start_ns, self._index = self._clock.round_start_ns(), 0
        self._catch_up()

    def read(self) -> CapturedFrame:
        """See `FrameSource.read`."""
        if self._index >= self._frames:
            self._rewind()
        stamp_ns = self._start_ns + self._index * self._period_ns
        read, image = self._capture.read()
        if not read:  # a file may hold fewer frames than its header says
            self._frames = max(self._index, 1)
            raise SourceError(f"{self._name}: frame {self._index} cannot be read; the file may be truncated")
        self._index += 1
        frame = CapturedFrame(stamp_ns, _to_rgb(image))  # ready when it is due
        self._clock.wait_until(stamp_ns)
        return frame

    def close(self) -> None:
        """See `FrameSource.close`."""
        self._capture.release()

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(self._uri)
        if not capture.isOpened():
            raise SourceError(f"{self._name}: no such device, and no video file or image sequence OpenCV can read")
        return capture

    def _rewind(self) -> None:
        self._capture.release()
        self._capture = self._open()
        self._start_ns, self._index = self._start_ns + self._clock.duration_ns, 0

    def _catch_up(self) -> None:
        """Skip what the other cameras of the recording have already shown in this round."""
        behind = (self._clock.wall_ns() - self._start_ns) // self._period_ns
        while self._index < min(behind, self._frames - 1) and self._capture.grab():
            self._index += 1


def _to_rgb(image: np.ndarray) -> np.ndarray:
    if image.ndim == 2:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB), np.uint8)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
