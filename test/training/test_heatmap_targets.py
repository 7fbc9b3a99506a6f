"""Heatmap targets against those the official preprocessing makes."""

import numpy as np

from egorear_ros.skeleton import PARENTS
from egorear_ros.training.heatmap_targets import (
    egotap_joint_heatmaps,
    egotap_limb_heatmaps,
    joint_heatmaps,
    limb_angles,
)
from test.golden_spec import GOLDEN


def test_joint_maps() -> None:
    archive = np.load(GOLDEN / "egorear_unit_heatmap_target.npz")
    maps = joint_heatmaps(archive["pts2d_px"])
    np.testing.assert_allclose(maps, archive["heatmap"], atol=1e-6)
    assert (maps.max(axis=(-2, -1)) == 0).any(), "some joints of the archive lie outside"


def test_egotap_joint_maps() -> None:
    archive = np.load(GOLDEN / "egotap_unit_targets.npz")
    maps = np.stack([egotap_joint_heatmaps(points)[1:] for points in archive["pts2d_px"]])
    np.testing.assert_allclose(maps.reshape(-1)[::5], archive["joint_heatmap__sub"], atol=1e-6)


def test_egotap_limb_maps() -> None:
    archive = np.load(GOLDEN / "egotap_unit_targets.npz")
    for sample in range(2):
        maps, length = egotap_limb_heatmaps(archive["pts2d_px"][sample], PARENTS)
        np.testing.assert_allclose(length, archive[f"limb_pixel_length.{sample}"], rtol=1e-5)
        np.testing.assert_allclose(maps / 2.0, archive[f"limb_heatmap.{sample}"], atol=1e-5)
        angles = limb_angles(archive["pts3d_cm"][sample], PARENTS)
        np.testing.assert_allclose(angles, archive[f"limb_theta.{sample}"], atol=1e-6)
