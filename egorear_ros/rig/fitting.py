"""The equidistant model fitted to any other lens, for ROS's CameraInfo, which cannot carry the others.

Fitted to the four Ego4View cameras this model is within 0.11 px inside the image circle (`egorear rig ego4view`), so
viewers and third-party nodes lose nothing; the networks use the lens itself.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from egorear_ros.rig.camera import CameraModel
from egorear_ros.rig.equidistant import EquidistantModel

SAMPLES = 2000
POWERS = np.array([1, 3, 5, 7, 9])


def fit_equidistant(camera: CameraModel) -> tuple[EquidistantModel, NDArray[np.float64]]:
    """Least-squares fit of the equidistant model to another camera inside its field of view.

    Where the lens is symmetric and its image not turned, the centre is kept and the problem is linear. Angles are taken
    at Chebyshev nodes, denser towards the rim, which brings the least-squares solution close to the one of least
    maximum error.

    Returns:
        The fitted model and its errors in pixels, (2000,), evenly spaced in angle from the axis to the rim.
    """
    model = _fit_radius(camera)
    angle = np.linspace(0.0, camera.max_angle_rad, SAMPLES)
    if camera.is_symmetric and camera.pixel_from_plane[1][0] == 0:
        return model, model.radius_of_angle(angle) - camera.radius_of_angle(angle)
    model = _refined(model, camera)
    turn = np.arange(SAMPLES) * math.pi * (3 - math.sqrt(5))  # the golden angle spreads directions over all angles
    rays = _rays(angle, turn)
    return model, np.linalg.norm(model.project(rays) - camera.project(rays), axis=-1)


def _fit_radius(camera: CameraModel) -> EquidistantModel:
    nodes = camera.max_angle_rad * np.cos(np.linspace(0.0, math.pi / 2, SAMPLES))
    scale = camera.max_angle_rad**POWERS
    design = nodes[:, None] ** POWERS / scale
    solution = np.linalg.lstsq(design, camera.radius_of_theta(nodes - math.pi / 2), rcond=None)[0] / scale
    ((xx, xy), (_, yy)) = camera.pixel_from_plane
    values = (*(solution[0] * np.array([xx, yy, xy])), *camera.center_px, *(solution[1:] / solution[0]))
    return _model(camera, np.array(values))


def _refined(model: EquidistantModel, camera: CameraModel) -> EquidistantModel:
    """All nine numbers fitted to pixels, from a first guess."""
    nodes = camera.max_angle_rad * np.cos(np.linspace(0.0, math.pi / 2, 50))
    rays = _rays(*(grid.ravel() for grid in np.meshgrid(nodes, np.linspace(0, 2 * math.pi, 36, endpoint=False))))
    pixels = camera.project(rays)
    start = np.array([*model.focal_px, model.skew_px, *model.center_px, *model.distortion])
    found = least_squares(
        lambda values: (_model(camera, values).project(rays) - pixels).ravel(),
        start,
        x_scale=np.maximum(abs(start), 1e-3),
    )
    return _model(camera, found.x)


def _model(camera: CameraModel, values: NDArray[np.float64]) -> EquidistantModel:
    fx, fy, skew, cx, cy, k1, k2, k3, k4 = (float(value) for value in values)
    model = EquidistantModel(
        camera.width,
        camera.height,
        (cx, cy),
        camera.image_circle_radius_px,
        1e-3,  # any that is valid; the lens's own follows
        focal_px=(fx, fy),
        skew_px=skew,
        distortion=(k1, k2, k3, k4),
    )
    return replace(model, max_angle_rad=min(camera.max_angle_rad, model.turning_angle_rad))


def _rays(angle: NDArray[Any], turn: NDArray[Any]) -> NDArray[np.float64]:
    return np.stack([np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn), np.cos(angle)], -1)
