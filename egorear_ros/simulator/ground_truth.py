"""What is true about a frame: the 16 joints in every frame of reference, and which camera sees which joint.

Visible means: the joint is in view, and at its pixel (or one beside it) the nearest surface belongs to the joint's own
limb and lies no further from the joint than the limb is thick. Anything else in front of the joint, be it another limb,
the trunk, the helmet or furniture, hides it. Clothing of the limb itself does not: it moves with the limb, as a sleeve
does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.rig import CameraModel
from egorear_ros.rig.rigid import transform_points
from egorear_ros.simulator.body.asset import BodyAsset
from egorear_ros.skeleton import NUM_JOINTS, UNREALEGO_NAMES

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LIMB_THICKNESS_M: Final = {
    "head": 0.17,
    "neck_01": 0.12,
    "upperarm": 0.11,
    "lowerarm": 0.09,
    "hand": 0.08,
    "thigh": 0.17,
    "calf": 0.11,
    "foot": 0.10,
    "ball": 0.09,
}
"""How far from a joint the surface of its own limb may be, loose clothing included."""

OWN_BONES: Final = {
    "head": ("head",),
    "neck_01": ("neck_01", "spine_03", "head"),
    "upperarm": ("upperarm", "clavicle", "lowerarm"),
    "lowerarm": ("lowerarm", "upperarm"),
    "hand": ("hand", "lowerarm", "thumb", "index", "middle", "ring", "pinky"),
    "thigh": ("thigh", "pelvis"),
    "calf": ("calf", "thigh"),
    "foot": ("foot", "calf", "ball"),
    "ball": ("ball", "foot"),
}
"""Bones whose surface counts as a joint's own limb (of the joint's side)."""


@dataclass(frozen=True)
class GroundTruth:
    """The truth about one frame of V views.

    Attributes:
        joints_device_m: (16, 3) in the device frame.
        joints_camera_m: (V, 16, 3) in each camera's optical frame.
        pixels: (V, 16, 2) in the image as rendered.
        in_view: (V, 16) inside the image, the lens circle and the field of view.
        visible: (V, 16) in view and not hidden.
        camera_from_device: (V, 4, 4) metres, with the rig's tolerances.
        device_from_world: (4, 4) metres; world: z up, floor at 0.
        world_from_head: (4, 4) pose of the head bone relative to the rest pose.
        stamp_ns: time of the exposure's middle since the sequence began.
        body, clip, clip_frame: which body and what motion.
        action: what the person does, in words; of captured motion what the whole clip is called.
    """

    joints_device_m: Floats
    joints_camera_m: Floats
    pixels: Floats
    in_view: Flags
    visible: Flags
    camera_from_device: Floats
    device_from_world: Floats
    world_from_head: Floats
    stamp_ns: int
    body: int
    clip: str
    clip_frame: int
    action: str


@cache
def limb_tables(bone_names: tuple[str, ...]) -> tuple[Floats, Flags]:
    """Thickness (16,) and own bones (16, B) of every joint."""
    thickness, own = np.zeros(NUM_JOINTS), np.zeros((NUM_JOINTS, len(bone_names)), bool)
    for joint, name in enumerate(UNREALEGO_NAMES):
        base, side = (name, "") if name in OWN_BONES else (name[:-2], name[-2:])
        thickness[joint] = LIMB_THICKNESS_M[base]
        for bone, label in enumerate(bone_names):
            middle = not label.endswith(("_l", "_r"))
            own[joint, bone] = label.startswith(OWN_BONES[base]) and (middle or label.endswith(side))
    return thickness, own


def observe(
    asset: BodyAsset,
    bone_heads_m: NDArray[np.floating],
    device_from_world: Floats,
    camera_from_device: Floats,
    models: list[CameraModel],
) -> tuple[Floats, Floats, Floats, Flags]:
    """Joints in the device frame (16, 3), the camera frames (V, 16, 3), the images (V, 16, 2), and whether in view."""
    in_device = transform_points(device_from_world, bone_heads_m[asset.joint_bones].astype(np.float64))
    in_cameras = np.stack([transform_points(matrix, in_device) for matrix in camera_from_device])
    pixels = np.stack([model.project(points) for model, points in zip(models, in_cameras, strict=True)])
    in_view = np.stack([model.in_view(points) for model, points in zip(models, in_cameras, strict=True)])
    return in_device, in_cameras, pixels, in_view


def visible_joints(
    asset: BodyAsset,
    joints_camera_m: Floats,
    pixels: Floats,
    in_view: Flags,
    distance_m: NDArray[np.float32],
    part: NDArray[np.int32],
) -> Flags:
    """(V, 16) joints that are not hidden; `distance_m` and `part` are the renderer's, (V, H, W)."""
    thickness, own = limb_tables(asset.bone_names)
    visible = np.zeros_like(in_view)
    for view, joint in zip(*np.nonzero(in_view), strict=True):
        column, row = np.floor(pixels[view, joint]).astype(int)
        window = np.s_[view, max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        parts, distances = part[window], distance_m[window]
        is_bone = (parts >= 0) & (parts < own.shape[1])
        is_own = is_bone & own[joint][np.where(is_bone, parts, 0)]
        away = np.abs(distances - np.linalg.norm(joints_camera_m[view, joint]))
        visible[view, joint] = bool((is_own & (away < thickness[joint])).any())
    return visible
