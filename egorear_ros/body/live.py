"""The body of one person while skeletons arrive: bone lengths are learnt, every skeleton is fitted."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from egorear_ros.body.fitting import BodyFitter
from egorear_ros.body.lengths import BodyLengths, measure_lengths
from egorear_ros.body.pose import BodyPose
from egorear_ros.body.sequence import SkeletonSequence
from egorear_ros.body.tree import forward_kinematics
from egorear_ros.datatypes import Skeleton
from egorear_ros.errors import EgorearError

Float64 = npt.NDArray[np.float64]

SAMPLES: Final = 300
"""Skeletons that the lengths are measured over, at most."""


@dataclass(frozen=True)
class LiveBodyConfig:
    """How lengths are learnt.

    Attributes:
        first: this many skeletons give the first lengths; there is no body before.
        window_s: lengths are measured over this time, so that another wearer's come through.
        change_m: new lengths are taken when one differs by more from those in use.

    Raises:
        EgorearError: a value is out of range.
    """

    first: int = 15
    window_s: float = 60.0
    change_m: float = 0.01

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name, value, low, high in (
            ("first", self.first, 1, SAMPLES),
            ("window_s", self.window_s, 1, 3600),
            ("change_m", self.change_m, 0.001, 1),
        ):
            if not low <= value <= high:
                raise EgorearError(f"'{name}' of the live body must be between {low} and {high}, got {value}")


class LiveBody:
    """Learns and fits one person. `learn` first, then `fit`.

    Args:
        config: how lengths are learnt.
    """

    def __init__(self, config: LiveBodyConfig | None = None) -> None:
        self.config = config or LiveBodyConfig()
        self._samples: deque[Skeleton] = deque(maxlen=SAMPLES)
        self._fitter: BodyFitter | None = None

    @property
    def lengths(self) -> BodyLengths | None:
        """Bone lengths in use; None while too little was seen."""
        return self._fitter.lengths if self._fitter else None

    def forget(self) -> None:
        """Measure the lengths anew: somebody else wears the helmet."""
        self._samples.clear()
        self._fitter = None

    def learn(self, skeleton: Skeleton) -> bool:
        """Learn from a skeleton; returns whether the lengths in use are new.

        Raises:
            EgorearError: the skeletons do not tell the lengths: a joint is never valid, or they are not in metres.
        """
        if not _usable(skeleton).any() or not self._is_due(skeleton):
            return False
        if self._samples and self._samples[-1].frame_id != skeleton.frame_id:
            self._samples.clear()
        self._samples.append(skeleton)
        if len(self._samples) < self.config.first and self._fitter is None:
            return False
        measured = measure_lengths(SkeletonSequence.from_skeletons(self._recent(skeleton.stamp_ns), skeleton.views))
        if self._fitter is None:
            self._fitter = BodyFitter(measured)
            return True
        if _difference_m(self._fitter.lengths, measured) <= self.config.change_m:
            return False
        self._fitter.resize(measured)
        return True

    def fit(self, skeleton: Skeleton) -> BodyPose | None:
        """Fit a skeleton; None while the lengths are not known, or where none of its joints means anything."""
        valid = _usable(skeleton)
        if self._fitter is None or not valid.any():
            return None
        positions_m, covariance_m2 = (np.asarray(a, np.float64) for a in (skeleton.positions_m, skeleton.covariance_m2))
        local, root = self._fitter.fit(positions_m, covariance_m2, valid)
        offsets = self._fitter.offsets_m
        positions, turned = forward_kinematics(offsets, local, root)
        return BodyPose(skeleton, self._fitter.lengths, offsets, local.copy(), positions, turned)

    def _is_due(self, skeleton: Skeleton) -> bool:
        """At first every skeleton; then they are spread over the window. A clock that jumps does not stop them."""
        if self._fitter is None:
            return True
        spacing_ns = 1e9 * self.config.window_s / SAMPLES
        return not self._samples or abs(skeleton.stamp_ns - self._samples[-1].stamp_ns) >= spacing_ns

    def _recent(self, now_ns: int) -> list[Skeleton]:
        """The samples of the window; all where the clock has jumped, as at the end of a clip that is looped."""
        oldest = now_ns - 1e9 * self.config.window_s
        recent = [sample for sample in self._samples if sample.stamp_ns >= oldest]
        return recent if len(recent) >= self.config.first else list(self._samples)


def _difference_m(one: BodyLengths, other: BodyLengths) -> float:
    return max(abs(value - getattr(other, name)) for name, value in vars(one).items())


def _usable(skeleton: Skeleton) -> npt.NDArray[np.bool_]:
    return np.asarray(skeleton.valid & np.isfinite(skeleton.positions_m).all(-1), np.bool_)
