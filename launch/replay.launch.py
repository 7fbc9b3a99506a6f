"""Play a bag into the live graph and evaluate it: `ros2 bag play` in place of the cameras, simulated time.

    ros2 launch egorear replay.launch.py bag:=walk model:=egorear-s

Playing begins when the network is loaded and the graph listens. Images and ground truth are played; skeletons that were
recorded with them are not. The launch ends with the bag. Without `launch` and `ros2 bag`, `egorear run --source
bag:PATH --evaluate` plays a bag too, in a loop.
"""

from launch.actions import ExecuteProcess, RegisterEventHandler
from launch.event_handlers import OnProcessExit

from egorear_ros.bags.reading import Bag, find_topics
from egorear_ros.graph.arguments import graph_options
from egorear_ros.graph.description import rig_of
from egorear_ros.graph.launching import (
    ARGUMENTS,
    RVIZ,
    Argument,
    describe,
    end_with,
    graph_actions,
    python_process,
    rviz_actions,
)
from egorear_ros.graph.virtual_environment import add_libraries
from egorear_ros.rig import load_rig
from launch import LaunchDescription

OWN = {
    "bag": Argument(None, "The bag: folder or .mcap file"),
    "rate": Argument("1.0", "Speed of playing; 0.5 gives a slow machine twice the time for every frame"),
    "rviz": RVIZ,
}
DECIDED = ("source", "transport", "namespace", "evaluate", "use_sim_time")
"""Arguments of the graph that the bag decides."""
CONNECT_S = 1.0
"""Between the player's start and its first message: DDS connects it with the graph."""


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the processes follow once their values are known."""
    free = {name: argument for name, argument in ARGUMENTS.items() if name not in DECIDED}
    return describe({**OWN, **free}, start)


def start(values: dict[str, str]) -> list:
    """Start the graph without cameras; when it is ready the player; end when the bag does."""
    add_libraries()  # bags are read by rosbags
    with Bag(values["bag"]) as bag:
        topics = find_topics(bag, load_rig(values["rig"] or rig_of("")).names)
    transport = "compressed" if topics.compressed else "raw"
    decided = {"source": "", "transport": transport, "namespace": topics.namespace}
    values = {**values, **decided, "evaluate": "true", "use_sim_time": "true"}
    chosen = graph_options(values).views or tuple(topics.images)
    heard = [topic for view, topic in topics.images.items() if view in chosen]
    wait = python_process("egorear_ros.graph.readiness", topics.namespace, *heard, name="readiness")
    played = [*topics.images.values(), *([topics.ground_truth] if topics.ground_truth else [])]
    play = ["ros2", "bag", "play", values["bag"], "--clock", "100", "--rate", values["rate"], "--delay", str(CONNECT_S)]
    player = ExecuteProcess(
        cmd=[*play, "--disable-keyboard-controls", "--topics", *played], output="screen", name="player"
    )
    ready = RegisterEventHandler(OnProcessExit(target_action=wait, on_exit=lambda event, _: after(event, player)))
    return [*graph_actions(values), wait, ready, end_with(player, "the bag has ended"), *rviz_actions(values)]


def after(event, player: ExecuteProcess) -> list:
    """The player if the graph has become ready; nothing if the launch ended before."""
    return [player] if event.returncode == 0 else []
