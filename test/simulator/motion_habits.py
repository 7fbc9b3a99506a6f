"""One motion of one person, written as BVH and ASF/AMC files in the habits of several programs, and what it is.

The truth is computed here from the angles that are written, without the readers under test.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

FRAMES = 12
HIERARCHY: dict[str, tuple[str | None, tuple[float, float, float]]] = {
    "Hips": (None, (0, 0, 0)),
    "Spine": ("Hips", (0, 10, 0)),
    "Spine1": ("Spine", (0, 12, 0)),
    "Spine2": ("Spine1", (0, 14, 1)),
    "Neck": ("Spine2", (0, 16, 0)),
    "Head": ("Neck", (0, 10, 1)),
}
for _side, _x in (("Left", 1), ("Right", -1)):
    HIERARCHY |= {
        f"{_side}Shoulder": ("Spine2", (3 * _x, 9, 0)),
        f"{_side}Arm": (f"{_side}Shoulder", (13 * _x, 0, 0)),
        f"{_side}ForeArm": (f"{_side}Arm", (27 * _x, -2, 0)),
        f"{_side}Hand": (f"{_side}ForeArm", (24 * _x, 0, 3)),
        f"{_side}UpLeg": ("Hips", (9 * _x, -5, 0)),
        f"{_side}Leg": (f"{_side}UpLeg", (2 * _x, -42, 0)),
        f"{_side}Foot": (f"{_side}Leg", (0, -41, -1)),
        f"{_side}ToeBase": (f"{_side}Foot", (0, -5, 14)),
    }
LIMB_JOINTS = {
    f"{bone}_{letter}": (f"{side}{start}", f"{side}{end}")
    for side, letter in (("Left", "l"), ("Right", "r"))
    for bone, start, end in (
        ("uparm", "Arm", "ForeArm"),
        ("loarm", "ForeArm", "Hand"),
        ("thigh", "UpLeg", "Leg"),
        ("calf", "Leg", "Foot"),
    )
}
"""Bone of a clip -> the joints between which it lies."""

CLIP_FROM_Y_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])


@dataclass(frozen=True)
class Person:
    """The motion: angles of every joint relative to its parent, and the path of the hips, Y up, centimetres."""

    local: dict[str, Rotation]
    root: NDArray[np.float64]

    def positions(self) -> dict[str, NDArray[np.float64]]:
        """(FRAMES, 3) of every joint, in the axes of clips, metres."""
        turned: dict[str, Rotation] = {}
        places: dict[str, NDArray[np.float64]] = {}
        for joint, (parent, offset) in HIERARCHY.items():
            if parent is None:
                turned[joint], places[joint] = self.local[joint], self.root
            else:
                turned[joint] = turned[parent] * self.local[joint]
                places[joint] = places[parent] + turned[parent].apply(offset)
        return {joint: 0.01 * place @ CLIP_FROM_Y_UP.T for joint, place in places.items()}


def person(seed: int = 5) -> Person:
    """Somebody who stands and moves a little more in every frame."""
    rng = np.random.default_rng(seed)
    local = {
        joint: Rotation.from_euler("ZYX", np.cumsum(rng.normal(0, 3, (FRAMES, 3)), 0), degrees=True)
        for joint in HIERARCHY
    }
    return Person(local, np.array([4, 92, 3]) + np.cumsum(rng.normal(0, 1, (FRAMES, 3)), 0))


@dataclass(frozen=True)
class Habit:
    """How a program writes BVH."""

    names: Callable[[str], str] = lambda name: name
    rotations: Sequence[str] = ("Zrotation", "Yrotation", "Xrotation")
    places: Sequence[str] = ("Xposition", "Yposition", "Zposition")
    turn: NDArray[np.float64] = field(default_factory=lambda: np.eye(3))
    scale: float = 1.0
    all_places: bool = False
    zero_offsets: bool = False
    frames: str = "Frames: {}"
    time: str = "Frame Time: {}"
    seconds: float = 1 / 30
    left_out: Sequence[str] = ()
    above: str = ""
    first_row: str = ""
    line_end: str = "\n"
    start: str = ""
    one_line_braces: bool = False


def write_bvh(path: Path, who: Person, habit: Habit) -> None:
    """Write a person's motion in a program's habit."""
    turn = Rotation.from_matrix(habit.turn)
    lines, order = ["HIERARCHY"], []
    brace = " {" if habit.one_line_braces else "\n{"

    def joint(name: str, keyword: str) -> None:
        order.append(name)
        offset = turn.apply(HIERARCHY[name][1]) * habit.scale
        places = habit.places if name == "Hips" or habit.all_places else ()
        channels = [*places, *habit.rotations]
        lines.append(f"{keyword} {habit.names(name)}{brace}")
        lines.append("OFFSET " + ("0 0 0" if habit.zero_offsets else " ".join(f"{value:.6f}" for value in offset)))
        lines.append(f"CHANNELS {len(channels)} {' '.join(channels)}")
        below = [child for child, (parent, _) in HIERARCHY.items() if parent == name and child not in habit.left_out]
        for child in below:
            joint(child, "JOINT")
        if not below:
            lines.append(f"End Site{brace}\nOFFSET 0 1 0\n}}")
        lines.append("}")

    if habit.above:
        lines.append(f"ROOT {habit.above}\n{{\nOFFSET 0 0 0\nCHANNELS 3 {' '.join(habit.rotations)}")
    joint("Hips", "JOINT" if habit.above else "ROOT")
    lines.extend(["}"] if habit.above else [])
    count = FRAMES + bool(habit.first_row)
    lines += ["MOTION", habit.frames.format(count), habit.time.format(habit.seconds)]
    euler = "".join(word[0] for word in habit.rotations).upper()
    root = turn.apply(who.root) * habit.scale
    width = 0
    for frame in range(FRAMES):
        row = [0.0] * (3 if habit.above else 0)
        for name in order:
            axes = ["xyz".index(word[0].lower()) for word in habit.places]
            place = root[frame] if name == "Hips" else turn.apply(HIERARCHY[name][1]) * habit.scale
            row += [place[axis] for axis in axes] if name == "Hips" or habit.all_places else []
            row += list((turn * who.local[name][frame] * turn.inv()).as_euler(euler, degrees=True))
        width = len(row)
        lines.append(" ".join(f"{value:.6f}" for value in row))
    if habit.first_row:
        lines.insert(len(lines) - FRAMES, " ".join([habit.first_row] * width))
    text = habit.start + "\n".join(lines) + "\n"
    path.write_bytes(text.replace("\n", habit.line_end).encode())
