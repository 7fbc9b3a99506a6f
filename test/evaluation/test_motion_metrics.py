"""Jitter, lag and the One-Euro filter against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from egorear_ros.evaluation.motion import accelerations, jitter_m_s2, lag_errors, lag_s
from egorear_ros.evaluation.one_euro import OneEuro

RNG = np.random.default_rng(0)
TIMES = np.cumsum(RNG.uniform(0.02, 0.06, 150))


def swing(time_s: np.ndarray) -> np.ndarray:
    return np.sin(3.0 * time_s[:, None, None] + np.arange(6).reshape(2, 3))


def test_acceleration_of_a_parabola_is_exact_on_uneven_frames() -> None:
    joints = 0.5 * 3.0 * TIMES[:, None, None] ** 2 * np.ones((1, 2, 3))
    np.testing.assert_allclose(accelerations(joints, TIMES), 3.0, rtol=1e-6)
    assert jitter_m_s2(joints + 7.0, joints, TIMES).max() < 1e-6, "an error that stays the same is no jitter"


@pytest.mark.parametrize("late_s", [-0.04, 0.0, 0.012, 0.08])
def test_lag_is_found_whatever_the_constant_error(late_s: float) -> None:
    errors = lag_errors(swing(TIMES - late_s) + 0.3, swing(TIMES), TIMES)
    assert lag_s(errors) == pytest.approx(late_s, abs=0.002)


def test_a_track_too_short_to_tell_gives_nothing() -> None:
    assert np.isnan(lag_errors(swing(TIMES[:3]), swing(TIMES[:3]), TIMES[:3])).all()


def test_one_euro_removes_noise_and_lets_speed_through() -> None:
    noisy = swing(TIMES) * 0 + RNG.normal(0, 0.01, (len(TIMES), 2, 3))
    assert OneEuro(0.5, 0.0)(noisy, TIMES)[50:].std() < 0.5 * noisy[50:].std()
    moving = swing(TIMES)
    slow, quick = (np.abs(OneEuro(0.5, beta)(moving, TIMES) - moving)[50:].mean() for beta in (0.0, 50.0))
    assert quick < 0.1 * slow
    step = np.zeros((2, 1, 1))
    step[1] = 1.0  # one step of a first-order low-pass filter: T / (T + tau)
    found = OneEuro(2.0, 0.0)(step, np.array([0.0, 0.1]))[1, 0, 0]
    assert found == pytest.approx(0.1 / (0.1 + 1 / (2 * np.pi * 2.0)))
