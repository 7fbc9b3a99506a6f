"""What a motion file says, whatever its format: a skeleton at rest and the rotation of every joint over time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from egorear_ros.errors import EgorearError


class MotionFileError(EgorearError):
    """A motion file that cannot be used; the message names file and line."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}")


@dataclass(frozen=True)
class SkeletonMotion:
    """A skeleton that moves; Y up, as in the files.

    Attributes:
        rest_m: joint name -> (3,) position at rest, metres.
        rotations: joint name -> T rotations, world from rest.
        root_m: (T, 3) position of the root.
        fps: frames per second.
        lines: joint name -> line it is declared on.
    """

    rest_m: dict[str, NDArray[np.float64]]
    rotations: dict[str, Rotation]
    root_m: NDArray[np.float64]
    fps: float
    lines: dict[str, int]


def parse_numbers(path: Path, line: int, words: list[str], count: int) -> list[float]:
    """Return `count` finite numbers, or raise MotionFileError."""
    if len(words) != count:
        raise MotionFileError(path, line, f"expected {count} numbers, found {len(words)}; the file may be truncated")
    try:
        values = [float(word) for word in words]
    except ValueError as error:
        raise MotionFileError(path, line, f"not a number: {error}") from error
    if not np.isfinite(values).all():
        bad = words[int(np.flatnonzero(~np.isfinite(values))[0])]
        raise MotionFileError(path, line, f"'{bad}' is not a finite number")
    return values


def read_text(path: Path) -> str:
    """Return a file's text, or raise MotionFileError."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise MotionFileError(path, 0, f"cannot be read: {error}") from error
