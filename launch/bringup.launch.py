"""Bring up the live graph: cameras, synchronizer, pose node, skeleton view and, if asked for, RViz and a recording.

    ros2 launch egorear bringup.launch.py source:=0,2,4,6
    ros2 launch egorear bringup.launch.py source:=sim:0 rviz:=true

Every argument is explained by: ros2 launch egorear bringup.launch.py --show-args
"""

from launch.actions import ExecuteProcess

from egorear_ros.graph.launching import ARGUMENTS, RVIZ, Argument, describe, graph_actions, rviz_actions
from egorear_ros.topics import prefix_of
from launch import LaunchDescription

RECORD = Argument("", "Record images, skeletons and TF into this new MCAP bag; empty: no recording")


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the nodes follow once their values are known."""
    return describe({**ARGUMENTS, "rviz": RVIZ, "record": RECORD}, start)


def start(values: dict[str, str]) -> list:
    """Start the nodes, and what was asked for beside them."""
    return [*graph_actions(values), *rviz_actions(values), *recording(values)]


def recording(values: dict[str, str]) -> list:
    """`ros2 bag record`, if asked for; not the frame sets, which would repeat the images."""
    if not values["record"]:
        return []
    wanted = f"{prefix_of(values['namespace'])}.*|/tf|/tf_static|/diagnostics"
    command = ["ros2", "bag", "record", "-s", "mcap", "-o", values["record"]]
    return [ExecuteProcess(cmd=[*command, "--regex", wanted, "--exclude-regex", ".*/frame_set"], output="screen")]
