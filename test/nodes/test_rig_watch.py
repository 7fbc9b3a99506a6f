"""The rig check beside the inference: what the node's health is told, and when."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from egorear_ros.data.rig_clip import RigClip
from egorear_ros.datatypes import CameraFrame, FrameSet
from egorear_ros.resources import find
from egorear_ros.rig import DEVICE_FRAME, load_rig

pytest.importorskip("rclpy")
from egorear_ros.nodes.rig_watch import RigWatch

Images = dict[str, NDArray[np.uint8]]


class Told:
    """Stands in for `Health`: keeps what it is told."""

    def __init__(self) -> None:
        self.standing: list[tuple[str, str]] = []
        self.errors: list[str] = []

    def stand(self, kind: str, message: str, is_error: bool) -> None:
        assert not is_error
        self.standing.append((kind, message))

    def caught(self, kind: str, error: Exception, who: str = "") -> None:
        self.errors.append(f"{kind}: {error}")


@pytest.fixture
def watch() -> Iterator[tuple[RigWatch, Told]]:
    told: Any = Told()
    watch = RigWatch(told)
    watch.use(load_rig("ego4view"))
    yield watch, told
    watch.close()


@pytest.fixture(scope="module")
def images() -> Images:
    clip = RigClip(find("assets/demo_clip"))
    return dict(zip(clip.info.views, clip.frame(0), strict=True))


def frame_set(images: Images, second: int) -> FrameSet:
    stamp_ns = second * 1_000_000_000
    frames = tuple(CameraFrame(view, stamp_ns, image) for view, image in images.items())
    return FrameSet(stamp_ns, frames, 0.0, DEVICE_FRAME)


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_fault_is_said_once_and_so_is_its_end(watch: tuple[RigWatch, Told], images: Images) -> None:
    watching, told = watch
    mixed = {**images, "front_left": images["front_right"], "front_right": images["front_left"]}
    assert watching.describe() == "has not looked yet"
    for second in (1, 4, 30):
        watching.offer(frame_set(mixed, second), ())
        until(lambda second=second: not watching.is_due(second * 1_000_000_000))
    ((kind, text),) = told.standing
    assert text.startswith("front_left and front_right look exchanged")
    assert watching.describe() == text
    for second in (60, 63, 90, 93, 120):
        watching.offer(frame_set(images, second), ())
        until(lambda second=second: not watching.is_due(second * 1_000_000_000))
    assert told.standing[1:] == [(kind, "")]
    assert "fit the rig file" in watching.describe()
    assert told.errors == []


def test_images_the_network_could_not_use_are_not_looked_at(watch: tuple[RigWatch, Told], images: Images) -> None:
    watching, told = watch
    watching.offer(frame_set(images, 1), ("front_left", "rear_left", "rear_right"))
    time.sleep(0.1)
    assert watching.describe() == "has not looked yet"
    watching.use(None)
    watching.offer(frame_set(images, 2), ())
    assert watching.describe() == "off"
    assert told.standing == []
