"""Sources: recordings play in step by the wall clock, in a loop; what cannot be opened is named."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from egorear_ros.capture import CaptureOptions, LoopClock, SourceError, open_source, open_truth
from egorear_ros.capture.recorded import ClipSource, ClipTruth
from egorear_ros.capture.video import LiveVideo, RecordedVideo, shared_loop
from egorear_ros.data.rig_clip import RigClip, RigClipWriter
from egorear_ros.rig import VIEWS, load_rig

RIG = load_rig("ego4view")
SECOND = 1_000_000_000
RATE = CaptureOptions(rate_hz=10.0)
CODECS = {".avi": "MJPG", ".mp4": "mp4v"}


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
            stamps = tuple(7 + frame * SECOND // 10 + view * (1000 + 10 * frame) for view in range(4))
            writer.write(images, stamps, {"joints_device_m": np.full((16, 3), frame, np.float32)})
    return folder


def test_a_recording_plays_at_its_rate_in_a_loop(frames: str) -> None:
    time = FakeTime(1000 * SECOND)
    source = RecordedVideo(frames, "front_left", RATE, time.clock)
    shown = [source.read() for _ in range(12)]
    stamps = [frame.stamp_ns for frame in shown]
    assert np.diff(stamps).tolist() == [SECOND // 10] * 11
    values = [int(frame.image[0, 0, 0]) for frame in shown]
    assert values == [0, 10, 20, 30, 40] * 2 + [0, 10]
    assert time.now_ns == stamps[-1], "it waited until the last frame was due, and no longer"


def test_late_comers_join_in_step(frames: str) -> None:
    """A camera node that starts later shows the same frame at the same stamp."""
    early, late = FakeTime(1000 * SECOND), FakeTime(1000 * SECOND + SECOND // 4)
    first = RecordedVideo(frames, "front_left", RATE, early.clock)
    second = RecordedVideo(frames, "front_right", RATE, late.clock)
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
        lag = 1000 + 10 * (frame % 4)
        assert [stamp - stamps[0] for stamp in stamps] == [0, lag, 2 * lag, 3 * lag], "also in later rounds"
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


def write_video(path: Path, frames: int, rate_hz: float = 10.0) -> str:
    """A video whose frame n is a grey of about 6 n."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*CODECS[path.suffix]), rate_hz, (64, 64))
    for value in range(frames):
        writer.write(np.full((64, 64, 3), 6 * value, np.uint8))
    writer.release()
    return str(path)


def number(image: np.ndarray) -> int:
    """Which frame of `write_video` this is."""
    return round(float(image.mean()) / 6)


def test_a_video_that_is_cut_off_plays_what_is_there_and_says_so(tmp_path: Path) -> None:
    """A header that says too much must not end every round in a failure."""
    path = Path(write_video(tmp_path / "broken.avi", 40))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    source = RecordedVideo(str(path), "front_left", RATE, FakeTime(1000 * SECOND).clock)
    shown = [number(source.read().image) for _ in range(60)]
    there = max(shown) + 1
    assert 4 < there < 30 and shown == [(shown[0] + frame) % there for frame in range(60)]
    assert f"header says 40 frames, {there} can be read" in source.remark
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(SourceError, match=r"broken\.avi"):
        open_source(str(path), "front_left", RIG)


def test_videos_of_different_length_share_their_rounds(tmp_path: Path) -> None:
    """Equal stamps must mean equal instants also in the thousandth round."""
    uris = [write_video(tmp_path / f"{frames}.avi", frames) for frames in (9, 10, 8)]
    assert shared_loop([*uris, "/nowhere.avi", "0", "rtsp://nowhere"]) == {"loop_frames": 8}
    options = CaptureOptions(loop_frames=8)
    sources = [RecordedVideo(uri, "front_left", options, FakeTime(5003 * SECOND).clock) for uri in uris]
    for _ in range(20):
        shown = [source.read() for source in sources]
        assert len({frame.stamp_ns for frame in shown}) == 1
        assert len({number(frame.image) for frame in shown}) == 1
    assert "8 of 10 frames are played" in sources[1].remark and not sources[2].remark


def test_videos_of_different_rates_are_refused(tmp_path: Path) -> None:
    uris = [write_video(tmp_path / f"{rate}.avi", 5, rate) for rate in (10.0, 12.5)]
    with pytest.raises(SourceError, match=r"10\.0\.avi' 10 Hz, '.*12\.5\.avi' 12\.5 Hz"):
        shared_loop(uris)
    assert shared_loop([]) == {}


class Late(FakeTime):
    """Time that also passes while frames are read."""

    def lose(self, seconds: float) -> None:
        self.now_ns += round(seconds * SECOND)


def test_who_falls_behind_skips_to_what_is_due_in_step(tmp_path: Path, clip: Path) -> None:
    """Cameras that fall behind at about the same time go on with the same frame."""
    uri, reader = write_video(tmp_path / "walk.avi", 20), RigClip(clip)
    for make in (
        lambda clock: RecordedVideo(uri, "front_left", CaptureOptions(), clock),
        lambda clock: ClipSource(reader, "front_left", clock),
    ):
        joined = []
        for loss_s in (3601.81, 3601.97):
            time = Late(1000 * SECOND)
            source = make(time.clock)
            before = source.read()
            time.lose(0.3)
            after = source.read()
            assert after.skipped_ns == 0 and after.stamp_ns <= before.stamp_ns + SECOND // 10, (
                "a little late is no loss"
            )
            time.lose(loss_s - 0.3)
            joined.append(source.read())
            assert 0 <= time.now_ns - joined[-1].stamp_ns < 1000, "on time again"
            assert joined[-1].skipped_ns == joined[-1].stamp_ns - after.stamp_ns - SECOND // 10
        np.testing.assert_array_equal(joined[0].image, joined[1].image)
        assert joined[0].stamp_ns == joined[1].stamp_ns


@pytest.mark.parametrize("suffix", CODECS)
def test_a_jump_in_a_video_ends_at_the_right_frame(tmp_path: Path, suffix: str) -> None:
    uri = write_video(tmp_path / f"walk{suffix}", 20)
    in_order = RecordedVideo(uri, "front_left", CaptureOptions(), FakeTime(1000 * SECOND).clock)
    by_stamp = {frame.stamp_ns: frame.image for frame in (in_order.read() for _ in range(40))}
    for late in range(1, 20):
        jumped = RecordedVideo(uri, "front_left", CaptureOptions(), FakeTime(1000 * SECOND + late * SECOND // 10).clock)
        frame = jumped.read()
        np.testing.assert_array_equal(frame.image, by_stamp[frame.stamp_ns])


class StubCapture:
    """A device that takes everything it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, float]] = []

    def isOpened(self) -> bool:  # noqa: N802 (OpenCV's name)
        return True

    def set(self, what: int, value: float) -> bool:
        self.asked.append((what, value))
        return True


def test_a_device_is_asked_for_the_calibrated_size_or_the_wanted_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    """First for the pixel format: which sizes and rates there are depends on it."""
    device = StubCapture()
    monkeypatch.setattr(cv2, "VideoCapture", lambda *_: device)
    open_source("0", "front_left", RIG)
    model = RIG["front_left"].model
    size = [(cv2.CAP_PROP_FRAME_WIDTH, model.width), (cv2.CAP_PROP_FRAME_HEIGHT, model.height)]
    assert device.asked[:2] == size
    device.asked.clear()
    open_source("0", "front_left", RIG, CaptureOptions(rate_hz=30.0, width=1280, height=960, fourcc="MJPG"))
    assert device.asked == [
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
        (cv2.CAP_PROP_FRAME_WIDTH, 1280),
        (cv2.CAP_PROP_FRAME_HEIGHT, 960),
        (cv2.CAP_PROP_FPS, 30.0),
        (cv2.CAP_PROP_BUFFERSIZE, 1),
    ]
    with pytest.raises(SourceError, match="fourcc 'JPEG2' must have four letters"):
        LiveVideo("0", "front_left", device, CaptureOptions(fourcc="JPEG2"))  # type: ignore[arg-type]
