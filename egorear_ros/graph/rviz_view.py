"""The RViz view of a graph: its namespace, its cameras, its transport of images. Imports no ROS.

The file lies in the user's configuration folder, so that what RViz saves there stays: a file that the user saved is
used again, with only the topics brought up to date.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from egorear_ros.errors import EgorearError
from egorear_ros.graph.description import NAMESPACE
from egorear_ros.graph.dock_layout import Window, image_columns
from egorear_ros.plain_data import PlainDataError, read_yaml
from egorear_ros.resources import find
from egorear_ros.rig import HELMET_FRAME
from egorear_ros.topics import full_name, prefix_of

SHIPPED: Final = "rviz/egorear.rviz"
IMAGE_DISPLAY: Final = "rviz_default_plugins/Image"
TOPIC_KEYS: Final = ("Topic", "Description Topic")
OURS: Final = "egorear"
"""Key of a file that no user has saved: RViz ignores it when it reads, and leaves it out when it saves."""
WIDTH_PX, HEIGHT_PX = 1280, 720
"""The window at first; it fits the small screens, and a maximised one gives the rest to the 3D view."""

Content = dict[str, Any]


def write_rviz_view(namespace: str, compressed: bool, views: Sequence[str], frame_prefix: str = "") -> Path:
    """Write the view of a graph where RViz may save it.

    Args:
        namespace: of the graph, clean.
        compressed: whether the images' topics are `.../image_raw/compressed`.
        views: the cameras; one image panel each.
        frame_prefix: before the names of the graph's TF frames.

    Raises:
        EgorearError: the file cannot be written, or what was saved there is no RViz file.
    """
    path = view_path(namespace, views)
    saved = _read(path) if path.is_file() else {OURS: True}
    content = _shipped(views) if saved.get(OURS) else saved
    for display, topic in _topics(content):
        _set_topic(display["Class"], topic, namespace, compressed, views)
    _write(path, _with_frames(content, frame_prefix + HELMET_FRAME))
    return path


def view_path(namespace: str, views: Sequence[str]) -> Path:
    """File of the view of these cameras in this namespace."""
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "egorear" / "rviz"
    cameras = hashlib.sha256(",".join(views).encode()).hexdigest()[:8]
    return folder / f"{namespace.replace('/', '.') or 'root'}_{cameras}.rviz"


def shipped_view(views: Sequence[str]) -> Content:
    """The shipped view with one image panel for each of these cameras."""
    content: Content = yaml.safe_load(find(SHIPPED).read_text(encoding="utf-8"))
    displays = content["Visualization Manager"]["Displays"]
    image = next(display for display in displays if display["Class"] == IMAGE_DISPLAY)
    others = [display for display in displays if display["Class"] != IMAGE_DISPLAY]
    content["Visualization Manager"]["Displays"] = [*others, *(_image_display(image, view) for view in views)]
    content["Window Geometry"] = window_geometry([panel["Name"] for panel in content["Panels"]], views)
    return content


def window_geometry(panels: Sequence[str], views: Sequence[str]) -> Content:
    """RViz's `Window Geometry`: panels on the left, images on the right, nothing hidden."""
    window = Window(panels, image_columns(views), WIDTH_PX, HEIGHT_PX)
    return {
        "Height": HEIGHT_PX,
        "Width": WIDTH_PX,
        # RViz reads an uninitialised flag where these are not given, and may hide a whole side.
        "Hide Left Dock": False,
        "Hide Right Dock": False,
        "QMainWindow State": window.state(),
        **{name: {"collapsed": False} for name in (*panels, *views)},
    }


def _shipped(views: Sequence[str]) -> Content:
    return {OURS: True, **shipped_view(views)}


def _image_display(pattern: Content, view: str) -> Content:
    display = copy.deepcopy(pattern)
    display["Name"] = view
    display["Topic"]["Value"] = full_name(NAMESPACE, view, "image_raw")
    return display


def _topics(content: Content) -> Iterable[tuple[Content, Content]]:
    """All displays with a topic, and the settings of the topic."""
    displays = content["Visualization Manager"]["Displays"]
    return ((display, display[key]) for display in displays for key in TOPIC_KEYS if key in display)


def _set_topic(kind: str, settings: Content, namespace: str, compressed: bool, views: Sequence[str]) -> None:
    """The topic in this namespace and transport, if it is one of the graph's; `kind` is the class of the display."""
    topic = settings["Value"]
    for view in views:
        raw = full_name(namespace, view, "image_raw"), full_name(NAMESPACE, view, "image_raw")
        if topic.removesuffix("/compressed") in raw and kind == IMAGE_DISPLAY:
            settings["Value"] = full_name(namespace, view, "image_raw", "compressed" if compressed else "")
            return
    if topic in {full_name(NAMESPACE, below) for below in ("helmet", "markers", "robot_description")}:
        settings["Value"] = full_name(namespace, topic.removeprefix(prefix_of(NAMESPACE)))


def _with_frames(content: Any, helmet: str) -> Any:
    """The same with this name wherever the helmet's frame is meant, whatever prefix it had."""
    if isinstance(content, dict):
        return {name: _with_frames(value, helmet) for name, value in content.items()}
    if isinstance(content, list):
        return [_with_frames(value, helmet) for value in content]
    return helmet if isinstance(content, str) and content.endswith(HELMET_FRAME) else content


def _read(path: Path) -> Content:
    try:
        content = read_yaml(path)
        list(_topics(content))
    except (PlainDataError, TypeError, KeyError, AttributeError) as error:
        raise EgorearError(
            f"RViz view '{path}' cannot be read ({type(error).__name__}); rename it, then the shipped view is used"
        ) from error
    return dict(content)


def _write(path: Path, content: Content) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise EgorearError(
            f"RViz view '{path}' cannot be written ({error.strerror}); set XDG_CONFIG_HOME to a folder of yours"
        ) from error
