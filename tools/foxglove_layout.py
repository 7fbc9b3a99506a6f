"""Write foxglove/egorear.json: the layout of Foxglove for a running graph and for bags.

egorear-env python -m tools.foxglove_layout

The file has the form that Foxglove (and its open relative Lichtblick) imports and exports. A test compares the names of
all settings with those of Foxglove's own Python package where that is installed (PyPI: foxglove-sdk).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from egorear_ros.graph.description import NAMESPACE
from egorear_ros.rig import HELMET_FRAME, VIEWS
from egorear_ros.topics import full_name

LAYOUT: Final = Path(__file__).parents[1] / "foxglove" / "egorear.json"
FLOOR_M: Final = -1.7
"""Below the helmet, as in RViz: no sensor knows the floor."""

Config = dict[str, Any]


def layout() -> Config:
    """The whole layout."""
    scene, plot, diagnostics, tabs = "3D!person", "Plot!latency", "DiagnosticSummary!health", "Tab!images"
    images = {f"Image!{view}_{kind}": image(view, kind) for kind in ("raw", "compressed") for view in VIEWS}
    side = split("column", tabs, split("row", plot, diagnostics, 55), 72)
    return {
        "configById": {scene: person(), plot: latency(), diagnostics: health(), tabs: image_tabs(), **images},
        "globalVariables": {},
        "userNodes": {},
        "playbackConfig": {"speed": 1},
        "layout": split("row", scene, side, 45),
    }


def split(direction: str, first: Any, second: Any, percent: float) -> Config:
    """Two panels, or groups of panels, side by side (row) or one above the other (column)."""
    return {"direction": direction, "first": first, "second": second, "splitPercentage": percent}


def person() -> Config:
    """The 3D panel: the robot description moved by TF, skeleton and helmet as markers, a floor."""
    return {
        "foxglovePanelTitle": "person",
        "followTf": HELMET_FRAME,
        "followMode": "follow-none",
        "cameraState": {
            "perspective": True,
            "distance": 3.6,
            "phi": 75,
            "thetaOffset": 115,
            "targetOffset": [0, 0, -0.85],
            "target": [0, 0, 0],
            "targetOrientation": [0, 0, 0, 1],
            "fovy": 45,
            "near": 0.05,
            "far": 500,
        },
        "scene": {"transforms": {"showLabel": False, "axisSize": 0.1, "lineWidth": 0}},
        "layers": {
            "floor": {
                "instanceId": "floor",
                "layerId": "foxglove.Grid",
                "label": "floor",
                "visible": True,
                "frameId": HELMET_FRAME,
                "size": 6,
                "divisions": 12,
                "position": [0, 0, FLOOR_M],
            }
        },
        "topics": {
            full_name(NAMESPACE, "robot_description"): {"visible": True, "controlMode": "transforms"},
            full_name(NAMESPACE, "markers"): {"visible": True},
            full_name(NAMESPACE, "helmet"): {"visible": True},
        },
    }


def image(view: str, kind: str) -> Config:
    """The Image panel of a camera."""
    ending = "compressed" if kind == "compressed" else ""
    return {
        "foxglovePanelTitle": view,
        # Without a calibration the picture is shown as it is: nobody straightens a fisheye of more than 180 degrees.
        "imageMode": {"imageTopic": full_name(NAMESPACE, view, "image_raw", ending)},
    }


def image_tabs() -> Config:
    """The four images, raw as the graph publishes them by default, or compressed as in smaller bags."""
    tabs = []
    for kind in ("raw", "compressed"):
        images = [f"Image!{view}_{kind}" for view in VIEWS]  # front left and right, rear left and right
        front, rear = split("row", images[0], images[1], 50), split("row", images[2], images[3], 50)
        tabs.append({"title": f"images, {kind}", "layout": split("column", front, rear, 50)})
    return {"activeTabIdx": 0, "tabs": tabs}


def latency() -> Config:
    """Latencies of the pose node."""
    status = full_name(NAMESPACE, "pose/status")
    series = [
        {"value": f"{status}.latency_{name}", "label": f"latency {name}, s", "timestampMethod": "receiveTime"}
        for name in ("p50", "p99")
    ]
    return {
        "foxglovePanelTitle": "latency of the skeleton",
        "paths": series,
        "showLegend": True,
        "legendDisplay": "floating",
        "xAxisVal": "timestamp",
        "isSynced": True,
    }


def health() -> Config:
    """What the nodes say of themselves."""
    return {"topicToRender": "/diagnostics", "minLevel": 0, "sortByLevel": True}


if __name__ == "__main__":
    LAYOUT.parent.mkdir(exist_ok=True)
    LAYOUT.write_text(json.dumps(layout(), indent=2) + "\n", encoding="utf-8")
