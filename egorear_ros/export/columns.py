"""Everything about a recording as named columns, one row per skeleton: for .csv and .parquet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from egorear_ros.body import ANGLE_NAMES, BODY_JOINTS, ROTATING, FittedBody, joint_angles
from egorear_ros.export.job import Export
from egorear_ros.skeleton import JOINTS

Column = npt.NDArray[Any] | list[str]


def columns(export: Export) -> dict[str, Column]:
    """Name -> (T,) values. Metres in the device frame; NaN where unknown.

    `stamp_ns`, `time_s` since the first skeleton, `views` joined by +, then for each joint `free.JOINT.x_m` with
    `.std_x_m`, `.confidence`, `.valid`; `body.JOINT.x_m` of the fitted body; and `rotation.JOINT.qx` ... `.qw`, the
    unit quaternion parent_from_joint (of the hips: device_from_joint); `angle.NAME_rad`, see `body.angles`.
    """
    sequence = export.body.sequence
    used = [[view for view, on in zip(sequence.views, row, strict=True) if on] for row in sequence.views_used]
    found: dict[str, Column] = {
        "stamp_ns": sequence.stamps_ns,
        "time_s": sequence.times_s,
        "views": ["+".join(views) for views in used],
    }
    found.update(_free(export))
    for index, joint in enumerate(JOINTS):
        found.update({f"body.{joint}.{axis}_m": v for axis, v in _axes(export.body.joints_m[:, index])})
    rotations = quaternions_xyzw(export.body)
    for place, index in enumerate(ROTATING):
        for part, axis in enumerate("xyzw"):
            found[f"rotation.{BODY_JOINTS[index]}.q{axis}"] = rotations[:, place, part]
    angles = joint_angles(export.body.parent_from_joint, export.body.offsets_m)
    found.update({f"angle.{name}_rad": angles[:, place] for place, name in enumerate(ANGLE_NAMES)})
    return found


def quaternions_xyzw(body: FittedBody) -> npt.NDArray[np.float64]:
    """(T, 15, 4) parent_from_joint of the rotating joints; signs do not jump from one frame to the next."""
    chosen = body.parent_from_joint[:, list(ROTATING)]
    found = np.asarray(Rotation.from_matrix(chosen.reshape(-1, 3, 3)).as_quat()).reshape(*chosen.shape[:2], 4)
    turns = np.where((found[1:] * found[:-1]).sum(-1) < 0, -1.0, 1.0)
    found[1:] *= np.cumprod(turns, axis=0)[..., None]
    return found


def _free(export: Export) -> Iterator[tuple[str, Column]]:
    sequence = export.body.sequence
    for index, joint in enumerate(JOINTS):
        yield from ((f"free.{joint}.{axis}_m", v) for axis, v in _axes(sequence.positions_m[:, index]))
        yield from ((f"free.{joint}.std_{axis}_m", v) for axis, v in _axes(sequence.std_m[:, index]))
        yield f"free.{joint}.confidence", sequence.confidence[:, index]
        yield f"free.{joint}.valid", sequence.valid[:, index]


def _axes(values: npt.NDArray[np.float64]) -> Iterator[tuple[str, npt.NDArray[np.float64]]]:
    return ((axis, values[:, index]) for index, axis in enumerate("xyz"))
