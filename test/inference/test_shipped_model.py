"""The model that ships: it loads by name, takes any subset of views at any size, and has its card."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from numpy.typing import NDArray

from egorear_ros import resources
from egorear_ros.inference import PoseEstimator
from egorear_ros.inference.confidence import confidence_from_std
from egorear_ros.inference.estimator import find_weights
from egorear_ros.inference.preprocessing import resize_official
from egorear_ros.network.weights import load_weights, sha256_of
from egorear_ros.rig import load_rig
from test.training.conftest import FRAME_SETS

VIEWS = load_rig("ego4view").names
SUBSETS = [subset for n in range(1, 5) for subset in itertools.combinations(VIEWS, n)]


@pytest.fixture(scope="module")
def estimator() -> PoseEstimator:
    return PoseEstimator.from_pretrained("egorear-s", device="cpu")


@pytest.fixture(scope="module")
def frame_set() -> tuple[dict[str, NDArray[np.uint8]], NDArray[np.float32]]:
    with np.load(FRAME_SETS) as content:
        images, truth = content["images"][0], content["joints_device_m"][0]
    return dict(zip(VIEWS, images, strict=True)), truth


def test_card_says_what_it_is_and_fits_the_file() -> None:
    weights = resources.find("assets/models/egorear-s.safetensors")
    card = json.loads(weights.with_suffix(".json").read_text())
    assert card["sha256"] == sha256_of(weights)
    assert weights.stat().st_size <= 25 * 2**20
    for fact in ("data", "budget", "result"):
        assert card["source"][fact], fact


@pytest.mark.parametrize("views", SUBSETS)
def test_any_subset_of_views(
    estimator: PoseEstimator,
    frame_set: tuple[dict[str, NDArray[np.uint8]], NDArray[np.float32]],
    views: tuple[str, ...],
) -> None:
    images, _ = frame_set
    estimate = estimator.estimate({view: images[view] for view in views})
    assert estimate.joints_device_m.shape == (16, 3) and np.isfinite(estimate.joints_device_m).all()
    assert (estimate.joints_std_m > 0).all() and estimate.joints_std_m.shape == (16, 3)
    assert ((estimate.confidence >= 0) & (estimate.confidence <= 1)).all()
    assert tuple(estimate.joints_2d) == tuple(estimate.scores_2d) == views


@pytest.mark.parametrize("size", [64, 256, 872])
def test_any_size_of_image(
    estimator: PoseEstimator, frame_set: tuple[dict[str, NDArray[np.uint8]], NDArray[np.float32]], size: int
) -> None:
    """The same picture, larger: nearly the same pose, and 2D joints in the pixels of what was given."""
    images, truth = frame_set
    small = estimator.estimate(images)
    large = estimator.estimate({view: resize_official(image, size) for view, image in images.items()})
    assert np.abs(large.joints_device_m - small.joints_device_m).max() < 0.1
    for view, pixels in large.joints_2d.items():
        assert large.image_sizes[view] == (size, size)
        assert ((pixels >= 0) & (pixels <= size)).all()
        scale = size / 64
        np.testing.assert_allclose(np.median(pixels - scale * small.joints_2d[view]), 0, atol=2 * scale)
    assert truth.shape == large.joints_device_m.shape


def test_better_than_the_mean_pose(estimator: PoseEstimator) -> None:
    """On eight frame sets of people it was not trained on: a floor that a broken export would fall through."""
    with np.load(FRAME_SETS) as content:
        images, truth = content["images"], content["joints_device_m"]
    network, _ = load_weights(find_weights("egorear-s"))
    mean = network.mean_pose_m.numpy()  # type: ignore[operator,union-attr]
    ours = [estimator.estimate(dict(zip(VIEWS, four, strict=True))).joints_device_m for four in images]
    error, floor = (np.linalg.norm(guess - truth, axis=-1).mean() for guess in (np.stack(ours), mean))
    assert error < 0.85 * floor


def test_confidence_is_the_probability_of_being_near() -> None:
    rng = np.random.default_rng(0)
    errors = np.linalg.norm(rng.normal(0, 0.06, (200_000, 3)), axis=-1)
    confidence = confidence_from_std(np.full((16, 3), 0.06, np.float32))
    np.testing.assert_allclose(confidence, (errors < 0.1).mean(), atol=0.005)
    assert np.isnan(confidence_from_std(np.full((16, 3), np.nan, np.float32))).all()
