"""What a user can set about the alignment of frames, validated."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from egorear_ros.errors import EgorearError

NANOSECONDS = 1_000_000_000
FEWEST_VIEWS = 2
"""Default of `SyncConfig.min_views` where there is more than one camera."""


@dataclass(frozen=True)
class SyncConfig:
    """Settings of a `Synchronizer`. Times are in seconds.

    Attributes:
        cameras: Names of the cameras, in the order of the views of a set; 1..N.
        tolerance: Largest span (latest - earliest corrected stamp) of a set, inclusive. 5 ms suits hardware-triggered
            cameras; free-running ones of period T need up to (N - 1) / N * T.
        deadline: A set that lacks views goes out this long after the arrival of its first frame, by the clock passed to
            `add` and `poll`. Must exceed the difference in latency between the cameras.
        offsets: Added to a camera's stamps before matching, to calibrate away a constant latency: -0.004 for a camera
            whose stamps are 4 ms late. Cameras not named have 0.
        min_views: Fewest views of a set that goes out; sets with fewer are dropped and counted. The number of cameras
            means complete sets only. None: two, or one for a single camera.
        queue_length: Frames held per camera, 2..10000. Must cover deadline x frame rate; when a queue is full its
            oldest frame is treated as if its deadline had come.
        lost_after: A camera that let this many sets in a row run into the deadline is regarded as lost: sets go out at
            once without it until it sends in time again.
        clock_jump: A camera's stamp, or the clock, going back by more than this means that time was reset (a bag
            looped, simulation restarted): all pending frames are dropped and matching starts anew. Smaller steps back
            drop the frame; if every camera is behind, matching starts anew as well.
        predict: Learn each camera's period to know lost frames and the earliest next one. Off, stamps may be arbitrary
            (event-triggered cameras) but where the tolerance lets frames compete a set waits for the next ones.

    Raises:
        EgorearError: On construction, if a value is out of range.
    """

    cameras: tuple[str, ...]
    tolerance: float = 0.005
    deadline: float = 0.1
    offsets: Mapping[str, float] = field(default_factory=dict)
    min_views: int | None = None
    queue_length: int = 32
    lost_after: int = 3
    clock_jump: float = 1.0
    predict: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "cameras", tuple(self.cameras))
        object.__setattr__(self, "offsets", MappingProxyType(dict(self.offsets)))
        self._check_cameras()
        _check_range("tolerance", self.tolerance, 0.0, "0.005 for hardware-triggered cameras")
        _check_range("deadline", self.deadline, 0.0, "0.1")
        _check_range("clock_jump", self.clock_jump, 1e-3, "1.0")
        _check_integer("queue_length", self.queue_length, 2, 10_000)
        _check_integer("lost_after", self.lost_after, 1, 1_000_000)
        if self.min_views is not None:
            _check_integer("min_views", self.min_views, 1, len(self.cameras))

    def _check_cameras(self) -> None:
        if not self.cameras:
            raise EgorearError("sync: cameras is empty; name at least one camera")
        for name in self.cameras:
            if not isinstance(name, str) or not name:
                raise EgorearError(f"sync: camera name {name!r} is not a non-empty string")
            if self.cameras.count(name) > 1:
                raise EgorearError(f"sync: camera {name!r} is named twice; give each camera its own name")
        for name, offset in self.offsets.items():
            if name not in self.cameras:
                raise EgorearError(f"sync: offset for unknown camera {name!r}; cameras are {', '.join(self.cameras)}")
            if not _is_number(offset):
                raise EgorearError(f"sync: offset of camera {name!r} is {offset!r}; give seconds, for example -0.004")

    @property
    def fewest_views(self) -> int:
        """`min_views` with its default filled in."""
        return min(FEWEST_VIEWS, len(self.cameras)) if self.min_views is None else self.min_views

    def offset_ns(self, camera: str) -> int:
        """Offset of a camera in nanoseconds; 0 if none is set."""
        return nanoseconds(self.offsets.get(camera, 0.0))


def config_from_parameters(cameras: Sequence[str], parameters: Mapping[str, Any]) -> SyncConfig:
    """Build the settings from those of the synchronizer node, by the names they have there; defaults where missing.

    Args:
        cameras: names of the cameras.
        parameters: `tolerance`, `deadline`, `minimum_views` (at most all cameras), `offsets` (one per camera in order,
            or a single 0), `lost_after`, `queue_length`; others are not for us.

    Raises:
        EgorearError: a value is out of range, or the number of offsets is wrong.
    """
    offsets = list(parameters.get("offsets", [0.0]))
    if len(offsets) != len(cameras):
        if len(offsets) != 1 or offsets[0]:
            raise EgorearError(f"parameter 'offsets' has {len(offsets)} value(s), there are {len(cameras)} cameras")
        offsets = offsets * len(cameras)
    names = ("tolerance", "deadline", "queue_length", "lost_after")
    same = {name: parameters[name] for name in names if name in parameters}
    fewest = parameters.get("minimum_views", FEWEST_VIEWS)
    return SyncConfig(
        cameras=tuple(cameras),
        offsets=dict(zip(cameras, offsets, strict=True)),
        min_views=min(fewest, len(cameras)) if isinstance(fewest, int) else fewest,
        **same,
    )


def nanoseconds(seconds: float) -> int:
    """Round seconds to whole nanoseconds."""
    return round(seconds * NANOSECONDS)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check_range(name: str, value: float, low: float, example: str) -> None:
    if not _is_number(value) or value < low:
        raise EgorearError(f"sync: {name} is {value!r}; give seconds, at least {low:g}, for example {example}")


def _check_integer(name: str, value: int, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise EgorearError(f"sync: {name} is {value!r}; give a whole number from {low} to {high}")
