"""Types of the messages in our bags: those of ROS 2 Jazzy, and ours from the .msg files themselves."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from egorear_ros import resources

IMAGE: Final = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE: Final = "sensor_msgs/msg/CompressedImage"
CAMERA_INFO: Final = "sensor_msgs/msg/CameraInfo"
SKELETON: Final = "egorear_msgs/msg/Skeleton"
SKELETON_2D: Final = "egorear_msgs/msg/Skeleton2D"
SYNCHRONIZER_STATUS: Final = "egorear_msgs/msg/SynchronizerStatus"
POSE_STATUS: Final = "egorear_msgs/msg/PoseStatus"
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


def typestore_of(definitions: Mapping[str, str]) -> Any:
    """The typestore for a file that another version of egorear may have written: with the definitions in the file.

    Args:
        definitions: type -> its definition with those it needs, as MCAP files hold them; those not ours are ignored,
            and so are all if one is damaged.
    """
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    ours = {name: text for name, text in definitions.items() if name.startswith(resources.MESSAGES) and text}
    if not ours:
        return typestore()
    store = get_typestore(Stores.ROS2_JAZZY)
    types: dict[str, Any] = {}
    for name, text in ours.items():
        try:
            types.update(get_types_from_msg(text, name))
        except Exception:  # whatever the parser of rosbags stumbles over
            return typestore()
    store.register({name: kind for name, kind in types.items() if name.startswith(resources.MESSAGES)})
    return store
