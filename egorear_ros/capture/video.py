"""Recorded frames played against the shared wall clock, in a loop: video files, folders and sequences of images."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from egorear_ros.capture.clock import NANOSECONDS, LoopClock
from egorear_ros.capture.frame_files import FrameFiles, even_times, open_frame_files
from egorear_ros.capture.live import GSTREAMER, LiveVideo, open_live
from egorear_ros.capture.source import CapturedFrame, CaptureOptions, FrameSource, SourceError

__all__ = ["LiveVideo", "RecordedVideo", "is_live", "open_video", "shared_loop"]


def open_video(uri: str, view: str, options: CaptureOptions) -> FrameSource:
    """Open a device, stream, file, folder or image sequence.

    Raises:
        SourceError: it cannot be opened.
    """
    return open_live(uri, view, options) if is_live(uri) else RecordedVideo(uri, view, options)


def is_live(uri: str) -> bool:
    """Whether this is a device or stream, not files."""
    path = Path(uri)
    device = uri.isdecimal() or (path.exists() and not path.is_file() and not path.is_dir())
    return device or uri.startswith(GSTREAMER) or "://" in uri


class RecordedVideo(FrameSource):
    """Frames of files, each at its time; who reads too slowly skips to what is due."""

    def __init__(
        self, uri: str, view: str, options: CaptureOptions, clock_of: Callable[[int], LoopClock] = LoopClock
    ) -> None:
        self._name = f"camera '{view}', source '{uri}'"
        self._files = files = open_frame_files(uri, self._name)
        times_ns = even_times(len(files.times_ns), options.rate_hz) if options.rate_hz else files.times_ns
        period_ns = round(NANOSECONDS / options.rate_hz) if options.rate_hz else files.period_ns()
        if files.rate_hz and not options.rate_hz:
            period_ns = round(NANOSECONDS / files.rate_hz)
        stamped = files.has_stamps and not options.rate_hz
        self._times_ns = times_ns - ((options.loop_start_ns or int(times_ns[0])) if stamped else 0)
        round_frames = options.loop_frames or len(times_ns)
        round_ns = round(options.loop_s * NANOSECONDS) or int(self._times_ns[-1]) + period_ns
        if options.loop_frames:
            round_ns = period_ns * round_frames
        self._frames = min(len(times_ns), round_frames, int(np.searchsorted(self._times_ns, round_ns)))
        self.remark = self._remark(files)
        self._clock = clock_of(round_ns)
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
        image = self._files.read()
        self._index += 1
        self._clock.wait_until(stamp_ns)  # ready when it is due
        return CapturedFrame(stamp_ns, image, skipped_ns)

    def close(self) -> None:
        """See `FrameSource.close`."""
        self._files.close()

    def _remark(self, files: FrameFiles) -> str:
        there = len(files.times_ns)
        if there < files.claimed:
            return f"{self._name}: its header says {files.claimed} frames, {there} can be read; is it cut off?"
        if self._frames < there:
            return f"{self._name}: {self._frames} of {there} frames are played, as many as all cameras have"
        return ""

    def _stamp_ns(self) -> int:
        return self._start_ns + int(self._times_ns[self._index])

    def _join(self, at_ns: int) -> None:
        """Go to the first frame due at or after a wall time."""
        self._start_ns = self._clock.round_start_ns(at_ns)
        self._index = int(np.searchsorted(self._times_ns[: self._frames], at_ns - self._start_ns))
        if self._index >= self._frames:
            self._start_ns, self._index = self._start_ns + self._clock.duration_ns, 0
        self._files.go_to(self._index)


def shared_loop(sources: Iterable[str], rate_hz: float = 0.0) -> dict[str, int | float]:
    """What keeps these sources' files in step, as parameters of their cameras; empty if there are none.

    Files with even rates play as many frames as the shortest has; others as long as the shortest lasts. Images that are
    named after their stamps share the earliest one. Devices, and files that are not there yet, have no say.

    Raises:
        SourceError: the files have different frame rates; names each.
    """
    found: dict[str, FrameFiles] = {}
    for uri in sources:
        if not is_live(uri):
            try:
                found[uri] = open_frame_files(uri, f"source '{uri}'")
                found[uri].close()
            except SourceError:  # the camera says so, and tries again
                continue
    if not found:
        return {}
    if all(files.rate_hz for files in found.values()):
        if len({round(NANOSECONDS / files.rate_hz) for files in found.values()}) > 1:
            rates = ", ".join(f"'{uri}' {files.rate_hz:.6g} Hz" for uri, files in found.items())
            raise SourceError(
                f"video files of one rig need one frame rate, these have {rates}; convert them to the same"
            )
        return {"loop_frames": min(len(files.times_ns) for files in found.values())}
    stamped = [files for files in found.values() if files.has_stamps]
    start_ns = min((int(files.times_ns[0]) for files in stamped), default=0)
    ends_ns = [
        int(files.times_ns[-1]) - (start_ns if files.has_stamps else 0) + files.period_ns() for files in found.values()
    ]
    start = {"loop_start": start_ns} if start_ns else {}
    return {"loop_seconds": min(ends_ns) / NANOSECONDS, **start}
