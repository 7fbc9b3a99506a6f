"""A data set of one's own: folders that hold all frame sets in one file, `frames.npz`; see docs/newcomer.md.

`egorear data check`, `egorear train --data` and `egorear evaluate --data` open such a folder once this module is
imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from egorear_ros.data.frame_sets import DataError, FrameName, FrameSets, Resize
from egorear_ros.data.opening import DATA_FORMATS, DataFormat
from egorear_ros.rig import VIEWS

FILE = "frames.npz"


class OneFile:
    """The frame sets of `frames.npz`, whose arrays have the names of `FrameSets` and all four views."""

    def __init__(
        self, folder: Path, split: str | None, views: Sequence[str], size_px: int | None, resize: Resize
    ) -> None:
        if missing := [view for view in views if view not in VIEWS]:
            raise DataError(f"'{folder}' has no view '{missing[0]}'; it has {', '.join(VIEWS)}")
        self.views, self._rows = tuple(views), [VIEWS.index(view) for view in views]
        with np.load(folder / FILE) as content:
            sets = FrameSets(**{name: content[name] for name in FrameSets.__dataclass_fields__})
        self._sets = sets if size_px is None else sets.resized(size_px, resize)

    def __len__(self) -> int:
        return len(self._sets)

    def take(self, indices: NDArray[np.int64]) -> FrameSets:
        """See `FrameSource`."""
        arrays = self._sets.take(indices).arrays()
        joints = arrays.pop("joints_device_m")
        return FrameSets(joints_device_m=joints, **{name: array[:, self._rows] for name, array in arrays.items()})

    def name(self, index: int) -> FrameName:
        """See `FrameSource`."""
        return FrameName("frames", index)


DATA_FORMATS.add("one-file", DataFormat(f"a folder with {FILE}", lambda folder: (folder / FILE).is_file(), OneFile))
