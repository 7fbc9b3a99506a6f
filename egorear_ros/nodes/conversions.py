"""Messages of `egorear_msgs` to the core's dataclasses and back: the one place that knows both.

Raw images are not copied on the way in: the dataclass shares the message's memory.
"""

from __future__ import annotations

import array
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Pose, Quaternion, Transform, TransformStamped, Vector3
from sensor_msgs.msg import CameraInfo

from egorear_msgs import msg
from egorear_ros.bags.message_reading import NANOSECONDS, MessageError, check_joints, skeleton_from_message, stamp_to_ns
from egorear_ros.bags.message_types import JPEG_FORMAT
from egorear_ros.datatypes import CameraFrame, CameraStatus, FrameSet, PipelineStatus, Skeleton, Skeleton2D
from egorear_ros.nodes.images import fill_message, rgb_from_message
from egorear_ros.rig.camera_info import CameraInfoFields
from egorear_ros.rig.rig import StaticTransform
from egorear_ros.rig.rigid import quaternion_xyzw
from egorear_ros.skeleton import HEATMAP_JOINTS, JOINTS

__all__ = [
    "MessageError",
    "camera_info_from_message",
    "camera_info_to_message",
    "frame_set_from_message",
    "frame_set_to_message",
    "point_to_message",
    "pose_to_message",
    "skeleton_2d_from_message",
    "skeleton_2d_to_message",
    "skeleton_from_message",
    "skeleton_to_message",
    "stamp_from_ns",
    "stamp_to_ns",
    "status_from_message",
    "status_to_message",
    "transforms_to_messages",
]


def stamp_from_ns(stamp_ns: int) -> Time:
    """Integer nanoseconds to ROS time."""
    return Time(sec=stamp_ns // NANOSECONDS, nanosec=stamp_ns % NANOSECONDS)


def frame_set_from_message(message: msg.FrameSet) -> FrameSet:
    """Read a FrameSet.

    Raises:
        MessageError: the view mask contradicts the frames.
        ImageError: an image contradicts its size.
    """
    frames = tuple(_camera_frame_from_message(frame) for frame in message.frames)
    frame_set = FrameSet(stamp_to_ns(message.header.stamp), frames, message.spread, message.header.frame_id)
    if frame_set.view_mask != tuple(message.view_mask):
        raise MessageError(
            f"frame set has view_mask {list(message.view_mask)}, but images of {list(frame_set.view_mask)} are in it"
        )
    return frame_set


def frame_set_to_message(frame_set: FrameSet) -> msg.FrameSet:
    """Write a FrameSet."""
    message = msg.FrameSet()
    message.header.stamp, message.header.frame_id = stamp_from_ns(frame_set.stamp_ns), frame_set.frame_id
    message.frames = [_camera_frame_to_message(frame) for frame in frame_set.frames]
    message.view_mask = list(frame_set.view_mask)
    message.spread = frame_set.spread_s
    return message


def skeleton_to_message(skeleton: Skeleton) -> msg.Skeleton:
    """Write a Skeleton."""
    message = msg.Skeleton()
    message.header.stamp, message.header.frame_id = stamp_from_ns(skeleton.stamp_ns), skeleton.frame_id
    message.skeleton_id = skeleton.skeleton_id
    message.joint_names = list(JOINTS)
    message.positions = [point_to_message(position) for position in skeleton.positions_m]
    message.confidence = np.asarray(skeleton.confidence, np.float32)
    message.covariance = np.asarray(skeleton.covariance_m2, np.float32).reshape(-1)
    message.valid = skeleton.valid.tolist()
    message.views = list(skeleton.views)
    message.stage_names = list(skeleton.stage_seconds)
    message.stage_seconds = array.array("f", skeleton.stage_seconds.values())
    return message


def skeleton_2d_from_message(message: msg.Skeleton2D) -> Skeleton2D:
    """Read a Skeleton2D.

    Raises:
        MessageError: its joints are not ours in our order.
    """
    check_joints("2D skeleton", message.joint_names, HEATMAP_JOINTS)
    return Skeleton2D(
        stamp_ns=stamp_to_ns(message.header.stamp),
        view=message.view,
        pixels=np.array(message.pixels, np.float32).reshape(-1, 2),
        score=np.array(message.score, np.float32),
        image_size=(message.image_width, message.image_height),
        frame_id=message.header.frame_id,
    )


def skeleton_2d_to_message(skeleton: Skeleton2D) -> msg.Skeleton2D:
    """Write a Skeleton2D."""
    message = msg.Skeleton2D()
    message.header.stamp, message.header.frame_id = stamp_from_ns(skeleton.stamp_ns), skeleton.frame_id
    message.view = skeleton.view
    message.joint_names = list(HEATMAP_JOINTS)
    message.pixels = np.asarray(skeleton.pixels, np.float32).reshape(-1)
    message.score = np.asarray(skeleton.score, np.float32)
    message.image_width, message.image_height = skeleton.image_size
    return message


def status_from_message(message: msg.PipelineStatus) -> PipelineStatus:
    """Read a PipelineStatus."""
    cameras = tuple(
        CameraStatus(**{field: getattr(camera, name) for field, name in CAMERA_STATUS_FIELDS.items()})
        for camera in message.cameras
    )
    values = {field: getattr(message, name) for field, name in STATUS_FIELDS.items()}
    return PipelineStatus(stamp_ns=stamp_to_ns(message.header.stamp), cameras=cameras, **values)


def status_to_message(status: PipelineStatus) -> msg.PipelineStatus:
    """Write a PipelineStatus."""
    message = msg.PipelineStatus(**{name: getattr(status, field) for field, name in STATUS_FIELDS.items()})
    message.header.stamp = stamp_from_ns(status.stamp_ns)
    message.cameras = [
        msg.CameraStatus(**{name: getattr(camera, field) for field, name in CAMERA_STATUS_FIELDS.items()})
        for camera in status.cameras
    ]
    return message


def _message_names(*fields: str) -> dict[str, str]:
    """Dataclass field -> message field: the same but for the unit, which messages state in their comments."""
    return {field: field.removesuffix("_s").removesuffix("_hz") for field in fields}


CAMERA_STATUS_FIELDS = _message_names(*CameraStatus.__dataclass_fields__)
STATUS_FIELDS = _message_names(*(set(PipelineStatus.__dataclass_fields__) - {"stamp_ns", "cameras"}))


def camera_info_to_message(fields: CameraInfoFields, frame_id: str, stamp_ns: int) -> CameraInfo:
    """Write a CameraInfo with the stamp and frame of its image."""
    message = CameraInfo(
        width=fields.width,
        height=fields.height,
        distortion_model=fields.distortion_model,
        d=list(fields.d),
        k=np.array(fields.k),
        r=np.array(fields.r),
        p=np.array(fields.p),
    )
    message.header.stamp, message.header.frame_id = stamp_from_ns(stamp_ns), frame_id
    return message


def camera_info_from_message(message: CameraInfo) -> CameraInfoFields:
    """Read a CameraInfo."""
    k, r, p = (tuple(float(value) for value in matrix) for matrix in (message.k, message.r, message.p))
    return CameraInfoFields(message.width, message.height, tuple(message.d), k, r, p, message.distortion_model)


def transforms_to_messages(transforms: Iterable[StaticTransform], stamp_ns: int) -> list[TransformStamped]:
    """Write the edges of a TF tree, stamped."""
    return [_transform_to_message(transform, stamp_ns) for transform in transforms]


def pose_to_message(parent_from_child: npt.NDArray[np.float64]) -> Pose:
    """Write a (4, 4) pose in metres."""
    return Pose(position=point_to_message(parent_from_child[:3, 3]), orientation=_orientation(parent_from_child))


def point_to_message(position_m: npt.NDArray[np.floating]) -> Point:
    """Write a (3,) position in metres."""
    x, y, z = position_m.tolist()
    return Point(x=x, y=y, z=z)


def _orientation(parent_from_child: npt.NDArray[np.float64]) -> Quaternion:
    x, y, z, w = quaternion_xyzw(parent_from_child)
    return Quaternion(x=x, y=y, z=z, w=w)


def _transform_to_message(transform: StaticTransform, stamp_ns: int) -> TransformStamped:
    x, y, z = transform.parent_from_child[:3, 3].tolist()
    motion = Transform(translation=Vector3(x=x, y=y, z=z), rotation=_orientation(transform.parent_from_child))
    message = TransformStamped(child_frame_id=transform.child, transform=motion)
    message.header.stamp, message.header.frame_id = stamp_from_ns(stamp_ns), transform.parent
    return message


def _camera_frame_from_message(message: msg.CameraFrame) -> CameraFrame:
    raw = message.image.width > 0
    image: npt.NDArray[np.uint8] | None = rgb_from_message(message.image) if raw else None
    jpeg = b"" if raw else bytes(message.compressed.data)
    return CameraFrame(message.view, stamp_to_ns(message.stamp), image, jpeg, message.skew)


def _camera_frame_to_message(frame: CameraFrame) -> msg.CameraFrame:
    message = msg.CameraFrame(view=frame.view, stamp=stamp_from_ns(frame.stamp_ns), skew=frame.skew_s)
    target: Any = None
    if frame.image is not None:
        target = message.image
        fill_message(target, frame.image)
    elif frame.jpeg:
        target = message.compressed
        target.format, target.data = JPEG_FORMAT, array.array("B", frame.jpeg)
    if target is not None:
        target.header.stamp, target.header.frame_id = message.stamp, f"{frame.view}_optical_frame"
    return message
