"""The layout for Foxglove: whole, up to date, with topics that the graph has and settings that Foxglove knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from egorear_ros.nodes.recorder_node import GLOBAL_TOPICS, GRAPH_TOPICS, IMAGE_TOPICS
from egorear_ros.rig import VIEWS
from tools import foxglove_layout

LAYOUT: dict[str, Any] = json.loads(foxglove_layout.LAYOUT.read_text(encoding="utf-8"))
CONFIGS: dict[str, dict[str, Any]] = LAYOUT["configById"]


def panels(node: Any) -> Iterator[str]:
    """Names of the panels in a tree of splits, and in the tabs among them."""
    if isinstance(node, str):
        yield node
        for tab in CONFIGS[node].get("tabs", ()):
            yield from panels(tab["layout"])
        return
    assert set(node) == {"direction", "first", "second", "splitPercentage"}
    assert node["direction"] in {"row", "column"} and 0 < node["splitPercentage"] < 100
    for part in ("first", "second"):
        yield from panels(node[part])


def test_the_file_is_what_the_tool_writes() -> None:
    assert LAYOUT == foxglove_layout.layout(), "run `egorear-env python -m tools.foxglove_layout`"


def test_every_panel_is_placed_once_and_configured() -> None:
    assert set(LAYOUT) == {"configById", "globalVariables", "userNodes", "playbackConfig", "layout"}
    assert sorted(panels(LAYOUT["layout"])) == sorted(CONFIGS)


def topics(value: Any) -> Iterator[str]:
    """All texts that are topics, and the topics that paths of messages begin with."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from topics(key)
            yield from topics(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from topics(inner)
    elif isinstance(value, str) and value.startswith("/"):
        yield value.partition(".")[0]


def test_its_topics_are_those_that_the_graph_publishes_and_bags_hold() -> None:
    endings = [ending for ending, _ in (*GRAPH_TOPICS, *IMAGE_TOPICS.values())]
    for topic in topics(CONFIGS):
        known = topic in (*GLOBAL_TOPICS, "/diagnostics") or any(topic.endswith(ending) for ending in endings)
        assert known, topic
    shown = set(topics(CONFIGS))
    assert {f"/egorear/{view}/image_raw{ending}" for view in VIEWS for ending in ("", "/compressed")} <= shown


def assert_known(given: dict[str, Any], known: Any) -> None:
    """Every key is a field of the class of Foxglove's package, which `known` is an instance of."""
    unknown = set(given) - set(known._to_dict()) - {"foxglovePanelTitle"}
    assert not unknown, f"{type(known).__name__} has no {sorted(unknown)}"


def test_its_settings_are_known_to_foxglove() -> None:
    fl: Any = pytest.importorskip("foxglove.layouts", reason="foxglove-sdk is not installed")
    for name, config in CONFIGS.items():
        kind = name.partition("!")[0]
        if kind == "3D":
            assert_known(config, fl.ThreeDeeConfig())
            assert_known(config["cameraState"], fl.ThreeDeeCameraState())
            assert_known(config["scene"], fl.BaseRendererSceneSettings())
            assert_known(config["scene"]["transforms"], fl.BaseRendererTransforms())
            assert_known(config["layers"]["floor"], fl.BaseRendererGridLayerSettings())
            assert_known(config["topics"]["/egorear/robot_description"], fl.BaseRendererUrdfTopicSettings())
            assert_known(config["topics"]["/egorear/markers"], fl.BaseRendererRosMarkerTopicSettings())
        elif kind == "Image":
            assert_known(config, fl.ImageConfig())
            assert_known(config["imageMode"], fl.ImageModeConfig())
        elif kind == "Plot":
            assert_known(config, fl.PlotConfig())
            for series in config["paths"]:
                assert_known(series, fl.PlotSeries())
        elif kind == "DiagnosticSummary":
            assert_known(config, fl.DiagnosticsSummaryConfig())
        else:
            assert kind == "Tab" and set(config) == {"activeTabIdx", "tabs"}
