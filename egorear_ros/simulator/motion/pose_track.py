"""Poses described by what a choreographer says (where hands and feet are, how the trunk bends), and their conversion.

A track blends linearly: every quantity is a position or a small angle in the frame of the walking direction, so two
actions cross-fade by mixing their tracks. Inverse kinematics turns a track into the rotations of a clip.

Heading frame: x to the left, y backward, z up, origin on the floor below the body, turned by the heading. Nominal body:
thigh and shank 0.43 m, arm 0.30 + 0.26 m, hips 0.10 m and shoulders 0.17 m from the middle.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from egorear_ros.simulator.motion.clip import BONE_INDEX, BONES, MotionClip

Floats = NDArray[np.float64]

THIGH_M: Final = 0.43
SHANK_M: Final = 0.43
UPPER_ARM_M: Final = 0.30
FOREARM_M: Final = 0.26
HIP_OFFSET_M: Final = np.array([0.10, 0.0, -0.03])
SHOULDER_OFFSET_M: Final = np.array([0.17, 0.01, 0.24])
SPINE_TO_CHEST_M: Final = 0.24
STANDING_PELVIS_M: Final = 0.93
ANKLE_HEIGHT_M: Final = 0.08
# Chosen at rest: arms hang, slightly away from the trunk. Index 0 is left (+x), index 1 right.
HANGING_HANDS_M: Final = np.array([[0.25, -0.06, -0.30], [-0.25, -0.06, -0.30]])
STANDING_FEET_M: Final = np.array([[0.10, 0.03, ANKLE_HEIGHT_M], [-0.10, 0.03, ANKLE_HEIGHT_M]])


@dataclass(frozen=True)
class PoseTrack:
    """Poses over time; every array has T as its first axis. Angles in radians.

    Attributes:
        pelvis_m: (T, 3) pelvis in the heading frame.
        pelvis_rad: (T, 3) pitch forward, roll to the left, turn to the left, of the pelvis in the heading frame.
        spine_rad: (T, 3) the same three angles of the chest relative to the pelvis.
        head_rad: (T, 3) the same of the head relative to the chest; pitch > 0 looks down.
        feet_m: (T, 2, 3) ankles in the heading frame, left then right.
        feet_rad: (T, 2, 2) toes' pitch (down positive) and turn outward.
        hands_m: (T, 2, 3) wrists in the chest's frame, relative to its lower end.
        elbows_rad: (T, 2) how far the elbows are raised sideways about the line shoulder to wrist.
        wrists_rad: (T, 2) bend of the hands toward the palms.
        speed_m_s: (T, 2) velocity to the left and backward in the heading frame.
        turn_rad_s: (T,) turning speed of the heading, to the left.
    """

    pelvis_m: Floats
    pelvis_rad: Floats
    spine_rad: Floats
    head_rad: Floats
    feet_m: Floats
    feet_rad: Floats
    hands_m: Floats
    elbows_rad: Floats
    wrists_rad: Floats
    speed_m_s: Floats
    turn_rad_s: Floats

    def __len__(self) -> int:
        return len(self.turn_rad_s)

    def blended(self, other: PoseTrack, weight: Floats) -> PoseTrack:
        """Mix with another track of the same length: weight (T,) 0 keeps this one, 1 gives the other."""
        mixed = {}
        for field in fields(self):
            ours, theirs = getattr(self, field.name), getattr(other, field.name)
            w = weight.reshape(-1, *[1] * (ours.ndim - 1))
            mixed[field.name] = ours * (1 - w) + theirs * w
        return PoseTrack(**mixed)


def standing(frames: int) -> PoseTrack:
    """Stand still, arms hanging."""

    def constant(value: Floats) -> Floats:
        return np.repeat(np.asarray(value, float)[None], frames, axis=0)

    zeros = np.zeros(3)
    return PoseTrack(
        pelvis_m=constant(np.array([0, 0, STANDING_PELVIS_M])),
        pelvis_rad=constant(zeros),
        spine_rad=constant(zeros),
        head_rad=constant(zeros),
        feet_m=constant(STANDING_FEET_M),
        feet_rad=constant(np.array([[0, 0.15], [0, 0.15]])),
        hands_m=constant(HANGING_HANDS_M),
        elbows_rad=constant(np.zeros(2)),
        wrists_rad=constant(np.full(2, 0.1)),
        speed_m_s=constant(np.zeros(2)),
        turn_rad_s=np.zeros(frames),
    )


def track_to_clip(track: PoseTrack, name: str, fps: float, action: str, needs_prop: bool = False) -> MotionClip:
    """Solve the limbs and return the clip (rest pose: arms straight to the sides, legs straight down)."""
    frames = len(track)
    heading = np.cumsum(track.turn_rad_s) / fps
    turn = Rotation.from_rotvec(heading[:, None] * np.array([0, 0, 1.0]))
    path = np.cumsum(turn.apply(np.pad(track.speed_m_s, ((0, 0), (0, 1)))), axis=0) / fps
    rotations = np.empty((frames, len(BONES), 4), np.float32)

    pelvis = turn * bend(track.pelvis_rad)
    chest = pelvis * bend(track.spine_rad)
    halfway = pelvis * bend(track.spine_rad * 0.5)
    head = chest * bend(track.head_rad)
    for bone, rotation in {
        "pelvis": pelvis,
        "spine": halfway,
        "chest": chest,
        "neck": chest * bend(track.head_rad * 0.5),
        "head": head,
    }.items():
        rotations[:, BONE_INDEX[bone]] = rotation.as_quat()
    root = turn.apply(track.pelvis_m) + path
    for index, side in enumerate("lr"):
        limbs = solve_leg(track, index, pelvis, turn, root, path) | solve_arm(track, index, chest)
        for bone, rotation in limbs.items():
            rotations[:, BONE_INDEX[f"{bone}_{side}"]] = rotation.as_quat()
    return MotionClip(
        name=name,
        rotations_xyzw=rotations,
        root_m=root.astype(np.float32),
        limb_directions=rest_directions(),
        leg_length_m=THIGH_M + SHANK_M,
        fps=fps,
        usable=np.ones(frames, bool),
        subject="procedural",
        action=action,
        needs_prop=needs_prop,
    )


def rest_directions() -> NDArray[np.float32]:
    """Where the LIMBS point in the tracks' rest pose: a T-pose, (10, 3)."""
    left, right, down = [1, 0, 0], [-1, 0, 0], [0, 0, -1]
    return np.array([left] * 3 + [right] * 3 + [down] * 4, np.float32)


def bend(angles_rad: Floats) -> Rotation:
    """Rotation for (T, 3) pitch forward (about +x), roll to the left (about +y), turn to the left (about +z)."""
    return Rotation.from_euler("zxy", angles_rad[:, [2, 0, 1]])


def solve_leg(
    track: PoseTrack, index: int, pelvis: Rotation, turn: Rotation, root: Floats, path: Floats
) -> dict[str, Rotation]:
    """Thigh, calf, foot and toe of one leg (0 left, 1 right)."""
    mirror = np.array([1 if index == 0 else -1, 1, 1])
    hip = root + pelvis.apply(HIP_OFFSET_M * mirror)
    ankle = turn.apply(track.feet_m[:, index]) + path
    knee_way = pelvis.apply(np.array([0.12 * mirror[0], -1.0, 0]))
    upper, lower = two_bones(ankle - hip, knee_way, THIGH_M, SHANK_M)
    side_axis = pelvis.apply(np.array([1.0, 0, 0]))
    pitch, outward = track.feet_rad[:, index, 0], track.feet_rad[:, index, 1] * mirror[0]
    foot = turn * bend(np.stack([pitch, 0 * pitch, outward], axis=1))
    toe = turn * bend(np.stack([np.minimum(pitch, 0.15), 0 * pitch, outward], axis=1))
    thigh, calf = frame_rotation(-upper, side_axis), frame_rotation(-lower, side_axis)
    return {"thigh": thigh, "calf": calf, "foot": foot, "toe": toe}


def solve_arm(track: PoseTrack, index: int, chest: Rotation) -> dict[str, Rotation]:
    """Collar bone, upper arm, forearm and hand of one arm (0 left, 1 right)."""
    sign = 1 if index == 0 else -1
    to_hand = track.hands_m[:, index] - SHOULDER_OFFSET_M * np.array([sign, 1, 1])
    raised = np.clip(to_hand[:, 2] / (UPPER_ARM_M + FOREARM_M), 0, 1) * 0.35
    clavicle = chest * Rotation.from_rotvec(raised[:, None] * np.array([0, -sign, 0.0]))
    lift = track.elbows_rad[:, index]
    elbow_way = np.stack([sign * (0.45 + np.sin(lift)), 0.75 + 0 * lift, -np.cos(lift)], axis=1)
    upper, lower = two_bones(chest.apply(to_hand), chest.apply(elbow_way), UPPER_ARM_M, FOREARM_M)
    axis = np.cross(upper, lower)
    straight = np.linalg.norm(axis, axis=1, keepdims=True) < 0.05
    # Rest pose: arms along +-x, elbow bends forward, i.e. about the vertical axis.
    hinge = np.where(straight, np.cross(chest.apply(elbow_way), upper), axis) * -sign
    upper_arm = frame_rotation(hinge, upper * sign)
    forearm = frame_rotation(hinge, lower * sign)
    # The palm looks to the body when the arm hangs: the forearm is turned a quarter about its own axis at rest.
    forearm_roll = Rotation.from_rotvec(np.array([-0.5, 0, 0.0]))
    turned = forearm * forearm_roll
    wrist = Rotation.from_rotvec(track.wrists_rad[:, index, None] * np.array([0, sign, 0.0]))
    return {"clav": clavicle, "uparm": upper_arm, "loarm": turned, "hand": turned * wrist}


def two_bones(target: Floats, way: Floats, first_m: float, second_m: float) -> tuple[Floats, Floats]:
    """Directions (T, 3) of two hinged bones that reach `target` (T, 3), the joint between them pointing `way`.

    Targets out of reach are approached along a stretched (not quite straight) or folded limb.
    """
    distance = np.linalg.norm(target, axis=1, keepdims=True)
    direction = target / np.maximum(distance, 1e-6)
    reach = np.clip(distance, abs(first_m - second_m) + 0.06, (first_m + second_m) * 0.998)
    along = (first_m**2 - second_m**2 + reach**2) / (2 * reach)
    aside = np.sqrt(np.maximum(first_m**2 - along**2, 0))
    across = way - direction * (way * direction).sum(axis=1, keepdims=True)
    across = across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
    joint = direction * along + across * aside
    return joint / first_m, (direction * reach - joint) / second_m


def frame_rotation(up: Floats, left: Floats) -> Rotation:
    """Rotation that carries +z to `up` and +x as near as possible to `left`; (T, 3) each."""
    z = up / np.linalg.norm(up, axis=1, keepdims=True)
    x = left - z * (left * z).sum(axis=1, keepdims=True)
    x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)
    return Rotation.from_matrix(np.stack([x, np.cross(z, x), z], axis=2))
