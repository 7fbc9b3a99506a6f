"""The bundled clip's true skeletons, with covariances and missing views, as something to write."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from egorear_ros import resources
from egorear_ros.body import SkeletonSequence, fit_body
from egorear_ros.data.rig_clip import RigClip, truth_skeleton
from egorear_ros.estimation import Named, open_recording
from egorear_ros.export import Export
from egorear_ros.rig import VIEWS
from egorear_ros.sync import SyncConfig

FRAMES = 24
FIRST = 70
"""The frames with the most motion of the clip."""


@pytest.fixture(scope="session")
def export() -> Export:
    clip = RigClip(resources.find("assets/demo_clip"))
    rng = np.random.default_rng(0)
    skeletons = []
    for index in range(FIRST, FIRST + FRAMES):
        skeleton = truth_skeleton(clip.ground_truth["joints_device_m"][index], int(clip.stamps_ns[index].min()))
        covariance = np.tile(np.diag([0.01, 0.02, 0.03]) ** 2, (16, 1, 1)).astype(np.float32)
        if index == FIRST + 3:
            covariance[:] = np.nan
        views = VIEWS if index != FIRST + 5 else VIEWS[:2]
        confidence = rng.uniform(0.1, 1, 16).astype(np.float32)
        skeletons.append(replace(skeleton, covariance_m2=covariance, views=views, confidence=confidence))
    body = fit_body(SkeletonSequence.from_skeletons(skeletons, VIEWS))
    recording = open_recording(Named(clip.path), VIEWS)
    times_ns = [skeleton.stamp_ns for skeleton in skeletons]
    return Export(recording, SyncConfig(VIEWS), clip.rig, skeletons, times_ns, body, "truth")
