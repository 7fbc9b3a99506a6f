"""OpenSim's marker file (.trc): the fitted body's 16 joints as markers.

Frame: OpenSim's, x forward, y up, z to the right, axes of the helmet, origin at the helmet; metres, as the header says.
Times are those of the recording; the rates in the header are its median rate.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from egorear_ros.export.job import Export
from egorear_ros.rig.rigid import transform_points
from egorear_ros.skeleton import JOINTS

OPENSIM_FROM_HELMET: Final = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])


def write(path: Path, export: Export, progress: Callable[[int], None]) -> None:
    """Write the file."""
    sequence = export.body.sequence
    points = transform_points(export.rig.helmet_from_device, export.body.joints_m) @ OPENSIM_FROM_HELMET.T
    rate = f"{1 / sequence.period_s:.6g}"
    count = str(len(sequence))
    names = ("DataRate", "CameraRate", "NumFrames", "NumMarkers", "Units", "OrigDataRate", "OrigDataStartFrame")
    values = (rate, rate, count, str(len(JOINTS)), "m", rate, "1", count)
    axes = [f"{axis}{marker + 1}" for marker in range(len(JOINTS)) for axis in "XYZ"]
    rows = [
        ["PathFileType", "4", "(X/Y/Z)", f"{export.recording.name}.trc"],
        [*names, "OrigNumFrames"],
        list(values),
        ["Frame#", "Time", *(part for name in JOINTS for part in (name, "", ""))],
        ["", "", *axes],
        [],
    ]
    for index, (time_s, frame) in enumerate(zip(sequence.times_s, points.reshape(len(points), -1), strict=True)):
        rows.append([str(index + 1), f"{time_s:.6f}", *(f"{value:.6f}" for value in frame)])
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
