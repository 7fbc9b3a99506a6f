"""Acclaim reader: a skeleton (ASF) and motions of it (AMC), as in the CMU database.

Header words count in any case, and units and orders are those the files state; what is not understood is refused by
name. Rotations are applied in the order in which they are listed, about fixed axes.
"""

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

INCH_M: Final = 0.0254
ROOT: Final = "root"
ROOT_WORDS: Final = ("tx", "ty", "tz", "rx", "ry", "rz")
SECTIONS: Final = (
    *(":version", ":name", ":units", ":documentation", ":root", ":bonedata", ":hierarchy", ":skin", ":comment"),
)
UNREAD_BONE_WORDS: Final = ("id", "limits", "bodymass", "cofmass", "bodycolor", "bodyshape", "skin")
"""What a bone may state that does not matter here."""


@dataclass
class Bone:
    """A bone at rest: direction and length in file units, orientation of its axes, which of them it turns about."""

    line: int
    direction: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    length: float = 0.0
    axes: Rotation = field(default_factory=Rotation.identity)
    freedoms: list[str] = field(default_factory=list)


@dataclass
class AcclaimSkeleton:
    """An ASF file: bones and parents by name, units, and how the root's values are ordered."""

    path: Path
    bones: dict[str, Bone] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    length_unit: float | None = None
    degrees: bool = True
    root_order: tuple[str, ...] = ROOT_WORDS
    root_offset: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))

    @property
    def metres_per_unit(self) -> float | None:
        """Length of the file's unit; None where the file does not say."""
        return None if self.length_unit is None else INCH_M / self.length_unit

    def ordered(self) -> list[str]:
        """Bones, parents first."""
        order: list[str] = []
        waiting = list(self.parents)
        while waiting:
            ready = [name for name in waiting if self.parents[name] == ROOT or self.parents[name] in order]
            if not ready:
                break
            order += ready
            waiting = [name for name in waiting if name not in ready]
        return order


def read_asf(path: Path) -> AcclaimSkeleton:
    """Read a skeleton.

    Raises:
        MotionFileError: malformed, truncated, or with a word that is not understood.
    """
    skeleton = AcclaimSkeleton(path)
    section, bone, number = "", Bone(0), 0
    for number, words in statements(path):
        keyword = words[0].lower()
        if keyword.startswith(":"):
            section = keyword
            if section not in SECTIONS:
                raise MotionFileError(path, number, f"section '{words[0]}' is not one of {', '.join(SECTIONS)}")
        elif section == ":units":
            parse_unit(path, number, words, skeleton)
        elif section == ":root":
            parse_root(path, number, words, skeleton)
        elif section == ":bonedata":
            bone = parse_bone_line(path, number, words, bone, skeleton)
        elif section == ":hierarchy" and keyword not in ("begin", "end"):
            parse_hierarchy_line(path, number, words, skeleton)
    if not skeleton.bones or not skeleton.parents:
        raise MotionFileError(path, number, "the file ends without bones or hierarchy; it is truncated or no ASF")
    return skeleton


def statements(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Lines of a file as words, with their numbers; without empty ones and comments."""
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        words = line.split("#")[0].split()
        if words:
            yield number, words


def parse_unit(path: Path, number: int, words: list[str], skeleton: AcclaimSkeleton) -> None:
    """Take one line of the units."""
    keyword = words[0].lower()
    if keyword == "length":
        unit = parse_numbers(path, number, words[1:2], 1)[0]
        if unit <= 0:
            raise MotionFileError(path, number, f"the unit of length must be positive, got {words[1]}")
        skeleton.length_unit = unit
    elif keyword == "angle":
        skeleton.degrees = is_degrees(path, number, words[-1])
    elif keyword != "mass":
        raise MotionFileError(path, number, f"unit '{words[0]}' is not one of mass, length, angle")


def is_degrees(path: Path, number: int, word: str) -> bool:
    """Whether a word means degrees; False for radians."""
    for name, degrees in (("deg", True), ("rad", False)):
        if word.lower().lstrip(":").startswith(name):
            return degrees
    raise MotionFileError(path, number, f"unit of angles '{word}' is not one of deg, rad")


def parse_root(path: Path, number: int, words: list[str], skeleton: AcclaimSkeleton) -> None:
    """Take one line of the root."""
    keyword, values = words[0].lower(), words[1:]
    if keyword == "order":
        order = tuple(word.lower() for word in values)
        if sorted(order) != sorted(ROOT_WORDS):
            raise MotionFileError(path, number, f"root order '{' '.join(values)}' must hold each of TX TY TZ RX RY RZ")
        skeleton.root_order = order
    elif keyword == "position":
        skeleton.root_offset = np.array(parse_numbers(path, number, values, 3))
    elif keyword == "orientation":
        if any(parse_numbers(path, number, values, 3)):
            raise MotionFileError(path, number, "a root 'orientation' that is not zero is not supported")
    elif keyword != "axis":  # the order of the orientation's rotations
        raise MotionFileError(path, number, f"'{words[0]}' is not one of order, axis, position, orientation")


def parse_bone_line(path: Path, number: int, words: list[str], bone: Bone, skeleton: AcclaimSkeleton) -> Bone:
    """Take one line of the bone data; returns the bone the next line belongs to."""
    keyword, values = words[0].lower(), words[1:]
    if keyword == "begin":
        return Bone(number)
    if keyword == "name" and values:
        skeleton.bones[values[0]] = bone
    elif keyword == "direction":
        bone.direction = np.array(parse_numbers(path, number, values, 3))
    elif keyword == "length":
        bone.length = parse_numbers(path, number, values, 1)[0]
    elif keyword == "axis":
        bone.axes = parse_axis(path, number, values, skeleton.degrees)
    elif keyword == "dof":
        bone.freedoms = parse_freedoms(path, number, values)
    elif keyword not in ("end", *UNREAD_BONE_WORDS) and not keyword.startswith("("):  # limits go on
        raise MotionFileError(path, number, f"'{words[0]}' is not known in the data of a bone")
    return bone


def parse_axis(path: Path, number: int, values: list[str], degrees: bool) -> Rotation:
    """Orientation of a bone's axes: three angles and the order in which they turn, XYZ where none is stated."""
    angles, order = parse_numbers(path, number, values[:3], 3), "".join(values[3:]).lower() or "xyz"
    if sorted(order) != ["x", "y", "z"]:
        raise MotionFileError(path, number, f"axis order '{' '.join(values[3:])}' must hold each of X Y Z")
    return Rotation.from_euler(order, angles, degrees=degrees)


def parse_freedoms(path: Path, number: int, values: list[str]) -> list[str]:
    """Degrees of freedom in lower case."""
    freedoms = [value.lower() for value in values]
    for freedom, written in zip(freedoms, values, strict=True):
        if freedom not in ("rx", "ry", "rz"):
            raise MotionFileError(path, number, f"degree of freedom '{written}' is not one of rx, ry, rz")
        if freedoms.count(freedom) > 1:
            raise MotionFileError(path, number, f"degree of freedom '{written}' is there twice")
    return freedoms


def parse_hierarchy_line(path: Path, number: int, words: list[str], skeleton: AcclaimSkeleton) -> None:
    """Take a bone and its children."""
    parent = ROOT if words[0].lower() == ROOT else words[0]
    unknown = [name for name in (parent, *words[1:]) if name not in skeleton.bones and name != ROOT]
    if unknown:
        raise MotionFileError(path, number, f"the hierarchy names an unknown bone '{unknown[0]}'")
    skeleton.parents.update(dict.fromkeys(words[1:], parent))


def read_amc(path: Path, skeleton: AcclaimSkeleton) -> SkeletonMotion:
    """Read a motion of `skeleton`.

    Raises:
        MotionFileError: malformed, truncated, without frames, or of another skeleton.
    """
    frames, header = parse_frames(path, skeleton)
    root = np.array([frame[ROOT] for frame in frames])
    rotations = {ROOT: turned_by(root, skeleton.root_order, header.degrees)}
    rest: dict[str, NDArray[np.float64]] = {ROOT: np.zeros(3)}
    places = [skeleton.root_order.index(word) for word in ROOT_WORDS[:3]]
    offsets: dict[str, NDArray[np.float64]] = {ROOT: root[:, places] + skeleton.root_offset}
    parents: dict[str, str | None] = {ROOT: None}
    for name in skeleton.ordered():
        bone, parent = skeleton.bones[name], skeleton.parents[name]
        values = np.array([frame.get(name, []) for frame in frames])
        local = bone.axes * turned_by(values, tuple(bone.freedoms), header.degrees) * bone.axes.inv()
        rotations[name] = rotations[parent] * local
        above = skeleton.bones.get(parent)
        offsets[name] = above.direction * above.length if above else np.zeros(3)
        rest[name], parents[name] = rest[parent] + offsets[name], parent
    lines = {ROOT: 1, **{name: bone.line for name, bone in skeleton.bones.items()}}
    return SkeletonMotion(rest, parents, offsets, rotations, header.fps, lines, skeleton.metres_per_unit)


def turned_by(values: NDArray[np.float64], words: tuple[str, ...], degrees: bool) -> Rotation:
    """Rotations from values (T, C) of degrees of freedom, in the order in which these are listed."""
    turns = [(word[1], index) for index, word in enumerate(words) if word.startswith("r")]
    if not turns:
        return Rotation.identity(len(values))
    order = "".join(axis for axis, _ in turns)
    return Rotation.from_euler(order, values[:, [index for _, index in turns]], degrees=degrees)


@dataclass
class AmcHeader:
    """What an AMC file says before its frames; angles are the skeleton's unless it says otherwise."""

    degrees: bool
    fps: float | None = None


def parse_frames(path: Path, skeleton: AcclaimSkeleton) -> tuple[list[dict[str, list[float]]], AmcHeader]:
    """Values of every bone in every frame, and the header."""
    needed = {ROOT: 6, **{name: len(bone.freedoms) for name, bone in skeleton.bones.items() if bone.freedoms}}
    header = AmcHeader(skeleton.degrees)
    frames: list[dict[str, list[float]]] = []
    number = 0
    for number, words in statements(path):
        if words[0].startswith(":"):
            parse_header(path, number, words, header)
        elif len(words) == 1 and words[0].isdigit():
            check_complete(path, number, frames, needed)
            frames.append({})
        elif not frames:
            raise MotionFileError(path, number, f"'{words[0]}' before the first frame number")
        else:
            name = ROOT if words[0].lower() == ROOT else words[0]
            if name not in needed:
                raise MotionFileError(path, number, f"unknown joint '{name}': the skeleton has no such moving bone")
            frames[-1][name] = parse_numbers(path, number, words[1:], needed[name])
    if not frames:
        raise MotionFileError(path, number, "the file has no frames")
    check_complete(path, number, frames, needed)
    return frames, header


def parse_header(path: Path, number: int, words: list[str], header: AmcHeader) -> None:
    """Take one line of an AMC file's header."""
    keyword = re.sub(r"[^a-z]", "", words[0].lower())
    if keyword in ("degrees", "radians"):
        header.degrees = is_degrees(path, number, words[0])
    elif keyword in ("samplespersecond", "fps", "framerate", "framespersecond"):
        header.fps = parse_numbers(path, number, words[1:], 1)[0]
        if header.fps <= 0:
            raise MotionFileError(path, number, f"the frame rate must be positive, got {words[1]}")
    elif keyword != "fullyspecified":
        raise MotionFileError(
            path, number, f"'{words[0]}' is not one of :FULLY-SPECIFIED, :DEGREES, :RADIANS, :SAMPLES-PER-SECOND"
        )


def check_complete(path: Path, line: int, frames: list[dict[str, list[float]]], needed: dict[str, int]) -> None:
    """Raise MotionFileError if the last frame lacks a bone."""
    if frames:
        missing = [name for name in needed if name not in frames[-1]]
        if missing:
            raise MotionFileError(path, line, f"frame {len(frames)} lacks '{missing[0]}'; the file may be truncated")
