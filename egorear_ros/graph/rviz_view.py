"""The shipped RViz view for another namespace or transport of images. Imports no ROS."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from egorear_ros.graph.description import NAMESPACE
from egorear_ros.resources import find
from egorear_ros.topics import full_name, prefix_of

SHIPPED = "rviz/egorear.rviz"
IMAGE_DISPLAY = "rviz_default_plugins/Image"


def write_rviz_view(namespace: str, compressed: bool) -> Path:
    """Write the view into a temporary file, which the caller removes.

    Args:
        namespace: of the graph, clean.
        compressed: whether the images' topics are `.../image_raw/compressed`.
    """
    content = yaml.safe_load(find(SHIPPED).read_text(encoding="utf-8"))
    for display in _displays_with_topic(content):
        below = display["Topic"]["Value"].removeprefix(prefix_of(NAMESPACE))
        jpeg = compressed and display["Class"] == IMAGE_DISPLAY
        display["Topic"]["Value"] = full_name(namespace, below, "compressed" if jpeg else "")
    handle, path = tempfile.mkstemp(prefix="egorear_", suffix=".rviz")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        yaml.safe_dump(content, file, sort_keys=False)
    return Path(path)


def _displays_with_topic(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (display for display in content["Visualization Manager"]["Displays"] if "Topic" in display)
