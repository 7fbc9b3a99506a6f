"""BVH reader."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from egorear_ros.simulator.motion.skeleton_motion import MotionFileError, SkeletonMotion, parse_numbers, read_text


@dataclass
class Joint:
    """A joint of the hierarchy: parent's index (-1: root), offset from it in file units, channels in file order."""

    name: str
    parent: int
    line: int
    offset: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    channels: list[str] = field(default_factory=list)


def read_bvh(path: Path, metres_per_unit: float) -> SkeletonMotion:
    """Read a BVH file.

    Args:
        path: the file.
        metres_per_unit: length of the file's unit.

    Raises:
        MotionFileError: malformed, truncated, without frames, or with numbers that are not finite.
    """
    lines = enumerate(read_text(path).splitlines(), start=1)
    joints = parse_hierarchy(path, lines)
    values, fps = parse_motion(path, lines, sum(len(joint.channels) for joint in joints))
    rotations: dict[str, Rotation] = {}
    rest: dict[str, NDArray[np.float64]] = {}
    root_m, column = np.zeros((len(values), 3)), 0
    for joint in joints:
        own = values[:, column : column + len(joint.channels)]
        column += len(joint.channels)
        local = local_rotation(joint, own)
        parent = joints[joint.parent].name if joint.parent >= 0 else None
        rotations[joint.name] = rotations[parent] * local if parent else local
        rest[joint.name] = joint.offset * metres_per_unit + (rest[parent] if parent else 0)
        if parent is None:
            place = {name[0]: index for index, name in enumerate(joint.channels) if name.endswith("position")}
            root_m = np.stack([own[:, place[axis]] if axis in place else np.zeros(len(own)) for axis in "XYZ"], 1)
    lines_of = {joint.name: joint.line for joint in joints}
    return SkeletonMotion(rest, rotations, root_m * metres_per_unit, fps, lines_of)


def local_rotation(joint: Joint, values: NDArray[np.float64]) -> Rotation:
    """A joint's rotation relative to its parent, from its channels' values (T, C)."""
    turns = [(name[0], index) for index, name in enumerate(joint.channels) if name.endswith("rotation")]
    if not turns:
        return Rotation.identity(len(values))
    return Rotation.from_euler("".join(axis for axis, _ in turns), values[:, [i for _, i in turns]], degrees=True)


def parse_hierarchy(path: Path, lines: Iterator[tuple[int, str]]) -> list[Joint]:
    """Read up to the line MOTION; joints with parents first."""
    joints: list[Joint] = []
    stack: list[int] = []
    current, in_end, number = -1, False, 0
    for number, line in lines:
        words = line.split()
        if not words:
            continue
        keyword = words[0]
        if keyword in ("ROOT", "JOINT") and len(words) > 1:
            joints.append(Joint(words[1], stack[-1] if stack else -1, number))
            current = len(joints) - 1
        elif keyword == "End":
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
            joints[current].channels = words[2:]
        elif keyword == "MOTION":
            if stack or not joints:
                raise MotionFileError(path, number, "MOTION before the hierarchy is complete")
            return joints
        elif keyword != "HIERARCHY":
            raise MotionFileError(path, number, f"'{keyword}' is not BVH")
    raise MotionFileError(path, number, "the file ends before MOTION; it is truncated or no BVH")


def parse_motion(path: Path, lines: Iterator[tuple[int, str]], channels: int) -> tuple[NDArray[np.float64], float]:
    """Read the frames: (T, channels) values and frames per second."""
    announced, fps, rows, number = -1, 0.0, [], 0
    for number, line in lines:
        words = line.split()
        if not words:
            continue
        if words[0] == "Frames:":
            announced = int(parse_numbers(path, number, words[1:], 1)[0])
        elif words[:2] == ["Frame", "Time:"]:
            seconds = parse_numbers(path, number, words[2:], 1)[0]
            if seconds <= 0:
                raise MotionFileError(path, number, f"frame time must be positive, got {seconds}")
            fps = 1 / seconds
        else:
            rows.append(parse_numbers(path, number, words, channels))
    if announced == 0 or (not rows and announced < 0):
        raise MotionFileError(path, number, "the file has no frames")
    if len(rows) < announced:
        raise MotionFileError(path, number, f"the header announces {announced} frames, the file ends after {len(rows)}")
    if fps == 0:
        raise MotionFileError(path, number, "no 'Frame Time:' line")
    return np.array(rows), fps
