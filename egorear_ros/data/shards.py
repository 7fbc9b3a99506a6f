"""Reading shards: npz files of many frame sets at the training resolution (`egorear render-shards`)."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.data.ego4view_layout import DEFAULT_RIG
from egorear_ros.data.frame_labels import read_json
from egorear_ros.data.frame_sets import DataError, FrameName, FrameSets, Resize, averaged
from egorear_ros.data.npz import Shapes, array_header, check_arrays, read_npz
from egorear_ros.rig import VIEWS
from egorear_ros.skeleton import NUM_JOINTS

PATTERN: Final = "shard_*.npz"
SETTINGS_FILE: Final = "shards.json"
ARRAYS: Final = ("images", "joints_device_m", "pixels", "in_view", "visible", "camera_from_device")
NAME_ARRAYS: Final = ("sequence", "frame", "action")
"""(N,) number of the sequence, number of the frame within it, and action; shards of earlier versions lack them."""

CUE_ARRAYS: Final = ("stamp_ns", "down_device", "stature_m")
"""What a tracker learns from, too: (N,) time since the sequence began; (N, 3) unit vector that points down, in the
device frame; (N,) height of the wearer, metres. Shards of earlier versions lack them."""

SHAPES: Final[Shapes] = {
    "joints_device_m": ("f", ("N", NUM_JOINTS, 3)),
    "pixels": ("f", ("N", len(VIEWS), NUM_JOINTS, 2)),
    "in_view": ("b", ("N", len(VIEWS), NUM_JOINTS)),
    "visible": ("b", ("N", len(VIEWS), NUM_JOINTS)),
    "camera_from_device": ("f", ("N", len(VIEWS), 4, 4)),
    "sequence": ("iuU", ("N",)),
    "frame": ("iu", ("N",)),
    "action": ("U", ("N",)),
}

LOCAL_HEADER_BYTES: Final = 30


def shard_paths(folder: Path) -> list[Path]:
    """The shards of a folder in their order.

    Raises:
        DataError: there are none.
    """
    paths = sorted(folder.glob(PATTERN))
    if not paths:
        raise DataError(f"'{folder}' holds no shards; make them with `egorear render-shards --out {folder}`")
    return paths


class ShardFrames:
    """A folder of shards; a `FrameSource`. Images stay on disk until they are asked for.

    Args:
        folder: of shards.
        views: views to load, in this order.
        size_px: width and height to make the images smaller to, a divisor of theirs; None: as they are.
        resize: how.

    Attributes:
        rig_name: the rig they were rendered with, by name or path.
        paths: the shards.
        ends: of each shard, the number of the frame set after its last.

    Raises:
        DataError: no shards, one cannot be read, or they have no such view.
    """

    def __init__(
        self, folder: Path, views: Sequence[str], size_px: int | None = None, resize: Resize = averaged
    ) -> None:
        self.folder, self.size_px, self._resize = folder, size_px, resize
        self.paths = shard_paths(folder)
        wrong = [view for view in views if view not in VIEWS]
        if wrong or not views or len(set(views)) != len(views):
            raise DataError(f"views {', '.join(views) or '(none)'}: expected different ones of {', '.join(VIEWS)}")
        self.rig_name = str(shard_settings(folder).get("rig", DEFAULT_RIG))
        self._views, self._rows = tuple(views), [VIEWS.index(view) for view in views]
        self._images = [mapped_images(path) for path in self.paths]
        parts = [_small_arrays(path) for path in self.paths]
        for path, images, part in zip(self.paths, self._images, parts, strict=True):
            if images.shape[2:] != self._images[0].shape[2:]:
                raise DataError(
                    f"shard '{path}' has images of {images.shape[2]} px, "
                    f"'{self.paths[0]}' of {self._images[0].shape[2]}"
                )
            if len(images) != len(part["joints_device_m"]):
                raise _unreadable(path, f"{len(images)} images, labels of {len(part['joints_device_m'])}")
        names = [name for name in parts[0] if all(name in part for part in parts)]
        self._labels = {name: np.concatenate([part[name] for part in parts]) for name in names}
        self.ends = np.cumsum([len(images) for images in self._images])

    @property
    def views(self) -> tuple[str, ...]:
        """The views, in the order of the arrays' second axis."""
        return self._views

    def __len__(self) -> int:
        return int(self.ends[-1])

    def name(self, index: int) -> FrameName:
        """Where a frame set comes from."""
        sequence, frame, action = (self._labels[name][index] for name in NAME_ARRAYS)
        return FrameName(str(sequence), int(frame), str(action))

    def labels(self, names: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Arrays of all frame sets, of the shards' arrays but the images.

        Args:
            names: for example `CUE_ARRAYS`.

        Raises:
            DataError: the shards lack one.
        """
        for name in names:
            if name not in self._labels:
                raise DataError(f"the shards in '{self.folder}' have no '{name}'; render them with this version")
        return {name: self._labels[name] for name in names}

    def take(self, indices: NDArray[np.int64]) -> FrameSets:
        """Load the frame sets of these numbers, in this order.

        Raises:
            EgorearError: the images cannot be made smaller to the size.
        """
        shards = np.searchsorted(self.ends, indices, side="right")
        starts = np.concatenate([[0], self.ends])
        images = np.stack(
            [
                self._images[shard][index - starts[shard]][self._rows]
                for shard, index in zip(shards, indices, strict=True)
            ]
        )
        arrays = {name: self._labels[name][indices] for name in ARRAYS if name != "images"}
        for name in ("pixels", "in_view", "visible", "camera_from_device"):
            arrays[name] = arrays[name][:, self._rows]
        sets = FrameSets(images=images, **arrays)
        return sets if self.size_px is None else sets.resized(self.size_px, self._resize)


def mapped_images(path: Path) -> NDArray[np.uint8]:
    """The images of a shard, read from disk where they are touched: `np.savez` stores them uncompressed.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            entry = archive.getinfo("images.npy")
            if entry.compress_type != zipfile.ZIP_STORED:
                raise ValueError("its images are compressed")
            file.seek(entry.header_offset)
            header = file.read(LOCAL_HEADER_BYTES)
            lengths = np.frombuffer(header[26:30], "<u2")  # of the name and of the extra field that follow
            file.seek(int(lengths.sum()), 1)
            _, fortran, shape, dtype = array_header(file)
            if fortran or dtype != np.uint8 or len(shape) != 5 or shape[1:] != (len(VIEWS), shape[2], shape[2], 3):
                raise ValueError(f"its images are {dtype} of shape {shape}; expected {len(VIEWS)} views")
            if int(np.prod(shape, dtype=object)) < 1:
                raise ValueError("it has no images")
            return np.memmap(path, np.uint8, "r", file.tell(), shape)
    except (OSError, ValueError, LookupError, TypeError, OverflowError, SyntaxError, zipfile.BadZipFile) as error:
        raise _unreadable(path, error) from error
    except (RuntimeError, zlib.error) as error:  # encrypted, or of another zip version
        raise _unreadable(path, error) from error


def _small_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays but the images; names made up of the file's where it has none."""
    try:
        arrays = read_npz(path, without=("images",))
    except DataError as error:
        raise _unreadable(path, error) from error
    missing = [name for name in ARRAYS[1:] if name not in arrays]
    if missing:
        raise _unreadable(path, f"it has no array '{missing[0]}'")
    try:
        check_arrays(arrays, SHAPES, finite=False)  # `egorear data check` says in which frame one is not
    except ValueError as error:
        raise _unreadable(path, error) from error
    count = len(arrays["joints_device_m"])
    unnamed = {
        "sequence": np.array([f"{path.stem}/{index}" for index in range(count)]),  # nobody's neighbours in time
        "frame": np.zeros(count, np.int64),
        "action": np.full(count, ""),
    }
    named = {name: arrays.get(name, unnamed[name]) for name in NAME_ARRAYS}
    named["sequence"] = named["sequence"].astype(str)
    cues = {str(name): arrays[name] for name in CUE_ARRAYS if name in arrays}
    return {**{name: arrays[name] for name in ARRAYS[1:]}, **named, **cues}


def recorded_split(folder: Path) -> str | None:
    """The split that the shards of a folder were rendered for; None: they do not say, or there are no shards.

    Raises:
        DataError: the settings beside them are broken.
    """
    split = shard_settings(folder).get("split") if any(folder.glob(PATTERN)) else None
    return None if split is None else str(split)


def shard_settings(folder: Path) -> dict[str, Any]:
    """What the shards were rendered with; empty if nothing says it."""
    path = folder / SETTINGS_FILE
    return read_json(path) if path.exists() else {}


def _unreadable(path: Path, reason: object) -> DataError:
    return DataError(
        f"shard '{path}' cannot be read ({reason}); give it another name, and the same `egorear render-shards` "
        "makes it anew"
    )
