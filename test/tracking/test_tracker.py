"""The tracker on streams: the same answers as all at once, resets, missing views, cues, bad input."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from egorear_ros.inference import InputError, PoseEstimate
from egorear_ros.network import TemporalConfig
from egorear_ros.network.temporal import LENGTH_TO_PARENT, FrameCues, TemporalNetwork
from egorear_ros.rig import VIEWS
from egorear_ros.skeleton import JOINTS, PARENTS
from egorear_ros.tracking import TemporalFilter
from egorear_ros.tracking.evidence import frame_cues
from egorear_ros.tracking.tracker import HORIZON_S, LONGEST_GAP_S, WEARER_KEPT_S
from egorear_ros.tracking.wearer import BONES, WearerLengths, measured_lengths, running_lengths

SECOND_NS = 10**9


def untrained(seed: int = 0) -> TemporalNetwork:
    """A network whose answers depend on everything it is told."""
    torch.manual_seed(seed)
    network = TemporalNetwork(TemporalConfig(dim=32, layers=2, heads=2)).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def estimate(seed: int, views: tuple[str, ...] = VIEWS) -> PoseEstimate:
    rng = np.random.default_rng(seed)
    return PoseEstimate(
        joints_device_m=rng.normal(0, 0.3, (16, 3)).astype(np.float32),
        confidence=np.full(16, 0.5, np.float32),
        joints_std_m=rng.uniform(0.01, 0.1, (16, 3)).astype(np.float32),
        joints_2d={view: np.zeros((15, 2), np.float32) for view in views},
        scores_2d={view: rng.uniform(0, 1, 15).astype(np.float32) for view in views},
        image_sizes=dict.fromkeys(views, (128, 128)),
    )


def stream(stamps_ns: list[int], temporal: TemporalFilter, first: int = 0) -> list[PoseEstimate]:
    return [temporal.update(estimate(first + i), stamp) for i, stamp in enumerate(stamps_ns)]


@settings(max_examples=10, deadline=None)
@given(
    intervals=st.lists(st.floats(0.005, 0.45, allow_subnormal=False), min_size=2, max_size=25),
    lost=st.lists(st.sampled_from([(), ("rear_left",), ("front_left", "front_right")]), min_size=26, max_size=26),
)
def test_frame_by_frame_equals_all_at_once(intervals: list[float], lost: list[tuple[str, ...]]) -> None:
    """At any rate, with views coming and going, hours after the start: what the training saw is what runs live."""
    network, temporal = untrained(), TemporalFilter(untrained(), 1.8)
    stamps = [5 * 3600 * SECOND_NS + round(1e9 * at) for at in np.cumsum([0.0, *intervals])]
    frames = [estimate(i, tuple(v for v in VIEWS if v not in lost[i])) for i in range(len(stamps))]
    down = np.array([0.0, 0.6, 0.8])
    live = [temporal.update(frame, stamp, down) for frame, stamp in zip(frames, stamps, strict=True)]
    times = np.array([(stamp - stamps[0]) / 1e9 for stamp in stamps])
    lengths, weights = running_lengths(*(np.stack([getattr(f, k) for f in frames]) for k in FIELDS), times)
    single = [
        frame_cues(frame, VIEWS, time_s, down, (length, weight), 1.8)
        for frame, time_s, length, weight in zip(frames, times, lengths, weights, strict=True)
    ]
    whole = FrameCues(*(torch.cat([getattr(cues, key) for cues in single], dim=1).float() for key in FrameCues._fields))
    with torch.inference_mode():
        found = network(whole)
    expected = found.pose_m[0].numpy()
    np.testing.assert_allclose(np.stack([one.joints_device_m for one in live]), expected, atol=2e-4)
    velocity = np.stack([one.velocity_m_s for one in live if one.velocity_m_s is not None])
    np.testing.assert_allclose(velocity, found.velocity_m_s[0].numpy(), atol=2e-4)


FIELDS = ("joints_device_m", "joints_std_m")


def test_the_past_counts_and_a_reset_forgets_it() -> None:
    temporal = TemporalFilter(untrained())
    alone = temporal.update(estimate(5), 0).joints_device_m
    temporal.reset()
    *_, later = stream([0, SECOND_NS // 30, SECOND_NS // 15], temporal, first=3)
    assert np.abs(later.joints_device_m - alone).max() > 1e-3, "without a past the answer would be another one"
    temporal.reset()
    np.testing.assert_array_equal(temporal.update(estimate(5), SECOND_NS).joints_device_m, alone)


@pytest.mark.parametrize("gap_s", [-0.1, LONGEST_GAP_S + 0.01, WEARER_KEPT_S + 0.1])
def test_gaps_and_stamps_that_go_back_begin_anew(gap_s: float) -> None:
    temporal = TemporalFilter(untrained())
    stream([0, 30_000_000, 60_000_000], temporal)
    found = temporal.update(estimate(9), 60_000_000 + round(1e9 * gap_s))
    assert "past frames" not in temporal.cues
    kept = "bone lengths" in temporal.cues
    assert kept == (0 < gap_s < WEARER_KEPT_S), "the wearer outlasts a short gap, and nothing else"
    if not kept:
        np.testing.assert_array_equal(
            found.joints_device_m, TemporalFilter(untrained()).update(estimate(9), 0).joints_device_m
        )


def test_what_is_in_use_is_said() -> None:
    temporal = TemporalFilter(untrained(), stature_m=1.7)
    assert temporal.cues == ("stature",)
    temporal.update(estimate(0), 0, [0.0, 0.0, 1.0])
    temporal.update(estimate(1), 33_000_000, [0.0, 0.0, 1.0])
    assert temporal.cues == ("past frames", "gravity", "bone lengths", "stature")
    temporal.update(estimate(2), 66_000_000)
    assert "gravity" not in temporal.cues


def test_the_memory_does_not_grow() -> None:
    temporal = TemporalFilter(untrained())
    stream([i * SECOND_NS // 100 for i in range(250)], temporal)
    assert temporal._memory is not None and len(temporal._memory.time_s) <= 101 + 1


def test_predictions_move_on_with_the_velocity_and_become_less_sure() -> None:
    temporal = TemporalFilter(untrained())
    *_, now = stream([0, 33_000_000], temporal)
    assert now.velocity_m_s is not None
    soon, late = temporal.predict_to(33_000_000 + 100_000_000), temporal.predict_to(10 * SECOND_NS)
    np.testing.assert_allclose(soon.joints_device_m, now.joints_device_m + 0.1 * now.velocity_m_s, atol=1e-6)
    np.testing.assert_allclose(late.joints_device_m, now.joints_device_m + HORIZON_S * now.velocity_m_s, atol=1e-6)
    assert (now.joints_std_m < soon.joints_std_m).all() and (soon.joints_std_m < late.joints_std_m).all()
    with pytest.raises(InputError, match=r"0\.033 s before the latest"):
        temporal.predict_to(0)
    temporal.reset()
    with pytest.raises(InputError, match="call update"):
        temporal.predict_to(0)


@pytest.mark.parametrize("down", [[0, 0, 0], [0.0, 0.0, 9.81], [1.0, 0.0], [np.nan, 0, 1]])
def test_gravity_must_be_a_unit_vector(down: list[float]) -> None:
    temporal = TemporalFilter(untrained())
    with pytest.raises(InputError, match="unit vector"):
        temporal.update(estimate(0), 0, down)
    assert temporal._memory is None, "bad input leaves no trace"


@pytest.mark.parametrize("stature_m", [0.2, 180.0, float("nan")])
def test_stature_must_be_one(stature_m: float) -> None:
    with pytest.raises(InputError, match="stature_m"):
        TemporalFilter(untrained(), stature_m)


def test_a_network_without_standard_deviations_is_refused() -> None:
    unsure = dataclasses.replace(estimate(0), joints_std_m=np.full((16, 3), np.nan, np.float32))
    with pytest.raises(InputError, match="standard deviations"):
        TemporalFilter(untrained()).update(unsure, 0)


def test_the_network_compares_each_bone_with_the_length_that_is_measured_of_it() -> None:
    for joint, (parent, number) in enumerate(zip(PARENTS, LENGTH_TO_PARENT, strict=True)):
        ends = {JOINTS[joint], JOINTS[parent]}
        assert parent == joint or ends in [set(side) for side in BONES[number]], JOINTS[joint]


def skeletons(count: int) -> NDArray[np.float64]:
    return np.random.default_rng(1).normal(0, 0.3, (count, 16, 3))


def test_bone_lengths_of_a_rigid_person_are_found_and_sure_joints_count_more() -> None:
    pose = skeletons(1)[0]
    length, _ = measured_lengths(pose, np.full((16, 3), 0.02))
    for found, sides in zip(length, BONES, strict=True):
        expected = [np.linalg.norm(pose[JOINTS.index(a)] - pose[JOINTS.index(b)]) for a, b in sides]
        assert found == pytest.approx(np.mean(expected))
    std = np.full((16, 3), 0.02)
    std[JOINTS.index("LeftForeArm")] = 1.0
    right = np.linalg.norm(pose[JOINTS.index("RightArm")] - pose[JOINTS.index("RightForeArm")])
    assert measured_lengths(pose, std)[0][3] == pytest.approx(right, rel=0.01)


def test_running_lengths_equal_those_of_a_stream() -> None:
    poses, std = skeletons(40), np.random.default_rng(2).uniform(0.01, 0.2, (40, 16, 3))
    times = np.cumsum(np.random.default_rng(3).uniform(0.01, 3.0, 40))
    before = WearerLengths.measured(skeletons(5), std[:5], np.arange(5.0))
    lengths, weights = running_lengths(poses, std, times, before)
    wearer = WearerLengths.measured(skeletons(5), std[:5], np.arange(5.0))
    for i, interval in enumerate(np.diff(times, prepend=times[:1])):
        wearer.add(poses[i], std[i], interval)
        np.testing.assert_allclose(lengths[i], wearer.lengths_m, rtol=1e-9)
        assert weights[i] == pytest.approx(wearer.weight)
