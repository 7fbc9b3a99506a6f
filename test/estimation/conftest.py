"""A tiny clip with a tiny network, and the same frames as a bag, videos and images."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from egorear_ros.bags.clip_to_bag import clip_to_bag
from egorear_ros.data.rig_clip import RigClip
from egorear_ros.inference import PoseEstimator

from .. import recording


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> recording.Recording:
    return recording.make(tmp_path_factory.mktemp("recording"))


@pytest.fixture(scope="session")
def bag_path(recorded: recording.Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bag") / "walk"
    clip_to_bag(str(recorded.clip), path, "egorear")
    return path


@pytest.fixture(scope="session")
def images(recorded: recording.Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
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
def estimator(recorded: recording.Recording) -> PoseEstimator:
    return PoseEstimator.from_pretrained(recorded.model, "cpu", "reference")
