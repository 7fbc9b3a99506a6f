"""The One-Euro filter, what people put behind a pose estimator that trembles: the baseline for the tracker.

Casiez, Roussel, Vogel, "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive Systems",
CHI 2012. Per coordinate; the cut-off frequency rises with the speed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SPEED_CUTOFF_HZ: Final = 1.0


@dataclass(frozen=True)
class OneEuro:
    """Settings of the filter.

    Attributes:
        cutoff_hz: cut-off frequency of a joint at rest; lower is smoother.
        beta: how much the cut-off rises per m/s; higher lags less.
    """

    cutoff_hz: float
    beta: float

    def __call__(self, joints_m: Array, time_s: Array) -> Array:
        """Filter a track: (T, J, 3) metres at (T,) seconds."""
        found = np.array(joints_m, np.float64)
        speed = np.zeros_like(found[0])
        for index, interval_s in enumerate(np.diff(time_s), start=1):
            change = (joints_m[index] - joints_m[index - 1]) / interval_s
            speed += _share(SPEED_CUTOFF_HZ, interval_s) * (change - speed)
            share = _share(self.cutoff_hz + self.beta * np.abs(speed), interval_s)
            found[index] = found[index - 1] + share * (joints_m[index] - found[index - 1])
        return found


def _share(cutoff_hz: Any, interval_s: float) -> Any:
    """How much of a new value a low-pass filter of first order takes."""
    turn = 2 * np.pi * cutoff_hz * interval_s
    return turn / (turn + 1)
