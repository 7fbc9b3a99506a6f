"""Bring up the live graph: cameras, synchronizer, pose node, skeleton view and, if asked for, RViz and a recording.

    ros2 launch egorear bringup.launch.py source:=0,2,4,6
    ros2 launch egorear bringup.launch.py source:=sim:0 rviz:=true

Every argument is explained by: ros2 launch egorear bringup.launch.py --show-args
"""

import sys

from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from egorear_ros.nodes.graph import NAMESPACE, GraphOptions, NodeSpec, build_graph
from egorear_ros.resources import find
from launch import LaunchContext, LaunchDescription

ARGUMENTS = {
    "rig": ("ego4view", "Rig: name of a shipped one, or path of a .yaml file"),
    "source": ("", "clip:DIR, sim:SEED, text with {view} in it, or one source per camera, separated by commas; "
                   "empty: images come from other nodes"),
    "views": ("", "Use only these cameras, separated by commas; empty for all of the rig"),
    "params_file": (str(find("config/egorear.yaml")), "Parameter file of all nodes"),
    "model": ("", "Network: shipped name or path of a .safetensors file; empty: as the parameter file says"),
    "device": ("", "auto, cpu or cuda; empty: as the parameter file says"),
    "composition": ("true", "All nodes in one process (images are not copied) or one process per node"),
    "rviz": ("false", "Open RViz with our view"),
    "evaluate": ("false", "Compare the skeletons with the topic ground_truth"),
    "record": ("", "Record images, frame sets and skeletons into this new MCAP bag; empty for no recording"),
    "namespace": (NAMESPACE, "Namespace of all nodes and topics"),
    "use_sim_time": ("false", "Take time from /clock (replay)"),
    "log_level": ("info", "debug, info, warn or error"),
}  # fmt: skip


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the nodes follow once their values are known."""
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, (default, description) in ARGUMENTS.items()
            ),
            SetEnvironmentVariable("FASTRTPS_DEFAULT_PROFILES_FILE", str(find("config/fastdds_shared_memory.xml"))),
            OpaqueFunction(function=start),
        ]
    )


def start(context: LaunchContext) -> list:
    """Start the nodes, and what was asked for beside them."""
    values = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    if values["composition"] == "true":
        actions = composed(values)
    else:
        actions = [single(spec, values) for spec in build_graph(graph_options(values))]
    if values["rviz"] == "true":
        actions.append(Node(package="rviz2", executable="rviz2", arguments=["-d", str(find("rviz/egorear.rviz"))]))
    if values["record"]:
        topics = ["--regex", f"/{values['namespace']}/.*|/tf|/tf_static|/diagnostics"]
        actions.append(ExecuteProcess(cmd=["ros2", "bag", "record", "-s", "mcap", "-o", values["record"], *topics]))
    return actions


def graph_options(values: dict[str, str]) -> GraphOptions:
    """The graph's options from the launch arguments."""
    return GraphOptions(
        rig=values["rig"],
        source=values["source"],
        model=values["model"],
        device=values["device"],
        views=tuple(view for view in values["views"].split(",") if view),
        evaluate=values["evaluate"] == "true",
        use_sim_time=values["use_sim_time"] == "true",
    )


def composed(values: dict[str, str]) -> list:
    """The whole graph as one process; when it ends, so does the launch."""
    arguments = [
        f"--{name.replace('_', '-')}={values[name]}"
        for name in ("rig", "source", "model", "params_file", "namespace", "log_level")
    ]
    arguments += [f"--device={values['device']}"] * bool(values["device"])
    arguments += [f"--{name.replace('_', '-')}" for name in ("evaluate", "use_sim_time") if values[name] == "true"]
    if values["views"]:
        arguments += ["--views", *values["views"].split(",")]
    process = ExecuteProcess(
        cmd=[sys.executable, "-m", "egorear_ros", "run", *arguments], output="screen", name="egorear"
    )
    ended = OnProcessExit(target_action=process, on_exit=[EmitEvent(event=Shutdown(reason="the graph has ended"))])
    return [process, RegisterEventHandler(ended)]


def single(spec: NodeSpec, values: dict[str, str]) -> Node:
    """One node as a process of its own, started again if it crashes."""
    return Node(
        package="egorear",
        executable=spec.kind,
        name=spec.name,
        namespace="/".join(part for part in (values["namespace"], spec.namespace) if part),
        parameters=[values["params_file"], dict(spec.parameters)],
        arguments=["--ros-args", "--log-level", values["log_level"]],
        output="screen",
        respawn=True,
        respawn_delay=1.0,
    )
