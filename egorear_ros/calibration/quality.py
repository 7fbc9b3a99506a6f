"""How well a rig is known, camera by camera, and whether that is enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from egorear_ros.calibration.coverage import Coverage
from egorear_ros.calibration.joint import Solution
from egorear_ros.calibration.poses import change_between, moved
from egorear_ros.calibration.single import REFERENCE_WIDTH
from egorear_ros.calibration.views import Floats
from egorear_ros.rig import Rig
from egorear_ros.rig.placing import place_device
from egorear_ros.rig.rigid import inverse

LARGEST_RMS_PX = 1.0
"""On an 872 px image; sharp pictures of a flat board reach a tenth of it."""
LARGEST_LENS_PX, LARGEST_POSITION_M, LARGEST_ANGLE_RAD = 1.0, 0.003, math.radians(0.3)
LARGEST_OUTLIERS = 0.3
LEAST_VIEWS = 3
ALIKE = 2.0
"""Errors of neighbouring corners are alike, and no formula is quite the lens: benchmarks/calibration.py finds two to
three times the deviation that independent corners would give."""
RADIUS_BINS = 6
STEP = 1e-6


@dataclass(frozen=True)
class CameraQuality:
    """One camera.

    Attributes:
        name: of the camera.
        views, corners: used in the end.
        rms_px: reprojection error.
        rms_by_radius_px: the same in rings of equal width from the middle to the image circle, NaN where nothing was.
        lens_px: standard deviation of the projection, RMS over the image circle.
        position_m, angle_rad: standard deviation of the camera's pose in the device frame.
        offset_s: what to add to the camera's times, None where unknown; with its standard deviation.
        offset_sd_s: see there.
        coverage: where it saw the board.
    """

    name: str
    views: int
    corners: int
    rms_px: float
    rms_by_radius_px: tuple[float, ...]
    lens_px: float
    position_m: float
    angle_rad: float
    offset_s: float | None
    offset_sd_s: float | None
    coverage: Coverage


def qualities(solution: Solution, rig: Rig) -> list[CameraQuality]:
    """Judge every camera of a solution."""
    residuals = solution.residuals
    sigma = math.sqrt(float((np.concatenate(residuals) ** 2).mean()))
    covariance = solution.bundle.covariance(solution.state, solution.robust_px, ALIKE * sigma)
    poses = _pose_deviations(solution, covariance)
    result = []
    for number, camera in enumerate(rig.cameras):
        mine = np.flatnonzero(solution.bundle.camera == number)
        pixels = np.concatenate([np.empty((0, 2)), *(solution.bundle.views[int(i)].pixels for i in mine)])
        errors = np.linalg.norm(np.concatenate([np.empty((0, 2)), *(residuals[i] for i in mine)]), axis=-1)
        model = camera.model
        radius = min(model.image_circle_radius_px, math.hypot(model.width, model.height) / 2)
        coverage = Coverage(model.width, model.height, radius)
        coverage.add(pixels)
        offset = solution.bundle.offset_indices[number]
        timed = solution.period_s is not None
        result.append(
            CameraQuality(
                camera.name,
                len(mine),
                len(pixels),
                math.sqrt(float((errors**2).mean())) if len(errors) else math.nan,
                _by_radius(pixels, errors, coverage),
                _lens_deviation(solution, number, covariance, radius, (model.width, model.height)),
                *poses[number],
                float(solution.state.offsets_s[number]) if timed else None,
                None if not timed else 0.0 if offset is None else math.sqrt(float(covariance[offset, offset])),
                coverage,
            )
        )
    return result


def complaints(solution: Solution, cameras: Sequence[CameraQuality]) -> list[str]:
    """What is wrong with the rig, one sentence each; empty if nothing is."""
    unit = max(c.coverage.width for c in cameras) / REFERENCE_WIDTH
    lines = []
    for c in cameras:
        where = f"; missing: {'; '.join(c.coverage.missing())}" if c.coverage.missing() else ""
        if c.views < LEAST_VIEWS:
            lines.append(f"{c.name}: only {c.views} of its pictures agree with those of the other cameras")
        elif c.rms_px > LARGEST_RMS_PX * unit:
            lines.append(
                f"{c.name}: its corners are {c.rms_px:.2f} px (RMS) from where one rig puts them; is the board flat, "
                "and was it held still, or recorded with right stamps?"
            )
        elif not c.lens_px <= LARGEST_LENS_PX * unit:
            lines.append(
                f"{c.name}: its lens is known to {c.lens_px:.1f} px only; show it the board in more places{where}"
            )
        elif not (c.position_m <= LARGEST_POSITION_M and c.angle_rad <= LARGEST_ANGLE_RAD):
            lines.append(
                f"{c.name}: its pose is known to {1000 * c.position_m:.1f} mm, {math.degrees(c.angle_rad):.2f} degrees "
                f"only; show the board more often to it and another camera at once{where}"
            )
    used = sum(c.corners for c in cameras)
    if used < (1 - LARGEST_OUTLIERS) * solution.corners:
        lines.append(
            f"{solution.corners - used} of {solution.corners} corners contradict the others; is the board flat, and "
            "did it rest in pictures of one moment?"
        )
    return lines


def _by_radius(pixels: Floats, errors: Floats, coverage: Coverage) -> tuple[float, ...]:
    off = np.linalg.norm(pixels - np.array([coverage.width, coverage.height]) / 2, axis=-1)
    ring = np.minimum((off / coverage.radius_px * RADIUS_BINS).astype(int), RADIUS_BINS - 1)
    parts = [errors[ring == number] for number in range(RADIUS_BINS)]
    return tuple(math.sqrt(float((part**2).mean())) if len(part) else math.nan for part in parts)


def _lens_deviation(
    solution: Solution, camera: int, covariance: Floats, radius_px: float, size: tuple[int, int]
) -> float:
    """Standard deviation of pixels of the same rays, RMS over the image circle."""
    values, kind = solution.state.lenses[camera], solution.bundle.lens
    try:
        model = kind.model(values, *size, radius_px, None)
    except ValueError:
        return math.inf
    at = np.stack(np.meshgrid(*(np.linspace(0, length, 30) for length in size)), -1).reshape(-1, 2)
    rays = model.unproject(at[model.contains(at)])
    by_values, _ = kind.derivatives(values, rays)
    part = solution.bundle.lens_slices[camera]
    variance = np.einsum("mij,jk,mik->m", by_values, covariance[part, part], by_values)
    return math.sqrt(max(0.0, float(variance.mean())))


def _pose_deviations(solution: Solution, covariance: Floats) -> list[tuple[float, float]]:
    """Of every camera in the device frame, which moves with the front pair: metres and radians."""
    bundle, state = solution.bundle, solution.state
    base = _in_device(solution.names, state.cameras)
    slices = [part for part in bundle.camera_slices if part is not None]
    columns = []
    for camera in range(1, len(state.cameras)):
        for number in range(6):
            changed = state.cameras.copy()
            changed[camera] = moved(state.cameras[camera][None], STEP * np.eye(6)[number][None])[0]
            columns.append(change_between(base, _in_device(solution.names, changed)) / STEP)
    if not columns:
        return [(0.0, 0.0)]
    jacobian = np.stack(columns, -1)
    where = np.concatenate([np.arange(part.start, part.stop) for part in slices])
    of_poses = covariance[np.ix_(where, where)]
    variances = np.einsum("cij,jk,cik->ci", jacobian, of_poses, jacobian)
    return [(math.sqrt(max(0.0, v[3:].sum())), math.sqrt(max(0.0, v[:3].sum()))) for v in variances]


def _in_device(names: Sequence[str], cameras: Floats) -> Floats:
    reference_from_device, _ = place_device(dict(zip(names, cameras, strict=True)))
    return np.stack([inverse(pose @ reference_from_device) for pose in cameras])
