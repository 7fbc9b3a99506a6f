"""What a recording is to the pipeline, and the kinds there are: bag, rig clip, videos, folders of images."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np

from egorear_ros.bags.message_reading import camera_frame_from_message
from egorear_ros.bags.reading import Bag, find_topics
from egorear_ros.data.encodings import ImageError, decode_jpeg
from egorear_ros.data.rig_clip import RigClip
from egorear_ros.data.video_file import VideoReader
from egorear_ros.datatypes import CameraFrame
from egorear_ros.errors import EgorearError
from egorear_ros.rig import Rig

NANOSECONDS: Final = 1_000_000_000
DEFAULT_RATE_HZ: Final = 30.0
IMAGE_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
SAME_RATE: Final = 1e-3
"""Relative difference up to which frame rates of videos count as the same."""


class RecordedFrame(NamedTuple):
    """A frame, or why it cannot be read, at the time it arrived; nanoseconds."""

    time_ns: int
    frame: CameraFrame | None
    problem: str = ""


class Recording(ABC):
    """Frames of all views in the order of their arrival; `frames` can be called again, for the same frames.

    Attributes:
        name: for messages and for the names of output files.
        path: the bag, clip or folder; None where every view has a path of its own.
        views: that it has, in the rig's order.
        rig: that the recording brings along, at its calibration's resolution; None where it has none.
    """

    name: str
    path: Path | None = None
    views: tuple[str, ...]
    rig: Rig | None = None
    remark: str = ""

    @property
    @abstractmethod
    def total(self) -> int:
        """About how many frames `frames` gives, of all views together."""

    @abstractmethod
    def frames(self) -> Iterator[RecordedFrame]:
        """All frames.

        Raises:
            EgorearError: the recording is damaged.
        """


class BagRecording(Recording):
    """A ROS bag.

    Raises:
        BagError: no bag, or it has no images of these views.
    """

    def __init__(self, path: Path, views: tuple[str, ...]) -> None:
        self.name, self.path = path.stem if path.is_file() else path.name, path
        with Bag(path) as bag:
            self.topics = find_topics(bag, views)
            self.remark = bag.remark
            self._total = sum(bag.counts[topic] for topic in self.topics.images.values())
        self.views = tuple(self.topics.images)

    @property
    def total(self) -> int:
        """See `Recording.total`."""
        return self._total

    def frames(self) -> Iterator[RecordedFrame]:
        """See `Recording.frames`."""
        views = {topic: view for view, topic in self.topics.images.items()}
        with Bag(str(self.path)) as bag:
            for topic, time_ns, message in bag.messages(views):
                try:
                    yield RecordedFrame(time_ns, camera_frame_from_message(views[topic], message))
                except (EgorearError, ValueError) as error:
                    yield RecordedFrame(time_ns, None, f"{topic}: {error}")


class ClipRecording(Recording):
    """A rig clip.

    Raises:
        EgorearError: no clip, or none of these views.
    """

    def __init__(self, path: Path, views: tuple[str, ...]) -> None:
        clip = RigClip(path)
        self.name, self.path, self.rig = path.resolve().name, path, clip.rig
        self.views = tuple(view for view in views if view in clip.info.views)
        if not self.views:
            raise EgorearError(f"clip '{path}' has views {', '.join(clip.info.views)}, none of {', '.join(views)}")
        self._frames = clip.info.frames

    @property
    def total(self) -> int:
        """See `Recording.total`."""
        return self._frames * len(self.views)

    def frames(self) -> Iterator[RecordedFrame]:
        """See `Recording.frames`."""
        clip = RigClip(str(self.path))
        columns = [clip.info.views.index(view) for view in self.views]
        for index in range(len(clip)):
            stamps = [int(clip.stamps_ns[index, column]) for column in columns]
            for stamp_ns, view in sorted(zip(stamps, self.views, strict=True), key=lambda item: item[0]):
                yield RecordedFrame(stamp_ns, CameraFrame(view, stamp_ns, clip.view(view, index)))


class VideoRecording(Recording):
    """One video file per view, all begun at the same moment; ends with the shortest.

    Args:
        name: of the recording.
        files: view -> file.
        rate_hz: frame rate; 0 takes the files' own.

    Raises:
        EgorearError: a file cannot be opened, or frame rates differ.
    """

    def __init__(self, name: str, files: Mapping[str, Path], rate_hz: float) -> None:
        self.name, self.views, self._files = name, tuple(files), dict(files)
        rates, counts = {}, {}
        for view, path in files.items():
            video = _opened(view, path)
            rates[view], counts[view] = video.get(cv2.CAP_PROP_FPS), int(video.get(cv2.CAP_PROP_FRAME_COUNT))
            video.release()
        self._rate_hz = rate_hz or _shared_rate(rates)
        self._total = max(0, min(counts.values())) * len(files)
        if len(set(counts.values())) > 1:
            said = ", ".join(f"{view} {count}" for view, count in counts.items())
            self.remark = f"videos have different numbers of frames ({said}); they end with the shortest"

    @property
    def total(self) -> int:
        """See `Recording.total`."""
        return self._total

    def frames(self) -> Iterator[RecordedFrame]:
        """See `Recording.frames`."""
        videos = {view: _opened(view, path) for view, path in self._files.items()}
        index = 0
        while all(video.grab() for video in videos.values()):
            stamp_ns = round(index * NANOSECONDS / self._rate_hz)
            for view, video in videos.items():
                done, image = video.retrieve()
                if done:
                    yield RecordedFrame(stamp_ns, CameraFrame(view, stamp_ns, _rgb(image)))
                else:
                    yield RecordedFrame(stamp_ns, None, f"camera '{view}': frame {index} cannot be decoded")
            index += 1
        for video in videos.values():
            video.release()


class ImageRecording(Recording):
    """One folder of images per view. Images of one moment have the same number at the end of their names.

    Args:
        name: of the recording.
        folders: view -> folder.
        rate_hz: frame rate; 0 is `DEFAULT_RATE_HZ`.

    Raises:
        EgorearError: a folder has no images, or two with the same number.
    """

    def __init__(self, name: str, folders: Mapping[str, Path], rate_hz: float) -> None:
        self.name, self.views = name, tuple(folders)
        self._rate_hz = rate_hz or DEFAULT_RATE_HZ
        self._files = {view: _numbered(view, folder) for view, folder in folders.items()}
        self._numbers = sorted({number for files in self._files.values() for number in files})

    @property
    def total(self) -> int:
        """See `Recording.total`."""
        return sum(len(files) for files in self._files.values())

    def frames(self) -> Iterator[RecordedFrame]:
        """See `Recording.frames`."""
        for index, number in enumerate(self._numbers):
            stamp_ns = round(index * NANOSECONDS / self._rate_hz)
            for view, files in self._files.items():
                if number not in files:
                    continue
                try:
                    image = decode_jpeg(files[number].read_bytes(), view)
                except (OSError, ImageError):
                    yield RecordedFrame(stamp_ns, None, f"camera '{view}': image '{files[number]}' cannot be read")
                else:
                    yield RecordedFrame(stamp_ns, CameraFrame(view, stamp_ns, image))


def images_in(folder: Path) -> list[Path]:
    """Image files of a folder, by suffix; hidden files do not count."""
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and not p.name.startswith("."))


def _numbered(view: str, folder: Path) -> dict[int, Path]:
    found: dict[int, Path] = {}
    for path in images_in(folder):
        digits = re.search(r"(\d+)\D*$", path.stem)
        if digits is None:
            raise EgorearError(f"camera '{view}': image '{path}' has no number in its name; number the images in order")
        number = int(digits[1])
        if number in found:
            raise EgorearError(
                f"camera '{view}': '{found[number].name}' and '{path.name}' in '{folder}' have one number"
            )
        found[number] = path
    if not found:
        raise EgorearError(f"camera '{view}': folder '{folder}' has no images ({', '.join(IMAGE_SUFFIXES)})")
    return found


def _opened(view: str, path: Path) -> VideoReader:
    video = VideoReader(str(path))
    if not video.isOpened():
        raise EgorearError(f"camera '{view}': '{path}' is not a video file that OpenCV can read")
    return video


def _shared_rate(rates: Mapping[str, float]) -> float:
    known = {view: rate for view, rate in rates.items() if rate > 0}
    if known and max(known.values()) > (1 + SAME_RATE) * min(known.values()):
        said = ", ".join(f"{view} {rate:.6g} Hz" for view, rate in known.items())
        raise EgorearError(f"videos of one rig need one frame rate, these have {said}; convert them, or give --rate")
    return next(iter(known.values()), DEFAULT_RATE_HZ)


def _rgb(image: np.ndarray) -> np.ndarray:
    with suppress(cv2.error):
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
    raise EgorearError(f"an image of shape {image.shape} {image.dtype} cannot be converted to RGB")
