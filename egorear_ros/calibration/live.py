"""Calibration with live cameras: which pictures to keep, and what is still missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from egorear_ros.calibration.boards import Board
from egorear_ros.calibration.coverage import Coverage, drawn
from egorear_ros.calibration.detection import BoardDetector
from egorear_ros.calibration.linking import LEAST_SHARED
from egorear_ros.calibration.pictures import Picture, Pictures
from egorear_ros.capture import CapturedFrame

STILL_PX = 1.5
"""Between two looks, on an 872 px picture: a board that moves less is at rest. So no common trigger is needed."""
LEAST_PICTURES = 12
ENOUGH_SHARE = 0.85
LEAST_LINKS = 2 * LEAST_SHARED


class LiveSession:
    """Looks at what the cameras see, and keeps what adds to the calibration.

    Args:
        board: what is shown.
        cameras: their names, in the order of the rig.
    """

    def __init__(self, board: Board, cameras: Sequence[str]) -> None:
        self.cameras = tuple(cameras)
        self._detector = BoardDetector(board)
        self._kept: dict[str, list[Picture]] = {name: [] for name in cameras}
        self._before: dict[str, Picture] = {}
        self._now: dict[str, Picture] = {}
        self._coverage: dict[str, Coverage] = {}
        self._shared: dict[tuple[str, str], int] = {}
        self._moment = 0

    def offer(self, frames: Mapping[str, CapturedFrame]) -> tuple[str, ...]:
        """Look at one frame of each camera, taken at nearly one time.

        Returns:
            Cameras whose frame was kept: those that see the board at rest, if one of them sees it where it was not yet,
            or two that are seldom linked see it at once.
        """
        self._before, self._now = self._now, {}
        for name, frame in frames.items():
            found = Picture.of(frame.image, f"{name} {frame.stamp_ns}", None, None, self._detector)
            self._now[name] = found
            if name not in self._coverage:
                width, height = found.size
                self._coverage[name] = Coverage(width, height, min(width, height) / 2)
        resting = tuple(name for name in self._now if self._rests(name))
        if not resting or not self._adds(resting):
            return ()
        for name in resting:
            self._coverage[name].add(self._now[name].pixels)
            self._kept[name].append(replace(self._now[name], moment=self._moment))
        for pair in _pairs(self.cameras, resting):
            self._shared[pair] = self._shared.get(pair, 0) + 1
        self._moment += 1
        return resting

    @property
    def moment(self) -> int:
        """How many moments were kept."""
        return self._moment

    @property
    def pictures(self) -> Pictures:
        """What was kept."""
        return Pictures(self._kept)

    @property
    def missing(self) -> list[str]:
        """What to do next, one line each; empty when there is enough."""
        lines = []
        for name in self.cameras:
            coverage = self._coverage.get(name)
            if coverage is None:
                lines.append(f"{name}: no frame yet")
            elif coverage.share < ENOUGH_SHARE:
                lines.append(f"{name}: show the board at {'; '.join(coverage.missing(2))}")
            elif len(self._kept[name]) < LEAST_PICTURES:
                lines.append(f"{name}: {LEAST_PICTURES - len(self._kept[name])} more pictures, tilt the board")
        return lines + self._missing_links()

    def lines(self) -> list[str]:
        """The cameras side by side, each with its name, what it sees now, and its coverage."""
        columns = []
        for name in self.cameras:
            now, coverage = self._now.get(name), self._coverage.get(name)
            sees = "no frame" if now is None else "no board" if not len(now.ids) else f"{len(now.ids)} corners"
            picture = ["" for _ in range(9)] if coverage is None else drawn(coverage)
            columns.append([name, f"{sees}, kept {len(self._kept[name])}", *picture])
        return ["   ".join(f"{text:<24}" for text in row).rstrip() for row in zip(*columns, strict=True)]

    def _rests(self, name: str) -> bool:
        before, now = self._before.get(name), self._now[name]
        if before is None or not len(now.ids):
            return False
        _, ours, theirs = np.intersect1d(now.ids, before.ids, return_indices=True)
        if len(ours) < 4:
            return False
        moved = np.linalg.norm(now.pixels[ours] - before.pixels[theirs], axis=-1)
        return bool(np.median(moved) < STILL_PX * now.size[0] / 872)

    def _adds(self, names: Sequence[str]) -> bool:
        rare = any(self._shared.get(pair, 0) < LEAST_LINKS for pair in _pairs(self.cameras, names))
        few = any(len(self._kept[name]) < LEAST_PICTURES for name in names)
        return self._differs(names) and (few or rare or any(self._new(name) for name in names))

    def _new(self, name: str) -> bool:
        coverage = self._coverage[name]
        trial = replace(coverage, counts=coverage.counts.copy())
        return trial.add(self._now[name].pixels) > 0

    def _differs(self, names: Sequence[str]) -> bool:
        """Whether the board has moved since the last picture that was kept."""
        for name in names:
            last = self._kept[name][-1] if self._kept[name] else None
            if last is None:
                return True
            _, ours, theirs = np.intersect1d(self._now[name].ids, last.ids, return_indices=True)
            if len(ours) < 4:
                return True
            moved = np.linalg.norm(self._now[name].pixels[ours] - last.pixels[theirs], axis=-1)
            if np.median(moved) > 0.05 * last.size[0]:
                return True
        return False

    def _missing_links(self) -> list[str]:
        """The cameras that no chain of pairs with enough common pictures joins to the first."""
        joined = {self.cameras[0]}
        while True:
            more = {
                name
                for pair, count in self._shared.items()
                if count >= LEAST_LINKS and (pair[0] in joined) != (pair[1] in joined)
                for name in pair
            }
            if not more:
                break
            joined |= more
        alone = [name for name in self.cameras if name not in joined]
        return (
            [f"{', '.join(alone)}: show the board also to {' or '.join(sorted(joined))} at the same time"]
            if alone
            else []
        )


def _pairs(order: Sequence[str], names: Sequence[str]) -> list[tuple[str, str]]:
    there = [name for name in order if name in names]
    return [(a, b) for index, a in enumerate(there) for b in there[index + 1 :]]
