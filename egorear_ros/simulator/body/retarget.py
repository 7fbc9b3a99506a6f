"""Make a body follow a clip: bone rotations and joint positions per frame, feet on the floor, hands outside the body.

The clip's rotations are global and relative to the performer's rest pose; where the body's limbs point elsewhere at
rest (A-pose against T-pose), the shortest rotation between the two directions comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from egorear_ros.simulator.body.asset import BodyAsset, BodyShape
from egorear_ros.simulator.body.clearance import clear_arms
from egorear_ros.simulator.motion.clip import BONE_INDEX, LIMBS, MotionClip, nlerp

CLIP_BONE_OF: Final[dict[str, str]] = {
    "pelvis": "pelvis",
    "spine_02": "spine",
    "spine_03": "chest",
    "neck_01": "neck",
    "head": "head",
    **{
        f"{ours}_{side}": f"{theirs}_{side}"
        for ours, theirs in {
            "clavicle": "clav",
            "upperarm": "uparm",
            "lowerarm": "loarm",
            "hand": "hand",
            "thigh": "thigh",
            "calf": "calf",
            "foot": "foot",
            "ball": "toe",
        }.items()
        for side in "lr"
    },
}
LIMB_ENDS: Final[dict[str, tuple[str, str]]] = {
    "uparm": ("upperarm", "lowerarm"),
    "loarm": ("lowerarm", "hand"),
    "hand": ("hand", "middle_01"),
    "thigh": ("thigh", "calf"),
    "calf": ("calf", "foot"),
}
CONTACT_REACH_M: Final = 0.07
"""A body whose lowest point is within this of the floor is standing on it."""


@dataclass(frozen=True)
class BodyMotion:
    """A body's skeleton over time, in the world (x, y horizontal, z up, floor at z = 0).

    Attributes:
        world_from_rest: (T, B, 3, 3) float32 rotation of each bone relative to the rest pose.
        bone_heads_m: (T, B, 3) float32.
        fps: frames per second.
    """

    world_from_rest: NDArray[np.float32]
    bone_heads_m: NDArray[np.float32]
    fps: float

    def __len__(self) -> int:
        return len(self.bone_heads_m)


def retarget(
    asset: BodyAsset,
    shape: BodyShape,
    clip: MotionClip,
    sole_m: float,
    head_pitch_rad: NDArray[np.floating] | None = None,
    finger_curl: float = 0.4,
) -> BodyMotion:
    """Pose `shape` along the clip.

    Args:
        asset: rig of the body.
        shape: whom to pose.
        clip: what to do.
        sole_m: how far the shoe's sole lies below the foot's ball bone at rest.
        head_pitch_rad: (T,) added to the head, half of it to the neck; positive looks down.
        finger_curl: 0 stretched fingers .. 1 fist.

    Returns:
        The body's motion at the clip's frame rate, standing on the floor z = 0.
    """
    rotations = bone_rotations(asset, shape, clip, head_pitch_rad, finger_curl)
    heads = forward_kinematics(asset, shape, rotations)
    pelvis = asset.bone["pelvis"]
    scale = leg_length(asset, shape) / clip.leg_length_m
    heads += (clip.root_m * scale)[:, None] - heads[:, pelvis : pelvis + 1]
    rotations = clear_arms(asset, shape, rotations, heads)
    root = heads[:, pelvis].copy()
    heads = forward_kinematics(asset, shape, rotations)
    heads += root[:, None] - heads[:, pelvis : pelvis + 1]
    heads[..., 2] -= floor_height(asset, shape, rotations, heads, sole_m, clip.fps)[:, None]
    return BodyMotion(rotations, heads, clip.fps)


def leg_length(asset: BodyAsset, shape: BodyShape) -> float:
    """Hip to knee to ankle at rest, metres."""
    hip, knee, ankle = (shape.bone_heads_m[asset.bone[name]] for name in ("thigh_l", "calf_l", "foot_l"))
    return float(np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee))


def bone_rotations(
    asset: BodyAsset,
    shape: BodyShape,
    clip: MotionClip,
    head_pitch_rad: NDArray[np.floating] | None,
    finger_curl: float,
) -> NDArray[np.float32]:
    """World-from-rest rotation of every bone, (T, B, 3, 3) float32."""
    matrices = Rotation.from_quat(clip.rotations_xyzw.reshape(-1, 4)).as_matrix().reshape(len(clip), -1, 3, 3)
    lower_back = nlerp(clip.rotations_xyzw[:, BONE_INDEX["pelvis"]], clip.rotations_xyzw[:, BONE_INDEX["spine"]], 0.5)
    alignment = limb_alignment(asset, shape, clip)
    curl = finger_curls(asset, shape, finger_curl)
    result = np.empty((len(clip), len(asset.bone_names), 3, 3), np.float32)
    for index, name in enumerate(asset.bone_names):
        if name in CLIP_BONE_OF:
            result[:, index] = matrices[:, BONE_INDEX[CLIP_BONE_OF[name]]] @ alignment.get(name, np.eye(3))
        elif name == "spine_01":
            result[:, index] = Rotation.from_quat(lower_back).as_matrix()
        elif index == 0:
            result[:, index] = np.eye(3)
        else:
            result[:, index] = result[:, asset.bone_parents[index]] @ curl.get(name, np.eye(3))
        if head_pitch_rad is not None and name in ("neck_01", "head"):
            share = np.asarray(head_pitch_rad) * (1.0 if name == "head" else 0.5)
            result[:, index] = (
                result[:, index] @ Rotation.from_rotvec(share[:, None] * np.array([1.0, 0, 0])).as_matrix()
            )
    return result


def limb_alignment(asset: BodyAsset, shape: BodyShape, clip: MotionClip) -> dict[str, NDArray[np.float64]]:
    """Rotation that carries each limb's direction at rest into the clip's direction at rest, by body bone name."""
    alignment = {}
    for limb, direction in zip(LIMBS, clip.limb_directions, strict=True):
        side = limb[-2:]
        start, end = (name + side for name in LIMB_ENDS[limb[:-2]])
        own = shape.bone_heads_m[asset.bone[end]] - shape.bone_heads_m[asset.bone[start]]
        alignment[start] = shortest_rotation(own, direction)
    return alignment


def shortest_rotation(source: NDArray[np.floating], target: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rotation matrix (3, 3) that turns direction `source` into direction `target` by the smallest angle."""
    a, b = source / np.linalg.norm(source), target / np.linalg.norm(target)
    axis = np.cross(a, b)
    sine = float(np.linalg.norm(axis))
    if sine < 1e-8:
        return np.eye(3)
    return np.asarray(Rotation.from_rotvec(axis / sine * np.arctan2(sine, a @ b)).as_matrix())


def finger_curls(asset: BodyAsset, shape: BodyShape, finger_curl: float) -> dict[str, NDArray[np.float64]]:
    """Local rotation of every finger bone that closes the hand by `finger_curl`."""
    curls = {}
    for side, sign in (("_l", -1.0), ("_r", 1.0)):
        across = shape.bone_heads_m[asset.bone["index_01" + side]] - shape.bone_heads_m[asset.bone["pinky_01" + side]]
        across = across / np.linalg.norm(across)
        for finger in ("index", "middle", "ring", "pinky"):
            for knuckle in ("_01", "_02", "_03"):
                curls[finger + knuckle + side] = Rotation.from_rotvec(across * sign * 0.6 * finger_curl).as_matrix()
    return curls


def forward_kinematics(asset: BodyAsset, shape: BodyShape, rotations: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bone heads (T, B, 3) for these rotations, the root bone at the origin."""
    heads = np.zeros((*rotations.shape[:2], 3), np.float32)
    for index, parent in enumerate(asset.bone_parents):
        if parent >= 0:
            offset = shape.bone_heads_m[index] - shape.bone_heads_m[parent]
            heads[:, index] = heads[:, parent] + rotations[:, parent] @ offset
    return heads


def contact_points(
    asset: BodyAsset, shape: BodyShape, rotations: NDArray[np.float32], heads: NDArray[np.float32], sole_m: float
) -> NDArray[np.float32]:
    """(T, P, 3) points that may touch the floor: corners of the soles, knees, hands, seat."""
    points = []
    for side in "lr":
        foot, ball = asset.bone[f"foot_{side}"], asset.bone[f"ball_{side}"]
        sole_z = shape.bone_heads_m[ball, 2] - sole_m
        forward = shape.bone_heads_m[ball] - shape.bone_heads_m[foot]
        for bone, along in ((foot, -0.45), (foot, 1.0), (ball, 0.55)):
            at_rest = shape.bone_heads_m[bone] + forward * along
            at_rest = np.array([at_rest[0], at_rest[1], sole_z])
            points.append(heads[:, bone] + rotations[:, bone] @ (at_rest - shape.bone_heads_m[bone]).astype(np.float32))
        for name, radius in (("calf", 0.06), ("hand", 0.03), ("middle_03", 0.012), ("lowerarm", 0.045)):
            point = heads[:, asset.bone[f"{name}_{side}"]].copy()
            point[:, 2] -= radius
            points.append(point)
        seat = heads[:, asset.bone[f"thigh_{side}"]].copy()
        seat[:, 2] -= 0.11
        points.append(seat)
    return np.stack(points, axis=1)


def floor_height(
    asset: BodyAsset,
    shape: BodyShape,
    rotations: NDArray[np.float32],
    heads: NDArray[np.float32],
    sole_m: float,
    fps: float,
) -> NDArray[np.float32]:
    """Height (T,) of the floor under the body, so that what touches it neither floats nor sinks.

    While the body's lowest point is near the clip's floor the floor follows it exactly; in flight it is interpolated.
    """
    lowest = contact_points(asset, shape, rotations, heads, sole_m)[..., 2].min(axis=1).astype(np.float64)
    level = np.percentile(lowest, 25)
    touching = np.flatnonzero(lowest < level + CONTACT_REACH_M)
    floor = np.interp(np.arange(len(lowest)), touching, lowest[touching])
    smooth = gaussian_filter1d(floor, 0.04 * fps, mode="nearest") if len(floor) > 3 else floor
    return np.minimum(smooth, lowest).astype(np.float32)
