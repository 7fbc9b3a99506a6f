"""Recorded rig clips and the simulated helmet as cameras, with their ground truth.

All cameras show the same moment at the same wall time, in one process or in several, because each computes from the
wall clock alone which frame is due. Stamps are those of the recording, moved to the round that is being played. Who
reads too slowly skips to what is due.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from egorear_ros.capture.clock import NANOSECONDS, LoopClock
from egorear_ros.capture.source import CapturedFrame, FrameSource, NoTruthError, SourceError, TruthSource
from egorear_ros.data.rig_clip import RigClip, truth_skeleton
from egorear_ros.datatypes import Skeleton
from egorear_ros.errors import EgorearError
from egorear_ros.rig import Rig

SIMULATED_RATE_HZ = 10.0
SIMULATED_SIZE_PX = 256


def open_clip(folder: str, view: str) -> ClipSource:
    """Open one view of a rig clip.

    Raises:
        SourceError: no clip there, or it lacks the view.
    """
    try:
        clip = RigClip(folder)
    except EgorearError as error:
        raise SourceError(f"camera '{view}': {error}") from error
    if view not in clip.info.views:
        raise SourceError(f"camera '{view}': clip '{folder}' has {', '.join(clip.info.views)}")
    return ClipSource(clip, view)


class ClipPlayer:
    """Decides which frame of a clip is due when.

    Args:
        clip: what is played; all its players have rounds of the same length, whatever the views' skews.
        stamps_ns: (T,) stamps of the frames to play: of one view, or the earliest of all.
        clock_of: makes the clock for a round's length.

    Attributes:
        skipped_ns: time of the recording left out before the frame given last.
    """

    def __init__(self, clip: RigClip, stamps_ns: npt.NDArray[np.int64], clock_of: Callable[[int], LoopClock]) -> None:
        period_ns = round(NANOSECONDS / clip.info.fps)
        start_ns, end_ns = int(clip.stamps_ns.min()), int(clip.stamps_ns.max())
        self._offsets = stamps_ns - start_ns
        self._clock = clock_of(end_ns - start_ns + period_ns)
        self._round_ns = self._index = self.skipped_ns = 0
        self._join(self._clock.wall_ns())

    def next(self) -> tuple[int, int]:
        """Wait for the next frame's time; returns its index and the stamp it has in this round."""
        stamp_ns, self.skipped_ns = self._stamp_ns(), 0
        if self._clock.is_late(stamp_ns):
            self._join(self._clock.rejoin_ns())
            self.skipped_ns = self._stamp_ns() - stamp_ns
            stamp_ns = self._stamp_ns()
        self._clock.wait_until(stamp_ns)
        self._index += 1
        return self._index - 1, stamp_ns

    def _join(self, at_ns: int) -> None:
        """Go to the first frame due at or after a wall time."""
        self._round_ns = self._clock.round_start_ns(at_ns)
        self._index = int(np.searchsorted(self._offsets, at_ns - self._round_ns))

    def _stamp_ns(self) -> int:
        """Stamp of the next frame; begins the next round where this one has no more."""
        if self._index >= len(self._offsets):
            self._index, self._round_ns = 0, self._round_ns + self._clock.duration_ns
        return self._round_ns + int(self._offsets[self._index])


class ClipSource(FrameSource):
    """One view of a rig clip."""

    def __init__(self, clip: RigClip, view: str, clock_of: Callable[[int], LoopClock] = LoopClock) -> None:
        self._clip, self._view = clip, view
        self._player = ClipPlayer(clip, clip.stamps_ns[:, clip.info.views.index(view)], clock_of)

    def read(self) -> CapturedFrame:
        """See `FrameSource.read`."""
        index, stamp_ns = self._player.next()
        try:
            return CapturedFrame(stamp_ns, self._clip.view(self._view, index), self._player.skipped_ns)
        except EgorearError as error:
            raise SourceError(f"camera '{self._view}': {error}") from error


class ClipTruth(TruthSource):
    """Ground truth of a clip, in step with its cameras."""

    def __init__(self, folder: str, clock_of: Callable[[int], LoopClock] = LoopClock) -> None:
        clip = RigClip(folder)
        if "joints_device_m" not in clip.ground_truth:
            raise NoTruthError(f"clip '{folder}' has no ground truth")
        self._joints = clip.ground_truth["joints_device_m"]
        self._player = ClipPlayer(clip, clip.stamps_ns.min(axis=1), clock_of)

    def read(self) -> Skeleton:
        """See `TruthSource.read`."""
        index, stamp_ns = self._player.next()
        return truth_skeleton(self._joints[index], stamp_ns)


class SharedSimulator:
    """One simulated helmet for all cameras of a process: the first to ask for a moment renders it for all."""

    def __init__(self, seed: int, rig: Rig, rate_hz: float) -> None:
        from egorear_ros.simulator.live import LiveSource
        from egorear_ros.simulator.settings import SimulatorSettings

        self.period_ns = round(NANOSECONDS / rate_hz)
        self._live = LiveSource(SimulatorSettings(rig=rig, size_px=SIMULATED_SIZE_PX, seed=seed, fps=rate_hz))
        self._lock = threading.Lock()
        self._frame = lru_cache(maxsize=4)(self._render)

    def frame(self, number: int) -> tuple[npt.NDArray[np.uint8], Skeleton]:
        """Images (V, H, W, 3) of frame `number` and its truth, whose stamp is that of the frame."""
        with self._lock:
            return self._frame(number)

    def _render(self, number: int) -> tuple[npt.NDArray[np.uint8], Skeleton]:
        frame = self._live.frame_at(number * self.period_ns / NANOSECONDS)
        return frame.images, truth_skeleton(frame.truth.joints_device_m, number * self.period_ns)


_simulators: dict[tuple[int, str, float], SharedSimulator] = {}
_simulators_lock = threading.Lock()


def shared_simulator(seed: int, rig: Rig, rate_hz: float) -> SharedSimulator:
    """The process's simulator for these arguments."""
    with _simulators_lock:
        key = (seed, rig.name, rate_hz)
        if key not in _simulators:
            _simulators[key] = SharedSimulator(seed, rig, rate_hz)
        return _simulators[key]


def open_simulator(seed: str, view: str, rig: Rig, rate_hz: float) -> SimulatorSource:
    """Open one view of the simulated helmet.

    Raises:
        SourceError: the seed is not a number.
    """
    return SimulatorSource(shared_simulator(_seed(seed), rig, rate_hz or SIMULATED_RATE_HZ), rig.names.index(view))


def open_simulator_truth(seed: str, rig: Rig, rate_hz: float) -> SimulatorTruth:
    """Open the ground truth of the simulated helmet.

    Raises:
        SourceError: the seed is not a number.
    """
    return SimulatorTruth(shared_simulator(_seed(seed), rig, rate_hz or SIMULATED_RATE_HZ))


class SimulatorSource(FrameSource):
    """One view of the simulated helmet."""

    def __init__(self, simulator: SharedSimulator, index: int) -> None:
        self._simulator, self._index = simulator, index
        self._player = SimulatorPlayer(simulator.period_ns)

    def read(self) -> CapturedFrame:
        """See `FrameSource.read`."""
        number, stamp_ns = self._player.next()
        return CapturedFrame(stamp_ns, self._simulator.frame(number)[0][self._index])


class SimulatorTruth(TruthSource):
    """Ground truth of the simulated helmet."""

    def __init__(self, simulator: SharedSimulator) -> None:
        self._simulator = simulator
        self._player = SimulatorPlayer(simulator.period_ns)

    def read(self) -> Skeleton:
        """See `TruthSource.read`."""
        return self._simulator.frame(self._player.next()[0])[1]


class SimulatorPlayer:
    """Decides which simulated frame is due: the newest; those the machine is too slow for are skipped."""

    def __init__(self, period_ns: int) -> None:
        self._period_ns, self._clock = period_ns, LoopClock(period_ns)
        self._number = self._clock.wall_ns() // period_ns

    def next(self) -> tuple[int, int]:
        """Wait for the next frame's time; returns its number and its stamp."""
        self._number = max(self._number + 1, self._clock.wall_ns() // self._period_ns)
        stamp_ns = self._number * self._period_ns
        self._clock.wait_until(stamp_ns)
        return self._number, stamp_ns


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise SourceError(f"source 'sim:{text}' needs a whole number as its seed, for example sim:0")
    return int(text)
