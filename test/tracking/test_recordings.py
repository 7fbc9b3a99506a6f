"""Recordings: pieces of a long track join without a seam, gaps part it, and the options choose."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from egorear_ros.network.temporal import FrameCues
from egorear_ros.rig import VIEWS
from egorear_ros.tracking import TemporalFilter
from egorear_ros.tracking.evidence import frame_cues
from egorear_ros.tracking.recordings import PIECE_S, smoothed, tracked_in_order
from egorear_ros.tracking.wearer import WearerLengths

from .test_tracker import estimate, stream, untrained

RATE_HZ = 5


def stamps(count: int) -> list[int]:
    return [i * 10**9 // RATE_HZ for i in range(count)]


def test_pieces_of_a_long_track_join_without_a_seam() -> None:
    count = round(2.3 * PIECE_S * RATE_HZ)
    frames, times = [estimate(i % 40) for i in range(count)], np.arange(count) / RATE_HZ
    found = smoothed(untrained(), frames, stamps(count), 1.8)
    joints, std = np.stack([f.joints_device_m for f in frames]), np.stack([f.joints_std_m for f in frames])
    wearer = WearerLengths.measured(joints, std, times)
    lengths = wearer.lengths_m, wearer.weight
    single = [frame_cues(frame, VIEWS, t, None, lengths, 1.8) for frame, t in zip(frames, times, strict=True)]
    with torch.inference_mode():
        whole = untrained()(FrameCues(*(torch.cat(part, dim=1).float() for part in zip(*single, strict=True))), True)
    np.testing.assert_allclose(np.stack([f.joints_device_m for f in found]), whole.pose_m[0].numpy(), atol=2e-4)
    assert found[0].stage_seconds.keys() == {"temporal"} and set(found[7].joints_2d) == set(VIEWS)


def test_later_frames_count_but_not_those_beyond_a_gap() -> None:
    network, first = untrained(), [estimate(i) for i in range(5)]
    at = stamps(5)

    def pose(others: list[int], gap_ns: int) -> np.ndarray:
        frames = [*first, *(estimate(seed) for seed in others)]
        later = [at[-1] + gap_ns + i * 10**8 for i in range(len(others))]
        return smoothed(network, frames, [*at, *later])[4].joints_device_m

    assert np.abs(pose([50, 51], 10**8) - pose([60, 61], 10**8)).max() > 1e-4
    far = 11 * 10**9
    np.testing.assert_allclose(pose([50, 51], far), pose([60, 61], far), atol=1e-6)


def test_stamps_that_go_back_part_a_recording() -> None:
    frames = [estimate(i) for i in range(4)]
    back = smoothed(untrained(), frames, [0, 10**8, 0, 10**8])
    alone = smoothed(untrained(), frames[2:], [0, 10**8])
    np.testing.assert_allclose(back[3].joints_device_m, alone[1].joints_device_m, atol=1e-6)
    assert smoothed(untrained(), [], []) == []


def test_the_tracker_offline_is_the_tracker_live() -> None:
    frames = [estimate(i) for i in range(6)]
    offline = tracked_in_order(TemporalFilter(untrained()), frames, stamps(6))
    live = stream(stamps(6), TemporalFilter(untrained()))
    for one, other in zip(offline, live, strict=True):
        np.testing.assert_array_equal(one.joints_device_m, other.joints_device_m)
        assert one.confidence == pytest.approx(other.confidence)
