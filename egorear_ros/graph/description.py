"""The live graph: which nodes there are and what they are told. The one list behind launch files and `egorear run`.

Imports no ROS, so that launch files and tools can read it anywhere.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from egorear_ros.capture.opening import RECORDED_SCHEMES
from egorear_ros.errors import EgorearError
from egorear_ros.resources import find
from egorear_ros.rig import Rig, load_rig

NAMESPACE: Final = "egorear"
POSE: Final = "pose"
DEFAULT_RIG: Final = "ego4view"
DEMO_CLIP: Final = "assets/demo_clip"
DEMO_SCHEMES: Final = ("clip", "sim")
NODE_CLASSES: Final[dict[str, str]] = {
    "camera_node": "egorear_ros.nodes.camera_node:CameraNode",
    "ground_truth_node": "egorear_ros.nodes.ground_truth_node:GroundTruthNode",
    "synchronizer_node": "egorear_ros.nodes.synchronizer_node:SynchronizerNode",
    "pose_node": "egorear_ros.nodes.pose_node:PoseNode",
    "skeleton_view_node": "egorear_ros.nodes.skeleton_view_node:SkeletonViewNode",
    "body_node": "egorear_ros.nodes.body_node:BodyNode",
    "evaluation_node": "egorear_ros.nodes.evaluation_node:EvaluationNode",
    "browser_view_node": "egorear_ros.nodes.browser_view_node:BrowserViewNode",
}
"""Kind of node (also the name of its executable) -> module and class."""


@dataclass(frozen=True)
class NodeSpec:
    """One node of the graph.

    Attributes:
        kind: key of `NODE_CLASSES`, or "module:Class" for a node of another package.
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
        rig: name or file of the rig; empty for the one that comes with the source, see `rig_of`,
            while the network keeps its own.
        source: where the cameras' images come from: `clip:DIR`, `bag:PATH` or `sim:SEED` for all; a text with "{view}"
            in it; or one source per camera in the rig's order, separated by commas. Empty: no camera nodes, images come
            from elsewhere.
        model: network for the pose node; empty leaves the choice to the parameter file.
        device: auto, cpu or cuda; empty leaves it to the parameter file.
        engine: how the network runs, see docs/inference.md; empty leaves it to the parameter file.
        views: use only these cameras; empty for all of the rig.
        transport: raw or compressed images between nodes; empty leaves it to the parameter file.
        body: add the body node: joint states, robot description, TF frames of the person.
        evaluate: add the evaluation node.
        view: add the view in the browser.
        use_sim_time: take time from /clock.
        nodes: nodes of other packages, "module:Class" each.
        frame_prefix: before the names of all TF frames; empty leaves it to the parameter file.
    """

    rig: str = ""
    source: str = ""
    model: str = ""
    device: str = ""
    engine: str = ""
    views: tuple[str, ...] = ()
    transport: str = ""
    body: bool = True
    evaluate: bool = False
    view: bool = False
    use_sim_time: bool = False
    nodes: tuple[str, ...] = ()
    frame_prefix: str = ""


def build_graph(options: GraphOptions) -> tuple[NodeSpec, ...]:
    """List the nodes for these options.

    Raises:
        EgorearError: the rig does not load, or the sources do not fit its cameras or each other.
    """
    rig_file = options.rig or rig_of(options.source)
    rig = load_rig(rig_file)
    views = options.views or rig.names
    common: dict[str, Any] = {"use_sim_time": options.use_sim_time}
    frames = {"frame_prefix": options.frame_prefix, **common} if options.frame_prefix else common
    images = {"transport": options.transport, **frames} if options.transport else frames
    sources = camera_sources(rig.subset(views), options.source)
    camera = {"rig": rig_file, **_loop(sources), **images}
    recorded = _is_recorded(options.source)
    if recorded:
        camera["start_with"] = POSE
    specs = [
        NodeSpec("camera_node", "camera", {"view": view, "source": source, **camera}, view)
        for view, source in sources.items()
    ]
    if recorded:
        truth = {"rig": rig_file, "source": options.source, "start_with": POSE, **frames}
        specs.append(NodeSpec("ground_truth_node", "ground_truth", truth))
    specs.append(NodeSpec("synchronizer_node", "synchronizer", {"rig": rig_file, "views": list(views), **images}))
    # The rig only where the user names one: a clip's own has the extrinsics as built, which no wearer knows.
    chosen = {name: value for name in ("model", "rig", "device", "engine") if (value := getattr(options, name))}
    specs.append(NodeSpec("pose_node", POSE, {**chosen, **common}))
    specs.append(NodeSpec("skeleton_view_node", "skeleton_view", {"rig": rig_file, **frames}))
    if options.body:
        specs.append(NodeSpec("body_node", "body", common))
    if options.evaluate:
        specs.append(NodeSpec("evaluation_node", "evaluation", common))
    if options.view:
        specs.append(NodeSpec("browser_view_node", "browser_view", {"rig": rig_file, **common}))
    specs += [NodeSpec(kind, own_name(kind), common) for kind in options.nodes]
    return tuple(specs)


def check_node(kind: str) -> None:
    """Check that another package's node is there, without importing it.

    Raises:
        EgorearError: the text is not of the form module:Class, or there is no such module.
    """
    own_name(kind)
    module = kind.partition(":")[0]
    try:
        found = importlib.util.find_spec(module) is not None
    except ImportError:  # of a package that holds the module
        found = False
    if not found:
        raise EgorearError(f"node '{kind}': there is no module '{module}'; install its package in this environment")


def own_name(kind: str) -> str:
    """Name of another package's node: "my_package.nodes:DepthView" is called depth_view.

    Raises:
        EgorearError: the text is not of this form.
    """
    module, _, name = kind.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), name)):
        raise EgorearError(f"node '{kind}' is not of the form module:Class, for example my_package.my_node:MyNode")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _loop(sources: Mapping[str, str]) -> dict[str, int | float]:
    """What keeps video files in step; nothing where there are none."""
    files = [source for source in sources.values() if not _is_recorded(source)]
    if not files:
        return {}
    from egorear_ros.capture.video import shared_loop

    return shared_loop(files)


def rig_of(source: str) -> str:
    """Rig that comes with a source: a clip's own file, else the default rig's name."""
    scheme, _, folder = source.partition(":")
    own = Path(folder) / "rig.yaml"
    return str(own) if scheme == "clip" and own.is_file() else DEFAULT_RIG


def demo_source(source: str) -> str:
    """Source of a demo: the one given, or the bundled clip.

    Raises:
        EgorearError: the source has no ground truth.
    """
    if not source:
        return f"clip:{find(DEMO_CLIP)}"
    if source.partition(":")[0] not in DEMO_SCHEMES:
        raise EgorearError(f"source '{source}' has no ground truth to compare with; a demo takes clip:DIR or sim:SEED")
    return source


def _is_recorded(source: str) -> bool:
    return source.partition(":")[0] in RECORDED_SCHEMES


def camera_sources(rig: Rig, source: str) -> dict[str, str]:
    """View -> source URI.

    Raises:
        EgorearError: as many sources as cameras are needed.
    """
    if not source:
        return {}
    if "{view}" in source:
        return {view: source.replace("{view}", view) for view in rig.names}
    if _is_recorded(source):
        return dict.fromkeys(rig.names, source)
    folder, question, rate = source.partition("?fps=")
    if all((Path(folder) / view).is_dir() for view in rig.names):
        return {view: f"{Path(folder) / view}{question}{rate}" for view in rig.names}
    sources = [item.strip() for item in source.split(",")]
    if len(sources) != len(rig.names):
        raise EgorearError(
            f"source '{source}' names {len(sources)} camera(s), rig '{rig.name}' has {len(rig.names)} "
            f"({', '.join(rig.names)}); give one per camera, separated by commas, or a text with '{{view}}' in it"
        )
    return dict(zip(rig.names, sources, strict=True))
