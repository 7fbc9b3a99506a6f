"""A first guess of a lens and of the board's poses, from nothing but the corners of one camera."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from egorear_ros.calibration.boards import Board
from egorear_ros.calibration.views import Floats, View
from egorear_ros.rig.rigid import Matrix

FOCALS = np.geomspace(0.15, 1.6, 18)
"""Pixels per radian that are tried, as a share of the image's width: fisheyes to ordinary lenses."""


def first_guess(board: Board, views: Sequence[View], width: int, height: int) -> tuple[float, list[Matrix]]:
    """Try focal lengths of an equidistant lens and keep the one that explains the pictures best.

    Returns:
        Pixels per radian, and camera_from_board of each view, (4, 4).
    """
    some = sorted(views, key=lambda view: -len(view.ids))[:12]
    middle = np.array([width / 2, height / 2])
    errors = [np.median([pose_of(board, v, middle, f * width)[1] for v in some]) for f in FOCALS]
    best = FOCALS[int(np.argmin(errors))]
    finer = np.geomspace(best / 1.13, best * 1.13, 9)
    errors = [np.median([pose_of(board, v, middle, f * width)[1] for v in some]) for f in finer]
    focal_px = float(finer[int(np.argmin(errors))] * width)
    return focal_px, [pose_of(board, view, middle, focal_px)[0] for view in views]


def pose_of(board: Board, view: View, middle: Floats, focal_px: float) -> tuple[Matrix, float]:
    """Pose of the board by an equidistant lens, and the median error of its corners in pixels."""
    offset = view.pixels - middle
    radius = np.linalg.norm(offset, axis=-1)
    angle = radius / focal_px
    if angle.max() > np.pi:
        return np.eye(4), np.inf
    rays = np.concatenate(
        [offset / np.maximum(radius, 1e-9)[:, None] * np.sin(angle)[:, None], np.cos(angle)[:, None]], -1
    )
    pose, error_rad = pose_of_rays(board.corners_m[view.ids], rays)
    return pose, error_rad * focal_px


def pose_of_rays(points_board: Floats, rays: Floats) -> tuple[Matrix, float]:
    """Pose of flat points by their viewing rays, and the median angle between rays and points in radians.

    A virtual camera looks at the middle of the rays, so that OpenCV's solver sees an ordinary picture, wherever in a
    fisheye's field of view the board is.

    Args:
        points_board: (M, 3), z is 0.
        rays: (M, 3), unit length.
    """
    virtual_from_camera = _look_at(rays.mean(0))
    turned = rays @ virtual_from_camera.T
    if turned[:, 2].min() < 0.05:
        return np.eye(4), np.inf
    flat = turned[:, :2] / turned[:, 2:]
    centre = points_board.mean(0)
    done, rotations, shifts, _ = cv2.solvePnPGeneric(
        points_board - centre, flat, np.eye(3), None, flags=cv2.SOLVEPNP_IPPE
    )
    best, best_error = np.eye(4), np.inf
    for rotation, shift in zip(rotations, shifts, strict=True) if done else ():
        pose = np.eye(4)
        pose[:3, :3] = virtual_from_camera.T @ cv2.Rodrigues(rotation)[0]
        pose[:3, 3] = virtual_from_camera.T @ shift.ravel() - pose[:3, :3] @ centre
        seen = points_board @ pose[:3, :3].T + pose[:3, 3]
        seen /= np.linalg.norm(seen, axis=-1, keepdims=True)
        error = float(np.median(np.linalg.norm(np.cross(seen, rays), axis=-1)))
        if np.isfinite(pose).all() and error < best_error:
            best, best_error = pose, error
    return best, best_error


def _look_at(direction: Floats) -> Floats:
    """Rotation to a camera that looks along a direction."""
    z = direction / np.linalg.norm(direction)
    x = np.cross([0.0, 1.0, 0.0] if abs(z[1]) < 0.9 else [1.0, 0.0, 0.0], z)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z])
