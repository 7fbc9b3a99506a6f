"""egorear-s: any subset of views, missing views that say nothing, geometry checked against the rig's own."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from egorear_ros.network import EgoRearSConfig, build
from egorear_ros.network.geometry import nearest_points, pixels_of_points, rays_of_pixels, solve3
from egorear_ros.network.spatial_softmax import read_maps
from egorear_ros.rig import load_rig

CONFIG = EgoRearSConfig(image_size=64, width=16, channels=16, dim=32)
SUBSETS = [mask for mask in itertools.product([False, True], repeat=4) if any(mask)]


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    """Small, with every part switched on: the zero-initialised layers say something."""
    torch.manual_seed(0)
    network = build(CONFIG).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "question" in name or "correction" in name or name.startswith("log_std"):
                parameter.add_(0.1 * torch.randn_like(parameter))
    return network


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.randn(2, 4, 3, 64, 64, generator=torch.Generator().manual_seed(1))


@torch.inference_mode()
def test_shapes(network: torch.nn.Module, images: Tensor) -> None:
    output = network(images)
    assert [maps.shape for maps in output.heatmaps] == [(2, 4, 15, 16, 16)] * 2
    assert [pose.shape for pose in output.poses] == [(2, 16, 3)] * 4
    assert output.log_std.shape == (2, 16, 3)
    peaks = output.heatmaps[-1].amax(dim=(-2, -1))
    assert ((peaks > 0) & (peaks <= 1)).all()


@torch.inference_mode()
def test_any_size_runs(network: torch.nn.Module) -> None:
    assert network(torch.zeros(1, 4, 3, 128, 128)).heatmaps[-1].shape == (1, 4, 15, 32, 32)


@pytest.mark.parametrize("mask", SUBSETS)
@torch.inference_mode()
def test_missing_views_say_nothing(network: torch.nn.Module, images: Tensor, mask: tuple[bool, ...]) -> None:
    """Whatever a missing view holds, even NaN, nothing changes; and without it, something does."""
    view_mask = torch.tensor([mask, mask])
    spoiled = images.clone()
    spoiled[:, [not there for there in mask]] = torch.nan
    clean, dirty = network(images, None, view_mask), network(spoiled, None, view_mask)
    pairs = zip((*clean.heatmaps, *clean.poses), (*dirty.heatmaps, *dirty.poses), strict=True)
    for a, b in (*pairs, (clean.log_std, dirty.log_std)):
        assert torch.isfinite(a).all()
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    assert not clean.heatmaps[-1][:, [not there for there in mask]].any()
    if not all(mask):
        assert (clean.poses[-1] - network(images).poses[-1]).abs().max() > 1e-4


@torch.inference_mode()
def test_samples_of_a_batch_do_not_mix(network: torch.nn.Module, images: Tensor) -> None:
    """Different views missing in different samples: each answers as it does alone."""
    view_mask = torch.tensor([[True, True, False, False], [False, True, True, True]])
    together = network(images, None, view_mask)
    for i in range(2):
        alone = network(images[i : i + 1], None, view_mask[i : i + 1])
        torch.testing.assert_close(together.poses[-1][i], alone.poses[-1][0], rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_extrinsics_matter(network: torch.nn.Module, images: Tensor) -> None:
    moved = network.camera_from_device.expand(2, -1, -1, -1).clone()
    torch.testing.assert_close(network(images, moved).poses[-1], network(images).poses[-1])
    moved[:, :, 0, 3] += 0.05
    assert (network(images, moved).poses[-1] - network(images).poses[-1]).abs().max() > 1e-3


def test_rays_of_projected_points_meet_in_them() -> None:
    """Points below the helmet, projected by the rig in double precision, come back from their rays."""
    rig = load_rig("ego4view")
    rng = np.random.default_rng(0)
    points = rng.uniform([-0.3, -0.3, 0.4], [0.3, 0.5, 1.4], (1, 15, 3))
    extrinsics = np.stack([camera.camera_from_device for camera in rig.cameras])
    uv = []
    for camera in rig.cameras:
        matrix = camera.camera_from_device
        in_camera = points[0] @ matrix[:3, :3].T + matrix[:3, 3]
        uv.append(camera.model.project(in_camera) / [camera.model.width, camera.model.height])
    models = [camera.model for camera in rig.cameras]
    pixels, matrices = torch.tensor(np.stack(uv))[None], torch.tensor(extrinsics)[None]
    torch.testing.assert_close(pixels_of_points(models, matrices, torch.tensor(points)), pixels, rtol=0, atol=1e-9)
    origins, directions = rays_of_pixels(models, matrices, pixels)
    prior, weight = torch.zeros(15, 3, dtype=torch.double), torch.full((15,), 1e-9, dtype=torch.double)
    met = nearest_points(origins, directions, torch.ones(1, 4, 15, dtype=torch.double), prior, weight)
    np.testing.assert_allclose(met.numpy(), points, atol=2e-3)  # the lens's two polynomials agree that far


def test_no_ray_gives_the_prior() -> None:
    prior = torch.rand(15, 3)
    origins, directions = torch.zeros(1, 4, 1, 3), torch.nn.functional.normalize(torch.randn(1, 4, 15, 3), dim=-1)
    points = nearest_points(origins, directions, torch.zeros(1, 4, 15), prior, torch.ones(15))
    torch.testing.assert_close(points[0], prior)


def test_solve3_agrees_with_linalg() -> None:
    matrix = torch.randn(50, 3, 3, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    matrix = matrix @ matrix.transpose(-2, -1) + torch.eye(3)
    right = torch.arange(150, dtype=torch.double).reshape(50, 3)
    torch.testing.assert_close(solve3(matrix, right), torch.linalg.solve(matrix, right))


def test_reading_a_sharp_map_finds_its_cell() -> None:
    logits = torch.full((1, 1, 1, 8, 16), -50.0)
    logits[..., 3, 10] = 50.0
    features = torch.randn(1, 1, 4, 8, 16)
    reading = read_maps(logits, features)
    torch.testing.assert_close(reading.uv[0, 0, 0], torch.tensor([10 / 16, 3 / 8]))
    torch.testing.assert_close(reading.features[0, 0, 0], features[0, 0, :, 3, 10])
    assert reading.peak.item() == pytest.approx(1.0)
    assert reading.spread.max() < 1e-3
