from __future__ import annotations

import pytest

from egorear_ros.simulator.sampler import Simulator
from egorear_ros.simulator.settings import SimulatorSettings


@pytest.fixture(scope="session")
def simulator() -> Simulator:
    """Small and fast: 128 px, no motion blur."""
    return Simulator(SimulatorSettings(size_px=128, seed=3, motion_blur=False))
