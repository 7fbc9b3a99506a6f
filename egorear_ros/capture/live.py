"""Devices and streams through OpenCV's VideoCapture, read by a thread of their own: a silent one holds up nobody."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable

import cv2

from egorear_ros.capture.source import CapturedFrame, CaptureOptions, FrameSource, SilentSourceError, SourceError
from egorear_ros.data.encodings import bgr_to_rgb

GSTREAMER = "gst:"
OPEN_TIMEOUT_MS, READ_TIMEOUT_MS = 20_000, 10_000
"""After these a stream that does not answer, or falls silent, is opened again."""
WAIT_S = 0.5
"""How long `LiveVideo.read` waits for a frame before it says that there is none."""


def open_live(uri: str, view: str, options: CaptureOptions) -> LiveVideo:
    """Open a device, or begin to open a stream: whoever waits for its first frame is told how long it has been silent.

    Raises:
        SourceError: a device cannot be opened.
    """
    if uri.startswith(GSTREAMER):
        return LiveVideo(uri, view, lambda: cv2.VideoCapture(uri[len(GSTREAMER) :].strip(), cv2.CAP_GSTREAMER), options)
    if "://" in uri:
        patience = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS]
        return LiveVideo(uri, view, lambda: cv2.VideoCapture(uri, cv2.CAP_FFMPEG, patience), options)
    return LiveVideo(uri, view, cv2.VideoCapture(int(uri) if uri.isdecimal() else uri, cv2.CAP_V4L2), options)


class LiveVideo(FrameSource):
    """A device or stream: frames are stamped when they arrive, which is the earliest moment OpenCV lets us know of.

    Args:
        uri: what it is, for messages.
        view: whose it is.
        capture: the open device, or a function that opens it and may take long.
        options: mode to ask a device for.
    """

    def __init__(
        self, uri: str, view: str, capture: cv2.VideoCapture | Callable[[], cv2.VideoCapture], options: CaptureOptions
    ) -> None:
        self._name = f"camera '{view}', source '{uri}'"
        self._options = options
        self._news = threading.Condition()
        self._newest: CapturedFrame | None = None
        self._replaced = 0
        self._error: SourceError | None = None
        self._closed = False
        self._thread: threading.Thread | None = None
        self._heard_at = time.monotonic()
        self._open: Callable[[], cv2.VideoCapture] = capture if callable(capture) else lambda: capture
        if not callable(capture):
            self._prepare(capture)

    def read(self) -> CapturedFrame:
        """See `FrameSource.read`; a frame that was not fetched in time is replaced by the next.

        Raises:
            SilentSourceError: nothing came for `WAIT_S`; read again.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        with self._news:
            self._news.wait_for(lambda: self._newest is not None or self._error is not None, WAIT_S)
            if self._newest is not None:
                frame, self._newest = self._newest, None
                replaced, self._replaced = self._replaced, 0
                return dataclasses.replace(frame, replaced=replaced)
            if self._error is not None:
                raise self._error
        silent_s = time.monotonic() - self._heard_at
        raise SilentSourceError(
            f"{self._name}: has sent nothing for {silent_s:.1f} s; is it on, and is the address right?", silent_s
        )

    def close(self) -> None:
        """Let the thread release the device; it is not waited for, who hangs may hang for long."""
        self._closed = True

    def _prepare(self, capture: cv2.VideoCapture) -> None:
        if not capture.isOpened():
            raise SourceError(f"{self._name}: cannot be opened; is it connected, and may this user read it?")
        self._ask_for(capture)

    def _ask_for(self, capture: cv2.VideoCapture) -> None:
        """Ask for the mode; the device gives the nearest it has. Its sizes and rates depend on the pixel format."""
        options = self._options
        if options.fourcc:
            if len(options.fourcc) != 4:
                raise SourceError(f"{self._name}: fourcc '{options.fourcc}' must have four letters, as MJPG has")
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*options.fourcc))
        if options.width and options.height:
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, options.width)
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, options.height)
        if options.rate_hz > 0:
            capture.set(cv2.CAP_PROP_FPS, options.rate_hz)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # an old frame is worse than none

    def _work(self) -> None:
        """Open, then read until closed or until something fails."""
        error = SourceError(f"{self._name}: gives no more frames")
        capture: cv2.VideoCapture | None = None
        try:
            capture = self._open()
            if not self._closed:
                self._prepare(capture)
            while not self._closed and capture.grab():
                stamp_ns = time.time_ns()
                decoded, image = capture.retrieve()
                if not decoded:
                    error = SourceError(f"{self._name}: frame cannot be decoded")
                    break
                self._tell(CapturedFrame(stamp_ns, bgr_to_rgb(image)))
        except SourceError as known:
            error = known
        except Exception as unknown:  # drivers raise what they like
            error = SourceError(f"{self._name}: {unknown}")
        finally:
            if capture is not None:
                capture.release()
            with self._news:
                self._error = error
                self._news.notify_all()

    def _tell(self, frame: CapturedFrame) -> None:
        with self._news:
            self._replaced += self._newest is not None
            self._newest, self._heard_at = frame, time.monotonic()
            self._news.notify_all()
