"""One camera alone: its lens and the board's pose in every picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from egorear_ros.calibration.boards import Board
from egorear_ros.calibration.bundle import Bundle, State
from egorear_ros.calibration.errors import CalibrationError
from egorear_ros.calibration.lenses import LensKind
from egorear_ros.calibration.refinement import Refiner
from egorear_ros.calibration.start import first_guess
from egorear_ros.calibration.timeline import Moments
from egorear_ros.calibration.views import Floats, View

ROUGH_PX, FINE_PX = 2.0, 0.5
BAD_VIEW_PX = 3.0
"""Median error of a picture, on an 872 px image, beyond which its pose is taken to be wrong."""
LEAST_VIEWS = 5
LEAST_CORNERS = 6
REFERENCE_WIDTH = 872.0
ROUNDS = 2


@dataclass(frozen=True)
class SingleCamera:
    """What the pictures of one camera say.

    Attributes:
        name: of the camera.
        lens: numbers of its lens.
        views: that were used, with refined corners.
        camera_from_board: (V, 4, 4).
        dropped: names of the pictures that were left out.
    """

    name: str
    lens: Floats
    views: tuple[View, ...]
    camera_from_board: Floats
    dropped: tuple[str, ...]


def calibrate_single(
    board: Board, kind: LensKind, name: str, views: Sequence[View], size: tuple[int, int]
) -> SingleCamera:
    """Fit one camera.

    Args:
        board: what was shown.
        kind: family of the lens.
        name: of the camera.
        views: its pictures of the board.
        size: width and height of the pictures, pixels.

    Raises:
        CalibrationError: too few pictures, or no lens explains them.
    """
    unit = size[0] / REFERENCE_WIDTH
    focal_px, poses = first_guess(board, views, *size)
    state = State(kind.start(*size, focal_px)[None], np.eye(4)[None], np.stack(poses), np.zeros(1))
    kept = list(views)
    kept, state = _without_bad(board, kind, kept, state, 60 * unit, name)
    for limit in (8.0, BAD_VIEW_PX):
        bundle = _bundle(board, kind, kept)
        state = bundle.solve(bundle.solve(state, ROUGH_PX * unit, fixed_lenses=True), ROUGH_PX * unit)
        kept, state = _without_bad(board, kind, kept, state, limit * unit, name)
    for _ in range(ROUNDS):
        kept, state = refined(board, kind, kept, state, np.zeros(len(kept), np.int64), np.arange(len(kept)))
        _check_count(name, kept, views)
        state = _bundle(board, kind, kept).solve(state, FINE_PX * unit)
    used = {view.name for view in kept}
    dropped = tuple(view.name for view in views if view.name not in used)
    return SingleCamera(name, state.lenses[0], tuple(kept), state.nodes, dropped)


def _bundle(board: Board, kind: LensKind, views: Sequence[View]) -> Bundle:
    count = len(views)
    return Bundle(board, kind, views, np.zeros(count, np.int64), 1, Moments(np.arange(count), count))


def _without_bad(
    board: Board, kind: LensKind, views: list[View], state: State, limit_px: float, name: str
) -> tuple[list[View], State]:
    """Leave out views whose corners are mostly further off than a limit."""
    bundle = _bundle(board, kind, views)
    errors = [float(np.median(np.linalg.norm(part, axis=-1))) for part in bundle.split(bundle.residuals(state))]
    good = [index for index, error in enumerate(errors) if error <= limit_px]
    kept = [views[index] for index in good]
    _check_count(name, kept, views)
    return kept, replace(state, nodes=state.nodes[good])


def _check_count(name: str, kept: Sequence[View], views: Sequence[View]) -> None:
    if len(kept) < LEAST_VIEWS:
        raise CalibrationError(
            f"{name}: only {len(kept)} of its {len(views)} pictures of the board agree with one lens, {LEAST_VIEWS} "
            "are needed; is the board flat and described right (--board), and are the pictures sharp and of one camera?"
        )


def refined(
    board: Board, kind: LensKind, views: Sequence[View], state: State, camera: np.ndarray, node: np.ndarray
) -> tuple[list[View], State]:
    """Fit the pattern at every corner that should be seen; views without pixels stay as they are.

    Returns:
        The views that still have enough corners, and the state for them: one node per view.
    """
    refiner, kept, good = Refiner(board), [], []
    for index, view in enumerate(views):
        pose = state.cameras[camera[index]] @ state.nodes[node[index]]
        better = refined_view(refiner, board, kind, view, state.lenses[camera[index]], pose)
        if len(better.ids) >= LEAST_CORNERS:
            kept.append(better)
            good.append(index)
    return kept, replace(state, nodes=state.nodes[node[good]])


def refined_view(
    refiner: Refiner, board: Board, kind: LensKind, view: View, lens: Floats, camera_from_board: Floats
) -> View:
    """The view with the corners that pattern and image agree on."""
    if view.crop is None:
        return view
    crop = view.crop

    def project(points: Floats) -> Floats:
        flat = points.reshape(-1, 3) @ camera_from_board[:3, :3].T + camera_from_board[:3, 3]
        return (kind.project(lens, flat) - crop.origin).reshape(*points.shape[:-1], 2)

    ids = np.arange(len(board.corners_m))
    ids = ids[crop.contains(project(board.corners_m) + crop.origin)]
    if not len(ids):
        return replace(view, ids=ids, pixels=np.empty((0, 2)))
    pixels, _ = refiner.refine(crop.grey, ids, project)
    there = np.isfinite(pixels).all(-1)
    return replace(view, ids=ids[there], pixels=pixels[there] + crop.origin)
