"""What the launch files share: argument declarations, the graph as launch actions, RViz. Imports no rclpy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from egorear_ros.errors import EgorearError
from egorear_ros.graph.arguments import (
    ARGUMENTS,
    TRUE,
    Argument,
    check_start,
    cleaned,
    graph_options,
    image_transport,
    parameter_file,
    run_arguments,
)
from egorear_ros.graph.dds_profile import profile_variables
from egorear_ros.graph.description import NODE_CLASSES, NodeSpec, build_graph, rig_of
from egorear_ros.graph.rviz_view import write_rviz_view
from egorear_ros.graph.supervisor import HOPELESS_CRASHES, HOPELESS_WINDOW_S, Ends, node_commands
from egorear_ros.graph.virtual_environment import interpreter
from egorear_ros.rig import load_rig
from launch import LaunchContext, LaunchDescription

RVIZ = Argument("false", "Open RViz with our view", ("true", "false"))


def describe(arguments: Mapping[str, Argument], start: Any) -> LaunchDescription:
    """A launch file: declares the arguments, then calls `start` with their values to get the actions.

    Args:
        arguments: name -> argument.
        start: (name -> value) -> list of actions.
    """

    def begin(context: LaunchContext) -> list[Any]:
        given = {name: LaunchConfiguration(name).perform(context) for name in arguments}
        return list(start(cleaned({name: arguments[name].cleaned(value) for name, value in given.items()})))

    declared = [
        DeclareLaunchArgument(
            name, default_value=argument.default, description=argument.description, choices=argument.accepted or None
        )
        for name, argument in arguments.items()
    ]
    profile = [SetEnvironmentVariable(name, value) for name, value in profile_variables(os.environ).items()]
    return LaunchDescription([*declared, *profile, OpaqueFunction(function=begin)])


def graph_actions(values: Mapping[str, str]) -> list[Any]:
    """Start the graph: as one process, whose end ends the launch, or one process per node, started again if it crashes.

    Args:
        values: of all `ARGUMENTS`.
    """
    check_start(values)
    if values["composition"] == TRUE:
        process = python_process("egorear_ros", "run", *run_arguments(values), name="egorear")
        return [process, end_with(process, "the graph has ended")]
    nodes = [_started(spec, values) for spec in build_graph(graph_options(values))]
    return [*nodes, *(_end_if_hopeless(node) for node in nodes)]


def python_process(module: str, *arguments: str, name: str) -> ExecuteProcess:
    """Run a module of ours by the interpreter in which torch and our packages are."""
    return ExecuteProcess(cmd=[interpreter(), "-m", module, *arguments], output="screen", name=name)


def end_with(process: ExecuteProcess, reason: str) -> RegisterEventHandler:
    """End the launch when a process ends."""
    return RegisterEventHandler(
        OnProcessExit(target_action=process, on_exit=[EmitEvent(event=Shutdown(reason=reason))])
    )


def rviz_actions(values: Mapping[str, str]) -> list[Any]:
    """RViz with our view, if asked for."""
    if values["rviz"] != TRUE:
        return []
    require_rviz()
    clock = {"use_sim_time": values["use_sim_time"] == TRUE}
    compressed = image_transport(values) == "compressed"
    view = write_rviz_view(values["namespace"], compressed, _views(values), values["frame_prefix"])
    return [Node(package="rviz2", executable="rviz2", arguments=["-d", str(view)], parameters=[clock])]


def require_rviz() -> None:
    """Stop a start with RViz where there is none, before anything else has started.

    Raises:
        EgorearError: the package rviz2 is not installed.
    """
    try:
        get_package_prefix("rviz2")
    except PackageNotFoundError as error:
        raise EgorearError(
            "package 'rviz2' is not installed; start with rviz:=false (view:=true shows the same in the browser), "
            "or install ros-$ROS_DISTRO-rviz2"
        ) from error


def _views(values: Mapping[str, str]) -> tuple[str, ...]:
    """The cameras of the graph."""
    options = graph_options(values)
    return options.views or load_rig(options.rig or rig_of(options.source)).names


def _end_if_hopeless(node: ExecuteProcess) -> RegisterEventHandler:
    """End the launch when a node ends again and again: it cannot start, and its messages say why."""
    ends = Ends()

    def ended(event: Any, context: LaunchContext) -> list[Any]:
        if not ends.hopeless() or context.is_shutdown:
            return []
        reason = f"{event.process_name} ended {HOPELESS_CRASHES} times within {HOPELESS_WINDOW_S:.0f} s"
        return [LogInfo(msg=f"{reason}; its messages are above"), EmitEvent(event=Shutdown(reason=reason))]

    return RegisterEventHandler(OnProcessExit(target_action=node, on_exit=ended))


def _started(spec: NodeSpec, values: Mapping[str, str]) -> ExecuteProcess:
    if spec.kind in NODE_CLASSES:
        return _node(spec, values)
    ros_args = ["--ros-args", "--params-file", parameter_file(values), "--log-level", values["log_level"]]
    ((_, *command),) = node_commands([spec], values["namespace"], ros_args).values()
    command = [interpreter(), *command]
    return ExecuteProcess(cmd=command, output="screen", name=spec.name, respawn=True, respawn_delay=1.0)


def _node(spec: NodeSpec, values: Mapping[str, str]) -> Node:
    return Node(
        package="egorear",
        executable=spec.kind,
        name=spec.name,
        namespace="/".join(part for part in (values["namespace"], spec.namespace) if part),
        parameters=[parameter_file(values), dict(spec.parameters)],
        arguments=["--ros-args", "--log-level", values["log_level"]],
        output="screen",
        respawn=True,
        respawn_delay=1.0,
    )


__all__ = [
    "ARGUMENTS",
    "RVIZ",
    "Argument",
    "describe",
    "end_with",
    "graph_actions",
    "python_process",
    "rviz_actions",
]
