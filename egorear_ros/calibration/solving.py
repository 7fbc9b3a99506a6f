"""From pictures to a rig, or to the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from egorear_ros.calibration.boards import Board
from egorear_ros.calibration.errors import CalibrationError
from egorear_ros.calibration.joint import Solution, calibrate_together
from egorear_ros.calibration.lenses import DEFAULT_LENS, LENSES
from egorear_ros.calibration.pictures import Pictures
from egorear_ros.calibration.quality import CameraQuality, complaints, qualities
from egorear_ros.calibration.single import LEAST_VIEWS, SingleCamera, calibrate_single
from egorear_ros.calibration.views import Floats
from egorear_ros.rig import Rig, RigCamera
from egorear_ros.rig.placing import helmet_from_device, place_device
from egorear_ros.rig.rigid import Matrix


@dataclass(frozen=True)
class CalibrationOptions:
    """What the pictures do not say.

    Attributes:
        lens: family of the lenses, one of `LENSES`.
        image_circles_px: camera -> radius of the lens's image circle; those that are missing are found in the pictures.
        name: of the rig.
        source: where the pictures come from, for the rig file.
    """

    lens: str = DEFAULT_LENS
    image_circles_px: Mapping[str, float] | None = None
    name: str = "calibrated"
    source: str = ""


@dataclass(frozen=True)
class Calibration:
    """A rig, and how well it is known.

    Attributes:
        rig: what is written.
        solution: the adjustment behind it.
        dropped: camera -> pictures whose board did not agree with one lens.
        device_from: how the device frame was placed.
        cameras: how well each is known, in the order of the rig.
    """

    rig: Rig
    solution: Solution
    dropped: Mapping[str, tuple[str, ...]]
    device_from: str
    cameras: tuple[CameraQuality, ...]

    @property
    def offsets_s(self) -> dict[str, float]:
        """What to add to each camera's times to have the first camera's; empty where the times do not tell."""
        if self.solution.period_s is None:
            return {}
        return dict(zip(self.solution.names, map(float, self.solution.state.offsets_s), strict=True))

    @property
    def rms_px(self) -> float:
        """Reprojection error over all corners, pixels."""
        return rms(np.concatenate(self.solution.residuals))


def rms(residuals: Floats) -> float:
    """Root mean square length of (M, 2) residuals."""
    return math.sqrt(float((residuals**2).sum(-1).mean())) if len(residuals) else math.nan


def calibrate(board: Board, pictures: Pictures, options: CalibrationOptions | None = None) -> Calibration:
    """Calibrate all cameras and where they sit.

    Args:
        board: what was shown.
        pictures: of every camera.
        options: the rest.

    Raises:
        CalibrationError: the pictures do not determine the rig; says which camera lacks what.
    """
    options = options or CalibrationOptions()
    if options.lens not in LENSES:
        raise CalibrationError(f"lens '{options.lens}' is unknown; known are {', '.join(LENSES)}")
    sizes = {camera: pictures.size(camera) for camera in pictures.of}
    singles = _singles(board, pictures, options)
    width = max(size[0] for size in sizes.values())
    solution = calibrate_together(board, LENSES[options.lens], singles, width)
    rig, device_from = _rig(solution, pictures, options)
    cameras = tuple(qualities(solution, rig))
    if wrong := complaints(solution, cameras):
        raise CalibrationError(". ".join(wrong))
    return Calibration(rig, solution, {single.name: single.dropped for single in singles}, device_from, cameras)


def _singles(board: Board, pictures: Pictures, options: CalibrationOptions) -> list[SingleCamera]:
    """Every camera alone; all that are wrong are named at once."""
    singles, wrong = [], []
    for camera, taken in pictures.of.items():
        views = pictures.views(camera)
        if len(views) < LEAST_VIEWS:
            wrong.append(
                f"{camera}: the board was found in {len(views)} of {len(taken)} pictures, {LEAST_VIEWS} are needed; is "
                f"it the board {board.text()}, sharp, well lit and near enough?"
            )
            continue
        try:
            singles.append(calibrate_single(board, LENSES[options.lens], camera, views, pictures.size(camera)))
        except CalibrationError as error:
            wrong.append(str(error))
    if wrong:
        raise CalibrationError(". ".join(wrong))
    return singles


def _rig(solution: Solution, pictures: Pictures, options: CalibrationOptions) -> tuple[Rig, str]:
    kind, state = LENSES[options.lens], solution.state
    poses: dict[str, Matrix] = dict(zip(solution.names, state.cameras, strict=True))
    reference_from_device, how = place_device(poses)
    cameras = []
    for name, values in zip(solution.names, state.lenses, strict=True):
        circle = (options.image_circles_px or {}).get(name) or pictures.image_circle_px(name)
        try:
            model = kind.model(values, *pictures.size(name), circle, None)
        except ValueError as error:
            raise CalibrationError(f"{name}: its pictures do not determine a lens ({error}); show it more") from error
        cameras.append(RigCamera(name, model, poses[name] @ reference_from_device))
    rig = Rig(options.name, tuple(cameras), np.eye(4), options.source)
    return replace(rig, helmet_from_device=helmet_from_device(rig)), how
