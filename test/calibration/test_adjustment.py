"""From corners to a rig: what is known comes out, in moments and in motion; what is not determined is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

from egorear_ros.calibration import LENSES, CalibrationError, CalibrationOptions, Pictures, calibrate
from egorear_ros.rig import Rig
from egorear_ros.rig.rigid import rigid
from test.calibration.helmet import BOARD, helmet, moments, picture, worst

ALL = ("front_left", "front_right", "rear_left", "rear_right")
FRONT, REAR = ALL[:2], ALL[2:]


def test_boards_seen_by_all_cameras_give_the_rig() -> None:
    truth = helmet()
    found = calibrate(BOARD, moments(truth, [ALL], 22, noise_px=0.02))
    px, metres, degrees = worst(found.rig, truth)
    assert px < 0.25
    assert metres < 5e-4
    assert degrees < 0.05
    assert found.rms_px == pytest.approx(0.02 * np.sqrt(2), rel=0.15)
    assert found.offsets_s == {}


def test_pairs_that_see_the_board_in_turn_are_chained() -> None:
    """Front and rear never take a picture at once, except front_right with rear_right."""
    truth = helmet()
    found = calibrate(BOARD, moments(truth, [FRONT, REAR, ("front_right", "rear_right")], 14, noise_px=0.02))
    px, metres, degrees = worst(found.rig, truth)
    assert px < 0.25
    assert metres < 1e-3
    assert degrees < 0.1


def test_pairs_without_a_link_are_no_rig() -> None:
    with pytest.raises(CalibrationError, match=r"front_left, front_right \| rear_left, rear_right"):
        calibrate(BOARD, moments(helmet(), [FRONT, REAR], 12))


def test_a_camera_without_a_board_is_named() -> None:
    pictures = moments(helmet(), [ALL], 12)
    empty = [dataclasses.replace(p, ids=p.ids[:0], pixels=p.pixels[:0]) for p in pictures.of["rear_left"]]
    with pytest.raises(CalibrationError, match=r"rear_left: the board was found in 0 of 12 pictures"):
        calibrate(BOARD, Pictures({**pictures.of, "rear_left": empty}))


def test_wrong_corners_are_thrown_out() -> None:
    truth, rng = helmet(), np.random.default_rng(3)
    pictures = moments(truth, [ALL], 22, noise_px=0.02)
    spoiled = {}
    for name, taken in pictures.of.items():
        spoiled[name] = []
        for p in taken:
            wrong = rng.random(len(p.ids)) < 0.05
            pixels = p.pixels + wrong[:, None] * rng.uniform(2, 8, p.pixels.shape)
            spoiled[name].append(dataclasses.replace(p, pixels=pixels))
    found = calibrate(BOARD, Pictures(spoiled))
    assert worst(found.rig, truth)[0] < 0.25
    thrown = found.solution.corners - sum(camera.corners for camera in found.cameras)
    assert thrown > 0.03 * found.solution.corners


def test_a_board_that_moved_between_the_cameras_is_no_rig() -> None:
    pictures = moments(helmet(), [ALL], 12, noise_px=0.02)
    numbers = np.random.default_rng(1).permutation(12)
    mixed = [dataclasses.replace(p, moment=int(numbers[p.moment or 0])) for p in pictures.of["rear_left"]]
    with pytest.raises(CalibrationError, match="rear_left"):
        calibrate(BOARD, Pictures({**pictures.of, "rear_left": mixed}))


def in_motion(truth: Rig, offsets_s: dict[str, float], seconds: float = 16.0, rate_hz: float = 8.0) -> Pictures:
    """A board that is carried about under the helmet; every camera has a rhythm and a clock of its own."""
    rng = np.random.default_rng(5)
    knots = np.arange(-1.0, seconds + 2.0, 0.7)
    place = CubicSpline(
        knots,
        np.stack(
            [
                rng.uniform(-0.6, 0.6, len(knots)),
                rng.uniform(-0.3, 0.8, len(knots)),
                rng.uniform(0.2, 0.45, len(knots)),
            ],
            -1,
        ),
    )
    swing = CubicSpline(knots, rng.uniform(-0.5, 0.5, (len(knots), 3)))
    width, height = BOARD.size_m

    def pose(time_s: float) -> np.ndarray:
        turn = Rotation.from_rotvec(swing(time_s)).as_matrix()
        return rigid(turn, place(time_s) - turn @ [width / 2, height / 2, 0])

    of = {}
    for name in truth.names:
        times = rng.uniform(0, 1 / rate_hz) + np.arange(int(seconds * rate_hz)) / rate_hz
        noise = lambda shape: rng.normal(0, 0.02, shape)  # noqa: E731
        of[name] = [
            picture(truth[name], BOARD, pose(t), f"{k:03d}", None, t - offsets_s[name], noise)
            for k, t in enumerate(times)
        ]
    return Pictures(of)


def test_the_clocks_offsets_are_found_from_the_boards_motion() -> None:
    truth = helmet()
    offsets = {"front_left": 0.0, "front_right": 0.031, "rear_left": -0.044, "rear_right": 0.007}
    found = calibrate(BOARD, in_motion(truth, offsets))
    for name, offset in offsets.items():
        assert found.offsets_s[name] == pytest.approx(offset, abs=1e-3)
    px, metres, degrees = worst(found.rig, truth)
    assert px < 0.3
    assert metres < 1e-3
    assert degrees < 0.1


@pytest.mark.parametrize("kind", LENSES.values(), ids=list(LENSES))
def test_formulas_while_fitting_are_those_of_the_rig(kind) -> None:
    rng = np.random.default_rng(2)
    values = kind.start(800, 700, 260.0)
    values += rng.normal(0, 1e-3, kind.count) * np.where(np.arange(kind.count) < 5, 1000, 1)
    model = kind.model(values, 800, 700, None, None)
    pixels = rng.uniform(200, 500, (100, 2))
    rays = model.unproject(pixels)
    np.testing.assert_allclose(kind.project(values, rays), pixels, atol=1e-6)
    np.testing.assert_allclose(model.project(rays), pixels, atol=1e-6)


def test_an_unknown_lens_is_refused() -> None:
    with pytest.raises(CalibrationError, match="'pinhole' is unknown; known are equidistant"):
        calibrate(BOARD, moments(helmet(), [FRONT], 6), CalibrationOptions(lens="pinhole"))
