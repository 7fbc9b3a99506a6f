"""The core's data as messages of `message_types.typestore()`, to be written into a bag without ROS."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from egorear_ros.bags.message_reading import NANOSECONDS
from egorear_ros.bags.message_types import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE, JPEG_FORMAT, SKELETON, TF, typestore
from egorear_ros.data.jpeg import RgbImage, encode_jpeg
from egorear_ros.datatypes import Skeleton
from egorear_ros.rig import CameraInfoFields, StaticTransform
from egorear_ros.rig.rigid import quaternion_xyzw
from egorear_ros.skeleton import JOINTS


def make(type_name: str, **fields: Any) -> Any:
    """Make a message; all fields must be given."""
    return typestore().types[type_name](**fields)


def header(stamp_ns: int, frame_id: str) -> Any:
    """std_msgs/Header."""
    stamp = make("builtin_interfaces/msg/Time", sec=stamp_ns // NANOSECONDS, nanosec=stamp_ns % NANOSECONDS)
    return make("std_msgs/msg/Header", stamp=stamp, frame_id=frame_id)


def image(rgb: RgbImage, stamp_ns: int, frame_id: str) -> Any:
    """sensor_msgs/Image of (H, W, 3) uint8 RGB."""
    height, width = rgb.shape[:2]
    return make(
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
    """sensor_msgs/CompressedImage (JPEG) of (H, W, 3) uint8 RGB; quality 1..100."""
    data = np.frombuffer(encode_jpeg(rgb, quality), np.uint8)
    return make(COMPRESSED_IMAGE, header=header(stamp_ns, frame_id), format=JPEG_FORMAT, data=data)


def camera_info(fields: CameraInfoFields, stamp_ns: int, frame_id: str) -> Any:
    """sensor_msgs/CameraInfo."""
    region = make(
        "sensor_msgs/msg/RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
    )  # all zero: the whole image
    return make(
        CAMERA_INFO,
        header=header(stamp_ns, frame_id),
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


def skeleton(value: Skeleton) -> Any:
    """egorear_msgs/Skeleton."""
    return make(
        SKELETON,
        header=header(value.stamp_ns, value.frame_id),
        skeleton_id=value.skeleton_id,
        joint_names=list(JOINTS),
        positions=[make("geometry_msgs/msg/Point", x=x, y=y, z=z) for x, y, z in value.positions_m.tolist()],
        confidence=np.asarray(value.confidence, np.float32),
        covariance=np.asarray(value.covariance_m2, np.float32).reshape(-1),
        valid=np.asarray(value.valid, np.bool_),
        views=list(value.views),
        stage_names=list(value.stage_seconds),
        stage_seconds=np.array(list(value.stage_seconds.values()), np.float32),
    )


def transforms(edges: Iterable[StaticTransform], stamp_ns: int) -> Any:
    """tf2_msgs/TFMessage."""
    return make(TF, transforms=[_transform(edge, stamp_ns) for edge in edges])


def _transform(edge: StaticTransform, stamp_ns: int) -> Any:
    x, y, z = edge.parent_from_child[:3, 3].tolist()
    qx, qy, qz, qw = (float(value) for value in quaternion_xyzw(edge.parent_from_child))
    motion = make(
        "geometry_msgs/msg/Transform",
        translation=make("geometry_msgs/msg/Vector3", x=x, y=y, z=z),
        rotation=make("geometry_msgs/msg/Quaternion", x=qx, y=qy, z=qz, w=qw),
    )
    return make(
        "geometry_msgs/msg/TransformStamped",
        header=header(stamp_ns, edge.parent),
        child_frame_id=edge.child,
        transform=motion,
    )
