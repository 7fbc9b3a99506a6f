"""Frame sets of Ego4View-Syn, Ego4View-RW and the simulator, read from disk as they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from egorear_ros.data.ego4view_layout import (
    Layout,
    check_views,
    frame_number,
    frame_stems,
    list_sequences,
    rig_of_data_set,
    rig_of_sequence,
)
from egorear_ros.data.ego4view_syn import official_name
from egorear_ros.data.frame_labels import FrameLabels, read_labels
from egorear_ros.data.frame_sets import DataError, FrameName, FrameSets, Resize, averaged
from egorear_ros.data.image_files import find_image, read_image
from egorear_ros.data.jpeg import RgbImage
from egorear_ros.data.npz import array_header
from egorear_ros.data.parallel import for_each_file
from egorear_ros.rig import Rig


class FrameFile(NamedTuple):
    """A frame: number of its sequence, and its name without ending."""

    sequence: int
    stem: str


class Ego4ViewFrames:
    """A split of a data set in one of Ego4View's layouts; a `FrameSource`.

    Args:
        root: the data set's folder.
        layout: its layout.
        split: "train", "val" or "test"; None: all sequences.
        views: views to load, in this order; others need not be there.
        size_px: width and height to make the images smaller to; None: as they are.
        resize: how.

    Attributes:
        sequences: in the order of their names.
        files: every frame, by sequence and number.
        missing: lines of the split list without a folder.

    Raises:
        EgorearError: no such split or view, or the rig or a sequence's camera poses cannot be read.
    """

    def __init__(
        self,
        root: Path,
        layout: Layout,
        split: str | None,
        views: Sequence[str],
        size_px: int | None = None,
        resize: Resize = averaged,
    ) -> None:
        self.root, self.layout, self.size_px, self.split = root, layout, size_px, split
        self._resize = resize
        self.rig = rig_of_data_set(root)
        check_views(self.rig, views)
        self._views = tuple(views)
        self.sequences, self.missing = list_sequences(root, layout, split)
        self._rigs: dict[int, Rig] = {}
        self.files = [
            FrameFile(number, stem)
            for number, stems in enumerate(for_each_file(lambda s: frame_stems(s, layout), self.sequences))
            for stem in stems
        ]

    @property
    def views(self) -> tuple[str, ...]:
        """The views, in the order of the arrays' second axis."""
        return self._views

    def __len__(self) -> int:
        return len(self.files)

    def name(self, index: int) -> FrameName:
        """Where a frame comes from; reads its JSON file for the action.

        Raises:
            DataError: the file is broken.
        """
        sequence, stem = self.files[index]
        return FrameName(self.sequences[sequence].name, frame_number(stem), self.labels(index).action)

    def rig_of(self, index: int) -> Rig:
        """The data set's rig, posed as in the sequence of a frame.

        Raises:
            RigError: the sequence's camera poses cannot be read.
        """
        number = self.files[index].sequence
        if number not in self._rigs:
            self._rigs[number] = rig_of_sequence(self.rig, self.layout, self.sequences[number])
        return self._rigs[number]

    def labels_path(self, index: int) -> Path:
        """The JSON file of a frame."""
        sequence, stem = self.files[index]
        return self.sequences[sequence].path / self.layout.labels / f"{stem}.json"

    def labels(self, index: int) -> FrameLabels:
        """What is known about a frame.

        Raises:
            DataError: its file is missing or wrong.
        """
        return read_labels(self.labels_path(index), self.rig_of(index), self._views)

    def image_path(self, index: int, view: str) -> Path:
        """The image file of a view.

        Raises:
            DataError: there is none.
        """
        sequence, stem = self.files[index]
        folder = self.sequences[sequence].path / "fisheye_rgb" / official_name(view)
        return find_image(folder, stem, self.layout.endings)

    def heatmaps(self, index: int) -> NDArray[np.float32] | None:
        """(V, 15, 64, 64) maps of the official preprocessing, without the head's; None where a view has no file.

        Raises:
            DataError: a file is broken.
        """
        sequence, stem = self.files[index]
        folder = self.sequences[sequence].path / "fisheye_hm"
        paths = [folder / official_name(view) / f"{stem}.npy" for view in self._views]
        if not all(path.is_file() for path in paths):
            return None
        return np.stack([_heatmap(path) for path in paths])

    def take(self, indices: NDArray[np.int64]) -> FrameSets:
        """Load frames by number, in this order.

        Raises:
            EgorearError: a file is missing or wrong, or images differ in size.
        """
        wanted = [int(index) for index in indices]
        labels = [self.labels(index) for index in wanted]
        jobs = [self.image_path(index, view) for index in wanted for view in self._views]
        images = for_each_file(lambda path: read_image(path, self.size_px, self._resize), jobs)
        resolution = np.array([(self.rig[view].model.width, self.rig[view].model.height) for view in self._views])
        return FrameSets(
            images=_stacked(jobs, images).reshape(len(wanted), len(self._views), *images[0].shape),
            joints_device_m=np.stack([label.joints_device_m for label in labels]).astype(np.float32),
            pixels=np.stack([label.pixels / resolution[:, None] for label in labels]).astype(np.float32),
            in_view=np.stack([label.in_view for label in labels]),
            visible=np.stack([label.visible for label in labels]),
            camera_from_device=np.stack([label.camera_from_device for label in labels]).astype(np.float32),
        )


def _stacked(paths: Sequence[Path], images: Sequence[RgbImage]) -> NDArray[np.uint8]:
    for path, image in zip(paths, images, strict=True):
        if image.shape != images[0].shape:
            raise DataError(
                f"image '{path}' has {image.shape[1]} px, '{paths[0]}' has {images[0].shape[1]}; "
                "name a size that none is smaller than"
            )
    return np.stack(images)


def _heatmap(path: Path) -> NDArray[np.float32]:
    try:
        with path.open("rb") as file:
            _, _, shape, dtype = array_header(file)
            if shape != (16, 64, 64) or dtype.kind not in "fiu":
                raise ValueError(f"it has shape {shape} and type {dtype}; expected (16, 64, 64) numbers")
            file.seek(0)
            return np.lib.format.read_array(file, allow_pickle=False)[1:].astype(np.float32)
    except (OSError, ValueError, TypeError, EOFError, LookupError, SyntaxError, OverflowError) as error:
        raise DataError(f"heatmap file '{path}' cannot be read: {error}") from error
