"""The core's data as ROS messages: the one place that says which field gets what.

Every function takes `make`, which makes a message of a type from all its fields. The default makes those of
`message_types.typestore()`, for bags; `nodes.ros_messages.make` makes those of rclpy, for topics.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from egorear_ros.bags.message_reading import NANOSECONDS, nanoseconds
from egorear_ros.bags.message_types import (
    CAMERA_INFO,
    COMPRESSED_IMAGE,
    IMAGE,
    SKELETON,
    SKELETON_2D,
    TF,
    typestore,
)
from egorear_ros.data.jpeg import RgbImage, encode_jpeg
from egorear_ros.datatypes import JPEG_FORMAT, Skeleton, Skeleton2D
from egorear_ros.rig import CameraInfoFields, StaticTransform
from egorear_ros.rig.rigid import quaternion_xyzw
from egorear_ros.skeleton import HEATMAP_JOINTS, JOINTS


class Make(Protocol):
    """Makes a message of a type such as "std_msgs/msg/Header" from all its fields; arrays are numpy's."""

    def __call__(self, type_name: str, /, **fields: Any) -> Any:
        """Return the message."""


def make_for_bag(type_name: str, /, **fields: Any) -> Any:
    """Make a message of `typestore()`; all fields must be given."""
    return typestore().types[type_name](**fields)


def header(stamp_ns: int, frame_id: str, make: Make = make_for_bag) -> Any:
    """std_msgs/Header."""
    return make("std_msgs/msg/Header", stamp=time(stamp_ns, make), frame_id=frame_id)


def time(stamp_ns: int, make: Make = make_for_bag) -> Any:
    """builtin_interfaces/Time."""
    return make("builtin_interfaces/msg/Time", sec=stamp_ns // NANOSECONDS, nanosec=stamp_ns % NANOSECONDS)


def duration(duration_ns: int, make: Make = make_for_bag) -> Any:
    """builtin_interfaces/Duration; the nanoseconds are never negative, as in ROS."""
    return make("builtin_interfaces/msg/Duration", sec=duration_ns // NANOSECONDS, nanosec=duration_ns % NANOSECONDS)


def vector(value: NDArray[np.floating], make: Make = make_for_bag) -> Any:
    """geometry_msgs/Vector3 of a (3,) vector."""
    x, y, z = value.tolist()
    return make("geometry_msgs/msg/Vector3", x=x, y=y, z=z)


def image(rgb: RgbImage, stamp_ns: int, frame_id: str) -> Any:
    """sensor_msgs/Image of (H, W, 3) uint8 RGB, for bags."""
    height, width = rgb.shape[:2]
    return make_for_bag(
        IMAGE,
        header=header(stamp_ns, frame_id),
        height=height,
        width=width,
        encoding="rgb8",
        is_bigendian=0,
        step=3 * width,
        data=np.ascontiguousarray(rgb).reshape(-1),
    )


def compressed_image(rgb: RgbImage, stamp_ns: int, frame_id: str, quality: int) -> Any:
    """sensor_msgs/CompressedImage (JPEG) of (H, W, 3) uint8 RGB, for bags; quality 1..100."""
    data = np.frombuffer(encode_jpeg(rgb, quality), np.uint8)
    return make_for_bag(COMPRESSED_IMAGE, header=header(stamp_ns, frame_id), format=JPEG_FORMAT, data=data)


def camera_info(fields: CameraInfoFields, stamp_ns: int, frame_id: str, make: Make = make_for_bag) -> Any:
    """sensor_msgs/CameraInfo."""
    region = make(
        "sensor_msgs/msg/RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
    )  # all zero: the whole image
    return make(
        CAMERA_INFO,
        header=header(stamp_ns, frame_id, make),
        height=fields.height,
        width=fields.width,
        distortion_model=fields.distortion_model,
        d=np.array(fields.d),
        k=np.array(fields.k),
        r=np.array(fields.r),
        p=np.array(fields.p),
        binning_x=0,
        binning_y=0,
        roi=region,
    )


def skeleton(value: Skeleton, make: Make = make_for_bag) -> Any:
    """egorear_msgs/Skeleton."""
    return make(
        SKELETON,
        header=header(value.stamp_ns, value.frame_id, make),
        skeleton_id=value.skeleton_id,
        joint_names=list(JOINTS),
        positions=[point(position, make) for position in value.positions_m],
        confidence=np.asarray(value.confidence, np.float32),
        covariance=np.asarray(value.covariance_m2, np.float32).reshape(-1),
        valid=np.asarray(value.valid, np.bool_),
        velocities=[] if value.velocities_m_s is None else [vector(row, make) for row in value.velocities_m_s],
        velocity_covariance=_numbers(value.velocity_covariance_m2_s2),
        contact=_numbers(value.contact),
        prediction=duration(value.prediction_ns, make),
        gravity=vector(np.zeros(3) if value.gravity is None else value.gravity, make),
        gravity_deviation=float(value.gravity_deviation_rad),
        stature=value.stature_m or 0.0,
        views=list(value.views),
        cues=list(value.cues),
        stage_names=list(value.stage_seconds),
        stage_durations=[duration(nanoseconds(seconds), make) for seconds in value.stage_seconds.values()],
    )


def _numbers(array: NDArray[np.float32] | None) -> NDArray[np.float32]:
    return np.zeros(0, np.float32) if array is None else np.asarray(array, np.float32).reshape(-1)


def skeleton_2d(value: Skeleton2D, make: Make = make_for_bag) -> Any:
    """egorear_msgs/Skeleton2D."""
    width, height = value.image_size
    return make(
        SKELETON_2D,
        header=header(value.stamp_ns, value.frame_id, make),
        frame_set_stamp=time(value.frame_set_stamp_ns, make),
        view=value.view,
        image_width=width,
        image_height=height,
        joint_names=list(HEATMAP_JOINTS),
        pixels=np.asarray(value.pixels, np.float32).reshape(-1),
        score=np.asarray(value.score, np.float32),
    )


def transforms(edges: Iterable[StaticTransform], stamp_ns: int, make: Make = make_for_bag) -> Any:
    """tf2_msgs/TFMessage."""
    return make(TF, transforms=[transform(edge, stamp_ns, make) for edge in edges])


def transform(edge: StaticTransform, stamp_ns: int, make: Make = make_for_bag) -> Any:
    """geometry_msgs/TransformStamped of an edge of a TF tree."""
    motion = make(
        "geometry_msgs/msg/Transform",
        translation=vector(edge.parent_from_child[:3, 3], make),
        rotation=quaternion(edge.parent_from_child, make),
    )
    return make(
        "geometry_msgs/msg/TransformStamped",
        header=header(stamp_ns, edge.parent, make),
        child_frame_id=edge.child,
        transform=motion,
    )


def point(position_m: NDArray[np.floating], make: Make = make_for_bag) -> Any:
    """geometry_msgs/Point of a (3,) position in metres."""
    x, y, z = position_m.tolist()
    return make("geometry_msgs/msg/Point", x=x, y=y, z=z)


def quaternion(parent_from_child: NDArray[np.float64], make: Make = make_for_bag) -> Any:
    """geometry_msgs/Quaternion of the rotation of a (4, 4) transform."""
    x, y, z, w = (float(value) for value in quaternion_xyzw(parent_from_child))
    return make("geometry_msgs/msg/Quaternion", x=x, y=y, z=z, w=w)
