"""Which way a motion file's skeleton stands and how long its unit is: seen from the skeleton, or told by the user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from egorear_ros.simulator.motion.skeleton_motion import MotionFileError, SkeletonMotion

Vector = NDArray[np.float64]

AXES: Final = ("x", "y", "z", "-x", "-y", "-z")
UNITS_M: Final = {
    "m": 1.0,
    "cm": 0.01,
    "mm": 0.001,
    "inch": 0.0254,
    "foot": 0.3048,
    "dm": 0.1,
    "acclaim": 0.0254 / 0.45,
}
"""Units by name; that of CMU's Acclaim files is 1/0.45 inch."""
LEG_LENGTHS_M: Final = {
    "m": (0.5, 1.3),
    "foot": (1.6 * 0.3048, 4.2 * 0.3048),
    "dm": (0.5, 0.98),
    "acclaim": (9.8 * UNITS_M["acclaim"], 21.5 * UNITS_M["acclaim"]),
    "inch": (21.5 * 0.0254, 48 * 0.0254),
    "cm": (0.48, 1.3),
    "mm": (0.48, 1.3),
}
"""Hip to ankle of people, by the unit in which a file may state it; the ranges do not overlap in file units."""
UPRIGHT: Final = 0.5
"""Cosine from which on a direction counts as up or down."""
FRAMES_LOOKED_AT: Final = 300


@dataclass(frozen=True)
class Stand:
    """How a skeleton stands.

    Attributes:
        clip_from_rest: (3, 3) rotation from the file's axes at rest to a clip's (x left, y backward, z up).
        clip_from_world: (3, 3) rotation from the file's world axes to a clip's.
        is_upright: the rest pose is a person standing; else limbs lie along some axis where all rotations are zero.
        up: axis of the file's world that points up, by name.
    """

    clip_from_rest: NDArray[np.float64]
    clip_from_world: NDArray[np.float64]
    is_upright: bool
    up: str


def axis_name(vector: Vector) -> str:
    """Name of the axis a vector is nearest to, such as "-z"."""
    index = int(np.abs(vector).argmax())
    return ("-" if vector[index] < 0 else "") + "xyz"[index]


def axis_vector(name: str) -> Vector:
    """Unit vector of an axis by its name."""
    vector = np.zeros(3)
    vector["xyz".index(name[-1])] = -1.0 if name.startswith("-") else 1.0
    return vector


def find_stand(path: Path, motion: SkeletonMotion, joints: Mapping[str, str], up: str | None) -> Stand:
    """See how the skeleton stands at rest and while it moves.

    Args:
        path: for messages.
        motion: the skeleton.
        joints: our bone -> its joint.
        up: axis of the file's world that points up; None: to be seen.

    Raises:
        MotionFileError: no axis can be told, or left and right are exchanged.
    """
    rest = {bone: motion.rest[joint] for bone, joint in joints.items()}
    rest_up = _snapped(rest["head"] - rest["pelvis"])
    rest_left = _left(rest, rest_up)
    if not rest_up.any() or not rest_left.any():
        raise MotionFileError(path, motion.lines[joints["pelvis"]], "pelvis, head and hips lie in one point at rest")
    legs = np.mean([_unit(rest[f"foot_{side}"] - rest[f"thigh_{side}"]) for side in "lr"], axis=0)
    is_upright = bool(legs @ rest_up < -UPRIGHT)
    clip_from_rest = _clip_from(rest_left, rest_up)
    if is_upright:
        _check_sides(path, motion, joints, rest, np.cross(rest_left, rest_up))
    world_up = axis_vector(up) if up else _world_up(motion, joints, rest_up, is_upright)
    same = bool(world_up @ rest_up > UPRIGHT)
    return Stand(clip_from_rest, clip_from_rest if same else _clip_from_up(world_up), is_upright, axis_name(world_up))


def _left(rest: Mapping[str, Vector], up: Vector) -> Vector:
    """Axis from right to left: of the hips, or, where both begin in one point, of the shoulders or knees."""
    for bone in ("thigh", "uparm", "calf"):
        across = rest[f"{bone}_l"] - rest[f"{bone}_r"]
        across = across - up * (across @ up)
        if np.linalg.norm(across) > 0.01 * np.linalg.norm(rest["head"] - rest["pelvis"]):
            return _snapped(across)
    return np.zeros(3)


def find_unit(path: Path, line: int, leg: float) -> tuple[str, float]:
    """Name and length in metres of the unit in which a leg (hip to ankle) has this length.

    Raises:
        MotionFileError: in none would it be a person's.
    """
    for name, (low, high) in LEG_LENGTHS_M.items():
        if low <= leg * UNITS_M[name] <= high:
            return name, UNITS_M[name]
    raise MotionFileError(
        path, line, f"a leg of {leg:.4g} units is no person's in any usual unit; give its unit with --unit, in metres"
    )


def _world_up(motion: SkeletonMotion, joints: Mapping[str, str], rest_up: Vector, is_upright: bool) -> Vector:
    """Up in the world: where the head is, on the average; at rest, unless the movement contradicts it."""
    step = max(1, len(motion) // FRAMES_LOOKED_AT)
    places = {joint: motion.positions(joint)[::step] for joint in set(joints.values())}
    trunk = places[joints["head"]] - places[joints["pelvis"]]
    moving_up = _snapped((trunk / np.linalg.norm(trunk, axis=1, keepdims=True)).mean(0))
    if not is_upright or not moving_up.any():
        return moving_up if moving_up.any() else rest_up
    if moving_up @ rest_up > UPRIGHT:
        return rest_up
    # Somebody who lies or crawls, or a skeleton whose rest pose is in other axes: who is on the floor, stays there.
    everything = np.stack(list(places.values()))
    return min((rest_up, moving_up), key=lambda up: float(np.ptp((everything @ up).min(0))))


def _check_sides(
    path: Path, motion: SkeletonMotion, joints: Mapping[str, str], rest: Mapping[str, Vector], forward: Vector
) -> None:
    """Raise MotionFileError where the toes point backward, as they do if left and right are exchanged."""
    toes = [_unit(rest[f"toe_{side}"] - rest[f"foot_{side}"]) for side in "lr"]
    if float(np.mean(toes, axis=0) @ forward) < -UPRIGHT:
        raise MotionFileError(
            path,
            motion.lines[joints["thigh_l"]],
            "the toes point backward at rest: left and right are exchanged, or the file's axes are left-handed; "
            "exchange the joints of both sides with --joint-map FILE",
        )


def _clip_from(left: Vector, up: Vector) -> NDArray[np.float64]:
    """Rotation into a clip's axes from those in which a person who faces forward has these directions."""
    return np.stack([left, -np.cross(left, up), up])


def _clip_from_up(up: Vector) -> NDArray[np.float64]:
    """Rotation that lifts `up`; which way is forward does not matter."""
    left = axis_vector("x") if abs(up[0]) < UPRIGHT else axis_vector("z")
    return _clip_from(left, up)


def _snapped(vector: Vector) -> Vector:
    """The axis nearest to a vector; zero for no direction."""
    return axis_vector(axis_name(vector)) if np.linalg.norm(vector) > 1e-6 else np.zeros(3)


def _unit(vector: Vector) -> Vector:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)


# Directions of bones in a T-pose, clip axes. From ankle to ball the foot is taken to slope down by 25 degrees.
T_POSE: Final[dict[str, tuple[float, float, float]]] = {
    **dict.fromkeys(("pelvis", "spine", "chest", "neck", "head"), (0.0, 0.0, 1.0)),
    **{f"{bone}_l": (1.0, 0.0, 0.0) for bone in ("clav", "uparm", "loarm", "hand")},
    **{f"{bone}_r": (-1.0, 0.0, 0.0) for bone in ("clav", "uparm", "loarm", "hand")},
    **{f"{bone}_{side}": (0.0, 0.0, -1.0) for bone in ("thigh", "calf") for side in "lr"},
    **{f"foot_{side}": (0.0, -0.9063, -0.4226) for side in "lr"},
    **{f"toe_{side}": (0.0, -1.0, 0.0) for side in "lr"},
}
SIDEWAYS: Final = Rotation.from_rotvec([0.0, np.pi, 0.0])
FLIP: Final = Rotation.from_rotvec([np.pi, 0.0, 0.0])


def rest_from_t_pose(bone: str, direction: Vector) -> Rotation:
    """Rotation of a bone from a T-pose into a rest pose in which it points elsewhere, clip axes.

    It is the shortest one; where the directions are opposite, about the axis from side to side for legs and feet, from
    front to back for arms: so hinges stay hinges where a program lays all bones along one axis.
    """
    target, there = np.array(T_POSE[bone]), _unit(direction)
    if target @ there < -0.999:
        return SIDEWAYS if bone[:-2] in ("clav", "uparm", "loarm", "hand") else FLIP
    axis = np.cross(target, there)
    angle = float(np.arctan2(np.linalg.norm(axis), target @ there))
    return Rotation.from_rotvec(_unit(axis) * angle if np.linalg.norm(axis) > 1e-9 else np.zeros(3))
