"""Pictures from folders: one folder per camera."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from egorear_ros.calibration.boards import Board
from egorear_ros.calibration.detection import BoardDetector
from egorear_ros.calibration.errors import CalibrationError
from egorear_ros.calibration.pictures import Picture, Pictures
from egorear_ros.capture.frame_files import image_files, stamps_of
from egorear_ros.data.encodings import ImageError, decode_jpeg
from egorear_ros.rig import VIEWS

SAME_MOMENT_S = 0.02
"""Stamped pictures of different cameras within this were taken at one moment."""
Progress = Callable[[str, int, int], None]
"""Camera, pictures done, pictures there are."""


def camera_folders(paths: Sequence[Path], names: Sequence[str] = ()) -> dict[str, Path]:
    """Which folder belongs to which camera.

    Args:
        paths: one folder with a folder per camera in it, or the folders themselves.
        names: of the cameras, in the order of the folders; empty to take the folders' own.

    Returns:
        Camera -> folder, the four views of a helmet in their usual order, others after them.

    Raises:
        CalibrationError: no folder, or names that do not fit.
    """
    for path in paths:
        if not path.is_dir():
            raise CalibrationError(f"there is no folder or bag '{path}'")
    folders = list(paths)
    if len(folders) == 1 and not image_files(str(folders[0])):
        folders = sorted(path for path in folders[0].iterdir() if path.is_dir() and image_files(str(path)))
        if not folders:
            raise CalibrationError(f"'{paths[0]}' has neither pictures nor folders with pictures, one per camera")
    found = list(names) or [view_name(folder.name) for folder in folders]
    if len(found) != len(folders):
        raise CalibrationError(
            f"--names has {len(found)} names, there are {len(folders)} folders: {', '.join(f.name for f in folders)}"
        )
    check_names(found)
    return in_rig_order(dict(zip(found, folders, strict=True)))


def view_name(text: str) -> str:
    """The view of a helmet that a name states, else the name."""
    return next((view for view in VIEWS if view in text.replace("back_", "rear_")), text)


def check_names(names: Sequence[str]) -> None:
    """Raise CalibrationError for names that are used twice or cannot be names in ROS."""
    for name in names:
        if names.count(name) > 1:
            raise CalibrationError(f"camera name '{name}' is used twice; give different ones with --names")
        if not name.replace("_", "").isalnum() or not name.isascii():
            raise CalibrationError(f"camera name '{name}' cannot be a ROS name; give --names of letters, digits and _")


def in_rig_order(found: Mapping[str, Path]) -> dict[str, Path]:
    """The same with the views of a helmet first, in their order."""
    order = [*(view for view in VIEWS if view in found), *(name for name in found if name not in VIEWS)]
    return {name: found[name] for name in order}


def pictures_of_folders(
    board: Board, folders: Mapping[str, Path], progress: Progress = lambda camera, done, total: None
) -> Pictures:
    """Find the board in every picture.

    Pictures with the same name (without ending) in several folders were taken at one moment. Names that are stamps give
    the time too; then pictures within 20 ms belong to one moment.

    Raises:
        CalibrationError: a picture cannot be read.
    """
    files = {camera: image_files(str(folder)) or [] for camera, folder in folders.items()}
    times = _times(files)
    moments = _moments_by_name(files) if times is None else moments_by_time(times)
    detector = BoardDetector(board)
    found: dict[str, list[Picture]] = {camera: [] for camera in files}
    for camera, paths in files.items():
        for index, path in enumerate(paths):
            time_s = None if times is None else float(times[camera][index])
            image = _read(path)
            found[camera].append(Picture.of(image, str(path), moments[camera][index], time_s, detector))
            progress(camera, index + 1, len(paths))
    return Pictures(found)


def _read(path: Path) -> np.ndarray:
    try:
        return decode_jpeg(path.read_bytes(), path.name)  # OpenCV's decoder knows the other formats, too
    except (OSError, ImageError) as error:
        raise CalibrationError(f"picture '{path}' cannot be read; take it out of the folder or mend it") from error


def _times(files: Mapping[str, Sequence[Path]]) -> dict[str, np.ndarray] | None:
    """Seconds since the first picture, if all are named after their stamps."""
    stamps = {camera: stamps_of(list(paths)) for camera, paths in files.items()}
    if any(found is None for found in stamps.values()):
        return None
    start = min(int(found.min()) for found in stamps.values() if found is not None)
    return {camera: (found - start) / 1e9 for camera, found in stamps.items() if found is not None}


def _moments_by_name(files: Mapping[str, Sequence[Path]]) -> dict[str, list[int | None]]:
    stems = sorted({path.stem for paths in files.values() for path in paths})
    number = {stem: index for index, stem in enumerate(stems)}
    return {camera: [number[path.stem] for path in paths] for camera, paths in files.items()}


def moments_by_time(times: Mapping[str, np.ndarray]) -> dict[str, list[int | None]]:
    """Pictures in the order of time; a new moment begins where the last one has this camera, or is too long ago."""
    order = sorted((time, camera, index) for camera, of in times.items() for index, time in enumerate(of))
    found: dict[str, list[int | None]] = {camera: [None] * len(of) for camera, of in times.items()}
    number, begin_s, members = -1, -np.inf, set[str]()
    for time_s, camera, index in order:
        if time_s - begin_s > SAME_MOMENT_S or camera in members:
            number, begin_s, members = number + 1, time_s, set()
        members.add(camera)
        found[camera][index] = number
    return found
