"""See it work on a ROS 2 machine: a helmet with ground truth, in RViz and the browser, with its errors.

    ros2 launch egorear demo.launch.py
    ros2 launch egorear demo.launch.py source:=sim:0 rviz:=false

It is bringup.launch.py with other defaults: the bundled clip as the source, view and evaluation on.
"""

from dataclasses import replace

from egorear_ros.graph.description import demo_source
from egorear_ros.graph.launching import ARGUMENTS, RVIZ, describe, graph_actions, rviz_actions
from launch import LaunchDescription

ON = {name: replace(argument, default="true") for name, argument in {**ARGUMENTS, "rviz": RVIZ}.items()}
SOURCE = replace(ARGUMENTS["source"], description="clip:DIR or sim:SEED; empty: the bundled clip")


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the nodes follow once their values are known."""
    changed = {"source": SOURCE, "view": ON["view"], "evaluate": ON["evaluate"], "rviz": ON["rviz"]}
    return describe({**ARGUMENTS, **changed}, start)


def start(values: dict[str, str]) -> list:
    """Start the nodes and RViz."""
    values = {**values, "source": demo_source(values["source"])}
    return [*graph_actions(values), *rviz_actions(values)]
