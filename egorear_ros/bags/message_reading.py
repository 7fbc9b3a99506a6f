"""What ROS messages say, read without ROS.

Any object with the fields of the message will do: those of rclpy, and those a bag is read into. The live graph and the
evaluation of bags read images and skeletons here, so that both see the same pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.data.encodings import rgb_from_message
from egorear_ros.datatypes import CameraFrame, Skeleton, Skeleton2D
from egorear_ros.errors import EgorearError
from egorear_ros.skeleton import HEATMAP_JOINTS, JOINTS

NANOSECONDS: Final = 1_000_000_000


class MessageError(EgorearError):
    """A message that does not say what its type promises."""


def stamp_to_ns(stamp: Any) -> int:
    """ROS time or duration to integer nanoseconds."""
    return int(stamp.sec) * NANOSECONDS + int(stamp.nanosec)


def nanoseconds(seconds: float) -> int:
    """Seconds to the nearest integer of nanoseconds."""
    return round(seconds * NANOSECONDS)


def camera_frame_from_message(view: str, message: Any) -> CameraFrame:
    """Read a sensor_msgs/Image or, undecoded, a sensor_msgs/CompressedImage.

    Args:
        view: which camera's image it is.
        message: the message.

    Raises:
        ImageError: the message names no size its data has, or an unknown encoding.
    """
    stamp_ns = stamp_to_ns(message.header.stamp)
    if hasattr(message, "encoding"):
        return CameraFrame(view, stamp_ns, rgb_from_message(message))
    return CameraFrame(view, stamp_ns, jpeg=bytes(message.data), jpeg_format=message.format)


def skeleton_from_message(message: Any) -> Skeleton:
    """Read an egorear_msgs/Skeleton, of this version or, from a bag, of version 0.1.

    Raises:
        MessageError: its joints are not ours in our order, or a field has not one entry per joint.
    """
    check_joints("skeleton", message.joint_names, JOINTS)
    shared = _skeleton_0_1(message)
    if hasattr(message, "stage_seconds"):  # only version 0.1 had it
        return Skeleton(**shared, stage_seconds=_stages(message.stage_names, list(message.stage_seconds)))
    stages_s = [stamp_to_ns(duration) / NANOSECONDS for duration in message.stage_durations]
    gravity = np.array(_vector(message.gravity))
    return Skeleton(
        **shared,
        stage_seconds=_stages(message.stage_names, stages_s),
        velocities_m_s=_vectors("velocities", message.velocities) if len(message.velocities) else None,
        velocity_covariance_m2_s2=_numbers(message.velocity_covariance, (len(JOINTS), 3, 3)),
        contact=_numbers(message.contact, (len(JOINTS),)),
        prediction_ns=stamp_to_ns(message.prediction),
        gravity=gravity if gravity.any() else None,
        gravity_deviation_rad=float(message.gravity_deviation),
        stature_m=float(message.stature) or None,
        cues=tuple(message.cues),
    )


def _skeleton_0_1(message: Any) -> dict[str, Any]:
    """The fields that a Skeleton has had since version 0.1 of the messages."""
    joints = len(JOINTS)
    return {
        "stamp_ns": stamp_to_ns(message.header.stamp),
        "positions_m": _vectors("positions", message.positions),
        "confidence": _shaped("skeleton", "confidence", np.array(message.confidence, np.float32), (joints,)),
        "covariance_m2": _shaped("skeleton", "covariance", np.array(message.covariance, np.float32), (joints, 3, 3)),
        "valid": _shaped("skeleton", "valid", np.array(message.valid, np.bool_), (joints,)),
        "views": tuple(message.views),
        "frame_id": message.header.frame_id,
        "skeleton_id": message.skeleton_id,
    }


def _numbers(values: Any, shape: tuple[int, ...]) -> NDArray[np.float32] | None:
    """The numbers in this shape, or None for an empty field.

    Raises:
        MessageError: there are fewer or more.
    """
    array = np.array(values, np.float32)
    if array.size not in (0, math.prod(shape)):
        raise MessageError(f"skeleton message has a field of {array.size} numbers; expected {math.prod(shape)} or none")
    return array.reshape(shape) if array.size else None


def _vector(value: Any) -> list[float]:
    return [value.x, value.y, value.z]


def _vectors(field: str, values: Any) -> NDArray[np.float64]:
    """(16, 3) numbers of a skeleton's field, or MessageError."""
    return np.asarray(_shaped("skeleton", field, np.array([_vector(value) for value in values]), (len(JOINTS), 3)))


def _stages(names: Sequence[str], seconds: Sequence[float]) -> dict[str, float]:
    if len(names) != len(seconds):
        raise MessageError(f"skeleton message has {len(names)} names of stages and {len(seconds)} durations")
    return dict(zip(names, seconds, strict=True))


def _shaped(what: str, field: str, values: Any, shape: tuple[int, ...]) -> Any:
    """The values of a field in their shape, or MessageError."""
    if values.size != math.prod(shape):
        raise MessageError(f"{what} message has {values.size} numbers in '{field}'; expected {math.prod(shape)}")
    return values.reshape(shape)


def skeleton_2d_from_message(message: Any) -> Skeleton2D:
    """Read an egorear_msgs/Skeleton2D.

    Raises:
        MessageError: its joints are not ours in our order.
    """
    check_joints("2D skeleton", message.joint_names, HEATMAP_JOINTS)
    return Skeleton2D(
        stamp_ns=stamp_to_ns(message.header.stamp),
        view=message.view,
        pixels=_shaped("2D skeleton", "pixels", np.array(message.pixels, np.float32), (len(HEATMAP_JOINTS), 2)),
        score=_shaped("2D skeleton", "score", np.array(message.score, np.float32), (len(HEATMAP_JOINTS),)),
        image_size=(message.image_width, message.image_height),
        frame_id=message.header.frame_id,
        frame_set_stamp_ns=stamp_to_ns(getattr(message, "frame_set_stamp", message.header.stamp)),  # 0.1 had only one
    )


def check_joints(what: str, names: Iterable[str], expected: tuple[str, ...]) -> None:
    """Raise MessageError unless the names are the expected ones in their order."""
    if tuple(names) != expected:
        raise MessageError(f"{what} message has joints {', '.join(names)}; expected {', '.join(expected)}")
