"""What keeps pictures from becoming a rig."""

from __future__ import annotations

from egorear_ros.errors import EgorearError


class CalibrationError(EgorearError):
    """The pictures do not determine the rig; the message says which camera lacks what."""
