"""What a user can set about the alignment of frames, validated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import Field

from egorear_ros.errors import EgorearError, unknown
from egorear_ros.settings import Number, Switch, Whole, checked, require

NANOSECONDS = 1_000_000_000
MINIMUM_VIEWS = 2
"""Default of `SyncConfig.minimum_views` where there is more than one camera."""


@checked("sync")
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
        minimum_views: Fewest views of a set that goes out; sets with fewer are dropped and counted. The number of
            cameras means complete sets only. By default two, or one for a single camera.
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

    cameras: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
    tolerance: Annotated[Number, Field(ge=0, description="seconds", examples=[0.005])] = 0.005
    deadline: Annotated[Number, Field(ge=0, description="seconds", examples=[0.1])] = 0.1
    offsets: Mapping[str, Annotated[Number, Field(description="seconds", examples=[-0.004])]] = field(
        default_factory=dict
    )
    minimum_views: Annotated[Whole, Field(ge=1)] = Field(
        default_factory=lambda given: min(MINIMUM_VIEWS, len(given["cameras"]))
    )
    queue_length: Annotated[Whole, Field(ge=2, le=10_000)] = 32
    lost_after: Annotated[Whole, Field(ge=1, le=1_000_000)] = 3
    clock_jump: Annotated[Number, Field(ge=1e-3, description="seconds", examples=[1.0])] = 1.0
    predict: Switch = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "offsets", MappingProxyType(dict(self.offsets)))
        for name in self.cameras:
            require(self.cameras.count(name) == 1, self, "cameras", f"each name once, '{name}' comes twice")
        count, strangers = len(self.cameras), sorted(set(self.offsets) - set(self.cameras))
        if strangers:
            raise EgorearError(f"sync: offsets: {unknown('camera', strangers[0], self.cameras)}")
        require(self.minimum_views <= count, self, "minimum_views", f"a whole number from 1 to {count}, all cameras")

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
    names = ("tolerance", "deadline", "minimum_views", "queue_length", "lost_after")
    same = {name: parameters[name] for name in names if name in parameters}
    if isinstance(same.get("minimum_views"), int):
        same["minimum_views"] = min(same["minimum_views"], len(cameras))
    return SyncConfig(tuple(cameras), offsets=dict(zip(cameras, offsets, strict=True)), **same)


def nanoseconds(seconds: float) -> int:
    """Round seconds to whole nanoseconds."""
    return round(seconds * NANOSECONDS)
