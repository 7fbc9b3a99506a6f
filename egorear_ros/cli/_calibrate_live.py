"""The live view of `egorear calibrate`: reads cameras, shows what is missing, keeps pictures."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path

import cv2
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from egorear_ros.calibration import Board, CalibrationError, Pictures
from egorear_ros.calibration.live import LiveSession
from egorear_ros.capture import CapturedFrame, CaptureOptions, FrameSource, SilentSourceError
from egorear_ros.capture.video import open_video
from egorear_ros.errors import EgorearError
from egorear_ros.result_file import write_whole

LOOK_S = 0.3
"""Between two looks at all cameras: a board must rest so long to be taken."""
TOGETHER_S = 0.2
"""Frames further apart are not of one moment, although the board rests."""


class Reader:
    """Reads one camera in a thread of its own and holds its newest frame."""

    def __init__(self, name: str, uri: str, options: CaptureOptions) -> None:
        self._source: FrameSource = open_video(uri, name, options)
        self._ended = threading.Event()
        self.frame: CapturedFrame | None = None
        self.error: EgorearError | None = None
        self._thread = threading.Thread(target=self._read, daemon=True, name=f"camera {name}")
        self._thread.start()

    def close(self) -> None:
        """Stop reading."""
        self._ended.set()
        self._thread.join(timeout=2.0)
        self._source.close()

    def _read(self) -> None:
        while not self._ended.is_set():
            try:
                self.frame = self._source.read()
            except SilentSourceError:
                self.frame = None
            except EgorearError as error:
                self.error = error
                return


def collect(
    board: Board,
    sources: Mapping[str, str],
    capture: CaptureOptions,
    keep: Path | None,
    console: Console,
    seconds: float | None = None,
) -> Pictures:
    """Watch the cameras until enough was seen, or until Ctrl-C.

    Args:
        board: what is shown.
        sources: camera -> device, stream or files.
        capture: what to ask devices for.
        keep: folder for the pictures that are kept, one folder per camera; None to keep them in memory only.
        console: where the view is drawn.
        seconds: end after this time.

    Raises:
        EgorearError: a camera cannot be opened or has stopped.
    """
    session, readers = LiveSession(board, list(sources)), dict[str, Reader]()
    end = None if seconds is None else time.monotonic() + seconds
    try:
        for name, uri in sources.items():
            readers[name] = Reader(name, uri, capture)
        with Live(console=console, refresh_per_second=4) as view:
            while session.missing and (end is None or time.monotonic() < end):
                time.sleep(LOOK_S)
                frames = _newest(readers)
                for name in session.offer(frames):
                    _keep(keep, name, session.moment - 1, frames[name])
                view.update(_view(session))
    except KeyboardInterrupt:
        console.print("calibrating with what was seen")
    finally:
        for reader in readers.values():
            reader.close()
    if not session.moment:
        raise CalibrationError("no camera saw the board at rest; is --board right, and is there enough light?")
    return session.pictures


def _newest(readers: Mapping[str, Reader]) -> dict[str, CapturedFrame]:
    for reader in readers.values():
        if reader.error is not None:
            raise reader.error
    frames = {name: reader.frame for name, reader in readers.items() if reader.frame is not None}
    newest = max((frame.stamp_ns for frame in frames.values()), default=0)
    return {name: frame for name, frame in frames.items() if newest - frame.stamp_ns <= TOGETHER_S * 1e9}


def _keep(folder: Path | None, camera: str, moment: int, frame: CapturedFrame) -> None:
    if folder is None:
        return
    (folder / camera).mkdir(parents=True, exist_ok=True)
    done, data = cv2.imencode(".png", cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR))
    if done:
        write_whole(folder / camera / f"{moment:05d}.png", data.tobytes())


def _view(session: LiveSession) -> Group:
    legend = "# seen  + begun  . nothing yet;  hold the board still to have it taken;  Ctrl-C to end and calibrate"
    todo = [Text(line) for line in session.missing] or [Text("enough was seen")]
    return Group(*(Text(line) for line in session.lines()), Text(""), *todo, Text(legend, style="dim"))
