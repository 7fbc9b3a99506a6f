"""Pictures from a ROS bag of cameras that see a board."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from egorear_ros.bags.message_reading import camera_frame_from_message
from egorear_ros.bags.message_types import COMPRESSED_IMAGE, IMAGE
from egorear_ros.bags.reading import Bag, find_topics
from egorear_ros.calibration.boards import Board
from egorear_ros.calibration.detection import BoardDetector
from egorear_ros.calibration.errors import CalibrationError
from egorear_ros.calibration.folders import Progress, check_names, moments_by_time
from egorear_ros.calibration.pictures import Picture, Pictures
from egorear_ros.data.jpeg import images_of
from egorear_ros.rig import VIEWS

RATE_HZ = 10.0
"""Enough to follow a board in a hand; more pictures cost time and tell little."""
MOST_PICTURES = 200
"""Per camera; of longer bags, stretches spread over the whole are taken."""
STRETCH_S = 2.0
TOPIC = re.compile(r"/([^/]+)/image_raw(/compressed)?$")


def is_bag(path: Path) -> bool:
    """Whether this is a bag: a file of one, or a folder with such files."""
    if path.is_dir():
        return (path / "metadata.yaml").is_file() or any(path.glob("*.mcap")) or any(path.glob("*.db3"))
    return path.suffix in {".mcap", ".db3"}


def pictures_of_bag(
    board: Board, path: Path, names: Sequence[str] = (), progress: Progress = lambda camera, done, total: None
) -> Pictures:
    """Find the board in the images of a bag, at most 10 in a second.

    Args:
        board: what was shown.
        path: the bag.
        names: of the cameras, as in the topics `.../<name>/image_raw`; empty to take all.
        progress: called for every picture.

    Raises:
        EgorearError: no bag, none of these images in it, or an image that cannot be decoded.
    """
    with Bag(path) as bag:
        topics = find_topics(bag, names or _cameras(bag)).images
        missing = [name for name in names if name not in topics]
        if missing:
            raise CalibrationError(f"bag '{path}' has no images of '{missing[0]}'; it has {', '.join(topics)}")
        camera_of = {topic: camera for camera, topic in topics.items()}
        seconds = max((bag.end_ns - bag.start_ns) / 1e9, 1e-9)
        step = {t: max(1, round(bag.counts[t] / seconds / RATE_HZ)) for t in camera_of}
        every = max(1, math.ceil(max(bag.counts[t] / step[t] for t in camera_of) / MOST_PICTURES))
        total = {t: math.ceil(bag.counts[t] / step[t] / every) for t in camera_of}
        detector, start_ns = BoardDetector(board), -1
        seen: dict[str, int] = dict.fromkeys(camera_of, 0)
        found: dict[str, list[Picture]] = {camera: [] for camera in topics}
        for topic, time_ns, message in bag.messages(camera_of):
            number, seen[topic] = seen[topic], seen[topic] + 1
            stretch = int((time_ns - bag.start_ns) / 1e9 / STRETCH_S)
            if number % step[topic] or stretch % every:
                continue
            camera = camera_of[topic]
            frame = camera_frame_from_message(camera, message)
            start_ns = frame.stamp_ns if start_ns < 0 else start_ns
            time_s = (frame.stamp_ns - start_ns) / 1e9
            image = images_of([frame])[camera]
            found[camera].append(Picture.of(image, f"image {number} of {topic}", None, time_s, detector))
            progress(camera, len(found[camera]), max(total[topic], len(found[camera])))
    return with_moments(Pictures(found))


def with_moments(pictures: Pictures) -> Pictures:
    """The same with moments by the pictures' times, which all have."""
    times = {camera: np.array([p.time_s for p in taken], float) for camera, taken in pictures.of.items()}
    moments = moments_by_time(times)
    return Pictures(
        {
            camera: [replace(p, moment=number) for p, number in zip(taken, moments[camera], strict=True)]
            for camera, taken in pictures.of.items()
        }
    )


def _cameras(bag: Bag) -> list[str]:
    """Names in the topics of images, the views of a helmet first."""
    matches = [TOPIC.search(topic) for topic, kind in bag.topics.items() if kind in {IMAGE, COMPRESSED_IMAGE}]
    names = sorted({match[1] for match in matches if match})
    if not names:
        raise CalibrationError(
            f"bag '{bag.path}' has no images (topics <camera>/image_raw or <camera>/image_raw/compressed); it has "
            f"{', '.join(sorted(bag.topics))}"
        )
    check_names(names)
    return [*(view for view in VIEWS if view in names), *(name for name in names if name not in VIEWS)]
