"""BVH reader: every keyword and channel word in any case; what is not understood is refused by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from egorear_ros.simulator.motion.skeleton_motion import MotionFileError, SkeletonMotion, parse_numbers, read_text

CHANNEL_WORDS: Final = {f"{axis}{kind}": axis.upper() for axis in "xyz" for kind in ("position", "rotation")}
"""Channel word in lower case -> its axis."""

FRAME_RATES_HZ: Final = (1.0, 2000.0)
"""Rates a frame time may mean; others come from another unit, such as milliseconds."""


@dataclass
class Joint:
    """A joint of the hierarchy: parent's index (-1: root), offset from it in file units, channels in file order."""

    name: str
    parent: int
    line: int
    offset: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    channels: list[str] = field(default_factory=list)

    def columns(self, kind: str) -> list[tuple[str, int]]:
        """Axis and index of the channels of a kind, "position" or "rotation", in file order."""
        return [(CHANNEL_WORDS[word], index) for index, word in enumerate(self.channels) if word.endswith(kind)]


def read_bvh(path: Path) -> SkeletonMotion:
    """Read a BVH file.

    Raises:
        MotionFileError: malformed, truncated, without frames, with words that are no BVH, or with numbers that are not
            finite.
    """
    lines = enumerate(read_text(path).splitlines(), start=1)
    joints = parse_hierarchy(path, lines)
    values, fps, notes = parse_motion(path, lines, sum(len(joint.channels) for joint in joints))
    rotations: dict[str, Rotation] = {}
    rest: dict[str, NDArray[np.float64]] = {}
    offsets: dict[str, NDArray[np.float64]] = {}
    parents: dict[str, str | None] = {}
    column = 0
    for joint in joints:
        own = values[:, column : column + len(joint.channels)]
        column += len(joint.channels)
        local = local_rotation(joint, own)
        parent = joints[joint.parent].name if joint.parent >= 0 else None
        parents[joint.name] = parent
        offsets[joint.name] = local_offset(joint, own)
        rotations[joint.name] = rotations[parent] * local if parent is not None else local
        bind = joint.offset if parent is None or joint.offset.any() else np.atleast_2d(offsets[joint.name])[0]
        rest[joint.name] = bind + (rest[parent] if parent is not None else 0)
    lines_of = {joint.name: joint.line for joint in joints}
    return SkeletonMotion(rest, parents, offsets, rotations, fps, lines_of, notes=notes)


def local_rotation(joint: Joint, values: NDArray[np.float64]) -> Rotation:
    """A joint's rotation relative to its parent, from its channels' values (T, C)."""
    turns = joint.columns("rotation")
    if not turns:
        return Rotation.identity(len(values))
    return Rotation.from_euler("".join(axis for axis, _ in turns), values[:, [i for _, i in turns]], degrees=True)


def local_offset(joint: Joint, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Place of a joint relative to its parent, (3,) or (T, 3): its position channels stand in place of the offset.

    Some programs write channels below the root that are zero throughout; those say nothing.
    """
    places = joint.columns("position")
    if not places or (joint.parent >= 0 and not values[:, [index for _, index in places]].any()):
        return joint.offset
    offset = np.tile(joint.offset, (len(values), 1))
    for axis, index in places:
        offset[:, "XYZ".index(axis)] = values[:, index]
    return offset


def parse_hierarchy(path: Path, lines: Iterator[tuple[int, str]]) -> list[Joint]:
    """Read up to the line MOTION; joints with parents first."""
    joints: list[Joint] = []
    stack: list[int] = []
    current, in_end, number = -1, False, 0
    for number, line in lines:
        for words in _statements(line):
            keyword = words[0].upper()
            if keyword in ("ROOT", "JOINT") and len(words) > 1:
                joints.append(_new_joint(path, number, " ".join(words[1:]), stack, joints))
                current = len(joints) - 1
            elif keyword == "END":
                in_end = True
            elif keyword == "{":
                stack.append(current)
            elif keyword == "}":
                if not stack:
                    raise MotionFileError(path, number, "'}' without '{'")
                stack.pop()
                in_end = False
            elif keyword == "OFFSET" and joints:
                offset = parse_numbers(path, number, words[1:], 3)
                if not in_end:
                    joints[current].offset = np.array(offset)
            elif keyword == "CHANNELS" and joints:
                joints[current].channels = _channels(path, number, words[1:])
            elif keyword == "MOTION":
                if stack or not joints:
                    raise MotionFileError(path, number, "MOTION before the hierarchy is complete")
                return joints
            elif keyword != "HIERARCHY":
                raise MotionFileError(path, number, f"'{words[0]}' is not BVH")
    raise MotionFileError(path, number, "the file ends before MOTION; it is truncated or no BVH")


def _statements(line: str) -> Iterator[list[str]]:
    """Words of a line, a brace by itself."""
    for part in re.split(r"([{}])", line):
        if words := part.split():
            yield words


def _new_joint(path: Path, number: int, name: str, stack: list[int], joints: list[Joint]) -> Joint:
    if any(joint.name == name for joint in joints):
        raise MotionFileError(path, number, f"joint '{name}' is there twice; give each joint a name of its own")
    return Joint(name, stack[-1] if stack else -1, number)


def _channels(path: Path, number: int, words: list[str]) -> list[str]:
    """Channel words in lower case, checked."""
    count = words[0] if words else ""
    channels = [word.lower() for word in words[1:]]
    if not re.fullmatch(r"\d{1,4}", count) or int(count) != len(channels):
        raise MotionFileError(path, number, f"CHANNELS says '{count}', but {len(channels)} channels follow")
    for place, (word, written) in enumerate(zip(channels, words[1:], strict=True)):
        if word not in CHANNEL_WORDS:
            known = ", ".join(f"{name[0].upper()}{name[1:]}" for name in CHANNEL_WORDS)
            raise MotionFileError(path, number, f"channel '{written}' is not one of {known}")
        if word in channels[:place]:
            raise MotionFileError(path, number, f"channel '{written}' is there twice")
    return channels


def parse_motion(
    path: Path, lines: Iterator[tuple[int, str]], channels: int
) -> tuple[NDArray[np.float64], float | None, tuple[str, ...]]:
    """Read the frames.

    Returns:
        (T, channels) values, frames per second or None where the file's frame time cannot be one, and notes.
    """
    announced, seconds, rows, number = -1, None, [], 0
    for number, line in lines:
        if not line.strip():
            continue
        if found := re.match(r"\s*frames\s*:(.*)$", line, re.IGNORECASE):
            announced = int(parse_numbers(path, number, found[1].split(), 1)[0])
        elif found := re.match(r"\s*frame\s*time\s*:(.*)$", line, re.IGNORECASE):
            seconds = parse_numbers(path, number, found[1].split(), 1)[0]
        else:
            if seconds is None and re.match(r"\s*[A-Za-z]", line):
                raise MotionFileError(
                    path, number, f"'{line.split()[0]}' is not BVH; 'Frames:' or 'Frame Time:' expected"
                )
            rows.append(parse_numbers(path, number, line.split(), channels))
    if announced == 0 or (not rows and announced < 0):
        raise MotionFileError(path, number, "the file has no frames")
    if len(rows) < announced:
        raise MotionFileError(path, number, f"the header announces {announced} frames, the file ends after {len(rows)}")
    notes = []
    if len(rows) > announced >= 0:
        notes.append(f"the header announces {announced} frames, all {len(rows)} that are there are used")
    if seconds is None or seconds <= 0 or not FRAME_RATES_HZ[0] <= 1 / seconds <= FRAME_RATES_HZ[1]:
        notes.append("there is no 'Frame Time:'" if seconds is None else f"a frame time of {seconds:g} s cannot be")
        return np.array(rows), None, tuple(notes)
    return np.array(rows), 1 / seconds, tuple(notes)
