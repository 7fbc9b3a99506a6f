"""Official EgoRear and UnrealEgo lens JSON; the poses come from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from egorear_ros.rig.importing.found import FoundCamera
from egorear_ros.rig.loading import OFFICIAL_NAMES, official_lens


def is_official(content: Any) -> bool:
    """Whether a JSON content is an official calibration."""
    return isinstance(content, Mapping) and "polynomialW2C" in content


def read_official(content: Any) -> list[FoundCamera]:
    """Return the file's camera, without its affine part (below 0.1 px), as the official code and labels use it.

    Raises:
        ValueError: a mistake, named.
    """
    if not isinstance(content, Mapping):
        raise ValueError("an official calibration is a JSON object with polynomialC2W and polynomialW2C")
    lens = official_lens(content)
    stated = str(content.get("name", ""))
    name = next((view for view, official in OFFICIAL_NAMES.items() if official in stated), "")
    return [FoundCamera(stated or "the camera", name, lens, has_range=True)]
