"""The Fast DDS profile with enough shared memory for images, and the variables that select it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from egorear_ros.resources import find

PROFILE: Final = "config/fastdds_shared_memory.xml"
PROFILE_VARIABLES: Final = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
"""Fast DDS 3 (Kilted) reads the first name, Fast DDS 2 (Jazzy) the second."""


def chosen_profile(environment: Mapping[str, str]) -> str:
    """The profile that the user has chosen under either name; empty where there is none."""
    return next((value for name in PROFILE_VARIABLES if (value := environment.get(name))), "")


def profile_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """What to set: the user's choice under both names, else ours."""
    return dict.fromkeys(PROFILE_VARIABLES, chosen_profile(environment) or str(find(PROFILE)))
