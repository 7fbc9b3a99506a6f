"""Deformable attention against a plain loop; the projection of anchors and the official mistake in it."""

from __future__ import annotations

import math

import numpy as np
import torch

from egorear_ros.network.attention import DeformableAttention
from egorear_ros.network.projection import AnchorProjection
from egorear_ros.rig import load_rig


def bilinear(image: torch.Tensor, x: float, y: float) -> torch.Tensor:
    """Sample (H, W, C) at pixel coordinates, pixel centres at integers, zero outside."""
    result = torch.zeros(image.shape[2], dtype=image.dtype)
    for px in (math.floor(x), math.floor(x) + 1):
        for py in (math.floor(y), math.floor(y) + 1):
            if 0 <= px < image.shape[1] and 0 <= py < image.shape[0]:
                result += (1 - abs(x - px)) * (1 - abs(y - py)) * image[py, px]
    return result


def test_deformable_attention_of_two_levels_equals_the_loop() -> None:
    torch.manual_seed(0)
    sizes = [(6, 8), (3, 4)]
    attention = DeformableAttention(8, sizes, heads=2, points=3).double()
    for parameter in attention.parameters():
        torch.nn.init.normal_(parameter)
    query, memory = torch.randn(1, 4, 8).double(), torch.randn(1, 48 + 12, 8).double()
    anchors = torch.rand(1, 4, 2).double()
    value = attention.value_proj(memory)[0]
    maps = [value[:48].view(6, 8, 2, 4), value[48:].view(3, 4, 2, 4)]
    offsets = attention.sampling_offsets(query)[0].view(4, 2, 2, 3, 2)
    weights = attention.attention_weights(query)[0].view(4, 2, 6).softmax(-1).view(4, 2, 2, 3)
    expected = torch.zeros(4, 2, 4).double()
    for q, head, level, point in np.ndindex(4, 2, 2, 3):
        height, width = sizes[level]
        dx, dy = offsets[q, head, level, point].tolist()
        x, y = anchors[0, q, 0].item() * width + dx - 0.5, anchors[0, q, 1].item() * height + dy - 0.5
        expected[q, head] += weights[q, head, level, point] * bilinear(maps[level][:, :, head], x, y)
    torch.testing.assert_close(attention(query, memory, anchors)[0], attention.output_proj(expected.flatten(1)))


def project(quirk: bool, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    cameras = load_rig("ego4view").cameras
    extrinsics = torch.from_numpy(np.stack([camera.camera_from_device for camera in cameras])).float()[None]
    return AnchorProjection([camera.model for camera in cameras], quirk)(points, extrinsics, 0.01)


def test_anchors_are_the_cameras_projections() -> None:
    points = torch.tensor([[[3.0, -10.0, 60.0], [20.0, 5.0, 40.0], [0.0, 0.0, 5000.0], [900.0, 0.0, 1.0]]])
    kept, anchors, inside = project(False, points)
    assert torch.equal(kept, points)
    for view, camera in enumerate(load_rig("ego4view").cameras):
        device = np.concatenate([points[0].numpy() / 100.0, np.ones((4, 1))], axis=1)
        expected = camera.model.project((device @ camera.camera_from_device.T)[:, :3]) / 872.0
        np.testing.assert_allclose(anchors[0, view].numpy(), np.clip(expected, 0, 1), atol=1e-5)
        assert inside[0, view].tolist() == ((expected > 0) & (expected < 1)).all(-1).tolist()
    assert inside[0, :, 0].all() and not inside.all()


def test_syn_mistake_is_the_one_of_the_specification() -> None:
    """Four views: the second camera sees the pose itself, the fourth x + 12; the pose ends 12 cm to the right."""
    points = torch.tensor([[[3.0, -10.0, 60.0], [20.0, 5.0, 40.0]]])
    moved, anchors, _ = project(True, points)
    torch.testing.assert_close(moved, points + torch.tensor([12.0, 0.0, 0.0]))
    cameras = load_rig("ego4view").cameras
    rear_left = points * torch.tensor([-1.0, -1.0, 1.0]) + torch.tensor([-6.0, 37.0, 0.0])
    seen = [points + torch.tensor([6.0, 0.0, 0.0]), points, rear_left, points + torch.tensor([12.0, 0.0, 0.0])]
    for view, (camera, there) in enumerate(zip(cameras, seen, strict=True)):
        torch.testing.assert_close(anchors[:, view], camera.model.project(there) / 872.0, rtol=0, atol=1e-5)


def test_a_point_on_the_axis_is_finite() -> None:
    _, anchors, inside = project(False, torch.tensor([[[-6.0, 0.0, 50.0]]]))  # straight below the left camera
    assert torch.isfinite(anchors).all() and inside[0, 0, 0]
