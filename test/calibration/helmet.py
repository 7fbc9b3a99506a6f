"""Helmets that are known, and what their cameras see of a board: exact corners, or small pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from egorear_ros.calibration import Board, CharucoTarget, Picture, Pictures
from egorear_ros.rig import Rig, RigCamera, load_rig
from egorear_ros.rig.rigid import inverse, rigid, transform_points

BOARD = CharucoTarget(7, 5, 0.05, 0.0375)
LIT = np.full((8, 8), 200, np.uint8)


def facing(
    rng: np.random.Generator, board: Board, camera: RigCamera, off_axis_deg: float, reach_m: float
) -> np.ndarray:
    """device_from_board of a board that faces a camera, turned at random."""
    off, around = math.radians(off_axis_deg), rng.uniform(0, 2 * math.pi)
    axis = np.array([math.sin(off) * math.cos(around), math.sin(off) * math.sin(around), math.cos(off)])
    x = np.cross([0.0, 1.0, 0.0], axis)
    x /= np.linalg.norm(x)
    tilt = Rotation.from_euler("zyx", [rng.uniform(-180, 180), *rng.uniform(-35, 35, 2)], degrees=True).as_matrix()
    turn = np.stack([x, np.cross(axis, x), axis], -1) @ tilt
    width, height = board.size_m
    return camera.device_from_camera @ rigid(turn, axis * reach_m - turn @ [width / 2, height / 2, 0])


def seen(camera: RigCamera, board: Board, device_from_board: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and pixels of the corners that a camera sees."""
    camera_from_board = camera.camera_from_device @ device_from_board
    points = transform_points(camera_from_board, board.corners_m)
    ids = np.flatnonzero(camera.model.in_view(points) & (inverse(camera_from_board)[2, 3] < -0.02))
    return ids, camera.model.project(points)[ids]


def picture(
    camera: RigCamera,
    board: Board,
    pose: np.ndarray,
    name: str,
    moment: int | None = None,
    time_s: float | None = None,
    noise: Callable[[tuple[int, ...]], np.ndarray] = np.zeros,
) -> Picture:
    """A picture of which only the corners are known."""
    ids, pixels = seen(camera, board, pose)
    if len(ids) < 8:
        ids, pixels = ids[:0], pixels[:0]
    size = (camera.model.width, camera.model.height)
    return Picture(name, moment, time_s, size, ids, pixels + noise(pixels.shape), None, LIT)


def moments(rig: Rig, groups: Sequence[Sequence[str]], count: int, seed: int = 0, noise_px: float = 0.0) -> Pictures:
    """A board at rest, shown `count` times to every group of cameras at once; the others do not take a picture."""
    rng = np.random.default_rng(seed)
    of: dict[str, list[Picture]] = {name: [] for name in rig.names}
    for number in range(count * len(groups)):
        group = groups[number % len(groups)]
        pose = facing(
            rng, BOARD, rig[group[number // len(groups) % len(group)]], rng.uniform(0, 75), rng.uniform(0.3, 0.5)
        )
        for name in group:
            noise = lambda shape: rng.normal(0, noise_px, shape)  # noqa: E731
            of[name].append(picture(rig[name], BOARD, pose, f"{number:03d}", number, None, noise))
    return Pictures(of)


def worst(rig: Rig, truth: Rig) -> tuple[float, float, float]:
    """Largest difference: pixels RMS over the field of view, metres, degrees; poses relative to the first camera."""
    angle, turn = np.meshgrid(np.linspace(0, 1.45, 30), np.linspace(0, 2 * math.pi, 24))
    rays = np.stack([np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn), np.cos(angle)], -1)
    found = []
    for name in truth.names:
        off = np.linalg.norm(rig[name].model.project(rays) - truth[name].model.project(rays), axis=-1)
        ours, theirs = (r[name].camera_from_device @ inverse(r.cameras[0].camera_from_device) for r in (rig, truth))
        turned = Rotation.from_matrix(ours[:3, :3] @ theirs[:3, :3].T).magnitude()
        apart = np.linalg.norm(inverse(ours)[:3, 3] - inverse(theirs)[:3, 3])
        found.append((math.sqrt((off**2).mean()), float(apart), math.degrees(turned)))
    px, metres, degrees = np.max(found, axis=0)
    return float(px), float(metres), float(degrees)


def helmet() -> Rig:
    """`ego4view`, whose rear pair is turned a little, so that no axis is special."""
    rig = load_rig("ego4view")
    turn = Rotation.from_rotvec([0.03, -0.05, 0.02]).as_matrix()
    moved = {name: rig[name].camera_from_device for name in rig.names}
    moved["rear_left"] = rigid(turn, [0.004, -0.006, 0.01]) @ moved["rear_left"]
    return rig.with_extrinsics(moved)
