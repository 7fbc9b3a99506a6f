"""Frames of files at their own times: videos of uneven rate, folders, globs and patterns of images; silent streams."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from egorear_ros.capture import CaptureOptions, SilentSourceError, SourceError, open_source
from egorear_ros.capture.frame_files import open_frame_files
from egorear_ros.capture.video import RecordedVideo, is_live, shared_loop
from egorear_ros.graph.description import GraphOptions, build_graph
from egorear_ros.rig import load_rig
from test.capture.test_sources import SECOND, FakeTime, number, write_video

RIG = load_rig("ego4view")
FRAMES, RATE_HZ = 24, 12


def box(data: bytes, path: list[bytes]) -> tuple[int, int]:
    """Place and size of a box of an MP4 file."""
    start, end, place = 0, len(data), (0, 0)
    for name in path:
        at = start
        while data[at + 4 : at + 8] != name:
            at += struct.unpack(">I", data[at : at + 4])[0]
            assert at < end
        place = (at, struct.unpack(">I", data[at : at + 4])[0])
        start, end = at + 8, at + place[1]
    return place


def uneven_video(path: Path) -> str:
    """A video whose first half runs at twice the speed, its second half at two thirds: `stts` is written anew."""
    data = bytearray(Path(write_video(path, FRAMES, RATE_HZ)).read_bytes())
    names = [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts"]
    at, size = box(bytes(data), names)
    count, delta = struct.unpack(">II", data[at + 16 : at + 24])
    half = count // 2
    table = struct.pack(">I4sIIIIII", 32, b"stts", 0, 2, half, delta // 2, count - half, delta + delta // 2)
    for depth in range(1, len(names)):
        outer, outer_size = box(bytes(data), names[:depth])
        data[outer : outer + 4] = struct.pack(">I", outer_size + len(table) - size)
    data[at : at + size] = table
    path.write_bytes(data)
    return str(path)


def uneven_times_s() -> np.ndarray:
    period = 1 / RATE_HZ
    steps = [period / 2] * (FRAMES // 2) + [1.5 * period] * (FRAMES // 2 - 1)
    return np.concatenate([[0], np.cumsum(steps)])


def test_a_video_of_uneven_rate_plays_by_its_presentation_times(tmp_path: Path) -> None:
    uri = uneven_video(tmp_path / "uneven.mp4")
    files = open_frame_files(uri, "x")
    np.testing.assert_allclose(files.times_ns / SECOND, uneven_times_s(), atol=1e-3)
    duration_ns = int(files.times_ns[-1]) + files.period_ns()
    clock = FakeTime(1000 * duration_ns)
    source = RecordedVideo(uri, "front_left", CaptureOptions(), clock.clock)
    shown = [source.read() for _ in range(2 * FRAMES)]
    for frame, image in zip(shown, in_order(uri) * 2, strict=True):
        np.testing.assert_array_equal(frame.image, image)
    assert not source.remark
    for begun in (0, FRAMES):
        stamps = [frame.stamp_ns - shown[begun].stamp_ns for frame in shown[begun : begun + FRAMES]]
        np.testing.assert_allclose(np.array(stamps) / SECOND, uneven_times_s(), atol=1e-3)
    assert shown[FRAMES].stamp_ns - shown[0].stamp_ns == duration_ns


def in_order(uri: str) -> list[np.ndarray]:
    """Every frame of a video, read by OpenCV without jumps; all differ."""
    capture, found = cv2.VideoCapture(uri), []
    while (answer := capture.read())[0]:
        found.append(cv2.cvtColor(answer[1], cv2.COLOR_BGR2RGB))
    assert len(found) == FRAMES and all((a != b).any() for a, b in pairwise(found))
    return found


@pytest.mark.parametrize("late", [1, 7, 11, 13, 20])
def test_who_joins_a_video_of_uneven_rate_sees_what_is_due(tmp_path: Path, late: int) -> None:
    uri = uneven_video(tmp_path / "uneven.mp4")
    files = open_frame_files(uri, "x")
    duration_ns = int(files.times_ns[-1]) + files.period_ns()
    clock = FakeTime(1000 * duration_ns + int(files.times_ns[late]) - 1000)
    frame = RecordedVideo(uri, "front_left", CaptureOptions(), clock.clock).read()
    assert frame.stamp_ns == 1000 * duration_ns + int(files.times_ns[late])
    np.testing.assert_array_equal(frame.image, in_order(uri)[late])


def test_videos_of_uneven_rates_share_the_shortest_duration(tmp_path: Path) -> None:
    uneven, even = uneven_video(tmp_path / "a.mp4"), write_video(tmp_path / "b.mp4", 18, RATE_HZ)
    assert shared_loop([uneven, even]) == {"loop_seconds": pytest.approx(18 / RATE_HZ, abs=1e-6)}
    sources = [
        RecordedVideo(uri, "front_left", CaptureOptions(loop_s=1.5), FakeTime(1500 * SECOND).clock)
        for uri in (uneven, even)
    ]
    rounds = [{source.read().stamp_ns // (3 * SECOND // 2) for _ in range(40)} for source in sources]
    assert min(rounds[0]) == min(rounds[1]) == 1000
    assert [len([t for t in uneven_times_s() if t < 1.5]), 18] == [source._frames for source in sources]


def images(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for value, name in enumerate(names):
        cv2.imwrite(str(folder / name), np.full((8, 8, 3), 6 * value, np.uint8))


@pytest.mark.parametrize("uri", ["{}", "{}/", "{}/*.png", "{}/frame%d.png", "{}/frame[0-9]*.png"])
def test_folders_globs_and_patterns_play_in_natural_order(tmp_path: Path, uri: str) -> None:
    images(tmp_path / "walk", [f"frame{index}.png" for index in range(12)])
    (tmp_path / "walk" / "notes.txt").write_text("no image")
    uri = uri.format(tmp_path / "walk")
    assert not is_live(uri)
    source = RecordedVideo(uri, "front_left", CaptureOptions(rate_hz=10.0), FakeTime(1200 * SECOND).clock)
    shown = [source.read() for _ in range(24)]
    assert [number(frame.image) for frame in shown] == [*range(12)] * 2
    assert np.diff([frame.stamp_ns for frame in shown]).tolist() == [SECOND // 10] * 23


def test_the_rate_of_images(tmp_path: Path) -> None:
    images(tmp_path / "walk", [f"{index}.jpg" for index in range(4)])
    assert np.diff(open_frame_files(str(tmp_path / "walk"), "x").times_ns).tolist() == [33_333_333] * 3
    assert np.diff(open_frame_files(f"{tmp_path}/walk?fps=4", "x").times_ns).tolist() == [SECOND // 4] * 3
    assert np.diff(open_frame_files(f"{tmp_path}/walk/*.jpg?fps=4", "x").times_ns).tolist() == [SECOND // 4] * 3


@pytest.mark.parametrize(
    "names",
    [
        ["1700000000000000000", "1700000000050000000", "1700000000200000000"],
        ["1700000000000000", "1700000000050000", "1700000000200000"],
        ["1700000000.0", "1700000000.05", "1700000000.2"],
    ],
)
def test_images_named_after_their_stamps(tmp_path: Path, names: list[str]) -> None:
    images(tmp_path / "a", [f"{name}.png" for name in names])
    images(tmp_path / "b", [f"{1_700_000_000_002_000_000 + ms * 1_000_000}.png" for ms in (0, 50, 200)])
    files = open_frame_files(str(tmp_path / "a"), "x")
    assert files.has_stamps and np.diff(files.times_ns).tolist() == [50_000_000, 150_000_000]
    loop = shared_loop([str(tmp_path / "a"), str(tmp_path / "b")])
    assert loop["loop_start"] == 1_700_000_000_000_000_000
    options = CaptureOptions(loop_s=loop["loop_seconds"], loop_start_ns=int(loop["loop_start"]))
    round_ns = round(loop["loop_seconds"] * SECOND)
    first, second = (
        RecordedVideo(str(tmp_path / name), "front_left", options, FakeTime(1000 * round_ns).clock) for name in "ab"
    )
    for _ in range(6):
        assert second.read().stamp_ns - first.read().stamp_ns == 2_000_000  # the skew that was recorded


def test_an_exif_orientation_of_a_file_is_ignored(tmp_path: Path) -> None:
    image = Image.fromarray(np.arange(8 * 16 * 3, dtype=np.uint8).reshape(8, 16, 3))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "1.jpg", exif=exif)
    assert open_frame_files(str(tmp_path), "x").read().shape == (8, 16, 3)
    assert open_frame_files(f"{tmp_path}/%d.jpg", "x").read().shape == (8, 16, 3)


def test_a_folder_without_images_and_an_image_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="no image there"):
        open_source(str(tmp_path / "empty"), "front_left", RIG)
    (tmp_path / "empty" / "1.png").write_bytes(b"no image")
    source = open_source(str(tmp_path / "empty"), "front_left", RIG)
    with pytest.raises(SourceError, match=r"1\.png' cannot be read"):
        source.read()


def test_one_folder_with_a_folder_per_view(tmp_path: Path) -> None:
    for view in RIG.names:
        images(tmp_path / view, ["1.png", "2.png"])
    specs = build_graph(GraphOptions(source=f"{tmp_path}?fps=5"))
    cameras = [spec.parameters for spec in specs if spec.kind == "camera_node"]
    assert [camera["source"] for camera in cameras] == [f"{tmp_path / view}?fps=5" for view in RIG.names]
    assert [camera["loop_frames"] for camera in cameras] == [2] * 4


@pytest.fixture
def silent_server() -> Iterator[int]:
    """Port of a server on this machine that accepts connections and says nothing."""
    accepted: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        ended = threading.Event()

        def accept() -> None:
            while not ended.is_set():
                try:
                    accepted.append(server.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()[1]
        ended.set()
        thread.join()
        for connection in accepted:
            connection.close()


def test_a_stream_that_says_nothing_is_named_and_does_not_hold_up(silent_server: int) -> None:
    begun = time.monotonic()
    source = open_source(f"rtsp://127.0.0.1:{silent_server}/live", "rear_left", RIG)
    with pytest.raises(
        SilentSourceError, match=r"camera 'rear_left', source 'rtsp://.* has sent nothing for 0\."
    ) as it:
        source.read()
    assert it.value.silent_s < 1
    source.close()
    assert time.monotonic() - begun < 3


def test_a_stream_that_nobody_serves_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    source = open_source(f"rtsp://127.0.0.1:{port}/live", "rear_left", RIG)
    with pytest.raises(SourceError, match="cannot be opened; is it connected"):
        for _ in range(20):
            try:
                source.read()
            except SilentSourceError:
                continue
