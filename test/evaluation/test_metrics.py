"""Metrics against the official figures, and against what must be true of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from egorear_ros.evaluation import metrics
from egorear_ros.skeleton import GROUPS
from test import golden_spec as spec


def test_pose_metrics_are_the_official_ones() -> None:
    archive = np.load(spec.GOLDEN / "egorear_unit_metrics.npz")
    predicted, truth = archive["pred_cm"] / 100, archive["gt_cm"] / 100
    np.testing.assert_allclose(metrics.mpjpe_mm(predicted, truth), archive["mpjpe_mm"], rtol=1e-5)
    np.testing.assert_allclose(metrics.pa_mpjpe_mm(predicted, truth), archive["pa_mpjpe_mm"], rtol=1e-5)
    np.testing.assert_allclose(metrics.procrustes_align(predicted, truth), archive["aligned_cm"] / 100, atol=1e-6)
    np.testing.assert_allclose(metrics.pck_percent(predicted, truth), archive["pck150"], rtol=1e-6)
    np.testing.assert_allclose(metrics.auc_percent(predicted, truth), archive["auc"], rtol=1e-5)


@pytest.mark.parametrize(("name", "seed"), [("egoposeformer_pose3d", 212), ("egorear_pose3d_rw_stereo_front", 126)])
def test_pose_metrics_of_the_networks_archives(name: str, seed: int) -> None:
    archive = np.load(spec.GOLDEN / f"{name}.npz")
    pose, truth = archive["pose_3"] / 100, spec.pose_target_cm(seed, 2) / 100
    np.testing.assert_allclose(metrics.mpjpe_mm(pose, truth), archive["metric.final_mpjpe"], rtol=1e-4)
    np.testing.assert_allclose(metrics.pa_mpjpe_mm(pose, truth), archive["metric.final_pa_mpjpe"], rtol=1e-4)


def test_mpjpe_of_egotap() -> None:
    """Only MPJPE: official EgoTAP takes the batch size for the dimension when it is 2, as here, and misaligns."""
    archive = np.load(spec.GOLDEN / "egotap_lifting.npz")
    found = metrics.mpjpe_mm(archive["pose"] / 100, spec.pose_target_cm(413, 2) / 100)
    np.testing.assert_allclose(found, archive["metric.mpjpe_mm"], rtol=1e-4)


def test_heatmap_errors_by_hand() -> None:
    truth = np.zeros((1, 1, 2, 4, 4))
    truth[0, 0, 0, 1, 2] = 1.0
    predicted = truth.copy()
    predicted[0, 0, 0, 1, 2], predicted[0, 0, 1, 3, 0] = 0.5, 2.0
    assert metrics.heatmap_l1(predicted, truth) == pytest.approx([2.5])
    assert metrics.heatmap_positive_l1(predicted, truth) == pytest.approx([0.5])
    assert metrics.heatmap_mse(predicted, truth) == pytest.approx((0.25 + 4.0) / 32)
    assert metrics.peak_mse(predicted, truth) == 0.0  # the second map has no peak of 1, so it does not count


def test_alignment_undoes_a_similarity_but_no_reflection() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(5, 16, 3))
    moved = 1.7 * truth @ Rotation.random(random_state=1).as_matrix().T + [1.0, -2.0, 3.0]
    assert metrics.pa_mpjpe_mm(moved, truth).max() < 1e-6
    assert metrics.pa_mpjpe_mm(moved * [-1.0, 1.0, 1.0], truth).min() > 100.0


def test_groups_average_to_the_whole() -> None:
    rng = np.random.default_rng(0)
    predicted, truth = rng.normal(size=(2, 3, 16, 3))
    groups = metrics.group_errors_mm(predicted, truth)
    total = sum(len(GROUPS[name]) * error for name, error in groups.items()) / 16
    np.testing.assert_allclose(total, metrics.mpjpe_mm(predicted, truth))
    moved = truth.copy()
    moved[:, [6, 7], 0] += 0.1
    found = metrics.group_errors_mm(moved, truth)
    assert {name: round(float(error.mean()), 6) for name, error in found.items() if error.any()} == {"hands": 100.0}
