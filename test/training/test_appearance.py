from __future__ import annotations

import numpy as np
import pytest

from egorear_ros.training import appearance
from egorear_ros.training.appearance import CHANGES, vary_appearance, with_mixed_colours, with_style_of

rng = np.random.default_rng


@pytest.fixture
def images() -> np.ndarray:
    """Smooth pictures that differ from each other."""
    y, x = np.mgrid[0:32, 0:32] / 32
    return np.stack(
        [np.stack([x * 200, y * 150 + i * 5, np.full_like(x, 40 + 20 * i)], axis=-1) for i in range(6)]
    ).astype(np.uint8)


def test_a_share_of_the_images_is_changed_and_none_in_place(images: np.ndarray) -> None:
    before, many = images.copy(), np.repeat(images, 40, axis=0)
    changed = vary_appearance(rng(0), many, 0.5)
    np.testing.assert_array_equal(images, before)
    share = np.mean((changed != many).any(axis=(1, 2, 3)))
    assert 0.35 < share < 0.6
    np.testing.assert_array_equal(vary_appearance(rng(0), many, 0.0), many)


def test_draws_follow_from_the_generator(images: np.ndarray) -> None:
    np.testing.assert_array_equal(vary_appearance(rng(3), images, 1.0), vary_appearance(rng(3), images, 1.0))
    assert (vary_appearance(rng(3), images, 1.0) != vary_appearance(rng(4), images, 1.0)).any()


@pytest.mark.parametrize("change", [change for change, _ in CHANGES])
def test_each_change_keeps_the_picture_recognisable(images: np.ndarray, change: appearance.Change) -> None:
    """What is left of right and above below stays so: the picture is not moved, turned or emptied."""
    image = images[0].astype(np.float32) / 255
    for seed in range(20):
        changed = change(rng(seed), image)
        assert changed.shape == image.shape and changed.dtype == np.float32 and np.isfinite(changed).all()
        similar = np.corrcoef(image.mean(axis=2).ravel(), changed.mean(axis=2).ravel())[0, 1]
        assert abs(similar) > 0.3, seed


def test_white_stays_white_when_colours_are_mixed() -> None:
    white = np.ones((4, 4, 3), np.float32)
    for seed in range(20):
        np.testing.assert_allclose(with_mixed_colours(rng(seed), white), white, atol=1e-5)


def test_style_moves_toward_the_other_image(images: np.ndarray) -> None:
    dark, bright = images[0].astype(np.float32) / 255 * 0.2, images[5]
    styled = with_style_of(rng(1), dark, bright)
    goal, start = bright.mean() / 255, dark.mean()
    assert start < styled.mean() <= goal + 0.02
