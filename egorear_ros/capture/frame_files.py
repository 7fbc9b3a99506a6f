"""Recorded frames in files, with the time of each: video files, and folders, patterns and globs of images."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from egorear_ros.capture.clock import NANOSECONDS
from egorear_ros.capture.source import SourceError
from egorear_ros.data.encodings import ImageError, RgbImage, bgr_to_rgb, decode_jpeg
from egorear_ros.data.video_file import VideoReader

DEFAULT_RATE_HZ = 30.0
IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
RATE_IN_URI = re.compile(r"\?fps=([0-9.]+)$")
STAMP_DIGITS = 16
"""A file name that is a number of so many digits is a stamp: microseconds since 1970 with 16, nanoseconds with 19."""
EVEN_S = 0.002
"""Times that lie within this of an even rhythm are taken to be even: many formats count in milliseconds."""

Times = npt.NDArray[np.int64]


class FrameFiles(ABC):
    """Frames that lie in files.

    Attributes:
        times_ns: (T,) increasing; since the first frame, or since 1970 where `has_stamps`.
        rate_hz: frame rate where the frames come evenly, else 0.
        claimed: frames the file says it has; more than `times_ns` where it is cut off.
        has_stamps: whether the times are those at which the images were taken.
    """

    times_ns: Times
    rate_hz: float
    claimed: int
    has_stamps: bool = False

    @abstractmethod
    def go_to(self, index: int) -> None:
        """Make a frame the one read next."""

    @abstractmethod
    def read(self) -> RgbImage:
        """The next frame, (H, W, 3) uint8 RGB.

        Raises:
            SourceError: it cannot be read.
        """

    def close(self) -> None:  # noqa: B027 (image files hold nothing)
        """Release the file."""

    def period_ns(self) -> int:
        """Time a frame lasts: the usual distance of two."""
        return int(np.median(np.diff(self.times_ns))) if len(self.times_ns) > 1 else NANOSECONDS


def open_frame_files(uri: str, name: str) -> FrameFiles:
    """Open a video file, a folder of images, a pattern such as `%06d.png`, or a glob such as `left/*.png`.

    Images may have `?fps=15` behind them; their order is that of the numbers in their names.

    Raises:
        SourceError: there is nothing, or nothing that can be read.
    """
    found = RATE_IN_URI.search(uri)
    path = uri[: found.start()] if found else uri
    files = image_files(path)
    if files is None:
        return VideoFile(uri, name)
    if not files:
        raise SourceError(f"{name}: no image there ({', '.join(IMAGE_ENDINGS)})")
    return ImageFiles(files, name, float(found[1]) if found else 0.0)


def image_files(path: str) -> list[Path] | None:
    """Images of a folder, pattern or glob in natural order; None where the path is none of these."""
    where = Path(path)
    if where.is_dir():
        return natural(file for file in where.iterdir() if file.suffix.lower() in IMAGE_ENDINGS)
    if re.search(r"%0?\d*d", where.name) and not where.is_file():
        number = re.sub(r"%0?\\?\d*d", r"(\\d+)", re.escape(where.name).replace(r"\%", "%"))
        there = where.parent.iterdir() if where.parent.is_dir() else []
        return natural(file for file in there if re.fullmatch(number, file.name))
    if any(sign in path for sign in "*?[") and not where.is_file():
        fixed = next(index for index, part in enumerate(where.parts) if any(sign in part for sign in "*?["))
        below = Path(*where.parts[:fixed]).glob(str(Path(*where.parts[fixed:])))
        return natural(file for file in below if file.is_file())
    return None


def natural(files: Iterable[Path]) -> list[Path]:
    """Files in the order of the numbers in their names: 2.png before 10.png."""

    def key(file: Path) -> list[tuple[int, int, str]]:
        parts = re.split(r"(\d+)", file.name)
        return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]

    return sorted(files, key=key)


def stamps_of(files: list[Path]) -> Times | None:
    """(T,) stamps the files are named after: nanoseconds or microseconds since 1970, or seconds and a fraction."""
    stamps = []
    for file in files:
        if found := re.fullmatch(r"(\d{10})[._-](\d{1,9})", file.stem):
            stamps.append(int(found[1]) * NANOSECONDS + int(found[2].ljust(9, "0")))
        elif file.stem.isdecimal() and len(file.stem) in (STAMP_DIGITS, STAMP_DIGITS + 3):
            stamps.append(int(file.stem.ljust(STAMP_DIGITS + 3, "0")))
        else:
            return None
    return np.array(stamps, np.int64) if len(set(stamps)) == len(stamps) > 1 else None


class ImageFiles(FrameFiles):
    """Images, one per file; EXIF orientations are ignored, as everywhere."""

    def __init__(self, files: list[Path], name: str, rate_hz: float) -> None:
        self._files, self._name, self._index = files, name, 0
        self.claimed = len(files)
        stamps = None if rate_hz else stamps_of(files)
        if stamps is None:
            self.rate_hz = rate_hz or DEFAULT_RATE_HZ
            self.times_ns = even_times(len(files), self.rate_hz)
        else:  # .05 comes before .2, whatever the numbers
            self.rate_hz, self.has_stamps, self.times_ns = 0.0, True, np.sort(stamps)
            self._files = [files[index] for index in np.argsort(stamps)]

    def go_to(self, index: int) -> None:
        """See `FrameFiles.go_to`."""
        self._index = index

    def read(self) -> RgbImage:
        """See `FrameFiles.read`."""
        file = self._files[self._index]
        try:
            image = decode_jpeg(file.read_bytes(), self._name)
        except (OSError, ImageError) as error:
            raise SourceError(f"{self._name}: image '{file}' cannot be read") from error
        self._index += 1
        return image


class VideoFile(FrameFiles):
    """A video file, each frame at its presentation time."""

    def __init__(self, uri: str, name: str) -> None:
        self._uri, self._name, self._index = uri, name, 0
        self._capture = self._opened()
        self.claimed = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        header_hz = self._capture.get(cv2.CAP_PROP_FPS) or DEFAULT_RATE_HZ
        times_s = presentation_times_s(uri)
        self.rate_hz = even_rate_hz(times_s, header_hz)
        whole = self.rate_hz > 0 and self.claimed > 0 and self._jump(self.claimed - 1) and self._capture.grab()
        frames = self.claimed if whole else self._count()
        if frames < 1:
            raise SourceError(f"{name}: has no frames")
        uneven = np.rint((times_s[:frames] - times_s[:1]) * NANOSECONDS).astype(np.int64)
        self.times_ns = even_times(frames, self.rate_hz) if self.rate_hz else uneven
        self.go_to(0)

    def go_to(self, index: int) -> None:
        """See `FrameFiles.go_to`; where OpenCV cannot jump there, by going through all before it."""
        self._index = index
        if self.rate_hz and self._jump(index):  # with uneven times OpenCV jumps to a wrong frame
            return
        self._capture.release()
        self._capture = self._opened()
        for _ in range(index):
            self._capture.grab()

    def read(self) -> RgbImage:
        """See `FrameFiles.read`."""
        read, image = self._capture.read()
        if not read:
            raise SourceError(f"{self._name}: frame {self._index} cannot be read; is the file damaged?")
        self._index += 1
        return bgr_to_rgb(image)

    def close(self) -> None:
        """Release the file."""
        self._capture.release()

    def _opened(self) -> VideoReader:
        capture = VideoReader(self._uri)
        if not capture.isOpened():
            raise SourceError(
                f"{self._name}: no such device, and no video file, image folder or image sequence that can be read"
            )
        return capture

    def _jump(self, index: int) -> bool:
        done = bool(self._capture.set(cv2.CAP_PROP_POS_FRAMES, index))
        return done and int(self._capture.get(cv2.CAP_PROP_POS_FRAMES)) == index

    def _count(self) -> int:
        """Frames by going through all: a file that is cut off holds fewer than its header says; some have no header."""
        capture, frames = self._opened(), 0
        while capture.grab():
            frames += 1
        capture.release()
        return frames


def presentation_times_s(uri: str) -> npt.NDArray[np.float64]:
    """(T,) presentation times of a video file's frames in order, read without decoding them; empty if unknown."""
    capture = VideoReader(uri, cv2.CAP_FFMPEG, (cv2.CAP_PROP_FORMAT, -1))
    times: list[float] = []
    while capture.isOpened() and capture.grab():
        times.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    capture.release()
    found = np.sort(np.array(times, np.float64))  # packets come in the order of decoding
    return found if len(found) > 1 and (np.diff(found) > 0).all() else np.empty(0)


def even_rate_hz(times_s: npt.NDArray[np.float64], header_hz: float) -> float:
    """Rate of frames that come evenly, the header's where it agrees; 0 where they do not."""
    if len(times_s) < 2:
        return header_hz
    measured_hz = (len(times_s) - 1) / float(times_s[-1] - times_s[0])
    even = times_s[0] + np.arange(len(times_s)) / measured_hz
    if np.abs(times_s - even).max() > EVEN_S:
        return 0.0
    return header_hz if abs(header_hz / measured_hz - 1) * len(times_s) < 1 else measured_hz


def even_times(frames: int, rate_hz: float) -> Times:
    """(T,) times of frames at a rate, nanoseconds since the first."""
    return np.arange(frames, dtype=np.int64) * round(NANOSECONDS / rate_hz)
