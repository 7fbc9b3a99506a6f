"""All cameras together: one bundle adjustment, and what is thrown out on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from egorear_ros.calibration.boards import Board
from egorear_ros.calibration.bundle import Bundle, State
from egorear_ros.calibration.clocks import period_s
from egorear_ros.calibration.lenses import LensKind
from egorear_ros.calibration.linking import Link, chained, links_of
from egorear_ros.calibration.single import FINE_PX, LEAST_CORNERS, REFERENCE_WIDTH, SingleCamera
from egorear_ros.calibration.timeline import Moments, Motion, Timeline
from egorear_ros.calibration.views import Floats, Ids, View
from egorear_ros.rig.rigid import inverse

OUTLIER_SIGMAS, LEAST_LIMIT_PX = 5.0, 0.15
ROUNDS = 3
LEAST_NODES = 4


@dataclass(frozen=True)
class Solution:
    """The rig that explains the pictures best.

    Attributes:
        names: of the cameras.
        bundle: the problem with what was kept.
        state: its solution.
        links: pairs of cameras that saw the board at once.
        period_s: distance of pictures of a moving board; None where it was at rest.
        corners: how many there were before outliers were thrown out.
        robust_px: residuals beyond this count less.
    """

    names: tuple[str, ...]
    bundle: Bundle
    state: State
    links: tuple[Link, ...]
    period_s: float | None
    corners: int
    robust_px: float

    @property
    def residuals(self) -> list[Floats]:
        """(M, 2) pixels of each view."""
        return self.bundle.split(self.bundle.residuals(self.state))


def calibrate_together(board: Board, kind: LensKind, cameras: Sequence[SingleCamera], width: int) -> Solution:
    """Chain the cameras, then adjust everything at once.

    Args:
        board: what was shown.
        kind: family of the lenses.
        cameras: each calibrated alone; the first is the reference.
        width: of the pictures, pixels.

    Raises:
        CalibrationError: the cameras are not connected.
    """
    unit = width / REFERENCE_WIDTH
    period = period_s(cameras)
    links = links_of(cameras, period)
    poses, offsets = chained([camera.name for camera in cameras], links)
    number = np.concatenate([np.full(len(camera.views), c) for c, camera in enumerate(cameras)])
    views = [view for camera in cameras for view in camera.views]
    rig_from_board = np.stack(
        [inverse(poses[c]) @ pose for c, camera in enumerate(cameras) for pose in camera.camera_from_board]
    )
    if period is None:
        timeline, nodes, kept = _at_rest(views, rig_from_board)
    else:
        times = np.array([view.time_s for view in views], float)
        timeline, nodes, kept = _in_motion(times + offsets[number], times, period, rig_from_board)
    views, number = [views[index] for index in kept], number[kept]
    bundle = Bundle(board, kind, views, number, len(cameras), timeline, free_offsets=period is not None)
    state = State(np.stack([camera.lens for camera in cameras]), poses, nodes, offsets)
    corners = sum(len(view.ids) for view in views)
    bundle, state, robust_px = _settled(bundle, bundle.solve(state, 2 * FINE_PX * unit), unit)
    names = tuple(camera.name for camera in cameras)
    return Solution(names, bundle, state, tuple(links), period, corners, robust_px)


def _settled(bundle: Bundle, state: State, unit: float) -> tuple[Bundle, State, float]:
    """Throw out corners that err far more than most, and solve again."""
    limit = FINE_PX * unit
    for _ in range(ROUNDS):
        residuals = bundle.split(bundle.residuals(state))
        sigma = spread(np.concatenate(residuals))
        limit = max(OUTLIER_SIGMAS * sigma, LEAST_LIMIT_PX * unit)
        views, kept = [], []
        for index, (view, residual) in enumerate(zip(bundle.views, residuals, strict=True)):
            good = np.linalg.norm(residual, axis=-1) <= limit
            if good.sum() >= LEAST_CORNERS:
                views.append(replace(view, ids=view.ids[good], pixels=view.pixels[good]))
                kept.append(index)
        before, bundle = bundle, bundle.subset(np.array(kept, np.int64), views)
        state = bundle.solve(state, limit)
        if len(bundle.views) == len(before.views) and sum(len(v.ids) for v in views) == sum(
            len(v.ids) for v in before.views
        ):
            break
    return bundle, state, limit


def spread(residuals: Floats) -> float:
    """Standard deviation of x and y of (M, 2) residuals, blind to outliers."""
    return float(1.4826 * np.median(np.abs(residuals)))


def _at_rest(views: Sequence[View], rig_from_board: Floats) -> tuple[Timeline, Floats, Ids]:
    """One node per moment, at first where the view with most corners puts it."""
    moments: dict[object, list[int]] = {}
    for index, view in enumerate(views):
        moments.setdefault(("alone", index) if view.moment is None else view.moment, []).append(index)
    node = np.empty(len(views), np.int64)
    best = []
    for number, members in enumerate(moments.values()):
        node[members] = number
        best.append(max(members, key=lambda index: len(views[index].ids)))
    return Moments(node, len(best)), rig_from_board[best], np.arange(len(views))


def _in_motion(
    corrected_s: Floats, times_s: Floats, period: float, rig_from_board: Floats
) -> tuple[Timeline, Floats, Ids]:
    """Nodes about as far apart as pictures of one camera, in stretches without a gap; views outside are left out."""
    nodes: list[int] = []
    for index in np.argsort(corrected_s):
        if not nodes or corrected_s[index] - corrected_s[nodes[-1]] >= 0.75 * period:
            nodes.append(int(index))
    at = corrected_s[nodes]
    stretch = np.concatenate([[0], np.cumsum(np.diff(at) > 2.5 * period)])
    long = np.bincount(stretch)[stretch] >= LEAST_NODES
    chosen, at, stretch = np.array(nodes)[long], at[long], stretch[long]
    ends = [(at[stretch == s][0], at[stretch == s][-1]) for s in np.unique(stretch)]
    inside = np.array([any(low <= time <= high for low, high in ends) for time in corrected_s])
    kept = np.flatnonzero(inside)
    return Motion(times_s[kept], at, stretch), rig_from_board[chosen], kept
