"""Recorded motion, changed so that training sees poses that nobody was recorded in.

A library has few performers, and a network learns their habits. Three changes keep a pose anatomical: left and right
exchanged, the upper body of one recording on the legs of another, ball joints turned a little. For learning only: a
benchmark shows the motion as it was recorded.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from egorear_ros.simulator.motion.clip import BONE_INDEX, BONES, LIMBS, MotionClip
from egorear_ros.simulator.motion.library import MotionLibrary

MIRRORED_SHARE: Final = 0.5
RECOMBINED_SHARE: Final = 0.6
KNOT_S: Final = 1.5
"""Time in which a joint's deviation becomes another one."""

DEVIATION_RAD: Final[dict[str, float]] = {
    "spine": 0.06,
    "chest": 0.06,
    "neck": 0.08,
    "head": 0.08,
    "clav": 0.04,
    "uparm": 0.15,
    "hand": 0.15,
    "thigh": 0.10,
    "foot": 0.10,
}
"""Standard deviation about each axis; elbows, knees and toes bend one way only and are left alone."""

PARENT: Final[dict[str, str]] = {
    "spine": "pelvis",
    "chest": "spine",
    "neck": "chest",
    "head": "neck",
    "clav": "chest",
    "uparm": "clav",
    "loarm": "uparm",
    "hand": "loarm",
    "thigh": "pelvis",
    "calf": "thigh",
    "foot": "calf",
    "toe": "foot",
}
LOWER_BODY: Final = ("pelvis", "thigh", "calf", "foot", "toe")


def varied_clip(rng: np.random.Generator, library: MotionLibrary, duration_s: float, split: str) -> MotionClip:
    """Draw a piece of recorded motion, `duration_s` long, and change it.

    Unlike `MotionLibrary.pick` it also takes motion that leans on something the scene lacks: nothing can be seen of a
    ladder that is not there, and the poses are rare ones.

    Raises:
        EgorearError: the library has no usable clip of this split.
    """
    clip = _drawn(rng, library, duration_s, split)
    if rng.random() < RECOMBINED_SHARE:
        clip = recombined(clip, _drawn(rng, library, duration_s, split))
    return with_deviations(rng, clip)


def mirrored(clip: MotionClip) -> MotionClip:
    """Exchange left and right: the motion as a mirror shows it."""
    swap = [BONE_INDEX[_other_side(bone)] for bone in BONES]
    limbs = [LIMBS.index(_other_side(limb)) for limb in LIMBS]
    return replace(
        clip,
        name=f"{clip.name}_mirrored",
        rotations_xyzw=clip.rotations_xyzw[:, swap] * np.array([1, -1, -1, 1], np.float32),
        root_m=clip.root_m * np.array([-1, 1, 1], np.float32),
        limb_directions=clip.limb_directions[limbs] * np.array([-1, 1, 1], np.float32),
    )


def recombined(legs: MotionClip, trunk: MotionClip) -> MotionClip:
    """The way and the legs of one motion, and all above the pelvis of another, relative to the pelvis.

    Args:
        legs: gives root, pelvis, legs, frame rate and everything else.
        trunk: gives spine, head and arms; as many frames as `legs`.
    """
    above = [index for index, bone in enumerate(BONES) if _kind(bone) not in LOWER_BODY]
    turn = _rotation(legs, "pelvis") * _rotation(trunk, "pelvis").inv()
    rotations = legs.rotations_xyzw.copy()
    for index in above:
        rotations[:, index] = (turn * _rotation(trunk, BONES[index])).as_quat()
    arms = np.array([_kind(limb) not in LOWER_BODY for limb in LIMBS])
    return replace(
        legs,
        name=f"{legs.name}+{trunk.name}",
        action=f"{legs.action} / {trunk.action}",
        rotations_xyzw=rotations,
        limb_directions=np.where(arms[:, None], trunk.limb_directions, legs.limb_directions),
    )


def with_deviations(rng: np.random.Generator, clip: MotionClip) -> MotionClip:
    """Turn the ball joints a little, by angles that change slowly."""
    rotations = clip.rotations_xyzw.copy()
    changed = {"pelvis": _rotation(clip, "pelvis")}
    for bone in sorted(BONES[1:], key=_depth):
        parent = _parent(bone)
        local = _rotation(clip, parent).inv() * _rotation(clip, bone)
        if _kind(bone) in DEVIATION_RAD:
            local = local * Rotation.from_rotvec(_slow_noise(rng, len(clip), clip.fps) * DEVIATION_RAD[_kind(bone)])
        changed[bone] = changed[parent] * local
        rotations[:, BONE_INDEX[bone]] = changed[bone].as_quat()
    return replace(clip, rotations_xyzw=rotations)


def _drawn(rng: np.random.Generator, library: MotionLibrary, duration_s: float, split: str) -> MotionClip:
    """A clip of the library, perhaps mirrored; played forth and back where it is too short."""
    clip = library.pick(rng, duration_s, split, with_props=True)
    clip = mirrored(clip) if rng.random() < MIRRORED_SHARE else clip
    times_s = np.arange(int(duration_s * clip.fps) + 2) / clip.fps
    length = max(clip.duration_s, 1e-6)
    return clip.at(length - np.abs(times_s % (2 * length) - length), clip.fps)


def _slow_noise(rng: np.random.Generator, frames: int, fps: float) -> NDArray[np.float64]:
    """(T, 3) with a standard deviation of about one, smooth over KNOT_S."""
    knots = rng.normal(0, 1, (int(frames / fps / KNOT_S) + 2, 3))
    position = np.arange(frames) / fps / KNOT_S
    return np.stack([np.interp(position, np.arange(len(knots)), knots[:, axis]) for axis in range(3)], axis=1)


def _rotation(clip: MotionClip, bone: str) -> Rotation:
    return Rotation.from_quat(clip.rotations_xyzw[:, BONE_INDEX[bone]])


def _kind(bone: str) -> str:
    """The bone without its side."""
    return bone.removesuffix("_l").removesuffix("_r")


def _other_side(bone: str) -> str:
    return _kind(bone) + {"_l": "_r", "_r": "_l"}.get(bone[-2:], "")


def _parent(bone: str) -> str:
    """The bone it hangs on, of the same side where that has sides."""
    parent = PARENT[_kind(bone)]
    return parent if parent in BONE_INDEX else parent + bone[-2:]


def _depth(bone: str) -> int:
    """How many bones there are between it and the pelvis."""
    return 0 if bone == "pelvis" else 1 + _depth(_parent(bone))
