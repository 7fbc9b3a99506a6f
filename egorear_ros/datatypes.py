"""What travels through the pipeline: plain data, one dataclass per message of `egorear_msgs`, without ROS.

Stamps are acquisition times in integer nanoseconds and pass unchanged from camera to skeleton. Positions are metres in
the device frame, pixels belong to the image size stated beside them. May import: skeleton. Imported by everything
above.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from egorear_ros.skeleton import HEATMAP_JOINTS, JOINTS, NUM_HEATMAP_JOINTS, NUM_JOINTS

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

JPEG_FORMAT: Final = "rgb8; jpeg compressed bgr8"
"""`CompressedImage.format` as image_transport writes it: of the image, codec, of the pixels in the codec."""


def _check_shape(name: str, array: npt.NDArray[np.generic] | None, shape: tuple[int, ...]) -> None:
    if array is not None and array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}, expected {shape}")


@dataclass(frozen=True)
class CameraFrame:
    """One camera's image.

    Attributes:
        view: view name in the rig.
        stamp_ns: acquisition time.
        image: (H, W, 3) uint8 RGB, or None where the frame is compressed or missing.
        jpeg: the compressed image, empty where the frame is raw or missing.
        skew_s: acquisition time, corrected by the camera's offset, minus the earliest such in the set, seconds.
        jpeg_format: what the compressed image is, as sensor_msgs/CompressedImage's `format` says.
    """

    view: str
    stamp_ns: int
    image: npt.NDArray[np.uint8] | None = None
    jpeg: bytes = b""
    skew_s: float = 0.0
    jpeg_format: str = JPEG_FORMAT

    @property
    def present(self) -> bool:
        """Whether there is an image at all."""
        return self.image is not None or bool(self.jpeg)


@dataclass(frozen=True)
class FrameSet:
    """Images of all cameras of a rig, taken at nearly the same instant.

    Attributes:
        stamp_ns: acquisition time of the earliest frame.
        frames: one per camera of the rig, in the rig's order; missing views are there with `present` False.
        spread_s: latest minus earliest corrected acquisition time, seconds.
        frame_id: the rig's device frame.
    """

    stamp_ns: int
    frames: tuple[CameraFrame, ...]
    spread_s: float
    frame_id: str

    @property
    def view_mask(self) -> tuple[bool, ...]:
        """Per frame, whether the view is there."""
        return tuple(frame.present for frame in self.frames)


@dataclass(frozen=True)
class Skeleton:
    """A 3D skeleton: 16 joints, always all of them.

    Attributes:
        stamp_ns: acquisition time of the frame set.
        positions_m: (16, 3) float64, metres, in `frame_id`.
        confidence: (16,) float32, 0 (guess) to 1 (certain).
        covariance_m2: (16, 3, 3) float32, square metres; NaN where not estimated.
        valid: (16,) bool; False where the position means nothing.
        views: names of the views used, in the rig's order.
        frame_id: frame of the positions.
        skeleton_id: which body.
        stage_seconds: duration of each processing stage, seconds, in order.
        velocities_m_s: (16, 3) float64, metres per second as seen from `frame_id`; None where not estimated.
        velocity_covariance_m2_s2: (16, 3, 3) float32; None where not estimated.
        contact: (16,) float32, 0 to 1, probability that the joint rests on something fixed, NaN for joints not judged;
            None where not estimated.
        prediction_ns: how far it was predicted beyond its newest frame set; `stamp_ns` has it added.
        gravity: (3,) float64, unit vector that points down, in `frame_id`; None where not known.
        gravity_deviation_rad: standard deviation of the direction of gravity; means nothing without `gravity`.
        stature_m: of this person, given or learnt; None where not known.
        cues: what else than the images of one frame set was used: "past frames", "gravity",
            "bone lengths", "stature".
    """

    stamp_ns: int
    positions_m: Float64
    confidence: Float32
    covariance_m2: Float32
    valid: npt.NDArray[np.bool_]
    views: tuple[str, ...]
    frame_id: str
    skeleton_id: str = "0"
    stage_seconds: dict[str, float] = field(default_factory=dict)
    velocities_m_s: Float64 | None = None
    velocity_covariance_m2_s2: Float32 | None = None
    contact: Float32 | None = None
    prediction_ns: int = 0
    gravity: Float64 | None = None
    gravity_deviation_rad: float = 0.0
    stature_m: float | None = None
    cues: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError, naming the array, unless every array has its fixed shape."""
        _check_shape("positions_m", self.positions_m, (NUM_JOINTS, 3))
        _check_shape("confidence", self.confidence, (NUM_JOINTS,))
        _check_shape("covariance_m2", self.covariance_m2, (NUM_JOINTS, 3, 3))
        _check_shape("valid", self.valid, (NUM_JOINTS,))
        _check_shape("velocities_m_s", self.velocities_m_s, (NUM_JOINTS, 3))
        _check_shape("velocity_covariance_m2_s2", self.velocity_covariance_m2_s2, (NUM_JOINTS, 3, 3))
        _check_shape("contact", self.contact, (NUM_JOINTS,))
        _check_shape("gravity", self.gravity, (3,))

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names of the joints, in order."""
        return JOINTS


@dataclass(frozen=True)
class Skeleton2D:
    """The 15 heatmap joints as seen in one camera's image.

    Attributes:
        stamp_ns: acquisition time of the image.
        pixels: (15, 2) float32, x and y in an image of `image_size`.
        score: (15,) float32, heatmap maximum.
        image_size: (width, height) in pixels.
        frame_id: the camera's optical frame.
        frame_set_stamp_ns: of the frame set, and so of the `Skeleton` this belongs to.
    """

    stamp_ns: int
    view: str
    pixels: Float32
    score: Float32
    image_size: tuple[int, int]
    frame_id: str
    frame_set_stamp_ns: int

    def __post_init__(self) -> None:
        """Raise ValueError, naming the array, unless every array has its fixed shape."""
        _check_shape("pixels", self.pixels, (NUM_HEATMAP_JOINTS, 2))
        _check_shape("score", self.score, (NUM_HEATMAP_JOINTS,))

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names of the joints, in order."""
        return HEATMAP_JOINTS


@dataclass(frozen=True)
class CameraStatus:
    """What the synchronizer counted for one camera; see egorear_msgs/CameraStatus.

    received = matched + late + duplicates + dropped + waiting. Rates in Hz, times in seconds.
    """

    view: str
    alive: bool
    received: int
    matched: int
    late: int
    duplicates: int
    dropped: int
    waiting: int
    missed: int
    rate_hz: float
    offset_s: float
    mean_skew_s: float
    max_skew_s: float
    max_lag_s: float
    fault: str


@dataclass(frozen=True)
class SynchronizerStatus:
    """Health of the synchronizer; see egorear_msgs/SynchronizerStatus."""

    stamp_ns: int
    matcher: str
    cameras: tuple[CameraStatus, ...]
    complete_sets: int
    partial_sets: int
    discarded_sets: int
    clock_resets: int
    rate_hz: float
    latency_p50_s: float = math.nan
    latency_p95_s: float = math.nan
    latency_p99_s: float = math.nan


@dataclass(frozen=True)
class PoseStatus:
    """Health of the pose node; see egorear_msgs/PoseStatus.

    received_sets = skeletons + skipped_sets + failed_sets + ignored_sets, but for one set that waits and one in work.
    """

    stamp_ns: int
    model: str
    engine: str
    active: bool
    enabled: bool
    received_sets: int
    skeletons: int
    skipped_sets: int
    failed_sets: int
    ignored_sets: int
    rate_hz: float
    latency_p50_s: float = math.nan
    latency_p95_s: float = math.nan
    latency_p99_s: float = math.nan
    network_p50_s: float = math.nan
    cues: tuple[str, ...] = ()
    stature_m: float | None = None
    tracker_resets: int = 0
