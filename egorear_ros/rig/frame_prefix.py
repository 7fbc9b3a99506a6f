"""Prefixes of TF frames: several helmets in one TF tree, each with its own names, such as `left/helmet_link`."""

from __future__ import annotations

import re

from egorear_ros.rig.rig import DEVICE_FRAME, RigError

_PREFIX = re.compile(r"([A-Za-z_]\w*/)*([A-Za-z_]\w*_)?", re.ASCII)


def check_frame_prefix(prefix: str) -> str:
    """Return the prefix, or raise RigError where TF takes no such frame names."""
    if not _PREFIX.fullmatch(prefix):
        raise RigError(
            f"frame prefix '{prefix}' does not begin the name of a TF frame: letters, digits and underscores, with a "
            "slash or an underscore at its end, none at its beginning, for example left/"
        )
    return prefix


def frame_prefix_of(device_frame: str) -> str:
    """What stands before the usual name of the device frame; empty where the frame is another one."""
    return device_frame.removesuffix(DEVICE_FRAME) if device_frame.endswith(DEVICE_FRAME) else ""


def without_prefix(frame: str) -> str:
    """The usual name of a device frame with any prefix; other frames as they are."""
    return frame.removeprefix(frame_prefix_of(frame))
