"""What a camera can see, where a calibration file does not say: from the model's own range and the image size."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from egorear_ros.rig.camera import CameraModel

ModelT = TypeVar("ModelT", bound=CameraModel)
DIRECTIONS = 7200


def half_diagonal(width: int, height: int) -> float:
    """Radius in pixels of the circle around a whole image."""
    return math.hypot(width, height) / 2


def with_view_range(
    model: ModelT, image_circle_radius_px: float | None = None, max_angle_rad: float | None = None
) -> ModelT:
    """Return the camera with its image circle and field of view derived, or as given.

    Derived, the circle is the largest one around the image's middle (up to the whole image) in which every pixel has a
    ray, and the field of view is the largest angle inside image and circle. A given angle ends both earlier, a given
    circle ends the angle earlier.

    Args:
        model: its own circle and angle are ignored.
        image_circle_radius_px: of the lens, around the image's middle.
        max_angle_rad: half field of view.

    Raises:
        ValueError: one of the two is not positive, or the angle goes beyond the model's end.
    """
    for name, value in (("image circle", image_circle_radius_px), ("largest angle", max_angle_rad)):
        if value is not None and not 0 < value < math.inf:
            raise ValueError(f"the {name} must be a positive number, got {value}")
    usable = model.usable_angle_rad
    if max_angle_rad is not None and max_angle_rad > usable + 1e-9:
        raise ValueError(
            f"the lens formula ends at {math.degrees(usable):.1f} degrees off the axis, "
            f"a largest angle of {math.degrees(max_angle_rad):.1f} is beyond it"
        )
    limit = usable if max_angle_rad is None else max_angle_rad
    model = replace(model, max_angle_rad=limit)  # the inverse is made for the field of view
    circle = image_circle_radius_px or _circle(model, limit, whole=max_angle_rad is not None)
    angle = min(limit, _largest_angle(model, circle)) if max_angle_rad is None else limit
    return replace(model, image_circle_radius_px=float(circle), max_angle_rad=float(angle))


def _circle(model: CameraModel, limit_rad: float, whole: bool) -> float:
    """Radius around the middle in which all pixels (or, if `whole`, all that the lens has) are within a limit."""
    turn = _turn()
    border = model.project(
        np.stack(
            [
                math.sin(limit_rad) * np.cos(turn),
                math.sin(limit_rad) * np.sin(turn),
                np.full_like(turn, math.cos(limit_rad)),
            ],
            -1,
        )
    )
    distance = np.linalg.norm(border - [model.width / 2, model.height / 2], axis=-1)
    if whole:
        return min(float(distance.max()), half_diagonal(model.width, model.height))
    inside = ((border > 0) & (border < [model.width, model.height])).all(-1)
    return float(distance[inside].min()) if inside.any() else half_diagonal(model.width, model.height)


def _largest_angle(model: CameraModel, circle_px: float) -> float:
    """Largest angle off the axis on the border of image and circle."""
    corner = math.atan2(model.height, model.width)
    turn = np.append(_turn(), [corner, math.pi - corner, math.pi + corner, -corner])
    direction = np.stack([np.cos(turn), np.sin(turn)], -1)
    with np.errstate(divide="ignore"):
        to_edge = (np.array([model.width, model.height]) / 2 / np.abs(direction)).min(-1)
    pixels = np.array([model.width, model.height]) / 2 + direction * np.minimum(to_edge, circle_px)[:, None]
    rays = model.unproject(pixels)
    return float(np.arctan2(np.hypot(rays[:, 0], rays[:, 1]), rays[:, 2]).max())


def _turn() -> NDArray[np.float64]:
    """Directions around the image's middle, (7200,) radians."""
    return np.linspace(0.0, 2 * math.pi, DIRECTIONS, endpoint=False)
