"""A live source for camera nodes: the simulated helmet at any time, the same every time it is asked."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from egorear_ros.errors import EgorearError
from egorear_ros.simulator.sampler import Simulator
from egorear_ros.simulator.sequence import Frame, Sequence
from egorear_ros.simulator.settings import SimulatorSettings


class LiveSource:
    """Frames by time: one sequence after another, without end.

    Args:
        settings: what to simulate; `fps` is the cameras' frame rate.
        sequence_s: length of each sequence.
    """

    def __init__(self, settings: SimulatorSettings, sequence_s: float = 20.0) -> None:
        self._simulator = Simulator(settings)
        self._frames = max(1, round(sequence_s * settings.fps))
        self._sequence = lru_cache(maxsize=2)(self._make)

    @property
    def fps(self) -> float:
        """Frames per second."""
        return self._simulator.settings.fps

    def frame_at(self, time_s: float) -> Frame:
        """The latest frame at `time_s` since the start; its stamp is counted from the start, too.

        Raises:
            EgorearError: the time is negative.
        """
        if time_s < 0:
            raise EgorearError(f"the simulated helmet starts at 0 s, asked for {time_s} s")
        number = int(time_s * self.fps + 1e-6)
        index, i = divmod(number, self._frames)
        frame = self._sequence(index).frame(i)
        return replace(frame, truth=replace(frame.truth, stamp_ns=round(number / self.fps * 1e9)))

    def _make(self, index: int) -> Sequence:
        return self._simulator.sequence(index, self._frames)
