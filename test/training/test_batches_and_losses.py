from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from egorear_ros.data.frame_sets import FrameSets
from egorear_ros.inference.preprocessing import normalize
from egorear_ros.training.batches import indices_of_step, make_batch
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
