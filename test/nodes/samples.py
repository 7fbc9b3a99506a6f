"""One filled sample of every message's dataclass, with values that no default has."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from egorear_ros.datatypes import CameraFrame, CameraStatus, FrameSet, PipelineStatus, Skeleton, Skeleton2D

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
    )


def skeleton_2d() -> Skeleton2D:
    rng = np.random.default_rng(2)
    pixels, score = rng.random((15, 2)).astype(np.float32), rng.random(15).astype(np.float32)
    return Skeleton2D(STAMP_NS, "rear_left", pixels, score, (872, 870), "rear_left_optical_frame")


def status() -> PipelineStatus:
    cameras = (
        CameraStatus("front_left", True, 1, 2, 3, 4, 5, 29.5, 1e-3, 2e-3),
        CameraStatus("rear_left", False, 6, 7, 8, 9, 10, 0.0, -1e-3, 3e-3),
    )
    return PipelineStatus(STAMP_NS, "/egorear/pose", cameras, 11, 12, 13, 14, 15, 30.0, 0.25, 0.5, 0.75, "egorear-s")


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
