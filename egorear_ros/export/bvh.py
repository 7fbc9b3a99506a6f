"""Biovision Hierarchy (.bvh): the body's bones and, per frame, three angles for each joint.

Frame: see `y_up`. Metres, degrees. Angles are intrinsic z, x, y, in this order in the file. Frames are at an even rate.
Ends of chains get a short End Site along their bone, as the format demands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from egorear_ros.body import BODY_JOINTS, BODY_PARENTS
from egorear_ros.export.job import Export
from egorear_ros.export.y_up import YUpMotion, y_up_motion

ROTATIONS: Final = "Zrotation Xrotation Yrotation"
POSITIONS: Final = "Xposition Yposition Zposition"
END_M: Final = 0.05


def write(path: Path, export: Export, progress: Callable[[int], None]) -> None:
    """Write the file."""
    period_s = export.body.sequence.period_s
    motion = y_up_motion(export).resampled(period_s)
    lines = ["HIERARCHY", *_joint(0, motion.offsets_m, 0)]
    lines += ["MOTION", f"Frames: {len(motion.times_s)}", f"Frame Time: {period_s:.9f}"]
    lines += [" ".join(f"{value:.6f}" for value in row) for row in _channels(motion)]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def _joint(joint: int, offsets_m: npt.NDArray[np.float64], depth: int) -> Iterator[str]:
    """Lines of a joint and all below it."""
    indent = "  " * depth
    children = [child for child, parent in enumerate(BODY_PARENTS) if parent == joint]
    yield f"{indent}{'JOINT' if depth else 'ROOT'} {BODY_JOINTS[joint]}"
    yield f"{indent}{{"
    yield f"{indent}  OFFSET {_numbers(offsets_m[joint])}"
    yield f"{indent}  CHANNELS {f'3 {ROTATIONS}' if depth else f'6 {POSITIONS} {ROTATIONS}'}"
    for child in children:
        yield from _joint(child, offsets_m, depth + 1)
    if not children:
        end = END_M * offsets_m[joint] / np.linalg.norm(offsets_m[joint])
        yield from (f"{indent}  End Site", f"{indent}  {{", f"{indent}    OFFSET {_numbers(end)}", f"{indent}  }}")
    yield f"{indent}}}"


def _channels(motion: YUpMotion) -> npt.NDArray[np.float64]:
    """(T, 3 + 60) metres and degrees; the tree's order is depth first, as the file's."""
    frames, joints = motion.rotations.shape[:2]
    angles = Rotation.from_matrix(motion.rotations.reshape(-1, 3, 3)).as_euler("ZXY", degrees=True)
    smooth = np.unwrap(np.asarray(angles).reshape(frames, joints * 3), period=360, axis=0)
    return np.concatenate([motion.root_m, smooth], 1)


def _numbers(values: npt.NDArray[np.float64]) -> str:
    return " ".join(f"{value:.6f}" for value in values)
