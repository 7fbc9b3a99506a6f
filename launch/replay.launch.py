"""Play a bag into the live graph and evaluate it: `ros2 bag play` in place of the cameras, simulated time.

    ros2 launch egorear replay.launch.py bag:=walk model:=egorear-s

Images and ground truth are played; skeletons that were recorded with them are not. The launch ends with the bag.
Without `launch` and `ros2 bag`, `egorear run --source bag:PATH --evaluate` plays a bag too, in a loop.
"""

import sys

from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
    TimerAction,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from egorear_ros.data.bag import Bag, RigTopics, find_topics
from egorear_ros.resources import find
from egorear_ros.rig import load_rig
from launch import LaunchContext, LaunchDescription

ARGUMENTS = {
    "bag": (None, "The bag: folder or .mcap file"),
    "rig": ("ego4view", "Rig: name of a shipped one, or path of a .yaml file"),
    "params_file": (str(find("config/egorear.yaml")), "Parameter file of all nodes"),
    "model": ("", "Network: shipped name or path of a .safetensors file; empty: as the parameter file says"),
    "device": ("", "auto, cpu or cuda; empty: as the parameter file says"),
    "rate": ("1.0", "Speed of playing; 0.5 gives a slow machine twice the time for every frame"),
    "delay": ("10.0", "Wait for the network to load before playing, s"),
    "rviz": ("false", "Open RViz with our view"),
    "log_level": ("info", "debug, info, warn or error"),
}  # fmt: skip


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the processes follow once their values are known."""
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
    """Start the graph without cameras, then the player; end when the bag does."""
    values = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    with Bag(values["bag"]) as bag:
        topics = find_topics(bag, load_rig(values["rig"]).names)
    graph = ExecuteProcess(cmd=graph_command(values, topics), output="screen", name="egorear")
    played = [*topics.images.values(), *([topics.ground_truth] if topics.ground_truth else [])]
    play = ["ros2", "bag", "play", values["bag"], "--clock", "100", "--rate", values["rate"]]
    play += ["--disable-keyboard-controls", "--topics", *played]
    player = ExecuteProcess(cmd=play, output="screen", name="player")
    actions = [graph, TimerAction(period=float(values["delay"]), actions=[player])]
    for process, reason in ((player, "the bag has ended"), (graph, "the graph has ended")):
        ended = OnProcessExit(target_action=process, on_exit=[EmitEvent(event=Shutdown(reason=reason))])
        actions.append(RegisterEventHandler(ended))
    if values["rviz"] == "true":
        view = ["-d", str(find("rviz/egorear.rviz"))]
        actions.append(Node(package="rviz2", executable="rviz2", arguments=view, parameters=[{"use_sim_time": True}]))
    return actions


def graph_command(values: dict[str, str], topics: RigTopics) -> list[str]:
    """`egorear run` for images that come from the player."""
    command = [sys.executable, "-m", "egorear_ros", "run", "--source=", "--evaluate", "--use-sim-time"]
    command += [f"--transport={'compressed' if topics.compressed else 'raw'}", f"--namespace={topics.namespace}"]
    command += [f"--{name.replace('_', '-')}={values[name]}" for name in ("rig", "model", "params_file", "log_level")]
    return command + [f"--device={values['device']}"] * bool(values["device"])
