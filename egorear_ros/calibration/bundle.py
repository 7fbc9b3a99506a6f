"""Bundle adjustment: lenses, camera poses, board poses and clock offsets that explain all corners at once.

Levenberg-Marquardt on the normal equations. Every view touches few unknowns, its own dense block is added to the matrix
of all: some hundred unknowns, so one Cholesky factorisation per step. `scipy.optimize.least_squares` with a sparse
Jacobian solves each step by an iterative solver instead; how long that takes here has not been measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from egorear_ros.calibration.boards import Board
from egorear_ros.calibration.lenses import LensKind
from egorear_ros.calibration.poses import cross_matrices, moved
from egorear_ros.calibration.timeline import Placed, Timeline
from egorear_ros.calibration.views import Floats, Ids, View

MOST_STEPS = 60
ENOUGH = 1e-7
"""Relative fall of the cost at which it is done."""
LARGEST_DAMPING = 1e8


@dataclass(frozen=True)
class State:
    """Everything that is estimated.

    Attributes:
        lenses: (C, L) numbers of each lens.
        cameras: (C, 4, 4) camera_from_rig; the first stays as it is.
        nodes: (N, 4, 4) rig_from_board.
        offsets_s: (C,) added to the times of each camera; the first stays 0.
    """

    lenses: Floats
    cameras: Floats
    nodes: Floats
    offsets_s: Floats


class Bundle:
    """A problem: fixed corners, unknown everything else.

    Args:
        board: what was shown.
        lens: family of all lenses.
        views: of all cameras.
        camera: (V,) number of each view's camera.
        cameras: how many there are.
        timeline: where the board is in each view.
        free_offsets: whether the clocks' offsets are estimated; else they stay.
    """

    def __init__(
        self,
        board: Board,
        lens: LensKind,
        views: Sequence[View],
        camera: Ids,
        cameras: int,
        timeline: Timeline,
        free_offsets: bool = False,
    ) -> None:
        self.board, self.lens, self.views, self.camera, self.timeline = board, lens, views, camera, timeline
        self.cameras = cameras
        self.free_offsets = free_offsets and timeline.keeps_time
        self._lengths = np.array([len(view.ids) for view in views], np.int64)
        self._of_view = np.repeat(np.arange(len(views)), self._lengths)
        self._points = board.corners_m[np.concatenate([view.ids for view in views])]
        self._pixels = np.concatenate([view.pixels for view in views])
        self._begins = np.concatenate([[0], np.cumsum(self._lengths)])

    def subset(self, kept: Ids, views: Sequence[View]) -> Bundle:
        """The problem with only some of the views, each perhaps with fewer corners."""
        return Bundle(
            self.board, self.lens, views, self.camera[kept], self.cameras, self.timeline.subset(kept), self.free_offsets
        )

    def residuals(self, state: State) -> Floats:
        """(M, 2) pixels: projected minus found."""
        poses = self.timeline.poses(state.nodes, state.offsets_s[self.camera])
        return self._projected(state, self._in_camera(state, poses)[1]) - self._pixels

    def split(self, values: Floats) -> list[Floats]:
        """What belongs to all corners, view by view."""
        return np.split(values, self._begins[1:-1])

    def solve(self, state: State, robust_px: float, fixed_lenses: bool = False) -> State:
        """Minimise Huber's cost.

        Args:
            state: to begin at.
            robust_px: residuals beyond this count linearly.
            fixed_lenses: leave the lenses as they are.
        """
        damping, cost = 1e-3, self._cost(state, robust_px)
        for _ in range(MOST_STEPS):
            matrix, gradient = self._normal_equations(state, robust_px)
            if fixed_lenses:
                _freeze(matrix, gradient, self._lens_slice)
            better = None
            while better is None and damping < LARGEST_DAMPING:
                trial = self._stepped(state, matrix, gradient, damping)
                trial_cost = np.inf if trial is None else self._cost(trial, robust_px)
                if trial_cost < cost:
                    better = trial
                damping = damping / 5 if better is not None else damping * 4
            if better is None:
                break
            fall, state, cost = (cost - trial_cost) / max(cost, 1e-300), better, trial_cost
            if fall < ENOUGH:
                break
        return state

    def covariance(self, state: State, robust_px: float, sigma_px: float) -> Floats:
        """(P, P) of the lenses, camera poses and offsets together, for corners that err by `sigma_px` in x and y."""
        matrix, _ = self._normal_equations(state, robust_px)
        matrix += np.diag(1e-9 * np.diag(matrix) + 1e-12)
        inverse = np.asarray(np.linalg.inv(matrix), np.float64)
        return sigma_px**2 * inverse[: self._first_node, : self._first_node]

    @cached_property
    def camera_slices(self) -> list[slice | None]:
        """Where the change of each camera's pose lies in the covariance; None for the first camera."""
        begin = self._lens_slice.stop
        return [None, *(slice(begin + 6 * c, begin + 6 * c + 6) for c in range(self.cameras - 1))]

    @cached_property
    def lens_slices(self) -> list[slice]:
        """Where the numbers of each lens lie in the covariance."""
        return [slice(self.lens.count * c, self.lens.count * (c + 1)) for c in range(self.cameras)]

    @cached_property
    def offset_indices(self) -> list[int | None]:
        """Where the offset of each camera lies in the covariance; None where it is not estimated."""
        begin = self._lens_slice.stop + 6 * (self.cameras - 1)
        return [None if c == 0 or not self.free_offsets else begin + c - 1 for c in range(self.cameras)]

    @property
    def _lens_slice(self) -> slice:
        return slice(0, self.lens.count * self.cameras)

    @property
    def _first_node(self) -> int:
        return self._lens_slice.stop + (6 + self.free_offsets) * (self.cameras - 1)

    def _in_camera(self, state: State, poses: Floats) -> tuple[Floats, Floats]:
        """(M, 3) corners in the rig frame and in the camera frame."""
        pose = poses[self._of_view]
        in_rig = np.einsum("mij,mj->mi", pose[:, :3, :3], self._points) + pose[:, :3, 3]
        camera = state.cameras[self.camera][self._of_view]
        return in_rig, np.einsum("mij,mj->mi", camera[:, :3, :3], in_rig) + camera[:, :3, 3]

    def _projected(self, state: State, points: Floats) -> Floats:
        pixels = np.empty((len(points), 2))
        for number in range(self.cameras):
            mine = self.camera[self._of_view] == number
            pixels[mine] = self.lens.project(state.lenses[number], points[mine])
        return pixels

    def _cost(self, state: State, robust_px: float) -> float:
        length = np.linalg.norm(self.residuals(state), axis=-1)
        huber = np.where(length <= robust_px, length**2, robust_px * (2 * length - robust_px))
        cost = float(huber.sum()) + float(sum(np.sum(self._prior(lens)[0] ** 2) for lens in state.lenses))
        return cost if np.isfinite(cost) else np.inf

    def _prior(self, lens: Floats) -> tuple[Floats, Floats]:
        """What is known of the lens's own numbers, as residuals and their slopes."""
        slope = 1 / np.asarray(self.lens.prior)
        return slope * (lens[5:] - np.asarray(self.lens.start_own)), slope

    def _normal_equations(self, state: State, robust_px: float) -> tuple[Floats, Floats]:
        placed = self.timeline.place(state.nodes, state.offsets_s[self.camera])
        in_rig, in_camera = self._in_camera(state, placed.poses)
        residual = self._projected(state, in_camera) - self._pixels
        weight = np.minimum(1, robust_px / np.maximum(np.linalg.norm(residual, axis=-1), 1e-12))
        by_lens = np.empty((len(residual), 2, self.lens.count))
        by_point = np.empty((len(residual), 2, 3))
        for number in range(self.cameras):
            mine = self.camera[self._of_view] == number
            by_lens[mine], by_point[mine] = self.lens.derivatives(state.lenses[number], in_camera[mine])
        camera_turn = state.cameras[self.camera][self._of_view][:, :3, :3]
        by_rig_point = by_point @ camera_turn
        by_camera = np.concatenate([-by_rig_point @ cross_matrices(in_rig), by_point], -1)
        turn = placed.poses[self._of_view][:, :3, :3]
        by_board = np.concatenate([-by_rig_point @ turn @ cross_matrices(self._points), by_rig_point], -1)
        size = self._first_node + 6 * self.timeline.count
        matrix, gradient = np.zeros((size, size)), np.zeros(size)
        for view, (begin, end) in enumerate(zip(self._begins[:-1], self._begins[1:], strict=True)):
            part = slice(begin, end)
            jacobian, where = self._view_jacobian(view, by_lens[part], by_camera[part], by_board[part], placed)
            scaled = jacobian * np.repeat(weight[part], 2)[:, None]
            matrix[np.ix_(where, where)] += scaled.T @ jacobian
            gradient[where] += scaled.T @ residual[part].ravel()
        for part, lens in zip(self.lens_slices, state.lenses, strict=True):
            prior, slope = self._prior(lens)
            own = np.arange(part.start + 5, part.stop)
            matrix[own, own] += slope**2
            gradient[own] += slope * prior
        return matrix, gradient

    def _view_jacobian(
        self, view: int, by_lens: Floats, by_camera: Floats, by_board: Floats, placed: Placed
    ) -> tuple[Floats, Ids]:
        """(2 M, K) derivatives of one view, and which K unknowns they belong to."""
        camera = int(self.camera[view])
        blocks = [by_lens]
        where = [np.arange(self.lens_slices[camera].start, self.lens_slices[camera].stop)]
        own = self.camera_slices[camera]
        if own is not None:
            blocks.append(by_camera)
            where.append(np.arange(own.start, own.stop))
        offset = self.offset_indices[camera]
        if offset is not None:
            blocks.append(by_board @ placed.by_time[view][:, None])
            where.append(np.array([offset]))
        for node, change in zip(placed.nodes[view], np.moveaxis(placed.by_nodes[view], 1, 0), strict=True):
            blocks.append(by_board @ change)
            where.append(self._first_node + 6 * node + np.arange(6))
        jacobian = np.concatenate(blocks, -1)
        return jacobian.reshape(-1, jacobian.shape[-1]), np.concatenate(where)

    def _stepped(self, state: State, matrix: Floats, gradient: Floats, damping: float) -> State | None:
        diagonal = np.diag(matrix)
        damped = matrix + np.diag(damping * diagonal + 1e-9 * diagonal.max() * (diagonal == 0) + 1e-12)
        try:
            step = -cho_solve(cho_factor(damped, check_finite=False), gradient, check_finite=False)
        except LinAlgError:
            return None
        if not np.isfinite(step).all():
            return None
        cameras, offsets = state.cameras.copy(), state.offsets_s.copy()
        if self.cameras > 1:
            begin = self._lens_slice.stop
            changes = step[begin : begin + 6 * (self.cameras - 1)].reshape(-1, 6)
            cameras[1:] = moved(state.cameras[1:], changes)
            if self.free_offsets:
                offsets[1:] += step[begin + changes.size : self._first_node]
        return replace(
            state,
            lenses=state.lenses + step[self._lens_slice].reshape(state.lenses.shape),
            cameras=cameras,
            nodes=moved(state.nodes, step[self._first_node :].reshape(-1, 6)),
            offsets_s=offsets,
        )


def _freeze(matrix: Floats, gradient: Floats, part: slice) -> None:
    matrix[part], matrix[:, part], gradient[part] = 0, 0, 0
    index = np.arange(part.start, part.stop)
    matrix[index, index] = 1
