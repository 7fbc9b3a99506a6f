from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from egorear_ros.data.frame_sets import FrameName, FrameSets
from egorear_ros.errors import EgorearError
from egorear_ros.training.augmentation import (
    AugmentationConfig,
    disturbed,
    occluded,
    random_views,
    taken_at_other_times,
)
from egorear_ros.training.batches import Batch, make_batch

NOMINAL = torch.eye(4).expand(4, 4, 4)


def batch(sets: FrameSets, seed: int = 0, **switches: object) -> Batch:
    return make_batch(sets, np.arange(8), NOMINAL, np.random.default_rng(seed), AugmentationConfig(**switches))


def test_defaults_vary_light_views_and_calibration_but_never_the_truth(eight: FrameSets) -> None:
    plain, varied = make_batch(eight, np.arange(8)), batch(eight)
    assert not torch.allclose(plain.images, varied.images)
    assert not varied.view_mask.all() and varied.view_mask.any(dim=1).all()
    is_nominal = (varied.camera_from_device == NOMINAL).all(dim=(1, 2, 3))
    assert is_nominal.any() and not is_nominal.all()
    assert torch.equal(plain.joints_m, varied.joints_m) and torch.equal(plain.uv, varied.uv)
    assert torch.equal(plain.visible, varied.visible)
    assert torch.equal(batch(eight).images, varied.images)


def test_the_defaults_draw_what_the_shipped_weights_were_trained_with(eight: FrameSets) -> None:
    """The order of the draws is part of the recipe: calibration, views, light."""
    rng, varied, plain = np.random.default_rng(5), batch(eight, 5), make_batch(eight, np.arange(8))
    nominal = rng.random(8) < 0.5
    views = random_views(rng, 8, 4)
    gain = np.exp(rng.normal(0, 0.15, (8, 4, 1)) + rng.normal(0, 0.05, (8, 4, 3)))
    offset = rng.normal(0, 0.04, (8, 4, 1))
    std, mean = np.array([0.229, 0.224, 0.225]), np.array([0.485, 0.456, 0.406])
    expected = (gain * (plain.images.mean(dim=(3, 4)).numpy() * std + mean) + offset - mean) / std
    np.testing.assert_allclose(varied.images.mean(dim=(3, 4)), expected, atol=1e-4)
    np.testing.assert_array_equal(varied.view_mask, views)
    np.testing.assert_array_equal((varied.camera_from_device == NOMINAL).all(dim=(1, 2, 3)), nominal)


def test_each_switch_turns_off_its_own_and_nothing_else(eight: FrameSets) -> None:
    everything = {"calibration_rotation_deg": 1.0, "occluders": 0.5}
    plain, usual = make_batch(eight, np.arange(8)), batch(eight, **everything)
    without = batch(eight, **everything, view_dropout=False)
    assert without.view_mask.all() and torch.equal(without.images, usual.images)
    without = batch(eight, **everything, nominal_calibration=0.0)
    assert torch.equal(without.view_mask, usual.view_mask) and torch.equal(without.images, usual.images)
    without = batch(eight, **{**everything, "calibration_rotation_deg": 0.0})
    assert torch.equal(without.images, usual.images)
    assert not torch.equal(without.camera_from_device, usual.camera_from_device)
    without = batch(eight, **{**everything, "occluders": 0.0})
    assert torch.equal(without.visible, plain.visible) and not torch.equal(usual.visible, plain.visible)
    assert torch.equal(without.camera_from_device, usual.camera_from_device)
    off = make_batch(eight, np.arange(8), NOMINAL, np.random.default_rng(0), AugmentationConfig.off())
    for name in ("images", "joints_m", "uv", "in_view", "visible", "camera_from_device", "view_mask"):
        assert torch.equal(getattr(plain, name), getattr(off, name)), name


def test_view_dropout_has_the_shares_it_says() -> None:
    mask = random_views(np.random.default_rng(0), 20_000, 4)
    assert mask.any(axis=1).all()
    assert mask.all(axis=1).mean() == pytest.approx(0.5, abs=0.03)  # and a few of "any subset"
    assert (mask == [True, True, False, False]).all(axis=1).mean() == pytest.approx(0.16, abs=0.02)
    assert random_views(np.random.default_rng(0), 50, 1).all()


def test_calibration_errors_are_rigid_and_as_large_as_they_say() -> None:
    poses = np.broadcast_to(np.eye(4, dtype=np.float32), (2000, 4, 4, 4))
    errors = disturbed(np.random.default_rng(0), poses, 2.0, 0.01)
    rotations = errors[..., :3, :3]
    np.testing.assert_allclose(rotations @ rotations.swapaxes(-1, -2), poses[..., :3, :3], atol=1e-5)
    angles = Rotation.from_matrix(rotations.reshape(-1, 3, 3)).as_rotvec()
    assert np.degrees(angles).std(axis=0) == pytest.approx(2.0, rel=0.05)
    assert errors[..., :3, 3].std() == pytest.approx(0.01, rel=0.05)
    moved = np.broadcast_to(np.diag([-1, -1, 1, 1]).astype(np.float32), (2, 4, 4))
    np.testing.assert_array_equal(disturbed(np.random.default_rng(0), moved, 0.0, 0.0), moved)


def test_occluders_hide_exactly_the_joints_they_cover(eight: FrameSets) -> None:
    before = eight.take(np.arange(8))
    flat = dataclasses.replace(before, images=np.full_like(before.images, 7), visible=before.in_view)
    after = occluded(np.random.default_rng(1), flat, 0.6)
    covered = (after.images != 7).any(axis=-1)
    patched = covered.any(axis=(2, 3))
    assert patched.mean() == pytest.approx(0.6, abs=0.2)
    area = covered[patched].mean(axis=(1, 2))
    assert 0 < area.min() and area.max() < 0.3  # a quarter by a quarter, as half axes
    for place, view, joint in np.ndindex(8, 4, 16):
        if before.in_view[place, view, joint]:
            column, row = (before.pixels[place, view, joint] * 64).astype(int)
            assert after.visible[place, view, joint] == (not covered[place, view, row, column])
    assert (before.in_view & ~after.visible).sum() > 5
    np.testing.assert_array_equal(after.in_view, before.in_view)


class Steps:
    """Two sequences of four frames; everything about view v of frame f says 10 * index + v."""

    views = ("front_left", "front_right", "rear_left", "rear_right")

    def __init__(self, stride: int = 1, names: str = "ab") -> None:
        self.stride, self.names, value = stride, names, 10 * np.arange(8)[:, None] + np.arange(4)
        self.sets = FrameSets(
            images=np.broadcast_to(value[..., None, None, None], (8, 4, 2, 2, 3)).astype(np.uint8),
            joints_device_m=np.broadcast_to(10 * np.arange(8)[:, None, None], (8, 16, 3)).astype(np.float32),
            pixels=np.broadcast_to(value[..., None, None], (8, 4, 16, 2)).astype(np.float32),
            in_view=np.ones((8, 4, 16), bool),
            visible=np.ones((8, 4, 16), bool),
            camera_from_device=np.broadcast_to(value[..., None, None], (8, 4, 4, 4)).astype(np.float32),
        )

    def __len__(self) -> int:
        return 8

    def take(self, indices: np.ndarray) -> FrameSets:
        return self.sets.take(indices)

    def name(self, index: int) -> FrameName:
        return FrameName(self.names[index // 4 : index // 4 + 1], 100 + self.stride * (index % 4))


def test_time_jitter_takes_views_of_the_same_sequence() -> None:
    seen = set()
    for seed in range(40):
        sets = taken_at_other_times(np.random.default_rng(seed), Steps(), np.array([5, 3, 0]), 2)
        assert sets.joints_device_m[:, 0, 0].tolist() == [50, 30, 0]
        assert sets.camera_from_device[:, :, 0, 0].tolist() == [[10 * i + v for v in range(4)] for i in (5, 3, 0)]
        values = sets.images[..., 0, 0, 0].astype(int)
        np.testing.assert_array_equal(values, sets.pixels[..., 0, 0])
        assert (values % 10 == np.arange(4)).all()
        seen |= {(place, value // 10) for place, row in enumerate(values.tolist()) for value in row}
    assert seen == {(0, 4), (0, 5), (0, 6), (0, 7), (1, 1), (1, 2), (1, 3), (2, 0), (2, 1), (2, 2)}


def test_time_jitter_says_when_frames_lie_too_far_apart(eight: FrameSets) -> None:
    with pytest.raises(EgorearError, match="time_jitter_frames is 1.*egorear simulate"):
        taken_at_other_times(np.random.default_rng(0), Steps(stride=15), np.arange(8), 1)
    with pytest.raises(EgorearError, match="none of 8"):  # of unknown sequences
        taken_at_other_times(np.random.default_rng(0), Steps(names=""), np.arange(8), 1)
    with pytest.raises(EgorearError, match="say which sequence"):
        batch(eight, time_jitter_frames=1)
    jittered = make_batch(
        Steps(), np.arange(8), None, np.random.default_rng(0), AugmentationConfig(time_jitter_frames=1)
    )
    assert not torch.equal(jittered.uv, torch.from_numpy(Steps().sets.pixels[:, :, 1:]))
