"""Keep arms out of the trunk and out of the helmet.

A clip made by one performer puts the hands of a broader one into his belly. Where the elbow, the forearm or the hand
enters the trunk (elliptic cylinders along the spine) or the head with its helmet (a sphere), the whole arm is turned
about the shoulder until it is outside, a few small steps at a time. The push depends smoothly on the pose, so motion
stays smooth.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from egorear_ros.simulator.body.asset import BodyAsset, BodyShape

Floats = NDArray[np.float32]

ROUNDS: Final = 6
ARM_RADIUS_M: Final = 0.045
HELMET_RADIUS_M: Final = 0.185
TRUNK: Final[tuple[tuple[str, str], ...]] = (("pelvis", "spine_01"), ("spine_01", "spine_03"), ("spine_03", "neck_01"))
LARGEST_TURN_RAD: Final = 0.25


def clear_arms(asset: BodyAsset, shape: BodyShape, rotations: Floats, heads: Floats) -> Floats:
    """Return the rotations (T, B, 3, 3) with both arms turned out of trunk and helmet.

    Args:
        asset: the rig.
        shape: the body.
        rotations: (T, B, 3, 3) world from rest.
        heads: (T, B, 3) bone heads that belong to `rotations`.
    """
    rotations = rotations.copy()
    half_widths = trunk_half_widths(asset, shape)
    for side in "lr":
        shoulder = asset.bone[f"upperarm_{side}"]
        arm = arm_bones(asset, side)
        points = arm_points(asset, side, heads, rotations, shape)
        pivot = heads[:, shoulder : shoulder + 1]
        for _ in range(ROUNDS):
            push = trunk_push(asset, half_widths, rotations, heads, points) + helmet_push(
                asset, shape, rotations, heads, points
            )
            if not push.any():
                break
            turn = turn_about(points - pivot, push)
            points = pivot + np.einsum("tij,tpj->tpi", turn, points - pivot)
            rotations[:, arm] = turn[:, None] @ rotations[:, arm]
    return rotations


def arm_bones(asset: BodyAsset, side: str) -> list[int]:
    """Upper arm and everything that hangs from it."""
    bones = [asset.bone[f"upperarm_{side}"]]
    for index, parent in enumerate(asset.bone_parents):
        if parent in bones:
            bones.append(index)
    return bones


def arm_points(asset: BodyAsset, side: str, heads: Floats, rotations: Floats, shape: BodyShape) -> Floats:
    """(T, 6, 3) points along forearm and hand."""
    elbow, wrist, knuckle, tip = (
        heads[:, asset.bone[f"{name}_{side}"]] for name in ("lowerarm", "hand", "middle_01", "middle_03")
    )
    return np.stack([elbow, (2 * elbow + wrist) / 3, (elbow + 2 * wrist) / 3, wrist, knuckle, tip], axis=1)


def trunk_half_widths(asset: BodyAsset, shape: BodyShape) -> list[tuple[Floats, Floats]]:
    """Per trunk segment: its centre offset from the bone (x, y) and half width and half depth, from the rest mesh."""
    on_trunk = asset.weight_of("pelvis", "spine_01", "spine_02", "spine_03")[np.unique(asset.faces["tights"])] > 0.6
    vertices = shape.vertices_m[np.unique(asset.faces["tights"])][on_trunk]
    result = []
    for lower, upper in TRUNK:
        bottom, top = shape.bone_heads_m[asset.bone[lower], 2], shape.bone_heads_m[asset.bone[upper], 2]
        slab = vertices[(vertices[:, 2] > bottom - 0.03) & (vertices[:, 2] < top)]
        low, high = np.percentile(slab[:, :2], [2, 98], axis=0)
        center = (low + high) / 2 - shape.bone_heads_m[asset.bone[lower], :2]
        result.append((center.astype(np.float32), ((high - low) / 2).astype(np.float32)))
    return result


def trunk_push(
    asset: BodyAsset, half_widths: list[tuple[Floats, Floats]], rotations: Floats, heads: Floats, points: Floats
) -> Floats:
    """(T, P, 3) way out of the trunk for each point, zero outside."""
    push = np.zeros_like(points)
    for (lower, upper), (center, half) in zip(TRUNK, half_widths, strict=True):
        bone = asset.bone[lower]
        local = np.einsum("tji,tpj->tpi", rotations[:, bone], points - heads[:, bone : bone + 1])
        height = np.linalg.norm(heads[:, asset.bone[upper]] - heads[:, bone], axis=-1)[:, None]
        flat = local[..., :2] - center
        radius = half + ARM_RADIUS_M
        depth = np.sqrt(((flat / radius) ** 2).sum(-1))
        inside = (depth < 1) & (local[..., 2] > -0.06) & (local[..., 2] < height)
        outward = np.zeros_like(points)
        outward[..., :2] = flat / np.maximum(depth, 0.2)[..., None] - flat
        push += np.where(inside[..., None], np.einsum("tij,tpj->tpi", rotations[:, bone], outward), 0)
    return push


def helmet_push(asset: BodyAsset, shape: BodyShape, rotations: Floats, heads: Floats, points: Floats) -> Floats:
    """(T, P, 3) way out of the sphere around head and helmet for each point, zero outside."""
    bone = asset.bone["head"]
    skull = rotations[:, bone] @ np.array([0, 0.0, 0.10], np.float32)
    from_center = points - (heads[:, bone] + skull)[:, None]
    distance = np.linalg.norm(from_center, axis=-1, keepdims=True)
    return np.asarray(from_center * np.maximum(HELMET_RADIUS_M / np.maximum(distance, 0.03) - 1, 0), np.float32)


def turn_about(arms: Floats, push: Floats) -> Floats:
    """Rotation (T, 3, 3) about the shoulder that moves the most deeply buried point of each frame outward."""
    worst = np.argmax((push**2).sum(-1), axis=1)
    frames = np.arange(len(worst))
    arm, way = arms[frames, worst], push[frames, worst]
    axis_angle = np.cross(arm, way) / np.maximum((arm**2).sum(-1, keepdims=True), 1e-4)
    angle = np.linalg.norm(axis_angle, axis=-1, keepdims=True)
    limited = axis_angle * np.minimum(1.0, LARGEST_TURN_RAD / np.maximum(angle, 1e-9))
    return np.asarray(Rotation.from_rotvec(limited).as_matrix(), np.float32)
