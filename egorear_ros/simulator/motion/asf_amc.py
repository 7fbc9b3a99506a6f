"""Acclaim reader: a skeleton (ASF) and motions of it (AMC), as in the CMU database."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from egorear_ros.simulator.motion.skeleton_motion import MotionFileError, SkeletonMotion, parse_numbers, read_text

INCH_M: Final = 0.0254
AMC_FPS: Final = 120.0
"""AMC files do not say their frame rate; CMU's is 120."""


@dataclass
class Bone:
    """A bone at rest: direction and length in file units, orientation of its axes, which of them it turns about."""

    line: int
    direction: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    length: float = 0.0
    axes: Rotation = field(default_factory=Rotation.identity)
    freedoms: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class AcclaimSkeleton:
    """An ASF file: bones and parents by name, and the length of its unit."""

    bones: dict[str, Bone]
    parents: dict[str, str]
    metres_per_unit: float

    def ordered(self) -> list[str]:
        """Bones, parents first."""
        order: list[str] = []
        waiting = list(self.parents)
        while waiting:
            ready = [name for name in waiting if self.parents[name] == "root" or self.parents[name] in order]
            if not ready:
                break
            order += ready
            waiting = [name for name in waiting if name not in ready]
        return order


def read_asf(path: Path) -> AcclaimSkeleton:
    """Read a skeleton.

    Raises:
        MotionFileError: malformed or truncated.
    """
    bones: dict[str, Bone] = {}
    parents: dict[str, str] = {}
    section, unit, bone, number = "", 1.0, Bone(0), 0
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0].startswith(":"):
            section = words[0]
        elif section == ":units" and words[0] == "length":
            unit = parse_numbers(path, number, words[1:2], 1)[0]
        elif section == ":bonedata":
            bone = parse_bone_line(path, number, words, bone, bones)
        elif section == ":hierarchy" and words[0] not in ("begin", "end"):
            if words[0] != "root" and words[0] not in bones:
                raise MotionFileError(path, number, f"the hierarchy names an unknown bone '{words[0]}'")
            unknown = [name for name in words[1:] if name not in bones]
            if unknown:
                raise MotionFileError(path, number, f"the hierarchy names an unknown bone '{unknown[0]}'")
            parents.update(dict.fromkeys(words[1:], words[0]))
    if not bones or not parents:
        raise MotionFileError(path, number, "the file ends without bones or hierarchy; it is truncated or no ASF")
    return AcclaimSkeleton(bones, parents, INCH_M / unit)


def parse_bone_line(path: Path, number: int, words: list[str], bone: Bone, bones: dict[str, Bone]) -> Bone:
    """Take one line of the bone data; returns the bone the next line belongs to."""
    keyword, values = words[0], words[1:]
    if keyword == "begin":
        return Bone(number)
    if keyword == "name" and values:
        bones[values[0]] = bone
    elif keyword == "direction":
        bone.direction = np.array(parse_numbers(path, number, values, 3))
    elif keyword == "length":
        bone.length = parse_numbers(path, number, values, 1)[0]
    elif keyword == "axis":
        bone.axes = Rotation.from_euler("xyz", parse_numbers(path, number, values[:3], 3), degrees=True)
    elif keyword == "dof":
        bone.freedoms = [freedom for freedom in values if freedom in ("rx", "ry", "rz")]
    return bone


def read_amc(path: Path, skeleton: AcclaimSkeleton) -> SkeletonMotion:
    """Read a motion of `skeleton`.

    Raises:
        MotionFileError: malformed, truncated, without frames, or of another skeleton.
    """
    frames = parse_frames(path, skeleton)
    root = np.array([frame["root"] for frame in frames])
    rotations = {"root": Rotation.from_euler("xyz", root[:, 3:], degrees=True)}
    rest = {"root": np.zeros(3)}
    for name in skeleton.ordered():
        bone, parent = skeleton.bones[name], skeleton.parents[name]
        angles = np.zeros((len(frames), 3))
        if bone.freedoms:
            angles[:, ["xyz".index(freedom[1]) for freedom in bone.freedoms]] = [frame[name] for frame in frames]
        turned = bone.axes * Rotation.from_euler("xyz", angles, degrees=True) * bone.axes.inv()
        rotations[name] = rotations[parent] * turned
        above = skeleton.bones.get(parent)
        reach = above.direction * above.length * skeleton.metres_per_unit if above else np.zeros(3)
        rest[name] = rest[parent] + reach
    lines = {"root": 1, **{name: bone.line for name, bone in skeleton.bones.items()}}
    return SkeletonMotion(rest, rotations, root[:, :3] * skeleton.metres_per_unit, AMC_FPS, lines)


def parse_frames(path: Path, skeleton: AcclaimSkeleton) -> list[dict[str, list[float]]]:
    """Values of every bone in every frame."""
    needed = {"root": 6, **{name: len(bone.freedoms) for name, bone in skeleton.bones.items() if bone.freedoms}}
    frames: list[dict[str, list[float]]] = []
    number = 0
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        words = line.split()
        if not words or words[0][0] in "#:":
            continue
        if len(words) == 1 and words[0].isdigit():
            check_complete(path, number, frames, needed)
            frames.append({})
        elif not frames:
            raise MotionFileError(path, number, f"'{words[0]}' before the first frame number")
        elif words[0] not in needed:
            raise MotionFileError(path, number, f"unknown joint '{words[0]}': the skeleton has no such moving bone")
        else:
            frames[-1][words[0]] = parse_numbers(path, number, words[1:], needed[words[0]])
    if not frames:
        raise MotionFileError(path, number, "the file has no frames")
    check_complete(path, number, frames, needed)
    return frames


def check_complete(path: Path, line: int, frames: list[dict[str, list[float]]], needed: dict[str, int]) -> None:
    """Raise MotionFileError if the last frame lacks a bone."""
    if frames:
        missing = [name for name in needed if name not in frames[-1]]
        if missing:
            raise MotionFileError(path, line, f"frame {len(frames)} lacks '{missing[0]}'; the file may be truncated")
