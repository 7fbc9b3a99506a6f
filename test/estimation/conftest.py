"""A tiny clip with a tiny network, and the same frames as a bag, videos and images."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from egorear_ros.data.rig_clip import RigClip
from egorear_ros.inference import PoseEstimator

from ..recording import Recording, bag_path, recorded

__all__ = ["bag_path", "estimator", "images", "recorded"]


@pytest.fixture(scope="session")
def images(recorded: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder of lossless images per view."""
    folder = tmp_path_factory.mktemp("images") / "walk"
    clip = RigClip(recorded.clip)
    for view in clip.info.views:
        (folder / view).mkdir(parents=True)
        for index in range(len(clip)):
            image = cv2.cvtColor(clip.view(view, index), cv2.COLOR_RGB2BGR)
            cv2.imwrite(str(folder / view / f"{view}_{index}.png"), image)
    return folder


@pytest.fixture(scope="session")
def estimator(recorded: Recording) -> PoseEstimator:
    return PoseEstimator.from_pretrained(recorded.model, "cpu", "reference")
