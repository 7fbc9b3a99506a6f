"""Frame sets rendered as they are asked for: no disk, and as many as one likes."""

from __future__ import annotations

import multiprocessing
import os
from functools import lru_cache
from multiprocessing.pool import Pool
from types import TracebackType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from egorear_ros.data.frame_sets import FrameName, FrameSets
from egorear_ros.errors import EgorearError
from egorear_ros.simulator.sampler import Sequence as SimulatedSequence
from egorear_ros.simulator.shard_writing import ShardSettings, as_seen, frame_sets

KEPT_SEQUENCES: Final = 4
"""Sequences whose motion and scene are kept, in each process, for the next frame of the same one."""


class SimulatedFrames:
    """A `FrameSource` that renders; number i is what `egorear render-shards` puts in place i, to the bit.

    Use it as a context manager, or call `close`, where there are worker processes.

    Args:
        settings: what to render.
        sets: how many frame sets there are to be.
        workers: processes; 1 stays in this one.

    Raises:
        EgorearError: no such rig or motion library, or fewer sets than one.
    """

    def __init__(self, settings: ShardSettings, sets: int, workers: int = 1) -> None:
        if sets < 1 or settings.sets_per_sequence < 1:
            raise EgorearError(
                f"{sets} frame sets, {settings.sets_per_sequence} of each sequence: both must be at least 1"
            )
        self._sets, self._renderer = sets, _Renderer(settings)
        self._pool: Pool | None = None
        if workers > 1:
            self._pool = multiprocessing.get_context("spawn").Pool(workers, _start_worker, (settings,))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the worker processes."""
        if self._pool is not None:
            self._pool.terminate()
            self._pool.join()

    @property
    def views(self) -> tuple[str, ...]:
        """The rig's views."""
        return self._renderer.simulator.settings.rig.names

    def __len__(self) -> int:
        return self._sets

    def name(self, index: int) -> FrameName:
        """Where a frame set comes from."""
        return self._renderer.name(index)

    def take(self, indices: NDArray[np.int64]) -> FrameSets:
        """Render the frame sets of these numbers, in this order; quicker where they are of few sequences."""
        numbers = [int(index) for index in indices]
        order = sorted(range(len(numbers)), key=lambda place: numbers[place])
        wanted = [numbers[place] for place in order]
        made = list(map(self._renderer.render, wanted)) if self._pool is None else self._pool.map(_render, wanted)
        arrays = [sets.arrays() for sets in made]
        stacked = FrameSets(**{name: np.concatenate([array[name] for array in arrays]) for name in arrays[0]})
        return stacked.take(np.argsort(order))


class _Renderer:
    """Renders single frame sets in one process."""

    def __init__(self, settings: ShardSettings) -> None:
        self._settings, self.simulator = settings, settings.simulator()
        self._sequence = lru_cache(maxsize=KEPT_SEQUENCES)(self._make_sequence)

    def render(self, index: int) -> FrameSets:
        sequence, frame = self._place(index)
        return frame_sets([as_seen(self._sequence(sequence), frame)])

    def name(self, index: int) -> FrameName:
        sequence, frame = self._place(index)
        clip = self.simulator.clip(sequence, self._settings.sequence_frames / self.simulator.settings.fps)
        return FrameName(str(sequence), frame, clip.action_at(frame / self.simulator.settings.fps))

    def _place(self, index: int) -> tuple[int, int]:
        sequence, pick = divmod(index, self._settings.sets_per_sequence)
        return sequence, self._settings.frame_of_pick(sequence, pick)

    def _make_sequence(self, index: int) -> SimulatedSequence:
        return self.simulator.sequence(index, self._settings.sequence_frames)


_worker: _Renderer | None = None


def _start_worker(settings: ShardSettings) -> None:
    """Build this process's renderer."""
    global _worker
    os.environ["OMP_NUM_THREADS"] = "1"
    _worker = _Renderer(settings)


def _render(index: int) -> FrameSets:
    if _worker is None:
        raise RuntimeError("_start_worker has not run in this process")
    return _worker.render(index)
