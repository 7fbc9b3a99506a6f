"""Arrays of poses and their small changes.

A change is six numbers: a rotation vector that turns the pose in its own frame (R Exp(w)), and a shift of its position.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from egorear_ros.calibration.views import Floats


def moved(poses: Floats, changes: Floats) -> Floats:
    """(N, 4, 4) poses after (N, 6) changes."""
    result = poses.copy()
    result[:, :3, :3] = poses[:, :3, :3] @ exponential(changes[:, :3])
    result[:, :3, 3] += changes[:, 3:]
    return result


def change_between(start: Floats, end: Floats) -> Floats:
    """(N, 6) changes that lead from (N, 4, 4) poses to others."""
    turn = logarithm(np.swapaxes(start[:, :3, :3], -1, -2) @ end[:, :3, :3])
    return np.concatenate([turn, end[:, :3, 3] - start[:, :3, 3]], -1)


def exponential(vectors: Floats) -> Floats:
    """(..., 3) rotation vectors to (..., 3, 3)."""
    # copied: SciPy takes no array that is read-only, as broadcast ones are
    flat = Rotation.from_rotvec(np.array(vectors.reshape(-1, 3))).as_matrix()
    return np.asarray(flat.reshape(*vectors.shape[:-1], 3, 3), float)


def logarithm(rotations: Floats) -> Floats:
    """(..., 3, 3) rotations to (..., 3) rotation vectors."""
    flat = Rotation.from_matrix(np.array(rotations.reshape(-1, 3, 3))).as_rotvec()
    return np.asarray(flat.reshape(*rotations.shape[:-2], 3), float)


def cross_matrices(vectors: Floats) -> Floats:
    """(M, 3) to (M, 3, 3): the matrix whose product with another vector is the cross product."""
    result = np.zeros((len(vectors), 3, 3))
    x, y, z = vectors.T
    result[:, 0, 1], result[:, 0, 2], result[:, 1, 2] = -z, y, -x
    result[:, 1, 0], result[:, 2, 0], result[:, 2, 1] = z, -y, x
    return result


def middle_pose(poses: Floats, length_m: float = 0.3) -> Floats:
    """The (4, 4) pose that most of (N, 4, 4) agree on: the mean of those close to the one in their middle.

    Args:
        poses: candidates, some of them wrong.
        length_m: how far from a turned thing its turn is felt; it makes radians comparable with metres.
    """
    changes = np.stack([change_between(np.broadcast_to(pose, poses.shape), poses) for pose in poses])
    distance = np.linalg.norm(changes[..., 3:], axis=-1) + length_m * np.linalg.norm(changes[..., :3], axis=-1)
    middle = int(np.argmin(np.median(distance, axis=1)))
    near = distance[middle] <= 2.5 * np.median(distance[middle]) + 1e-9
    mean = changes[middle][near].mean(0)
    return moved(poses[middle][None], mean[None])[0]
