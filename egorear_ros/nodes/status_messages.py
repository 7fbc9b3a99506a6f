"""Status messages of the nodes to the core's dataclasses and back.

Fields are called the same in both, but for the unit at the end, which messages state in their comments.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from egorear_msgs import msg
from egorear_ros.bags import message_writing
from egorear_ros.bags.message_reading import stamp_to_ns
from egorear_ros.datatypes import CameraStatus, PoseStatus, SynchronizerStatus
from egorear_ros.nodes.ros_messages import make

UNITS = ("_s", "_hz")


def synchronizer_status_to_message(status: SynchronizerStatus) -> msg.SynchronizerStatus:
    """Write a SynchronizerStatus."""
    cameras = [_written(camera, msg.CameraStatus()) for camera in status.cameras]
    return _stamped(status, msg.SynchronizerStatus(cameras=cameras))


def synchronizer_status_from_message(message: msg.SynchronizerStatus) -> SynchronizerStatus:
    """Read a SynchronizerStatus."""
    cameras = tuple(CameraStatus(**_read(camera, CameraStatus)) for camera in message.cameras)
    fields = _read(message, SynchronizerStatus) | {"cameras": cameras}
    return SynchronizerStatus(stamp_ns=stamp_to_ns(message.header.stamp), **fields)


def pose_status_to_message(status: PoseStatus) -> msg.PoseStatus:
    """Write a PoseStatus."""
    return _stamped(status, msg.PoseStatus(cues=list(status.cues), stature=status.stature_m or 0.0))


def pose_status_from_message(message: msg.PoseStatus) -> PoseStatus:
    """Read a PoseStatus."""
    fields = _read(message, PoseStatus) | {"cues": tuple(message.cues), "stature_m": message.stature or None}
    return PoseStatus(stamp_ns=stamp_to_ns(message.header.stamp), **fields)


def _stamped(status: Any, message: Any) -> Any:
    message.header.stamp = message_writing.time(status.stamp_ns, make)
    return _written(status, message)


def _written(value: Any, message: Any) -> Any:
    """Copy the plain fields of a dataclass into a message; sequences are the caller's."""
    for name in _plain_fields(type(value)):
        setattr(message, _message_name(name), getattr(value, name))
    return message


def _read(message: Any, kind: type) -> dict[str, Any]:
    """The plain fields of a message, as arguments of a dataclass."""
    return {name: getattr(message, _message_name(name)) for name in _plain_fields(kind)}


def _plain_fields(kind: Any) -> list[str]:
    special = ("stamp_ns", "cameras", "cues", "stature_m")
    return [field.name for field in dataclasses.fields(kind) if field.name not in special]


def _message_name(field: str) -> str:
    unit = next((unit for unit in UNITS if field.endswith(unit)), "")
    return field.removesuffix(unit)
