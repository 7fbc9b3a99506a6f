"""The helmet's own geometry: shell, brackets and camera bodies, where the cameras of a real rig would see them.

Built in the head's rest frame (x left, y back, z up) and carried along by the head bone.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.rig.rigid import inverse
from egorear_ros.simulator import materials
from egorear_ros.simulator.renderer.mesh import Mesh, merge
from egorear_ros.simulator.rig_mount import HeadSize, RigMount
from egorear_ros.simulator.scene.furniture import box, grid_faces, static_mesh

SHELL_GAP_M: Final = 0.020
BRIM_DROP_FRONT_M: Final = 0.075
BRIM_DROP_BACK_M: Final = 0.135
CAMERA_HALF_M: Final = 0.014
LENS_CLEARANCE_M: Final = 0.006


def shell_radii(size: HeadSize) -> NDArray[np.float64]:
    """(3,) half axes of the helmet's ellipsoid."""
    return np.array(
        [
            size.half_width + SHELL_GAP_M + 0.008,
            (size.back_y - size.front_y) / 2 + SHELL_GAP_M,
            size.top_z - size.center[2] + SHELL_GAP_M,
        ]
    )


def helmet_mesh(rng: np.random.Generator, size: HeadSize, mounted: RigMount) -> Mesh:
    """Make the helmet for a head and the rig on it."""
    color = materials.random_color(rng, (0.0, 0.5), (0.08, 0.95))
    plastic = materials.material(color, gloss=0.35)
    metal = materials.material(np.full(3, rng.uniform(0.01, 0.15)), gloss=0.3)
    parts = [shell(size, plastic)]
    head_from_device = inverse(mounted.device_from_head)
    for camera_from_device in mounted.camera_from_device:
        head_from_camera = head_from_device @ inverse(camera_from_device)
        half = CAMERA_HALF_M
        body = box([-half, -half, -0.035], [half, half, -LENS_CLEARANCE_M], metal)
        parts.append(body.moved(head_from_camera))
        parts.append(strut(size, head_from_camera[:3, 3] - head_from_camera[:3, 2] * 0.02, metal))
    return merge(parts)


def shell(size: HeadSize, plastic: NDArray[np.float32]) -> Mesh:
    """The cap: the upper part of an ellipsoid, its brim lower at the back."""
    around, up = 40, 14
    azimuth = np.linspace(0, 2 * np.pi, around + 1)
    radii, center = shell_radii(size), size.center
    backness = 0.5 + 0.5 * np.sin(azimuth)
    drop = BRIM_DROP_FRONT_M + (BRIM_DROP_BACK_M - BRIM_DROP_FRONT_M) * backness
    lowest = np.arcsin(np.clip((size.top_z - drop - center[2]) / radii[2], -0.95, 0.95))
    share = np.linspace(0, 1, up + 1)[:, None]
    elevation = lowest + (np.pi / 2 - lowest) * share
    level = np.where(elevation < 0, 1.0, np.cos(elevation))  # straight below the girth, so that hair stays inside
    unit = np.stack([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)], axis=-1)
    outer = (center + unit * radii).reshape(-1, 3)
    inner = (center + unit[:2] * (radii - 0.012)).reshape(-1, 3)[: around + 1]
    normals = (unit / radii).reshape(-1, 3)
    rim_faces = grid_faces(1, around)
    rim = np.concatenate([inner, outer[: around + 1]])
    rim_normals = np.broadcast_to([0.0, 0.0, -1.0], rim.shape)
    return merge(
        [
            static_mesh(outer, normals, grid_faces(up, around), plastic),
            static_mesh(rim, rim_normals, rim_faces, plastic),
        ]
    )


def strut(size: HeadSize, camera_m: NDArray[np.floating], metal: NDArray[np.float32]) -> Mesh:
    """The arm that carries a camera: from the nearest point of the shell to the back of the camera."""
    toward = camera_m - size.center
    foot = size.center + toward / np.linalg.norm(toward / shell_radii(size)) * 0.97
    way = camera_m - foot
    length = float(np.linalg.norm(way))
    if length < 0.01:
        way, length = np.array([0, 0, 0.01]), 0.01
    z = way / length
    x = np.cross([0.0, 1.0, 0.2], z)
    x /= np.linalg.norm(x)
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = np.stack([x, np.cross(z, x), z], axis=1), foot
    return box([-0.008, -0.005, 0], [0.008, 0.005, length], metal, largest_edge_m=0.012).moved(pose)
