"""Devices, files and streams through OpenCV's VideoCapture."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from egorear_ros.capture.clock import NANOSECONDS, LoopClock
from egorear_ros.capture.source import CapturedFrame, CaptureOptions, FrameSource, SourceError

DEFAULT_RATE_HZ = 30.0
GSTREAMER = "gst:"


def open_video(uri: str, view: str, options: CaptureOptions) -> FrameSource:
    """Open a device, stream, file or image sequence.

    Raises:
        SourceError: it cannot be opened.
    """
    if not is_live(uri):
        return RecordedVideo(uri, view, options)
    if uri.startswith(GSTREAMER):
        capture = cv2.VideoCapture(uri.removeprefix(GSTREAMER).strip(), cv2.CAP_GSTREAMER)
    elif "://" in uri:
        capture = cv2.VideoCapture(uri)
    else:
        capture = cv2.VideoCapture(int(uri) if uri.isdecimal() else uri, cv2.CAP_V4L2)
    return LiveVideo(uri, view, capture, options)


def is_live(uri: str) -> bool:
    """Whether this is a device or stream, not a file or numbered images."""
    device = uri.isdecimal() or (Path(uri).exists() and not Path(uri).is_file())
    return device or uri.startswith(GSTREAMER) or "://" in uri


class LiveVideo(FrameSource):
    """A device or stream: frames are stamped when they arrive, which is the earliest moment OpenCV lets us know of."""

    def __init__(self, uri: str, view: str, capture: cv2.VideoCapture, options: CaptureOptions) -> None:
        self._name = f"camera '{view}', source '{uri}'"
        self._capture = capture
        if not capture.isOpened():
            raise SourceError(f"{self._name}: cannot be opened; is it connected, and may this user read it?")
        self._ask_for(options)

    def _ask_for(self, options: CaptureOptions) -> None:
        """Ask for the mode; the device gives the nearest it has. Its sizes and rates depend on the pixel format."""
        if options.fourcc:
            if len(options.fourcc) != 4:
                raise SourceError(f"{self._name}: fourcc '{options.fourcc}' must have four letters, as MJPG has")
            self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*options.fourcc))
        if options.width and options.height:
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, options.width)
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, options.height)
        if options.rate_hz > 0:
            self._capture.set(cv2.CAP_PROP_FPS, options.rate_hz)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # an old frame is worse than none

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

    def __init__(
        self, uri: str, view: str, options: CaptureOptions, clock_of: Callable[[int], LoopClock] = LoopClock
    ) -> None:
        self._name = f"camera '{view}', source '{uri}'"
        self._uri = uri
        facts = _measure(uri, self._name)
        self._capture = _open_file(uri, self._name)
        round_frames = options.loop_frames or facts.frames
        self._frames = min(facts.frames, round_frames)
        self._period_ns = round(NANOSECONDS / (options.rate_hz or facts.rate_hz))
        self.remark = self._remark(facts)
        self._clock = clock_of(self._period_ns * round_frames)
        self._join(self._clock.wall_ns())

    def read(self) -> CapturedFrame:
        """See `FrameSource.read`."""
        if self._index >= self._frames:
            self._join(self._start_ns + self._clock.duration_ns)
        stamp_ns, skipped_ns = self._stamp_ns(), 0
        if self._clock.is_late(stamp_ns):
            self._join(self._clock.rejoin_ns())
            skipped_ns = self._stamp_ns() - stamp_ns
            stamp_ns = self._stamp_ns()
        read, image = self._capture.read()
        if not read:
            raise SourceError(f"{self._name}: frame {self._index} cannot be read; is the file damaged?")
        self._index += 1
        frame = CapturedFrame(stamp_ns, _to_rgb(image), skipped_ns)  # ready when it is due
        self._clock.wait_until(stamp_ns)
        return frame

    def close(self) -> None:
        """See `FrameSource.close`."""
        self._capture.release()

    def _remark(self, facts: _Facts) -> str:
        if facts.frames < facts.claimed:
            return f"{self._name}: its header says {facts.claimed} frames, {facts.frames} can be read; is it cut off?"
        if self._frames < facts.frames:
            return f"{self._name}: {self._frames} of {facts.frames} frames are played, as many as all cameras have"
        return ""

    def _stamp_ns(self) -> int:
        return self._start_ns + self._index * self._period_ns

    def _join(self, at_ns: int) -> None:
        """Go to the first frame due at or after a wall time."""
        self._start_ns = self._clock.round_start_ns(at_ns)
        self._index = -((self._start_ns - at_ns) // self._period_ns)
        if self._index >= self._frames:
            self._start_ns, self._index = self._start_ns + self._clock.duration_ns, 0
        self._seek()

    def _seek(self) -> None:
        """Make `_index` the frame read next; where OpenCV cannot jump there, by going through all before it."""
        if _go_to(self._capture, self._index):
            return
        self._capture.release()
        self._capture = _open_file(self._uri, self._name)
        for _ in range(self._index):
            self._capture.grab()


def shared_loop_frames(sources: Iterable[str]) -> int:
    """Frames of a round that keeps these sources' video files in step: those of the shortest; 0 if there are none.

    Devices, and files that are not there yet, have no say.

    Raises:
        SourceError: the files have different frame rates; names each.
    """
    found: dict[str, _Facts] = {}
    for uri in sources:
        if not is_live(uri):
            try:
                found[uri] = _measure(uri, f"source '{uri}'")
            except SourceError:  # the camera says so, and tries again
                continue
    if len({round(NANOSECONDS / facts.rate_hz) for facts in found.values()}) > 1:
        rates = ", ".join(f"'{uri}' {facts.rate_hz:.6g} Hz" for uri, facts in found.items())
        raise SourceError(f"video files of one rig need one frame rate, these have {rates}; convert them to the same")
    return min((facts.frames for facts in found.values()), default=0)


@dataclass(frozen=True)
class _Facts:
    """What a file says of itself, and what it holds."""

    frames: int
    claimed: int
    rate_hz: float


def _measure(uri: str, name: str) -> _Facts:
    capture = _open_file(uri, name)
    claimed = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    rate_hz = capture.get(cv2.CAP_PROP_FPS) or DEFAULT_RATE_HZ
    is_whole = claimed > 0 and _go_to(capture, claimed - 1) and capture.grab()
    capture.release()
    frames = claimed if is_whole else _count(uri, name)
    if frames < 1:
        raise SourceError(f"{name}: has no frames")
    return _Facts(frames, claimed, rate_hz)


def _count(uri: str, name: str) -> int:
    """Frames by going through all: a file that is cut off holds fewer than its header says; some have no header."""
    capture, frames = _open_file(uri, name), 0
    while capture.grab():
        frames += 1
    capture.release()
    return frames


def _go_to(capture: cv2.VideoCapture, index: int) -> bool:
    """Make a frame the one read next; False where OpenCV could not."""
    return bool(capture.set(cv2.CAP_PROP_POS_FRAMES, index)) and int(capture.get(cv2.CAP_PROP_POS_FRAMES)) == index


def _open_file(uri: str, name: str) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(uri)
    if not capture.isOpened():
        raise SourceError(f"{name}: no such device, and no video file or image sequence OpenCV can read")
    return capture


def _to_rgb(image: np.ndarray) -> np.ndarray:
    if image.ndim == 2:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB), np.uint8)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
