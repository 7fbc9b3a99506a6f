from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from egorear_ros.data.frame_sets import FrameSets

FRAME_SETS = Path(__file__).parents[1] / "data" / "frame_sets_64.npz"
"""Eight frame sets: `egorear render-shards --split test --seed 20252`, every 32nd, 2 x 2 pixels averaged."""


@pytest.fixture(scope="session")
def eight() -> FrameSets:
    with np.load(FRAME_SETS) as content:
        return FrameSets(**{name: content[name] for name in content.files})


@pytest.fixture(autouse=True)
def two_threads() -> None:
    torch.set_num_threads(min(torch.get_num_threads(), 2))
