"""A simple figure: one eight-sided spindle per bone, a ball-like one for the head. Each hangs on one joint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from egorear_ros.body import BODY_JOINTS, BODY_PARENTS

SIDES: Final = 8
THICKEST_AT: Final = 0.2
"""Share of the bone's length from its start."""

RADIUS_SHARE: Final = 0.12
HEAD_M: Final = 0.09
"""Radius of the head's ball."""

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Figure:
    """Triangles, three points each, in the rest pose.

    Attributes:
        points_m: (3 N, 3) metres.
        normals: (3 N, 3) outward, one per triangle.
        joints: (3 N, 4) uint16, index in `BODY_JOINTS`; only the first counts.
        weights: (3 N, 4), 1 for the first.
        rest_m: (20, 3) positions of the joints.
    """

    points_m: Float32
    normals: Float32
    joints: npt.NDArray[np.uint16]
    weights: Float32
    rest_m: npt.NDArray[np.float64]


def spindles(offsets_m: npt.NDArray[np.float64]) -> Figure:
    """Build the figure of a body in its rest pose, (20, 3) offsets of the joints from their parents."""
    rest_m = np.zeros_like(offsets_m)
    for joint, parent in enumerate(BODY_PARENTS):
        rest_m[joint] = offsets_m[joint] + (rest_m[parent] if parent >= 0 else 0)
    triangles, owners = [], []
    for joint, parent in enumerate(BODY_PARENTS):
        length = float(np.linalg.norm(offsets_m[joint]))
        if parent < 0 or length == 0 or BODY_JOINTS[joint].endswith("Shoulder"):
            continue  # the spine's spindle is the neck's bone already
        start, end, radius, at = rest_m[parent], rest_m[joint], RADIUS_SHARE * length, THICKEST_AT
        triangles.append(_spindle(start, end, radius, at))
        owners.append(np.full(len(triangles[-1]), parent))
    head = BODY_JOINTS.index("Head")
    up = np.array([0, HEAD_M, 0])
    triangles.append(_spindle(rest_m[head] - up, rest_m[head] + up, HEAD_M, 0.5))
    owners.append(np.full(len(triangles[-1]), head))
    corners = np.concatenate(triangles)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    joints = np.zeros((3 * len(corners), 4), np.uint16)
    joints[:, 0] = np.repeat(np.concatenate(owners), 3)
    weights = np.zeros((3 * len(corners), 4), np.float32)
    weights[:, 0] = 1
    return Figure(
        corners.reshape(-1, 3).astype(np.float32), np.repeat(normals, 3, 0).astype(np.float32), joints, weights, rest_m
    )


def _spindle(
    start: npt.NDArray[np.float64], end: npt.NDArray[np.float64], radius_m: float, at: float
) -> npt.NDArray[np.float64]:
    """(2 SIDES, 3, 3) triangles around a bone, counter-clockwise seen from outside."""
    along = (end - start) / np.linalg.norm(end - start)
    across = np.cross(along, np.eye(3)[int(np.abs(along).argmin())])
    across /= np.linalg.norm(across)
    other = np.cross(along, across)
    angles = 2 * np.pi * np.arange(SIDES) / SIDES
    ring = start + at * (end - start) + radius_m * (np.outer(np.cos(angles), across) + np.outer(np.sin(angles), other))
    following = np.roll(ring, -1, 0)
    lower = np.stack([np.broadcast_to(start, ring.shape), following, ring], 1)
    upper = np.stack([np.broadcast_to(end, ring.shape), ring, following], 1)
    return np.concatenate([lower, upper])
