"""The body while skeletons arrive: lengths are learnt, follow another wearer, and do not jitter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from egorear_ros.body import ANGLE_NAMES, LiveBody, LiveBodyConfig
from egorear_ros.data.rig_clip import truth_skeleton
from egorear_ros.datatypes import Skeleton
from egorear_ros.errors import EgorearError

from .test_body import LENGTHS, joints_of, random_poses

PERIOD_NS = 33_333_333


def skeletons(count: int, scale: float = 1.0, noise_m: float = 0.0, start: int = 0) -> list[Skeleton]:
    rng = np.random.default_rng(7)
    joints = joints_of(random_poses(count, 1)) * scale
    noisy = joints + rng.normal(0, noise_m, joints.shape)
    return [truth_skeleton(frame, (start + index) * PERIOD_NS) for index, frame in enumerate(noisy)]


def run(body: LiveBody, given: list[Skeleton]) -> tuple[list[int], list[float]]:
    """Indices where the lengths were new, and per fitted skeleton the largest distance to the free joints, metres."""
    resized, distances = [], []
    for index, skeleton in enumerate(given):
        if body.learn(skeleton):
            resized.append(index)
        pose = body.fit(skeleton)
        if pose is not None:
            distances.append(float(np.linalg.norm(pose.joints_m - skeleton.positions_m, axis=-1).max()))
    return resized, distances


def test_the_first_skeletons_give_the_lengths() -> None:
    body = LiveBody(LiveBodyConfig(first=10))
    resized, distances = run(body, skeletons(60))
    assert resized[0] == 9
    assert len(resized) <= 4, "the distance of the shoulders varies with the pose, bones do not"
    assert len(distances) == 51
    assert max(distances) < 3e-3
    assert body.lengths is not None
    assert body.lengths.thigh_m == pytest.approx(LENGTHS.thigh_m, abs=1e-6)


def test_noise_does_not_size_the_body_again_and_again() -> None:
    resized, _ = run(LiveBody(), skeletons(900, noise_m=0.015))
    assert resized[0] == 14
    assert sum(index > 300 for index in resized) <= 2, f"sized anew at {resized}"


def test_another_wearer_comes_through_after_the_window() -> None:
    body = LiveBody(LiveBodyConfig(window_s=4.0))
    run(body, skeletons(60))
    resized, distances = run(body, skeletons(240, scale=0.9, start=60))
    assert resized
    assert body.lengths is not None
    assert body.lengths.thigh_m == pytest.approx(0.9 * LENGTHS.thigh_m, abs=1e-6)
    assert distances[-1] < 3e-3


def test_forgetting_measures_anew() -> None:
    body = LiveBody()
    run(body, skeletons(20))
    body.forget()
    assert body.lengths is None
    resized, _ = run(body, skeletons(20, scale=0.8, start=20))
    assert resized[0] == 14


def test_a_clock_that_jumps_back_stops_nothing() -> None:
    """A clip that is looped, a bag that begins again."""
    body = LiveBody()
    given = skeletons(60)
    run(body, given)
    _, distances = run(body, given)
    assert len(distances) == 60
    assert max(distances) < 3e-3


def test_a_pose_has_all_that_messages_need() -> None:
    body = LiveBody(LiveBodyConfig(first=1))
    (skeleton,) = skeletons(1)
    assert body.learn(skeleton)
    pose = body.fit(skeleton)
    assert pose is not None
    assert pose.angles_rad.shape == (len(ANGLE_NAMES),)
    assert np.linalg.det(pose.frame_from_body[:3, :3]) == pytest.approx(1)
    hips = skeleton.positions_m[[8, 9]].mean(0)
    assert pose.frame_from_body[:3, 3] == pytest.approx(hips, abs=2e-3)


def nothing_valid(skeleton: Skeleton) -> Skeleton:
    return replace(skeleton, valid=np.zeros(16, np.bool_))


def not_a_number(skeleton: Skeleton) -> Skeleton:
    return replace(skeleton, positions_m=np.full((16, 3), np.nan))


@pytest.mark.parametrize("spoil", [nothing_valid, not_a_number])
def test_a_skeleton_that_says_nothing_gives_no_body(spoil: Callable[[Skeleton], Skeleton]) -> None:
    body = LiveBody(LiveBodyConfig(first=1))
    good, *_ = skeletons(1)
    assert not body.learn(spoil(good))
    assert body.learn(good)
    assert not body.learn(spoil(good))
    assert body.fit(spoil(good)) is None
    assert body.fit(good) is not None


def test_a_joint_that_is_never_seen_is_named() -> None:
    body = LiveBody(LiveBodyConfig(first=3))
    given = [replace(skeleton, valid=np.arange(16) != 0) for skeleton in skeletons(3)]
    with pytest.raises(EgorearError, match="'head'.*valid in no frame"):
        run(body, given)


@pytest.mark.parametrize("field", [{"first": 0}, {"window_s": 0.0}, {"change_m": 0.0}])
def test_settings_out_of_range_are_named(field: dict[str, float]) -> None:
    with pytest.raises(EgorearError, match=next(iter(field))):
        LiveBodyConfig(**field)  # type: ignore[arg-type]
