"""The browser view: who can reach it, and that it sends no more than a browser can draw."""

from __future__ import annotations

import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import rerun.blueprint as rrb

from egorear_ros.datatypes import CameraFrame, FrameSet
from egorear_ros.errors import EgorearError
from egorear_ros.rig import load_rig
from egorear_ros.visualization import rerun_view
from egorear_ros.visualization.latest_jobs import LatestJobs
from egorear_ros.visualization.rerun_server import open_to_all
from egorear_ros.visualization.rerun_view import DATA_PORT_ABOVE, DRAWN_PX, PERSON, RerunView
from egorear_ros.visualization.tcp_backlog import backlog_bytes

from .test_avatar import poses


def free_port() -> int:
    """One whose data port is free, too."""
    for port in range(20000, 60000, 37):
        try:
            for each in (port, port + DATA_PORT_ABOVE):
                with socket.create_server(("127.0.0.1", each)):
                    pass
        except OSError:
            continue
        return port
    raise AssertionError("no free port")


def listening(port: int) -> set[str]:
    """Addresses of the kernel's table of listening sockets, as hexadecimal."""
    lines = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()]
    return {line[1].partition(":")[0] for line in lines if line[1].endswith(f":{port:04X}") and line[3] == "0A"}


def test_both_ports_listen_on_loopback_alone_and_end_with_it() -> None:
    view, port = RerunView(load_rig("ego4view")), free_port()
    address = view.serve(port, open_browser=False)
    try:
        assert address.startswith(f"http://localhost:{port}/?url=rerun")
        assert urllib.request.urlopen(f"http://127.0.0.1:{port}/").status == 200
        for each in (port, port + DATA_PORT_ABOVE):
            assert listening(each) == {"0100007F"}, "127.0.0.1 in the kernel's byte order"
        with pytest.raises(EgorearError, match="cannot listen on"):
            RerunView(load_rig("ego4view")).serve(port, open_browser=False)
    finally:
        view.close()
    assert not listening(port) and not listening(port + DATA_PORT_ABOVE)


def test_opening_it_is_said() -> None:
    assert not open_to_all("127.0.0.1", 9090)
    assert "everybody who reaches port 9090" in open_to_all("0.0.0.0", 9090)


class AtOnce:
    """In place of the thread that sends."""

    def put(self, kind: str, job: Callable[[], None]) -> None:
        job()


def sent_images(monkeypatch: pytest.MonkeyPatch, backlog: int) -> list[Any]:
    """Images of one camera that are sent in 10 s at 30 Hz, while so many bytes wait for a browser."""
    rig, now = load_rig("ego4view"), [100.0]
    view, sent = RerunView(rig), []
    monkeypatch.setattr(rerun_view.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(view, "_server", SimpleNamespace(backlog_bytes=lambda: backlog))
    monkeypatch.setattr(view, "_jobs", AtOnce())
    monkeypatch.setattr(view._recording, "log", lambda entity, *items, **_: sent.append((entity, items)))
    image = np.zeros((872, 872, 3), np.uint8)
    for k in range(300):
        frames = tuple(CameraFrame(name, k + 1, image) for name in rig.names)
        view.show_frame_set(FrameSet(k + 1, frames, 0.0, "device"))
        now[0] += 1 / 30
    return [items[0] for entity, items in sent if entity == "cameras/front_left/image"]


def test_a_browser_that_has_stopped_gets_hardly_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 4 <= len(sent_images(monkeypatch, 10**6)) <= 6


def test_what_a_reader_leaves_in_its_connection_is_known() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert backlog_bytes(port) == 0
        with socket.create_connection(("127.0.0.1", port)) as reader, server.accept()[0] as writer:
            writer.sendall(bytes(50_000))
            deadline = time.monotonic() + 10
            while backlog_bytes(port) != 50_000:  # what is not yet acknowledged counts on both sides
                assert time.monotonic() < deadline
                time.sleep(0.01)
            while backlog_bytes(port):
                reader.recv(65536)


def test_who_shows_something_is_never_held_up() -> None:
    hung, done = threading.Event(), list[int]()
    jobs = LatestJobs("test")
    jobs.put("image", lambda: hung.wait(20) and done.append(0))
    while jobs._jobs:
        time.sleep(0.001)  # until the thread has taken it
    for number in range(1, 100):
        jobs.put("image", lambda number=number: done.append(number))  # type: ignore[misc]
    jobs.put("pose", lambda: done.append(-1))
    assert done == []
    hung.set()
    assert jobs.close() and done == [0, 99, -1], "the newest of each kind"


def test_a_browser_gets_few_and_small_images(monkeypatch: pytest.MonkeyPatch) -> None:
    images = sent_images(monkeypatch, 0)
    assert 75 <= len(images) <= 101
    data = bytes(images[0].blob.as_arrow_array().to_pylist()[0])
    import cv2

    assert max(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape) == DRAWN_PX


def logged(view: RerunView, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what is sent from now on."""
    sent: list[str] = []
    monkeypatch.setattr(view._recording, "log", lambda entity, *items, **_: sent.append(entity))
    return sent


@pytest.mark.parametrize(("served", "most"), [(True, 11), (False, 10)])
def test_a_person_is_sent_ten_times_per_second_at_most(
    served: bool, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To a browser by the clock, into a file by the stamps."""
    (pose, *_), now = poses(), [100.0]
    view = RerunView(load_rig("ego4view"), person=True)
    monkeypatch.setattr(rerun_view.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(view, "_server", SimpleNamespace(backlog_bytes=lambda: 0) if served else None)
    monkeypatch.setattr(view, "_jobs", AtOnce() if served else None)
    sent = logged(view, monkeypatch)
    for k in range(30):
        stamped = replace(pose, skeleton=replace(pose.skeleton, stamp_ns=10**9 + k * 33_333_333))
        view.show_person(stamped)
        now[0] += 1 / 30
    assert 7 <= sent.count(PERSON) <= most
    assert sent.count("world/helmet_link") == sent.count(PERSON), "and stands on the floor"


def test_without_a_person_nothing_of_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    view = RerunView(load_rig("ego4view"))
    sent = logged(view, monkeypatch)
    view.show_person(poses()[0])
    view._show_rig()
    assert PERSON not in sent


def test_a_newcomer_sees_the_person_first_and_the_truth_on_request() -> None:
    def tabs(truth: bool) -> list[str]:
        scene = RerunView(load_rig("ego4view"), person=True, truth=truth)._scene()
        assert isinstance(scene, rrb.Tabs)
        return [str(view.contents) for view in scene.contents if isinstance(view, rrb.Spatial3DView)]

    person, skeletons = tabs(truth=False)
    assert "- world/helmet_link/truth/**" in person
    assert f"- {PERSON}" in skeletons and "truth" not in skeletons, "the truth is among the skeletons always"
    assert "truth" not in tabs(truth=True)[0]
