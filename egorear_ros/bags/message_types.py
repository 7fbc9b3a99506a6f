"""Types of the messages in our bags: those of ROS 2 Jazzy, and ours from the .msg files themselves."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from egorear_ros import resources

IMAGE: Final = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE: Final = "sensor_msgs/msg/CompressedImage"
CAMERA_INFO: Final = "sensor_msgs/msg/CameraInfo"
SKELETON: Final = "egorear_msgs/msg/Skeleton"
SKELETON_2D: Final = "egorear_msgs/msg/Skeleton2D"
STATUS: Final = "egorear_msgs/msg/PipelineStatus"
TF: Final = "tf2_msgs/msg/TFMessage"
JOINT_STATE: Final = "sensor_msgs/msg/JointState"
STRING: Final = "std_msgs/msg/String"
MARKERS: Final = "visualization_msgs/msg/MarkerArray"


@lru_cache(maxsize=1)
def typestore() -> Any:
    """The `rosbags` typestore with our messages; their type hashes equal those rosidl computes.

    Raises:
        EgorearError: our .msg files are not installed.
    """
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    types: dict[str, Any] = {}
    for path in sorted(resources.find("msg", resources.MESSAGES).glob("*.msg")):
        types.update(get_types_from_msg(path.read_text(encoding="utf-8"), f"{resources.MESSAGES}/msg/{path.stem}"))
    store.register(types)
    return store
