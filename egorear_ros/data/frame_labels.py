"""A frame's JSON file, as Ego4View and the simulator write it, in metres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros import plain_data
from egorear_ros.data.ego4view_syn import CM_PER_M, official_name
from egorear_ros.data.frame_sets import DataError, MissingFileError
from egorear_ros.plain_data import PlainDataError
from egorear_ros.rig import Rig, RigCamera
from egorear_ros.rig.rigid import check_rigid, transform_points
from egorear_ros.skeleton import JOINTS

LARGEST: Final = 1e9
"""No joint is so many centimetres or pixels away."""


@dataclass(frozen=True)
class FrameLabels:
    """What is known about a frame set of V views.

    Attributes:
        joints_device_m: (16, 3) float64, device frame.
        pixels: (V, 16, 2) float64, (u, v) in the calibration's resolution; may lie outside.
        in_view: (V, 16) bool.
        visible: (V, 16) bool, in view and, where the data say so, not hidden.
        camera_from_device: (V, 4, 4) float64 metres.
        action: what the wearer does; empty where the data do not say.
        stamp_ns: time since the sequence began; None where the data do not say.
    """

    joints_device_m: NDArray[np.float64]
    pixels: NDArray[np.float64]
    in_view: NDArray[np.bool_]
    visible: NDArray[np.bool_]
    camera_from_device: NDArray[np.float64]
    action: str
    stamp_ns: int | None


def read_labels(path: Path, rig: Rig, views: Sequence[str]) -> FrameLabels:
    """Read the JSON of a frame.

    Args:
        path: of the file.
        rig: all cameras of the data set, posed as in this sequence; the simulator's files hold poses of their own.
        views: wanted ones, of the rig's.

    Raises:
        DataError: the file is missing or broken, lacks a joint or a view, or holds something that is no number.
    """
    content = read_json(path)
    joints = content.get("joints")
    if not isinstance(joints, Mapping):
        raise DataError(f"'{path}' has no 'joints'; expected the JSON file of an Ego4View frame")
    missing = [name for name in JOINTS if not isinstance(joints.get(name), Mapping)]
    if missing:
        raise DataError(
            f"'{path}' has {len(JOINTS) - len(missing)} of {len(JOINTS)} joints; it lacks {', '.join(missing)}"
        )
    device = _points(path, joints, "device_pts3d", 3) / CM_PER_M
    pixels = np.stack([_points(path, joints, f"{official_name(view)}_pts2d", 2) for view in views])
    extra = content.get("egorear", {})
    if not isinstance(extra, Mapping):
        raise DataError(f"'{path}': 'egorear' is a {type(extra).__name__}, expected an object")
    order = [view for view in rig.names if f"{official_name(view)}_pts2d" in joints[JOINTS[0]]]
    rows = [order.index(view) for view in views]
    poses = _poses(path, extra, rig, len(order), rows, views)
    in_view = _flags(path, extra, "in_view", len(order), rows)
    if in_view is None:
        in_view = seen([rig[view] for view in views], poses, device, pixels)
    visible = _flags(path, extra, "visible", len(order), rows)
    return FrameLabels(
        joints_device_m=device,
        pixels=pixels,
        in_view=in_view,
        visible=in_view if visible is None else visible & in_view,
        camera_from_device=poses,
        action=str(extra.get("action", "")),
        stamp_ns=_stamp_ns(path, extra),
    )


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        DataError: there is no such file, or it is not one.
    """
    try:
        content = plain_data.read_json(path)
    except PlainDataError as error:
        if not path.exists():
            raise MissingFileError(f"'{path}' is missing") from error
        raise DataError(f"'{path}' is broken or cut off, it {error}") from error
    if not isinstance(content, dict):
        raise DataError(f"'{path}' holds a {type(content).__name__}, expected a JSON object")
    return content


def seen(
    cameras: Sequence[RigCamera],
    camera_from_device: NDArray[np.float64],
    joints_device_m: NDArray[np.float64],
    pixels: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """(V, 16) joints before the lens whose (V, 16, 2) pixel lies in the image and the lens circle."""
    return np.stack(
        [
            camera.model.in_view(transform_points(pose, joints_device_m)) & camera.model.contains(points)
            for camera, pose, points in zip(cameras, camera_from_device, pixels, strict=True)
        ]
    )


def _points(path: Path, joints: Mapping[str, Any], key: str, size: int) -> NDArray[np.float64]:
    """(16, size) values of one entry of every joint."""
    lacking = [name for name in JOINTS if key not in joints[name]]
    if lacking:
        raise DataError(f"'{path}': joint {lacking[0]} has no '{key}'")
    try:
        values = np.array([joints[name][key] for name in JOINTS], np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"'{path}': '{key}' is not {size} numbers for every joint: {error}") from error
    if values.shape != (len(JOINTS), size):
        raise DataError(f"'{path}': '{key}' is not {size} numbers for every joint, but of shape {values.shape}")
    usable = np.abs(values) <= LARGEST
    if not usable.all():
        worst = JOINTS[int(np.argmin(usable.all(axis=1)))]
        raise DataError(f"'{path}': '{key}' of joint {worst} is not finite, or above {LARGEST:g}")
    return values


def _poses(
    path: Path, extra: Mapping[str, Any], rig: Rig, count: int, rows: Sequence[int], views: Sequence[str]
) -> NDArray[np.float64]:
    """(V, 4, 4) camera_from_device: the file's own, else the rig's."""
    if "camera_from_device" not in extra:
        return np.stack([rig[view].camera_from_device for view in views])
    try:
        poses = np.array(extra["camera_from_device"], np.float64).reshape(count, 4, 4)[list(rows)]
        for pose in poses:
            check_rigid(pose)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"'{path}': 'camera_from_device' is no transform per view: {error}") from error
    return poses


def _stamp_ns(path: Path, extra: Mapping[str, Any]) -> int | None:
    if "stamp_ns" not in extra:
        return None
    stamp = extra["stamp_ns"]
    if type(stamp) not in (int, float) or not abs(stamp) < 1 << 63:
        raise DataError(f"'{path}': 'stamp_ns' must be a number of nanoseconds, got {stamp!r}")
    return int(stamp)


def _flags(path: Path, extra: Mapping[str, Any], key: str, count: int, rows: Sequence[int]) -> NDArray[np.bool_] | None:
    """(V, 16) flags; None if the file has none."""
    if key not in extra:
        return None
    try:
        return np.array(extra[key], bool).reshape(count, len(JOINTS))[list(rows)]
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"'{path}': '{key}' is not {len(JOINTS)} flags per view: {error}") from error
