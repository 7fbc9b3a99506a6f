"""Fit the body to skeletons, frame by frame, within their covariance.

Each frame starts from the closed form of `start_pose` and takes a few Gauss-Newton steps on

    sum over joints  (x_j(q) - p_j)^T C_j^-1 (x_j(q) - p_j)  +  weak priors,

with joint limits kept after every step. The priors decide only what 16 joints leave open: the twist of straight limbs
stays as it was a frame before (least motion), the trunk bends no more than needed, a foot points along its knee.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from egorear_ros.body.fitted import FittedBody
from egorear_ros.body.lengths import BodyLengths, measure_lengths, usable_covariance
from egorear_ros.body.limits import Limit, limits_of
from egorear_ros.body.rotations import from_vector, rotation_vector
from egorear_ros.body.sequence import SkeletonSequence
from egorear_ros.body.start import start_pose
from egorear_ros.body.tree import BODY_JOINTS, BODY_PARENTS, FROM_SKELETON, forward_kinematics, rest_offsets
from egorear_ros.skeleton import NUM_JOINTS

Float64 = npt.NDArray[np.float64]

STEPS: Final = 8
SMALL_STEP: Final = 1e-4
"""Radians and metres; a smaller step ends the fit."""

LARGEST_STEP: Final = 0.5
"""Radians; a step is shortened to this."""

PRIOR_STD_RAD: Final = 3.0
"""Of all rotations, around where they are: keeps the equations solvable, weighs next to nothing."""

TWIST_STD_RAD: Final = 0.5
"""Twist of an upper arm or thigh from one frame to the next."""

BEND_STD_RAD: Final = 1.0
"""Bend of the trunk about the axis through both hips, which the joints do not tell from a turn of the hips."""

SPLAY_STD_RAD: Final = 1.0
"""Angle of a foot to the plane of its knee: tells the twist of a straight leg."""

DEVICE_FROM_UPRIGHT: Final = np.array([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
"""Orientation, in the device frame, of a person who stands upright below a level helmet."""

COLLAR_STD_RAD: Final = 1.0
"""Of a collar bone around its rest: collar bones and a turn of the chest move the shoulders alike."""

DAMPING: Final = 1e-4
SMALL_GAIN: Final = 1e-3
"""Share of the cost; a step that gains less ends the fit."""

_FROM_SKELETON: Final = list(FROM_SKELETON)
_INDEX: Final = {name: index for index, name in enumerate(BODY_JOINTS)}
_TWISTING: Final = tuple(_INDEX[name] for name in ("LeftArm", "RightArm", "LeftUpLeg", "RightUpLeg"))


class BodyFitter:
    """Fits one frame after the other; usable live.

    Args:
        lengths: of the person's bones.

    Attributes:
        lengths: those in use.
        offsets_m: (20, 3) position of each joint in its parent's frame.
    """

    def __init__(self, lengths: BodyLengths) -> None:
        self.resize(lengths)
        self._local = np.tile(np.eye(3), (len(BODY_JOINTS), 1, 1))
        self._local[0] = DEVICE_FROM_UPRIGHT
        self._root = np.zeros(3)

    def resize(self, lengths: BodyLengths) -> None:
        """Take other bone lengths; the pose stays."""
        self.lengths = lengths
        self.offsets_m = rest_offsets(lengths)
        self._limits = limits_of(self.offsets_m)
        self._tree = _Tree(self._limits)

    def fit(
        self, positions_m: Float64, covariance_m2: Float64, valid: npt.NDArray[np.bool_]
    ) -> tuple[Float64, Float64]:
        """Fit a frame.

        Args:
            positions_m: (16, 3) device frame; those that are not valid have no say.
            covariance_m2: (16, 3, 3); NaN where unknown.
            valid: (16,) bool.

        Returns:
            (20, 3, 3) parent_from_joint rotations, the root's being device_from_joint, and the (3,) position of the
            hips, metres. With no valid joint at all: those of the frame before.
        """
        valid = valid & np.isfinite(positions_m).all(-1)
        if not valid.any():
            return self._local, self._root
        target = np.where(valid[:, None], positions_m, self._expected(positions_m, valid))
        information = np.asarray(np.linalg.inv(usable_covariance(covariance_m2)) * valid[:, None, None], np.float64)
        local, root = start_pose(target, self._local, self.offsets_m)
        for joint, limit in self._limits.items():
            local[joint] = limit.clamped(local[joint])
        self._local, self._root = self._descend(local, root, _Goal(target, information, self._local))
        return self._local, self._root

    def _descend(self, local: Float64, root: Float64, goal: _Goal) -> tuple[Float64, Float64]:
        """Levenberg-Marquardt: steps that make it worse are taken back and tried shorter."""
        damping, state = DAMPING, self._evaluate(local, root, goal)
        for _ in range(STEPS):
            step = self._step(state, goal, damping)
            step *= min(1.0, LARGEST_STEP / max(float(np.abs(step[3:]).max()), 1e-12))
            tried = self._evaluate(self._turned(state.local, step[3:]), state.root + step[:3], goal)
            if tried.cost > state.cost:
                damping *= 10
                continue
            small = float(np.abs(step).max()) < SMALL_STEP or tried.cost > state.cost * (1 - SMALL_GAIN)
            damping, state = damping / 10, tried
            if small:
                break
        return state.local, state.root

    def _evaluate(self, local: Float64, root: Float64, goal: _Goal) -> _State:
        positions, turned = forward_kinematics(self.offsets_m, local, root)
        missing = goal.joints_m - positions[_FROM_SKELETON]
        priors = self._tree.priors(local, goal.before)
        cost = float(np.einsum("ji,jik,jk->", missing, goal.information, missing))
        cost += sum((rest / std) ** 2 for _, rest, std in priors)
        return _State(local, root, positions, turned, missing, priors, cost)

    def _expected(self, positions_m: Float64, valid: npt.NDArray[np.bool_]) -> Float64:
        """(16, 3) where the body of the frame before, moved along with the valid joints, has its joints."""
        joints = forward_kinematics(self.offsets_m, self._local, self._root)[0][_FROM_SKELETON]
        return np.asarray(joints + (positions_m[valid] - joints[valid]).mean(0), np.float64)

    def _turned(self, local: Float64, angles: Float64) -> Float64:
        result, at = local.copy(), 0
        for joint, limit in self._limits.items():
            axes = self._tree.axes[joint]
            result[joint] = limit.clamped(local[joint] @ from_vector(angles[at : at + len(axes)] @ axes))
            at += len(axes)
        return result

    def _step(self, state: _State, goal: _Goal, damping: float) -> Float64:
        jacobian = self._tree.jacobian(state.positions, state.turned)
        weighted = goal.information @ jacobian  # (16, 3, D)
        size = jacobian.shape[-1]
        left = weighted.reshape(-1, size).T @ jacobian.reshape(-1, size)
        right = weighted.reshape(-1, size).T @ state.missing.reshape(-1)
        for row, rest, std in state.priors:
            left += np.outer(row, row) / std**2
            right += row * (rest / std**2)
        diagonal = range(size)
        left[diagonal, diagonal] += 1 / PRIOR_STD_RAD**2 + damping * left[diagonal, diagonal]
        return np.asarray(np.linalg.solve(left, right), np.float64)


Prior = tuple[Float64, float, float]
"""Derivative (D,), what is missing to the prior's mean in radians, standard deviation in radians."""


class _Goal(NamedTuple):
    """What a frame is fitted to: (16, 3) joints, (16, 3, 3) inverse covariances, and the rotations before."""

    joints_m: Float64
    information: Float64
    before: Float64


class _State(NamedTuple):
    """A pose with everything that a step needs to know of it."""

    local: Float64
    root: Float64
    positions: Float64
    turned: Float64
    missing: Float64
    priors: list[Prior]
    cost: float


class _Tree:
    """Which unknown moves which joint: 3 for the root's position, then those of each joint's axes."""

    def __init__(self, limits: dict[int, Limit]) -> None:
        self.axes: dict[int, Float64] = {joint: np.asarray(limit.axes) for joint, limit in limits.items()}
        self.first, at = {}, 3
        for joint, axes in self.axes.items():
            self.first[joint], at = at, at + len(axes)
        self.size = at
        self._joint = np.concatenate([np.full(len(axes), joint) for joint, axes in self.axes.items()])
        self._local_axis = np.concatenate(list(self.axes.values()))
        self._moves = np.array([[_descends(joint, by) for by in self._joint] for joint in FROM_SKELETON])

    def jacobian(self, positions: Float64, turned: Float64) -> Float64:
        """(16, 3, D) derivative of EgoRear's joints by all unknowns."""
        axis = np.einsum("dij,dj->di", turned[self._joint], self._local_axis)
        arm = positions[_FROM_SKELETON][:, None] - positions[self._joint][None]
        arm *= self._moves[..., None]
        result = np.zeros((NUM_JOINTS, 3, self.size))
        result[:, range(3), range(3)] = 1
        for row, (i, j) in enumerate(((1, 2), (2, 0), (0, 1))):
            result[:, row, 3:] = axis[:, i] * arm[..., j] - axis[:, j] * arm[..., i]
        return result

    def priors(self, local: Float64, before: Float64) -> list[Prior]:
        """What the joints leave open, see the constants above."""
        found = []
        for joint in _TWISTING:
            bone = 2 if BODY_JOINTS[joint].endswith("UpLeg") else 1
            change = local[joint].T @ before[joint]
            found.append((self._row(joint, np.eye(3)[bone]), _about(change, bone), TWIST_STD_RAD))
        spine = _INDEX["Spine"]
        bend = -_about(local[spine], 1)
        found.append((self._row(spine, np.array((0.0, 1.0, 0.0))), bend, BEND_STD_RAD))
        for side in ("Left", "Right"):
            collar = _INDEX[f"{side}Shoulder"]
            turned = rotation_vector(local[collar])
            for axis in self.axes[collar]:
                found.append((self._row(collar, axis), -float(turned @ axis), COLLAR_STD_RAD))
            foot = _INDEX[f"{side}Foot"]
            # The toe's sideways share is R[1, 0]; turning by d about local z and y changes it by R[1] . (0, dz, -dy).
            row = np.zeros(3)
            row[1], row[2] = -local[foot][1, 2], local[foot][1, 1]
            found.append((self._row(foot, row), -float(local[foot][1, 0]), SPLAY_STD_RAD))
        return found

    def _row(self, joint: int, direction: Float64) -> Float64:
        row = np.zeros(self.size)
        axes = self.axes[joint]
        row[self.first[joint] : self.first[joint] + len(axes)] = axes @ direction
        return row


def fit_body(
    sequence: SkeletonSequence,
    lengths: BodyLengths | None = None,
    progress: Callable[[int], None] = lambda frames: None,
) -> FittedBody:
    """Fit a body to a recording.

    Args:
        sequence: the skeletons.
        lengths: of the bones; None measures them over the recording.
        progress: called with 1 for every frame.

    Raises:
        EgorearError: the recording does not tell the lengths.
    """
    fitter = BodyFitter(measure_lengths(sequence) if lengths is None else lengths)
    local = np.empty((len(sequence), len(BODY_JOINTS), 3, 3))
    root = np.empty((len(sequence), 3))
    for index in range(len(sequence)):
        local[index], root[index] = fitter.fit(
            sequence.positions_m[index], sequence.covariance_m2[index], sequence.valid[index]
        )
        progress(1)
    offsets = rest_offsets(fitter.lengths)
    positions, turned = forward_kinematics(offsets, local, root)
    return FittedBody(sequence, fitter.lengths, offsets, local, positions, turned)


def _descends(joint: int, ancestor: int) -> bool:
    """Whether a rotation of `ancestor` moves `joint`."""
    while joint >= 0:
        joint = BODY_PARENTS[joint]
        if joint == ancestor:
            return True
    return False


def _about(rotation: Float64, axis: int) -> float:
    """Share of a (3, 3) rotation about one of its axes, radians; exact for rotations about that axis alone."""
    i, j = (axis + 1) % 3, (axis + 2) % 3
    return math.atan2(rotation[j, i] - rotation[i, j], rotation[i, i] + rotation[j, j])
