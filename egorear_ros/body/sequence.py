"""All skeletons of one recording as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from egorear_ros.datatypes import Skeleton
from egorear_ros.errors import EgorearError
from egorear_ros.rig import DEVICE_FRAME

Float64 = npt.NDArray[np.float64]
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class SkeletonSequence:
    """Skeletons in the order of their stamps.

    Attributes:
        stamps_ns: (T,) int64, acquisition times, strictly increasing.
        positions_m: (T, 16, 3) float64, metres, device frame.
        covariance_m2: (T, 16, 3, 3) float64, square metres; NaN where not estimated.
        confidence: (T, 16) float64, 0..1.
        valid: (T, 16) bool.
        views: names of the rig's views, in order.
        views_used: (T, V) bool, whether the view was used.
        frame_id: frame of the positions.
    """

    stamps_ns: npt.NDArray[np.int64]
    positions_m: Float64
    covariance_m2: Float64
    confidence: Float64
    valid: npt.NDArray[np.bool_]
    views: tuple[str, ...]
    views_used: npt.NDArray[np.bool_]
    frame_id: str = DEVICE_FRAME

    @classmethod
    def from_skeletons(cls, skeletons: Sequence[Skeleton], views: Sequence[str]) -> SkeletonSequence:
        """Stack skeletons; of two with the same stamp the first is kept.

        Raises:
            EgorearError: there are none, or they are in different frames.
        """
        if not skeletons:
            raise EgorearError("there is no skeleton in this recording")
        frames = sorted({skeleton.frame_id for skeleton in skeletons})
        if len(frames) > 1:
            raise EgorearError(f"skeletons of one recording must be in one frame, these are in {', '.join(frames)}")
        _, first = np.unique([skeleton.stamp_ns for skeleton in skeletons], return_index=True)
        kept = [skeletons[index] for index in first]
        return cls(
            stamps_ns=np.array([s.stamp_ns for s in kept], np.int64),
            positions_m=np.array([s.positions_m for s in kept], np.float64),
            covariance_m2=np.array([s.covariance_m2 for s in kept], np.float64),
            confidence=np.array([s.confidence for s in kept], np.float64),
            valid=np.array([s.valid & np.isfinite(s.positions_m).all(-1) for s in kept], np.bool_),
            views=tuple(views),
            views_used=np.array([[view in s.views for view in views] for s in kept], np.bool_),
            frame_id=frames[0],
        )

    def __len__(self) -> int:
        return len(self.stamps_ns)

    @property
    def times_s(self) -> Float64:
        """(T,) seconds since the first skeleton."""
        return np.asarray((self.stamps_ns - self.stamps_ns[0]) / NANOSECONDS, np.float64)

    @property
    def period_s(self) -> float:
        """Median time between two skeletons, seconds; 1/30 s where there is only one."""
        return float(np.median(np.diff(self.stamps_ns)) / NANOSECONDS) if len(self) > 1 else 1 / 30

    @property
    def std_m(self) -> Float64:
        """(T, 16, 3) standard deviation along the axes, metres; NaN where not estimated."""
        return np.sqrt(np.diagonal(self.covariance_m2, axis1=2, axis2=3))
