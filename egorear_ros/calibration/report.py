"""The figures of a calibration, for files."""

from __future__ import annotations

import math
from typing import Any

from egorear_ros.calibration.boards import Board
from egorear_ros.calibration.quality import CameraQuality
from egorear_ros.calibration.solving import Calibration


def report_content(calibration: Calibration, board: Board) -> dict[str, Any]:
    """What was found, as a mapping for JSON; units are in the names, sd is a standard deviation."""
    solution = calibration.solution
    used = sum(camera.corners for camera in calibration.cameras)
    return {
        "rig": calibration.rig.name,
        "board": board.text(),
        "lens": solution.bundle.lens.name,
        "rms_px": calibration.rms_px,
        "corners": used,
        "corners_thrown_out": solution.corners - used,
        "device_frame": calibration.device_from,
        "cameras": {camera.name: _camera(camera, calibration) for camera in calibration.cameras},
        "links": [
            {"cameras": [solution.names[link.first], solution.names[link.second]], "shared": link.shared}
            for link in solution.links
        ],
    }


def _camera(camera: CameraQuality, calibration: Calibration) -> dict[str, Any]:
    content = {
        "pictures": camera.views,
        "pictures_left_out": list(calibration.dropped[camera.name]),
        "corners": camera.corners,
        "rms_px": camera.rms_px,
        "rms_px_by_radius": [None if math.isnan(value) else value for value in camera.rms_by_radius_px],
        "lens_sd_px": camera.lens_px,
        "position_sd_mm": 1000 * camera.position_m,
        "angle_sd_deg": math.degrees(camera.angle_rad),
        "covered": camera.coverage.share,
        "missing": camera.coverage.missing(most=24),
    }
    if camera.offset_s is not None and camera.offset_sd_s is not None:
        content |= {"offset_ms": 1000 * camera.offset_s, "offset_sd_ms": 1000 * camera.offset_sd_s}
    return content
