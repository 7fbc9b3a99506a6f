"""egorear: a live 3D skeleton from the fisheye cameras of a helmet.

    >>> import egorear_ros
    >>> estimator = egorear_ros.PoseEstimator.from_pretrained("egorear-s")

Everything here except `nodes/` (and the ROS half of replay) runs without ROS. Which folder may import which is written
in each folder's docstring and enforced by `test/test_import_direction.py`; frames, units and orders are in
`docs/conventions.md`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from egorear_ros.errors import EgorearError
    from egorear_ros.inference import PoseEstimate, PoseEstimator
    from egorear_ros.rig import Rig, load_rig
    from egorear_ros.tracking import PoseTracker

__version__ = "0.2.0"
"""The one source of the version: pyproject.toml reads it; a test compares package.xml and CITATION.cff with it."""

__all__ = ["EgorearError", "PoseEstimate", "PoseEstimator", "PoseTracker", "Rig", "__version__", "load_rig"]

_MODULES = {
    "EgorearError": "egorear_ros.errors",
    "PoseEstimate": "egorear_ros.inference",
    "PoseEstimator": "egorear_ros.inference",
    "PoseTracker": "egorear_ros.tracking",
    "Rig": "egorear_ros.rig",
    "load_rig": "egorear_ros.rig",
}
"""Where the names of the library's front page come from. They are imported when first used, because torch is slow."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
