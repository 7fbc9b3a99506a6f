"""What a motion file says, whatever its format: a skeleton at rest and the rotation of every joint over time."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from egorear_ros.errors import EgorearError

LARGEST: Final = 1e9
"""No angle, length or count of a motion file comes near it."""


class MotionFileError(EgorearError):
    """A motion file that cannot be used; the message names file and line."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}")


@dataclass(frozen=True)
class SkeletonMotion:
    """A skeleton that moves, in the file's own axes and unit.

    Attributes:
        rest: joint name -> (3,) position where all rotations are zero.
        parents: joint name -> its parent's name, None for a root; parents come first.
        offsets: joint name -> (T, 3) or (3,) place of the joint relative to its parent, in the parent's axes.
        rotations: joint name -> T rotations, world from rest.
        fps: frames per second; None where the file does not say.
        lines: joint name -> line it is declared on.
        metres_per_unit: length of the file's unit; None where the file does not say.
        notes: what the user should know about how the file was read.
    """

    rest: dict[str, NDArray[np.float64]]
    parents: dict[str, str | None]
    offsets: dict[str, NDArray[np.float64]]
    rotations: dict[str, Rotation]
    fps: float | None
    lines: dict[str, int]
    metres_per_unit: float | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(next(iter(self.rotations.values())))

    def positions(self, joint: str) -> NDArray[np.float64]:
        """(T, 3) positions of a joint in the world, file unit."""
        chain = [*reversed(self.ancestors(joint)), joint]
        place = np.broadcast_to(self.offsets[chain[0]], (len(self), 3))
        for parent, child in pairwise(chain):
            place = place + self.rotations[parent].apply(self.offsets[child])
        return place

    def ancestors(self, joint: str) -> list[str]:
        """Joints above a joint, its parent first."""
        above: list[str] = []
        parent = self.parents[joint]
        while parent is not None:
            above.append(parent)
            parent = self.parents[parent]
        return above


def parse_numbers(path: Path, line: int, words: list[str], count: int) -> list[float]:
    """Return `count` finite numbers, or raise MotionFileError."""
    if len(words) != count:
        raise MotionFileError(path, line, f"expected {count} numbers, found {len(words)}; the file may be truncated")
    try:
        values = [float(word) for word in words]
    except ValueError as error:
        raise MotionFileError(path, line, f"not a number: {error}") from error
    unusable = [word for word, value in zip(words, values, strict=True) if not abs(value) <= LARGEST]
    if unusable:
        raise MotionFileError(path, line, f"'{unusable[0]}' is not a finite number, or above {LARGEST:g}")
    return values


def read_text(path: Path) -> str:
    """Return a file's text without its byte-order mark, or raise MotionFileError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MotionFileError(path, 0, f"cannot be read: {error}") from error
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if wide else "utf-8-sig", errors="replace")
