"""NumPy arrays (.npz), with full covariances; read with `numpy.load(path)`, no pickle inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np

from egorear_ros.body import ANGLE_NAMES, BODY_JOINTS, BODY_PARENTS, ROTATING, joint_angles
from egorear_ros.export.columns import quaternions_xyzw
from egorear_ros.export.job import Export
from egorear_ros.skeleton import JOINTS

FORMAT: Final = "egorear-motion/1"


def write(path: Path, export: Export, progress: Callable[[int], None]) -> None:
    """Write the file; docs/export.md lists the arrays."""
    body, sequence = export.body, export.body.sequence
    lengths = asdict(body.lengths)
    np.savez_compressed(
        path,
        format=np.array(FORMAT),
        recording=np.array(export.recording.name),
        model=np.array(export.model),
        frame=np.array(sequence.frame_id),
        stamps_ns=sequence.stamps_ns,
        joint_names=np.array(JOINTS),
        joints_m=sequence.positions_m,
        covariance_m2=sequence.covariance_m2.astype(np.float32),
        confidence=sequence.confidence.astype(np.float32),
        valid=sequence.valid,
        view_names=np.array(sequence.views),
        views_used=sequence.views_used,
        body_joint_names=np.array(BODY_JOINTS),
        body_parents=np.array(BODY_PARENTS),
        body_offsets_m=body.offsets_m,
        body_positions_m=body.positions_m,
        rotating_joint_names=np.array([BODY_JOINTS[index] for index in ROTATING]),
        rotations_xyzw=quaternions_xyzw(body),
        angle_names=np.array(ANGLE_NAMES),
        angles_rad=joint_angles(body.parent_from_joint, body.offsets_m),
        length_names=np.array(list(lengths)),
        lengths_m=np.array(list(lengths.values())),
    )
