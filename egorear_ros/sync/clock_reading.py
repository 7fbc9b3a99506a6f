"""Measures how far one camera's clock is from another's, from stamps and arrivals alone, matched or not.

Two facts are combined. *Arrivals* tell the offset roughly: a frame whose stamp is 20 ms ahead arrives 20 ms "earlier
after its stamp" than the others; the error is the difference of the cameras' latencies. *Stamps* tell it finely, but
only up to whole periods: cameras with a common trigger have the same phase. The fine value nearest to the rough one is
taken; where two are about as near, both are given.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

LOW_SHARE: Final = 0.1
"""Share of the frames that arrive soonest: their latency is the transport's, the others waited for a busy machine."""
DOUBTFUL: Final = 0.25
"""Part of a period by which the rough offset may miss the fine one before the neighbouring one is mentioned too."""
STEADY: Final = 0.15
"""Scatter in periods above which there is no common phase: free-running cameras, or rates that do not fit."""


@dataclass
class Batch:
    """Frames of one camera that arrived in about a second. Corrected stamps and arrivals, nanoseconds.

    Attributes:
        zeros: frames without a stamp, which are in neither list.
        first_ns: stamp of the camera's first frame since it was started or its clock jumped; None before it.
    """

    stamps: list[int] = field(default_factory=list)
    arrivals: list[int] = field(default_factory=list)
    zeros: int = 0
    first_ns: int | None = None

    @property
    def frames(self) -> int:
        """All frames, with or without a stamp."""
        return len(self.stamps) + self.zeros

    @property
    def period_ns(self) -> float:
        """Median interval; 0 where there are not two stamps."""
        ordered = sorted(set(self.stamps))
        return median(b - a for a, b in pairwise(ordered)) if len(ordered) > 1 else 0.0

    @property
    def latency_ns(self) -> int:
        """Arrival after the stamp, of the frames that came soonest; there must be one."""
        delays = sorted(arrival - stamp for stamp, arrival in zip(self.stamps, self.arrivals, strict=True))
        return delays[int(LOW_SHARE * len(delays))]

    def joined(self, later: Batch) -> Batch:
        """The frames of both."""
        return Batch(
            self.stamps + later.stamps, self.arrivals + later.arrivals, self.zeros + later.zeros, self.first_ns
        )


class Offset(NamedTuple):
    """A camera's stamps minus another's, of the same instants. Nanoseconds.

    Attributes:
        offset_ns: positive where the camera's stamps are ahead.
        other_ns: the offset one period away that is about as likely; None where there is no doubt.
        scatter_ns: standard deviation of single frames around the common phase.
        period_ns: of the phase; 0 where there is none, and the offset is the rough one.
    """

    offset_ns: float
    other_ns: float | None
    scatter_ns: float
    period_ns: float

    def nearest_to(self, value_ns: float) -> Offset:
        """The offset with the same phase that is nearest to `value_ns`."""
        if not self.period_ns:
            return self
        periods = round((value_ns - self.offset_ns) / self.period_ns)
        return self._replace(offset_ns=self.offset_ns + periods * self.period_ns, other_ns=None)


def measure(base: Batch, camera: Batch) -> Offset:
    """Offset of `camera` to `base`; both must have a stamp."""
    rough = base.latency_ns - camera.latency_ns
    period = min(base.period_ns or camera.period_ns, camera.period_ns or base.period_ns)
    if not period:
        return Offset(rough, None, 0.0, 0.0)
    phase, scatter = _phase(base, camera, rough, period)
    if scatter > STEADY * period:
        return Offset(rough, None, scatter, 0.0)
    offset = rough + phase
    other = offset - math.copysign(period, phase) if abs(phase) > DOUBTFUL * period else None
    if other is not None and _started_together(base, camera, other, period):
        offset, other = other, offset
    return Offset(offset, other, scatter, period)


def _phase(base: Batch, camera: Batch, rough: int, period: float) -> tuple[float, float]:
    """Mean (in +-period/2) and standard deviation of the camera's stamps around those of `base` moved by `rough`."""
    ordered = sorted(base.stamps)
    cosine = sine = 0.0
    for stamp in camera.stamps:
        moved = stamp - rough
        at = bisect_left(ordered, moved)
        near = min(ordered[max(at - 1, 0) : at + 1], key=lambda value: abs(value - moved))
        angle = 2 * math.pi * ((moved - near) / period)
        cosine, sine = cosine + math.cos(angle), sine + math.sin(angle)
    length = min(math.hypot(cosine, sine) / len(camera.stamps), 1.0)
    scatter = math.sqrt(-2 * math.log(length)) if length > 1e-9 else math.inf
    return math.atan2(sine, cosine) * period / (2 * math.pi), scatter * period / (2 * math.pi)


def _started_together(base: Batch, camera: Batch, offset: float, period: float) -> bool:
    """Whether this offset makes both cameras' first frames one instant, as where a recording began with both."""
    if base.first_ns is None or camera.first_ns is None:
        return False
    return abs(camera.first_ns - base.first_ns - offset) < DOUBTFUL * period


def reference_of(values: list[float], width: float) -> float:
    """The value most others agree with: the median of the largest group within `width`.

    Of groups of equal size it is the one with the earliest value of the list.
    """
    ordered = sorted(values)
    groups = [[v for v in ordered if low <= v <= low + width] for low in ordered]
    best = min(groups, key=lambda group: (-len(group), min(values.index(v) for v in group)))
    return best[(len(best) - 1) // 2]
