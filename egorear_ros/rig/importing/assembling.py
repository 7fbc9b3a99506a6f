"""From the cameras of calibration files to a rig: names, poses, device frame, fields of view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from egorear_ros.rig.camera import CameraModel
from egorear_ros.rig.importing.found import FoundCamera
from egorear_ros.rig.importing.reading import read_calibration
from egorear_ros.rig.loading import load_rig, load_rw_extrinsics
from egorear_ros.rig.placing import helmet_from_device, place_device
from egorear_ros.rig.rig import VIEWS, Rig, RigCamera, RigError
from egorear_ros.rig.rigid import Matrix, inverse
from egorear_ros.rig.view_range import with_view_range

FILE_FRAME = "file"


@dataclass(frozen=True)
class ImportOptions:
    """What calibration files do not say.

    Attributes:
        names: of the cameras, in the order of files and cameras; empty to use the files' own.
        format_name: of all files; None to recognise it.
        device_from: a camera whose optical frame is the device frame, "file" for the file's reference frame (cam0, the
            IMU), None to place it between the front cameras.
        poses: a rig file, or an Ego4View-RW metadata file, from which the poses are taken by camera name.
        image_circles_px, max_angles_rad: one for all cameras or one per camera; empty to derive them.
        scale: metres per unit of length in the files.
        rig_name: what to call the rig.
    """

    names: tuple[str, ...] = ()
    format_name: str | None = None
    device_from: str | None = None
    poses: str | None = None
    image_circles_px: tuple[float, ...] = ()
    max_angles_rad: tuple[float, ...] = ()
    scale: float = 1.0
    rig_name: str = "imported"


def import_rig(files: Sequence[str | Path], options: ImportOptions | None = None) -> tuple[Rig, list[str]]:
    """Build a rig from calibration files.

    Returns:
        The rig, and what was decided on the way, one line each.

    Raises:
        RigError: a file has a mistake, or something is missing, which is named with its option.
    """
    options = options or ImportOptions()
    read = [(Path(file), *read_calibration(file, options.format_name)) for file in files]
    found = [(path, camera) for path, _, cameras in read for camera in cameras]
    notes = [f"{path}: {name}, {len(cameras)} camera(s)" for path, name, cameras in read]
    names = _names(found, options.names)
    lenses = _lenses(names, [camera for _, camera in found], options, notes)
    helmet, poses = _poses(names, found, len(read), options, notes)
    cameras = tuple(RigCamera(*parts) for parts in zip(names, lenses, poses, strict=True))
    source = "imported from " + ", ".join(f"{path.name} ({name})" for path, name, _ in read)
    rig = Rig(options.rig_name, cameras, np.eye(4), source)
    return replace(rig, helmet_from_device=helmet_from_device(rig) if helmet is None else helmet), notes


def rig_for_comparison(files: Sequence[str | Path], rig: Rig, options: ImportOptions, rig_file: str) -> Rig:
    """Import files to compare a rig with: cameras without a view name take the rig's, those without a pose its pose.

    Raises:
        RigError: see `import_rig`.
    """
    found = [(Path(file), camera) for file in files for camera in read_calibration(file, options.format_name)[1]]
    own = [_own_name(path, camera) for path, camera in found]
    names = options.names or (tuple(own) if set(own) <= set(rig.names) else rig.names)
    lacks = len(files) > 1 or any(camera.camera_from_reference is None for _, camera in found)
    return import_rig(files, replace(options, names=names, poses=rig_file if lacks else None))[0]


def _names(found: Sequence[tuple[Path, FoundCamera]], given: tuple[str, ...]) -> tuple[str, ...]:
    labels = ", ".join(camera.label if len(found) > 1 else path.name for path, camera in found)
    if given:
        if len(given) != len(found) or not all(given):
            raise RigError(f"--names has {len(given)} names, the files have {len(found)} camera(s): {labels}")
        names = given
    else:
        names = tuple(_own_name(path, camera) for path, camera in found)
        if len(found) == 1 and not names[0]:
            names = ("camera",)
    if not all(names):
        order = ", ".join(f"{camera.label} of {path.name}" for path, camera in found)
        raise RigError(f"the files do not name the views; give --names {','.join(VIEWS)} in the order of {order}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RigError(f"camera name '{twice[0]}' is used twice; give different --names for {labels}")
    bad = [name for name in names if not name.replace("_", "").isalnum() or not name.isascii()]
    if bad:
        raise RigError(f"camera name '{bad[0]}' cannot be a ROS name; give --names of letters, digits and _")
    return names


def _own_name(path: Path, camera: FoundCamera) -> str:
    """The view that the file or its name states."""
    for text in (camera.name, path.stem):
        for view in VIEWS:
            if view in text.replace("back_", "rear_"):
                return view
    return camera.name


def _lenses(
    names: Sequence[str], found: Sequence[FoundCamera], options: ImportOptions, notes: list[str]
) -> list[CameraModel]:
    circles = _for_each(names, options.image_circles_px, "--image-circle")
    angles = _for_each(names, options.max_angles_rad, "--max-angle")
    lenses, derived = [], []
    for name, camera, circle, angle in zip(names, found, circles, angles, strict=True):
        _check_center(name, camera.lens)
        if camera.has_range and circle is None and angle is None:
            lenses.append(camera.lens)
            continue
        try:
            lenses.append(with_view_range(camera.lens, circle, angle))
        except ValueError as error:
            raise RigError(f"camera '{name}': {error}") from error
        if circle is None:
            derived.append(f"{name} {lenses[-1].image_circle_radius_px:.0f} px")
    if derived:
        notes.append(
            f"image circle (radius {', '.join(derived)}) and field of view come from the lens formula and the image "
            "size; give the real ones with --image-circle and --max-angle"
        )
    return lenses


def _check_center(name: str, lens: CameraModel) -> None:
    (x, y), width, height = lens.center_px, lens.width, lens.height
    if not (0 < x < width and 0 < y < height):
        raise RigError(
            f"camera '{name}': the optical axis at ({x:.1f}, {y:.1f}) px lies outside the {width}x{height} image; "
            "is the size right and the file complete?"
        )


def _for_each(names: Sequence[str], values: tuple[float, ...], option: str) -> tuple[float | None, ...]:
    if not values:
        return (None,) * len(names)
    if len(values) == 1:
        return values * len(names)
    if len(values) != len(names):
        raise RigError(f"{option} has {len(values)} values; give one, or one for each of {', '.join(names)}")
    return values


def _poses(
    names: Sequence[str],
    found: Sequence[tuple[Path, FoundCamera]],
    files: int,
    options: ImportOptions,
    notes: list[str],
) -> tuple[Matrix | None, list[Matrix]]:
    """Pose of the device frame in the helmet, where it is known, and camera_from_device of each camera."""
    if options.poses is not None:
        helmet, known = _known_poses(options.poses)
        missing = [name for name in names if name not in known]
        if missing:
            raise RigError(f"--poses '{options.poses}' has no camera '{missing[0]}'; it has {', '.join(known)}")
        notes.append(f"poses and device frame: from {options.poses}")
        return helmet, [known[name] for name in names]
    lacking = [name for name, (_, camera) in zip(names, found, strict=True) if camera.camera_from_reference is None]
    if len(names) > 1 and (lacking or files > 1):
        who = ", ".join(lacking or names)
        why = "the files do not say" if lacking else "each file has a frame of its own, they do not say together"
        raise RigError(
            f"{why} where these cameras sit: {who}; give --poses RIG.yaml, a rig file with cameras of these names"
        )
    matrices = [
        np.eye(4) if camera.camera_from_reference is None else _scaled(camera.camera_from_reference, options.scale)
        for _, camera in found
    ]
    reference_from_device, how = _device(dict(zip(names, matrices, strict=True)), options.device_from)
    notes.append(f"device frame: {how}")
    return None, [matrix @ reference_from_device for matrix in matrices]


def _known_poses(path: str) -> tuple[Matrix | None, Mapping[str, Matrix]]:
    if path.endswith(".json"):
        return None, load_rw_extrinsics(path)
    rig = load_rig(path)
    return rig.helmet_from_device, {camera.name: camera.camera_from_device for camera in rig.cameras}


def _scaled(matrix: Matrix, scale: float) -> Matrix:
    if not 0 < scale < np.inf:
        raise RigError(f"--scale must be a positive number of metres per unit, got {scale}")
    result = matrix.copy()
    result[:3, 3] *= scale
    return result


def _device(poses: Mapping[str, Matrix], device_from: str | None) -> tuple[Matrix, str]:
    """reference_from_device, and how it was placed."""
    if device_from == FILE_FRAME:
        return np.eye(4), "the reference frame of the file"
    if device_from is None:
        return place_device(poses)
    if device_from not in poses:
        raise RigError(
            f"--device-from '{device_from}' is no camera of the rig; give {', '.join(poses)} or {FILE_FRAME}"
        )
    return inverse(poses[device_from]), f"the optical frame of {device_from}"
