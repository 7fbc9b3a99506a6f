"""What looks wrong in a rig: signs of usual mistakes that the lens formulas themselves cannot show."""

from __future__ import annotations

import numpy as np

from egorear_ros.rig.camera import CameraModel
from egorear_ros.rig.focal import FocalModel
from egorear_ros.rig.rig import VIEWS, Rig
from egorear_ros.rig.rigid import Matrix

CENTER_SHARE = 0.12
"""Of the image's smaller side: lenses sit closer to the middle of their sensor than this."""

FOCAL_SHARE = 0.05
ORIGIN_M = 0.01
REACH_M = 1.0
BASES_M = 0.05
BEHIND_M = 0.03


def doubts(rig: Rig) -> list[str]:
    """One line per thing that a right rig of a helmet would not have; empty if nothing is suspicious."""
    lines = [line for camera in rig.cameras for line in _lens_doubts(camera.name, camera.model)]
    for camera in rig.cameras:
        pose = camera.device_from_camera
        distance = float(np.linalg.norm(pose[:3, 3]))
        if distance > REACH_M:
            lines.append(
                f"{camera.name} is {distance:.2f} m from the device origin: are lengths in metres (import: --scale)?"
            )
        if pose[2, 2] < -0.2 and camera.name in VIEWS:
            lines.append(
                f"{camera.name} looks up (its optical axis is {_text(pose[:3, 2])} in the device frame, z is down)"
            )
    return lines + _pair_doubts(rig)


def _lens_doubts(name: str, model: CameraModel) -> list[str]:
    lines = []
    middle, center = np.array([model.width, model.height]) / 2, np.array(model.center_px)
    off = np.abs(center - middle)
    if off.max() > CENTER_SHARE * min(model.width, model.height):
        swapped = np.abs(center[::-1] - middle).max() < off.max() / 2
        remedy = "row and column look exchanged" if swapped else "is the image cropped or the size another?"
        lines.append(
            f"{name}: the optical axis at {_text(center, 1)} px is {off.max():.0f} px off the image's middle: {remedy}"
        )
    if isinstance(model, FocalModel) and abs(model.focal_px[0] / model.focal_px[1] - 1) > FOCAL_SHARE:
        lines.append(f"{name}: fx and fy {_text(np.array(model.focal_px), 1)} px differ by more than {FOCAL_SHARE:.0%}")
    return lines


def _pair_doubts(rig: Rig) -> list[str]:
    lines = []
    poses = {camera.name: camera.device_from_camera for camera in rig.cameras}
    pairs = {side: _pair(poses, side) for side in ("front", "rear")}
    for side, pair in pairs.items():
        if pair is not None and pair[0][0, 3] > pair[1][0, 3]:
            lines.append(f"{side}_left lies to the right of {side}_right: exchanged names, or a wrong device frame?")
    front, rear = pairs["front"], pairs["rear"]
    if front is not None:
        middle = (front[0][:3, 3] + front[1][:3, 3]) / 2
        if np.linalg.norm(middle) > ORIGIN_M:
            lines.append(
                f"the middle of the front cameras is at {_text(100 * middle, 1)} cm, it should be the device origin"
            )
        if (front[0][0, 0] + front[1][0, 0]) / 2 < 0:
            lines.append("the front images are upside down or their names exchanged: image right is the wearer's left")
    if front is not None and rear is not None:
        for name in VIEWS[2:]:
            if poses[name][1, 3] < BEHIND_M:
                lines.append(
                    f"{name} does not lie behind the front cameras (device y {100 * poses[name][1, 3]:.1f} cm)"
                )
        bases = [float(np.linalg.norm(pair[0][:3, 3] - pair[1][:3, 3])) for pair in (front, rear)]
        if abs(bases[0] - bases[1]) > BASES_M:
            lines.append(
                f"the front pair is {100 * bases[0]:.1f} cm apart, the rear pair {100 * bases[1]:.1f} cm: "
                "were the extrinsics taken relative to the right camera (Kalibr's T_cn_cnm1 is to the one before)?"
            )
    return lines


def _pair(poses: dict[str, Matrix], side: str) -> tuple[Matrix, Matrix] | None:
    left, right = poses.get(f"{side}_left"), poses.get(f"{side}_right")
    return None if left is None or right is None else (left, right)


def _text(values: np.ndarray, digits: int = 2) -> str:
    return "(" + ", ".join(f"{value:.{digits}f}" for value in values) + ")"
