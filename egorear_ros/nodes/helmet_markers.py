"""The helmet as markers: a dome for the wearer's head and every camera where the rig has it, with its optical axis."""

from __future__ import annotations

from geometry_msgs.msg import Vector3
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker

from egorear_ros.nodes.conversions import point_to_message, pose_to_message
from egorear_ros.rig import DEVICE_FRAME, HELMET_FRAME, Rig

DOME_SIZE_M = (0.30, 0.24, 0.22)
CAMERA_SIZE_M = 0.03
AXIS_LENGTH_M = 0.12
DOME_COLOR = ColorRGBA(r=0.55, g=0.58, b=0.62, a=0.35)
CAMERA_COLOR = ColorRGBA(r=0.1, g=0.1, b=0.12, a=1.0)
AXIS_COLOR = ColorRGBA(r=0.2, g=0.5, b=1.0, a=0.8)


def helmet_markers(rig: Rig, prefix: str = "") -> list[Marker]:
    """Markers of a rig in its device frame (cameras) and in the helmet's (dome).

    Args:
        rig: the rig.
        prefix: of the names of TF frames.
    """
    dome = _marker(prefix + HELMET_FRAME, 0, Marker.SPHERE, DOME_SIZE_M, DOME_COLOR)
    markers = [dome]
    for index, camera in enumerate(rig.cameras):
        pose = camera.device_from_camera
        body = _marker(prefix + DEVICE_FRAME, 2 * index + 1, Marker.CUBE, (CAMERA_SIZE_M,) * 3, CAMERA_COLOR)
        body.pose = pose_to_message(pose)
        axis = _marker(prefix + DEVICE_FRAME, 2 * index + 2, Marker.ARROW, (0.006, 0.014, 0.02), AXIS_COLOR)
        axis.points = [point_to_message(pose[:3, 3]), point_to_message(pose[:3, 3] + AXIS_LENGTH_M * pose[:3, 2])]
        markers += [body, axis]
    return markers


def _marker(frame: str, index: int, shape: int, size_m: tuple[float, ...], color: ColorRGBA) -> Marker:
    # Sent once and latched: without `frame_locked` RViz leaves them behind when the helmet moves in a fixed frame.
    marker = Marker(ns="helmet", id=index, type=shape, action=Marker.ADD, color=color, frame_locked=True)
    marker.header.frame_id = frame
    marker.pose.orientation.w = 1.0
    marker.scale = Vector3(x=size_m[0], y=size_m[1], z=size_m[2])
    return marker
