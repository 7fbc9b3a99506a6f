"""Sources: recordings play in step by the wall clock, in a loop; what cannot be opened is named."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from egorear_ros.capture import LoopClock, SourceError, open_source, open_truth
from egorear_ros.capture.recorded import ClipSource, ClipTruth
from egorear_ros.capture.video import RecordedVideo
from egorear_ros.data.rig_clip import RigClip, RigClipWriter
from egorear_ros.rig import VIEWS, load_rig

RIG = load_rig("ego4view")
SECOND = 1_000_000_000


class FakeTime:
    """A wall clock that moves only when somebody sleeps."""

    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns

    def clock(self, duration_ns: int) -> LoopClock:
        return LoopClock(duration_ns, lambda: self.now_ns, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now_ns += round(seconds * SECOND)


@pytest.fixture
def frames(tmp_path: Path) -> str:
    for index in range(5):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.full((8, 8, 3), 10 * index, np.uint8))
    return str(tmp_path / "%d.png")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    folder = tmp_path / "clip"
    with RigClipWriter(folder, RIG, (64, 64), 10.0) as writer:
        for frame in range(4):
            images = np.full((4, 64, 64, 3), 60 * frame, np.uint8)
            stamps = tuple(7 + frame * SECOND // 10 + view * 1000 for view in range(4))
            writer.write(images, stamps, {"joints_device_m": np.full((16, 3), frame, np.float32)})
    return folder


def test_a_recording_plays_at_its_rate_in_a_loop(frames: str) -> None:
    time = FakeTime(1000 * SECOND)
    source = RecordedVideo(frames, "front_left", 10.0, time.clock)
    shown = [source.read() for _ in range(12)]
    stamps = [frame.stamp_ns for frame in shown]
    assert np.diff(stamps).tolist() == [SECOND // 10] * 11
    values = [int(frame.image[0, 0, 0]) for frame in shown]
    assert values == [0, 10, 20, 30, 40] * 2 + [0, 10]
    assert time.now_ns == stamps[-1], "it waited until the last frame was due, and no longer"


def test_late_comers_join_in_step(frames: str) -> None:
    """A camera node that starts later shows the same frame at the same stamp."""
    early, late = FakeTime(1000 * SECOND), FakeTime(1000 * SECOND + SECOND // 4)
    first = RecordedVideo(frames, "front_left", 10.0, early.clock)
    second = RecordedVideo(frames, "front_right", 10.0, late.clock)
    by_stamp = {frame.stamp_ns: frame.image for frame in (first.read() for _ in range(10))}
    for frame in (second.read() for _ in range(5)):
        np.testing.assert_array_equal(frame.image, by_stamp[frame.stamp_ns])


def test_clip_views_and_truth_agree_and_keep_their_skew(clip: Path) -> None:
    time = FakeTime(500 * SECOND)
    reader = RigClip(clip)
    sources = [ClipSource(reader, view, time.clock) for view in VIEWS]
    truth = ClipTruth(str(clip), time.clock)
    for frame in range(9):
        shown = [source.read() for source in sources]
        skeleton = truth.read()
        stamps = [image.stamp_ns for image in shown]
        assert [stamp - stamps[0] for stamp in stamps] == [0, 1000, 2000, 3000]
        assert skeleton.stamp_ns == stamps[0]
        assert (skeleton.positions_m == frame % 4).all()
        assert abs(int(shown[0].image[32, 32, 0]) - 60 * (frame % 4)) <= 4


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("", "camera 'rear_left' has no source"),
        ("/nowhere.mp4", "no such device, and no video file"),
        ("clip:/nowhere", "is not a rig clip"),
        ("sim:abc", "needs a whole number as its seed"),
        ("99", "cannot be opened; is it connected"),
    ],
)
def test_what_cannot_be_opened_is_named(uri: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        open_source(uri, "rear_left", RIG)


def test_a_clip_without_the_view_or_truth(clip: Path) -> None:
    with pytest.raises(SourceError, match="camera 'top': clip"):
        open_source(f"clip:{clip}", "top", RIG)
    with pytest.raises(SourceError, match="has no ground truth"):
        open_truth("0", RIG)


def test_a_truncated_video_is_reported_not_looped_silently(tmp_path: Path) -> None:
    path = tmp_path / "broken.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 64))
    for value in range(10):
        writer.write(np.full((64, 64, 3), value, np.uint8))
    writer.release()
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(SourceError):
        source = open_source(str(path), "front_left", RIG)
        for _ in range(10):
            source.read()
