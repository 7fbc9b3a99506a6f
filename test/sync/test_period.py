"""A camera's period from its intervals."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from egorear_ros.sync.period import PeriodEstimator


def learn(stamps: list[int]) -> PeriodEstimator:
    estimator = PeriodEstimator()
    for earlier, later in pairwise(stamps):
        estimator.add(later - earlier)
    return estimator


def test_unknown_at_first() -> None:
    estimator = learn([0])
    assert (estimator.period_ns, estimator.shortest_ns, estimator.mature) == (0, 0, False)


def test_regular() -> None:
    estimator = learn(list(range(0, 5001, 1000)))
    assert (estimator.period_ns, estimator.shortest_ns, estimator.mature) == (1000, 1000, True)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("loss", [0.0, 0.05, 0.3, 0.5])
def test_jitter_and_lost_frames(seed: int, loss: float) -> None:
    rng = random.Random(seed)
    kept = [k for k in range(100) if rng.random() >= loss]
    estimator = learn([k * 1000 + rng.randint(-100, 100) for k in kept])
    assert estimator.period_ns == pytest.approx(1000, rel=0.1)
    assert 800 <= estimator.shortest_ns <= 1100


@pytest.mark.parametrize("new", [500, 2000])
def test_follows_a_change_of_rate(new: int) -> None:
    before = list(range(0, 40_000, 1000))
    estimator = learn([*before, *range(before[-1] + new, before[-1] + 21 * new, new)])
    assert estimator.period_ns == new
