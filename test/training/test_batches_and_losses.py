from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from egorear_ros.data.frame_sets import FrameSets
from egorear_ros.inference.preprocessing import normalize
from egorear_ros.training.batches import indices_of_step, make_batch, random_views
from egorear_ros.training.compact_losses import heatmap_cross_entropy, laplace_nll


def test_an_epoch_shows_every_set_once_and_the_next_in_another_order() -> None:
    first = np.concatenate([indices_of_step(step, 4, 12, seed=0) for step in range(3)])
    second = np.concatenate([indices_of_step(step, 4, 12, seed=0) for step in range(3, 6)])
    assert sorted(first) == sorted(second) == list(range(12))
    assert first.tolist() != second.tolist()
    assert indices_of_step(1, 4, 12, seed=0).tolist() == first[4:8].tolist()


def test_a_batch_without_augmentation_is_what_the_estimator_feeds(eight: FrameSets) -> None:
    batch = make_batch(eight, np.array([3]))
    torch.testing.assert_close(batch.images[0], normalize(list(eight.images[3])), rtol=0, atol=1e-5)
    assert batch.view_mask.all()
    assert np.array_equal(batch.uv[0].numpy(), eight.pixels[3, :, 1:])


def test_augmentation_varies_light_views_and_calibration_but_never_the_truth(eight: FrameSets) -> None:
    nominal = torch.eye(4).expand(4, 4, 4)
    plain = make_batch(eight, np.arange(8))
    varied = make_batch(eight, np.arange(8), nominal, np.random.default_rng(0))
    assert not torch.allclose(plain.images, varied.images)
    assert not varied.view_mask.all() and varied.view_mask.any(dim=1).all()
    is_nominal = (varied.camera_from_device == nominal).all(dim=(1, 2, 3))
    assert is_nominal.any() and not is_nominal.all()
    assert torch.equal(plain.joints_m, varied.joints_m) and torch.equal(plain.uv, varied.uv)
    again = make_batch(eight, np.arange(8), nominal, np.random.default_rng(0))
    assert torch.equal(again.images, varied.images)


def test_view_dropout_has_the_shares_it_says() -> None:
    mask = random_views(np.random.default_rng(0), 20_000, 4)
    assert mask.any(axis=1).all()
    assert mask.all(axis=1).mean() == pytest.approx(0.5, abs=0.03)  # and a few of "any subset"
    assert (mask == [True, True, False, False]).all(axis=1).mean() == pytest.approx(0.16, abs=0.02)
    assert random_views(np.random.default_rng(0), 50, 1).all()


def test_heatmap_loss_is_least_at_the_target() -> None:
    """The entropy of the Gaussian itself, log(2 pi e) for sigma 1; more anywhere else, and finite far outside."""
    uv = torch.tensor([0.5, 0.25]).expand(1, 1, 1, 2)
    cells = torch.arange(32.0)
    logits = -0.5 * ((cells[None, :] - 16) ** 2 + (cells[:, None] - 8) ** 2).expand(1, 1, 1, 32, 32)
    weight = torch.ones(1, 1, 1)
    least = heatmap_cross_entropy(logits, uv, weight)
    assert least.item() == pytest.approx(math.log(2 * math.pi * math.e), abs=1e-3)
    assert heatmap_cross_entropy(logits.roll(1, dims=-1), uv, weight) > least + 0.4
    assert torch.isfinite(heatmap_cross_entropy(logits, uv + 100.0, weight))


def test_std_loss_is_least_at_the_errors_own_size() -> None:
    error = torch.distributions.Laplace(0.0, 0.05 / math.sqrt(2)).sample((20_000, 3))
    losses = {std: laplace_nll(error, torch.full((3,), math.log(std))) for std in (0.03, 0.05, 0.08)}
    assert min(losses, key=lambda std: float(losses[std])) == 0.05


def test_frame_sets_have_one_length(eight: FrameSets) -> None:
    assert {len(getattr(eight, field.name)) for field in dataclasses.fields(eight)} == {8}
