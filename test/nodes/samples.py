"""One filled sample of every message's dataclass, with values that no default has."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from egorear_ros.datatypes import (
    CameraFrame,
    CameraStatus,
    FrameSet,
    PoseStatus,
    Skeleton,
    Skeleton2D,
    SynchronizerStatus,
)

STAMP_NS = 1_700_000_000_123_456_789


def frame_set(size: int = 32) -> FrameSet:
    rng = np.random.default_rng(0)
    frames = (
        CameraFrame("front_left", STAMP_NS, rng.integers(0, 256, (size, size, 3), np.uint8), skew_s=0.0),
        CameraFrame("front_right", STAMP_NS + 1, rng.integers(0, 256, (size, size, 3), np.uint8), skew_s=1e-9),
        CameraFrame("rear_left", 0),
        CameraFrame("rear_right", STAMP_NS + 2_000_000, jpeg=b"\xff\xd8 not really a picture", skew_s=0.002),
    )
    return FrameSet(STAMP_NS, frames, spread_s=0.002, frame_id="egorear_device_frame")


def skeleton() -> Skeleton:
    rng = np.random.default_rng(1)
    covariance = rng.random((16, 3, 3)).astype(np.float32)
    covariance[3] = np.nan
    return Skeleton(
        stamp_ns=STAMP_NS,
        positions_m=rng.normal(size=(16, 3)),
        confidence=rng.random(16).astype(np.float32),
        covariance_m2=covariance,
        valid=rng.random(16) > 0.5,
        views=("front_left", "rear_right"),
        frame_id="egorear_device_frame",
        skeleton_id="7",
        stage_seconds={"preprocess": 0.25, "network": 0.5},
        velocities_m_s=rng.normal(size=(16, 3)),
        velocity_covariance_m2_s2=rng.random((16, 3, 3)).astype(np.float32),
        contact=rng.random(16).astype(np.float32),
        prediction_ns=12_345_678,
        gravity=np.array([0.0, 0.6, 0.8]),
        gravity_deviation_rad=0.125,
        stature_m=1.75,
        cues=("past frames", "gravity"),
    )


def skeleton_2d() -> Skeleton2D:
    rng = np.random.default_rng(2)
    pixels, score = rng.random((15, 2)).astype(np.float32), rng.random(15).astype(np.float32)
    return Skeleton2D(STAMP_NS, "rear_left", pixels, score, (872, 870), "rear_left_optical_frame", STAMP_NS - 5)


def synchronizer_status() -> SynchronizerStatus:
    cameras = (
        CameraStatus("front_left", True, 1, 2, 3, 4, 5, 6, 7, 29.5, 1e-3, 2e-3, 3e-3, 4e-3, ""),
        CameraStatus("rear_left", False, 8, 9, 10, 11, 12, 13, 14, 0.0, -1e-3, -2e-3, 5e-3, 6e-3, "stamps jump"),
    )
    return SynchronizerStatus(STAMP_NS, "egorear", cameras, 11, 12, 13, 14, 30.0, 0.1, 0.2, 0.3)


def pose_status() -> PoseStatus:
    return PoseStatus(
        STAMP_NS, "egorear-s", "eager", True, False, 1, 2, 3, 4, 5, 30.0, 0.1, 0.2, 0.3, 0.4, ("gravity",), 1.75, 6
    )


def assert_same(a: Any, b: Any) -> None:
    """Equality of dataclasses with arrays; NaN equals NaN."""
    assert type(a) is type(b)
    for field in dataclasses.fields(a):
        left, right = getattr(a, field.name), getattr(b, field.name)
        if isinstance(left, np.ndarray):
            np.testing.assert_array_equal(left, right, err_msg=field.name)
            assert left.dtype == right.dtype, field.name
        elif isinstance(left, tuple) and left and dataclasses.is_dataclass(left[0]):
            for item, other in zip(left, right, strict=True):
                assert_same(item, other)
        else:
            assert left == right, field.name
