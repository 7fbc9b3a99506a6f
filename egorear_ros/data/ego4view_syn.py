"""Ego4View-Syn's layout on disk, as the official code reads it.

`ROOT/{train,validation,test}.txt` list character folders; `ROOT/rp_<character>/<sequence>/` holds the images,
`fisheye_rgb/camera_*/<frame>.jpg`, and the joints, `json_smplx_gendered/<frame>.json`: centimetres, and pixels of the
872 x 872 calibration whatever the size of the images. What the official data does not have (visibility, stamps, poses,
ids, actions) is in the JSON under "egorear", which the official code ignores.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.rig import OFFICIAL_NAMES
from egorear_ros.skeleton import JOINTS

CM_PER_M: Final = 100.0
LABELS_FOLDER: Final = "json_smplx_gendered"
SPLIT_FILES: Final = {"train": "train.txt", "val": "validation.txt", "test": "test.txt"}


class SequenceWriter:
    """Writes one sequence; it appears under its name only when complete. Use as a context manager.

    Args:
        root: the data set's folder.
        character: folder of the person; starts with "rp" as the official preprocessing expects.
        sequence: name of the sequence, for example "1001".
        views: view names in order.
    """

    def __init__(self, root: Path, character: str, sequence: str, views: Sequence[str]) -> None:
        self.path = sequence_path(root, character, sequence)
        self._partial = self.path.with_name(self.path.name + ".partial")
        self._views = tuple(views)
        shutil.rmtree(self._partial, ignore_errors=True)
        for view in self._views:
            (self._partial / "fisheye_rgb" / official_name(view)).mkdir(parents=True)
        (self._partial / LABELS_FOLDER).mkdir()

    def __enter__(self) -> SequenceWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._partial.rename(self.path)
        else:
            shutil.rmtree(self._partial, ignore_errors=True)

    def write(self, index: int, jpegs: Sequence[bytes], frame: dict[str, Any]) -> None:
        """Write frame `index`: one JPEG per view, and the content of its JSON (see `frame_content`)."""
        name = f"{index:06d}"
        for view, jpeg in zip(self._views, jpegs, strict=True):
            (self._partial / "fisheye_rgb" / official_name(view) / f"{name}.jpg").write_bytes(jpeg)
        text = json.dumps(frame, separators=(",", ":"))
        (self._partial / LABELS_FOLDER / f"{name}.json").write_text(text, encoding="utf-8")


def sequence_path(root: Path, character: str, sequence: str) -> Path:
    """Folder of a sequence."""
    return root / character / sequence


def official_name(view: str) -> str:
    """Name of a view's folder: official for the four views of Ego4View, "camera_<view>" for others."""
    return OFFICIAL_NAMES.get(view, f"camera_{view}")


def frame_content(
    views: Sequence[str],
    joints_world_m: NDArray[np.floating],
    joints_device_m: NDArray[np.floating],
    joints_camera_m: NDArray[np.floating],
    pixels: NDArray[np.floating],
    extra: dict[str, Any],
) -> dict[str, Any]:
    """Content of a frame's JSON.

    Args:
        views: view names.
        joints_world_m: (16, 3).
        joints_device_m: (16, 3).
        joints_camera_m: (V, 16, 3).
        pixels: (V, 16, 2) in the calibration's resolution.
        extra: stored under "egorear".
    """
    joints = {}
    for j, name in enumerate(JOINTS):
        entry: dict[str, Any] = {
            "trans_blender": rounded(joints_world_m[j], 5),
            "device_pts3d": rounded(joints_device_m[j] * CM_PER_M, 4),
        }
        for v, view in enumerate(views):
            entry[f"{official_name(view)}_pts3d"] = rounded(joints_camera_m[v, j] * CM_PER_M, 4)
            entry[f"{official_name(view)}_pts2d"] = rounded(pixels[v, j], 3)
        joints[name] = entry
    return {"joints": joints, "egorear": extra}


def rounded(values: NDArray[np.floating], digits: int) -> list[float]:
    """Numbers for JSON."""
    return [round(float(value), digits) for value in values]


def write_split_lists(root: Path, characters: dict[str, Sequence[str]]) -> None:
    """Write train.txt, validation.txt and test.txt from split name -> character folders."""
    for split, file_name in SPLIT_FILES.items():
        lines = "".join(f"{character}\n" for character in sorted(characters.get(split, ())))
        partial = root / f"{file_name}.partial"
        partial.write_text(lines, encoding="utf-8")
        partial.rename(root / file_name)
