"""The arguments that start the graph: the one list behind `egorear run` and the launch files. Imports no ROS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from egorear_ros.graph.description import (
    NAMESPACE,
    GraphOptions,
    build_graph,
    camera_sources,
    check_node,
    rig_of,
)
from egorear_ros.nodes.parameter_file import check_parameter_file, node_parameters
from egorear_ros.resources import find
from egorear_ros.rig import VIEWS, check_frame_prefix, load_rig
from egorear_ros.topics import clean_namespace, full_name

TRUE, FALSE = "true", "false"
SWITCH_WORDS: Final[Mapping[str, str]] = {TRUE: TRUE, FALSE: FALSE, "True": TRUE, "False": FALSE, "1": TRUE, "0": FALSE}
"""What the conditions of `launch` take too -> what it means."""


@dataclass(frozen=True)
class Argument:
    """One argument.

    Attributes:
        default: as text, "true" or "false" for a switch; None where a value must be given.
        description: for `--help` and `--show-args`.
        choices: what it may be; empty where any text goes.
    """

    default: str | None
    description: str
    choices: tuple[str, ...] = ()

    @property
    def is_switch(self) -> bool:
        """Whether it is true or false."""
        return self.choices == (TRUE, FALSE)

    @property
    def accepted(self) -> tuple[str, ...]:
        """What may be written: the choices, and for a switch the other words for them too; empty for any text."""
        return tuple(SWITCH_WORDS) if self.is_switch else self.choices

    def cleaned(self, value: str) -> str:
        """The value as everything below takes it: a switch as true or false."""
        return SWITCH_WORDS.get(value, value) if self.is_switch else value


def _switch(default: str, description: str) -> Argument:
    return Argument(default, description, (TRUE, FALSE))


ARGUMENTS: Final[Mapping[str, Argument]] = {
    "source": Argument(
        "",
        "clip:DIR, bag:PATH, sim:SEED, a text with {view} in it, or one device, file or stream per camera separated by "
        "commas; empty: images come from other nodes",
    ),
    "rig": Argument("", "Rig: name of a shipped one, or path of a .yaml file; empty: the clip's own, else ego4view"),
    "views": Argument("", "Use only these cameras, separated by commas; empty: all of the rig"),
    "transport": Argument(
        "", "Images between nodes: raw or compressed; empty: as the parameter file says", ("", "raw", "compressed")
    ),
    "model": Argument("", "Network: shipped name or path of a .safetensors file; empty: as the parameter file says"),
    "device": Argument(
        "", "Where the network runs: auto, cpu or cuda; empty: as the parameter file says", ("", "auto", "cpu", "cuda")
    ),
    "engine": Argument("", "How the network runs, see docs/inference.md; empty: as the parameter file says"),
    "params_file": Argument("", "ROS parameter file of all nodes; empty: the shipped config/egorear.yaml"),
    "namespace": Argument(NAMESPACE, "Namespace of all nodes and topics"),
    "frame_prefix": Argument(
        "", "Put before the names of all TF frames, such as left/, for several helmets in one TF tree"
    ),
    "composition": _switch(TRUE, "All nodes in one process, images are not copied; false: one process per node"),
    "view": _switch(FALSE, "Show images, skeleton, truth and errors in the browser"),
    "body": _switch(TRUE, "The person as a robot: joint states, robot description, TF frames"),
    "evaluate": _switch(FALSE, "Compare the skeletons with the topic ground_truth"),
    "nodes": Argument("", "Nodes of other packages to run too: module:Class, separated by commas"),
    "use_sim_time": _switch(FALSE, "Take time from /clock (replay)"),
    "log_level": Argument("info", "debug, info, warn or error", ("debug", "info", "warn", "error")),
}
"""Name -> argument, of launch files and of `egorear run`, which writes dashes in place of the underscores."""


def cleaned(values: Mapping[str, str]) -> dict[str, str]:
    """The values, with the namespace as everything below takes it.

    Raises:
        EgorearError: the namespace is not one.
    """
    return {name: clean_namespace(value) if name == "namespace" else value for name, value in values.items()}


def graph_options(values: Mapping[str, str]) -> GraphOptions:
    """The graph's options from the arguments' values."""
    return GraphOptions(
        rig=values["rig"],
        source=values["source"],
        model=values["model"],
        device=values["device"],
        engine=values["engine"],
        views=tuple(view.strip() for view in values["views"].split(",") if view.strip()),
        transport=values["transport"],
        body=values["body"] == TRUE,
        evaluate=values["evaluate"] == TRUE,
        view=values["view"] == TRUE,
        use_sim_time=values["use_sim_time"] == TRUE,
        nodes=tuple(node.strip() for node in values["nodes"].split(",") if node.strip()),
        frame_prefix=check_frame_prefix(values["frame_prefix"]),
    )


def parameter_file(values: Mapping[str, str]) -> str:
    """Path of the parameter file of all nodes."""
    return values["params_file"] or str(find("config/egorear.yaml"))


def image_transport(values: Mapping[str, str]) -> str:
    """Transport of the graph's images: raw, compressed or both.

    That of the cameras; where they are not part of the graph, what the synchronizer listens to.
    """
    if values["transport"]:
        return values["transport"]
    node = (VIEWS[0], "camera") if values["source"] else ("synchronizer",)
    told = node_parameters(Path(parameter_file(values)), full_name(values["namespace"], *node))
    return str(told.get("transport", "raw"))


def image_topics(values: Mapping[str, str]) -> list[str]:
    """Topics of the cameras' images, in the rig's order."""
    options = graph_options(values)
    views = options.views or load_rig(options.rig or rig_of(options.source)).names
    ending = ("compressed",) if image_transport(values) == "compressed" else ()
    return [full_name(values["namespace"], view, "image_raw", *ending) for view in views]


def check_start(values: Mapping[str, str]) -> None:
    """Look for mistakes that would let nodes start for nothing: in the source and in the parameter file.

    Devices and streams are not looked at: they may come later.

    Raises:
        EgorearError: one line about the first of them.
    """
    from egorear_ros.capture.opening import check_source

    options = graph_options(values)
    rig_file = options.rig or rig_of(options.source)
    rig = load_rig(rig_file)
    for view, source in camera_sources(rig.subset(options.views or rig.names), options.source).items():
        check_source(source, view)
    for node in options.nodes:
        check_node(node)
    everything = replace(options, rig=rig_file, evaluate=True, view=True, source="sim:0")
    nodes = [full_name(values["namespace"], spec.namespace, spec.name) for spec in build_graph(everything)]
    check_parameter_file(Path(parameter_file(values)), nodes)


def run_arguments(values: Mapping[str, str]) -> list[str]:
    """Arguments of `egorear run` for these values; names that are not among `ARGUMENTS` are left out."""
    return [f"--{name.replace('_', '-')}={values[name]}" for name in ARGUMENTS if name in values]
