"""The RViz view in other namespaces and for compressed images."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from egorear_ros.graph.arguments import ARGUMENTS, image_transport
from egorear_ros.graph.rviz_view import IMAGE_DISPLAY, write_rviz_view
from egorear_ros.resources import find
from egorear_ros.rig import VIEWS


def topics(path: Path) -> dict[str, list[str]]:
    """Class of display -> its topics."""
    found: dict[str, list[str]] = {}
    for display in yaml.safe_load(path.read_text(encoding="utf-8"))["Visualization Manager"]["Displays"]:
        if "Topic" in display:
            found.setdefault(display["Class"], []).append(display["Topic"]["Value"])
    return found


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_the_shipped_view_is_that_of_the_default_graph() -> None:
    shipped, written = find("rviz/egorear.rviz"), write_rviz_view("egorear", compressed=False)
    assert yaml.safe_load(written.read_text()) == yaml.safe_load(shipped.read_text())


@pytest.mark.parametrize(("namespace", "prefix"), [("helmet", "/helmet"), ("", ""), ("robot/head", "/robot/head")])
def test_topics_follow_the_namespace_and_images_the_transport(namespace: str, prefix: str) -> None:
    found = topics(write_rviz_view(namespace, compressed=True))
    assert found.pop(IMAGE_DISPLAY) == [f"{prefix}/{view}/image_raw/compressed" for view in VIEWS]
    assert [topic for few in found.values() for topic in few] == [f"{prefix}/helmet", f"{prefix}/markers"]


@pytest.mark.parametrize(
    ("given", "transport"),
    [
        ({}, "raw"),
        ({"transport": "compressed"}, "compressed"),
        ({"source": "0,1,2,3"}, "compressed"),
        ({"source": "0,1,2,3", "namespace": "other"}, "both"),
    ],
)
def test_the_transport_of_the_parameter_file_counts_where_none_is_given(
    given: dict[str, str], transport: str, tmp_path: Path
) -> None:
    """That of the cameras, where they belong to the graph."""
    sections = {
        "/**/camera": {"transport": "both"},
        "/egorear/*/camera": {"transport": "compressed"},
        "/**/synchronizer": {"transport": "raw"},
    }
    content = {node: {"ros__parameters": parameters} for node, parameters in sections.items()}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    values = {name: argument.default or "" for name, argument in ARGUMENTS.items()}
    assert image_transport({**values, "params_file": str(tmp_path / "own.yaml"), **given}) == transport
