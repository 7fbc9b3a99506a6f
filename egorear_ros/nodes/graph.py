"""The live graph: which nodes there are and what they are told. The one list behind launch files and `egorear run`.

Imports no ROS, so that launch files and tools can read it anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from egorear_ros.capture.source import RECORDED_SCHEMES
from egorear_ros.errors import EgorearError
from egorear_ros.rig import Rig, load_rig

NAMESPACE: Final = "egorear"
NODE_CLASSES: Final[dict[str, str]] = {
    "camera_node": "egorear_ros.nodes.camera_node:CameraNode",
    "ground_truth_node": "egorear_ros.nodes.ground_truth_node:GroundTruthNode",
    "synchronizer_node": "egorear_ros.nodes.synchronizer_node:SynchronizerNode",
    "pose_node": "egorear_ros.nodes.pose_node:PoseNode",
    "skeleton_view_node": "egorear_ros.nodes.skeleton_view_node:SkeletonViewNode",
    "evaluation_node": "egorear_ros.nodes.evaluation_node:EvaluationNode",
}
"""Kind of node (also the name of its executable) -> module and class."""


@dataclass(frozen=True)
class NodeSpec:
    """One node of the graph.

    Attributes:
        kind: key of `NODE_CLASSES`.
        name: node name.
        namespace: below the graph's namespace; a camera lives in one named after its view.
        parameters: values that follow from the graph's arguments; they win over the parameter file.
    """

    kind: str
    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    namespace: str = ""


@dataclass(frozen=True)
class GraphOptions:
    """What the user chooses about the graph.

    Attributes:
        rig: name or file of the rig.
        source: where the cameras' images come from: `clip:DIR`, `bag:PATH` or `sim:SEED` for all; a text with "{view}"
            in it; or one source per camera in the rig's order, separated by commas. Empty: no camera nodes, images come
            from elsewhere.
        model: network for the pose node; empty leaves the choice to the parameter file.
        device: auto, cpu or cuda; empty leaves it to the parameter file.
        views: use only these cameras; empty for all of the rig.
        transport: raw or compressed images between nodes; empty leaves it to the parameter file.
        evaluate: add the evaluation node.
        use_sim_time: take time from /clock.
    """

    rig: str = "ego4view"
    source: str = ""
    model: str = ""
    device: str = ""
    views: tuple[str, ...] = ()
    transport: str = ""
    evaluate: bool = False
    use_sim_time: bool = False


def build_graph(options: GraphOptions) -> tuple[NodeSpec, ...]:
    """List the nodes for these options.

    Raises:
        EgorearError: the rig does not load, or the sources do not fit its cameras.
    """
    rig = load_rig(options.rig)
    views = options.views or rig.names
    common: dict[str, Any] = {"use_sim_time": options.use_sim_time}
    images = {"transport": options.transport, **common} if options.transport else common
    specs = [
        NodeSpec("camera_node", "camera", {"view": view, "rig": options.rig, "source": source, **images}, view)
        for view, source in camera_sources(rig.subset(views), options.source).items()
    ]
    if options.source.partition(":")[0] in RECORDED_SCHEMES:
        truth = {"rig": options.rig, "source": options.source, **common}
        specs.append(NodeSpec("ground_truth_node", "ground_truth", truth))
    specs.append(NodeSpec("synchronizer_node", "synchronizer", {"rig": options.rig, "views": list(views), **images}))
    chosen = {name: value for name, value in (("model", options.model), ("device", options.device)) if value}
    specs.append(NodeSpec("pose_node", "pose", {**chosen, **common}))
    specs.append(NodeSpec("skeleton_view_node", "skeleton_view", {"rig": options.rig, **common}))
    if options.evaluate:
        specs.append(NodeSpec("evaluation_node", "evaluation", common))
    return tuple(specs)


def camera_sources(rig: Rig, source: str) -> dict[str, str]:
    """View -> source URI.

    Raises:
        EgorearError: as many sources as cameras are needed.
    """
    if not source:
        return {}
    if "{view}" in source:
        return {view: source.replace("{view}", view) for view in rig.names}
    if source.partition(":")[0] in RECORDED_SCHEMES:
        return dict.fromkeys(rig.names, source)
    sources = [item.strip() for item in source.split(",")]
    if len(sources) != len(rig.names):
        raise EgorearError(
            f"source '{source}' names {len(sources)} camera(s), rig '{rig.name}' has {len(rig.names)} "
            f"({', '.join(rig.names)}); give one per camera, separated by commas, or a text with '{{view}}' in it"
        )
    return dict(zip(rig.names, sources, strict=True))
