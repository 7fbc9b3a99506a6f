"""The RViz view in other namespaces, for other cameras and compressed images; its window layout as Qt reads it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from egorear_ros.errors import EgorearError
from egorear_ros.graph.arguments import ARGUMENTS, image_transport
from egorear_ros.graph.dock_layout import Window, image_columns
from egorear_ros.graph.rviz_view import IMAGE_DISPLAY, OURS, shipped_view, view_path, write_rviz_view
from egorear_ros.resources import find
from egorear_ros.rig import VIEWS

LEFT = 1
"""`Qt.LeftDockWidgetArea`."""
SAVED_BY_QT = (
    "000000ff00000000fd0000000200000000000000f000000276fc0200000002fb000000100044006900730070006c00610079007301000000"
    "3e000001380000001700fffffffb0000000a00560069006500770073010000017c000001380000001700ffffff00000001000001e6000002"
    "76fc0200000001fc0000003e000002760000003400fffffffc0100000002fc0000031a000000f00000003e00fffffffc0200000002fb0000"
    "001400660072006f006e0074005f006c006500660074010000003e000001380000001700fffffffb000000120072006500610072005f006c"
    "006500660074010000017c000001380000001700fffffffc00000410000000f00000003e00fffffffc0200000002fb000000160066007200"
    "6f006e0074005f00720069006700680074010000003e000001380000001700fffffffb000000140072006500610072005f00720069006700"
    "680074010000017c000001380000001700ffffff0000021e0000027600000004000000040000000800000008fc0000000100000002000000"
    "010000000a0054006f006f006c00730100000000ffffffff0000000000000000"
)
"""`saveState` of Qt 5.15.14 for a window of 1280 x 720: two panels on the left, two by two on the right."""


def displays(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load(path.read_text(encoding="utf-8"))["Visualization Manager"]["Displays"])


def topics(path: Path) -> dict[str, list[str]]:
    """Class of display -> its topics."""
    found: dict[str, list[str]] = {}
    for display in displays(path):
        if "Topic" in display:
            found.setdefault(display["Class"], []).append(display["Topic"]["Value"])
    return found


@pytest.fixture(autouse=True)
def configuration_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def test_the_shipped_view_is_that_of_the_default_graph() -> None:
    shipped = yaml.safe_load(find("rviz/egorear.rviz").read_text())
    assert yaml.safe_load(write_rviz_view("egorear", False, VIEWS).read_text()) == {OURS: True, **shipped}


@pytest.mark.parametrize(("namespace", "prefix"), [("helmet", "/helmet"), ("", ""), ("robot/head", "/robot/head")])
def test_topics_follow_the_namespace_and_images_the_transport(namespace: str, prefix: str) -> None:
    found = topics(write_rviz_view(namespace, True, VIEWS))
    assert found.pop(IMAGE_DISPLAY) == [f"{prefix}/{view}/image_raw/compressed" for view in VIEWS]
    assert [topic for few in found.values() for topic in few] == [f"{prefix}/helmet", f"{prefix}/markers"]


@pytest.mark.parametrize("views", [("left",), ("left", "right"), ("a", "b", "c"), tuple(f"cam_{n}" for n in range(8))])
def test_there_is_a_panel_for_every_camera_of_the_rig(views: tuple[str, ...]) -> None:
    path = write_rviz_view("egorear", False, views)
    images = [display for display in displays(path) if display["Class"] == IMAGE_DISPLAY]
    assert {display["Name"]: display["Topic"]["Value"] for display in images} == {
        view: f"/egorear/{view}/image_raw" for view in views
    }


def test_rviz_hides_nothing() -> None:
    geometry = shipped_view(VIEWS)["Window Geometry"]
    assert geometry["Hide Left Dock"] is False and geometry["Hide Right Dock"] is False


def test_what_a_user_saved_stays_and_follows_the_transport() -> None:
    path = write_rviz_view("helmet", False, VIEWS)
    content = yaml.safe_load(path.read_text())
    del content[OURS]  # RViz saves only what it knows
    content["Window Geometry"]["QMainWindow State"] = "00"
    content["Visualization Manager"]["Displays"][0]["Enabled"] = False
    content["Visualization Manager"]["Displays"].append({"Class": "Own", "Topic": {"Value": "/lidar/points"}})
    path.write_text(yaml.safe_dump(content))

    assert write_rviz_view("helmet", True, VIEWS) == path
    again = yaml.safe_load(path.read_text())
    assert again["Window Geometry"] == content["Window Geometry"]
    assert again["Visualization Manager"]["Displays"][0]["Enabled"] is False
    assert topics(path)["Own"] == ["/lidar/points"]
    assert topics(path)[IMAGE_DISPLAY] == [f"/helmet/{view}/image_raw/compressed" for view in VIEWS]
    assert write_rviz_view("helmet", True, VIEWS[:2]) != path


def test_a_view_nobody_saved_is_made_anew(configuration_folder: Path) -> None:
    path = write_rviz_view("egorear", False, VIEWS)
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "Panels": []}))
    assert yaml.safe_load(write_rviz_view("egorear", False, VIEWS).read_text())["Panels"]
    assert list(configuration_folder.rglob("*.*")) == [path]


@pytest.mark.parametrize("text", ["[1, 2", "- 1", "Panels: []", "Visualization Manager: 3", "", "\xff"])
def test_a_broken_saved_view_is_named(text: str) -> None:
    path = view_path("egorear", VIEWS)
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(EgorearError, match=re.escape(str(path))):
        write_rviz_view("egorear", False, VIEWS)


def test_a_folder_that_cannot_be_made_is_named(configuration_folder: Path) -> None:
    (configuration_folder / "egorear").write_text("a file")
    with pytest.raises(EgorearError, match="XDG_CONFIG_HOME"):
        write_rviz_view("egorear", False, VIEWS)


def test_the_layout_is_the_one_qt_saves() -> None:
    """But for the smallest and largest sizes, which Qt does not read."""
    smallest = re.compile("000000..00ffffff")
    state = Window(["Displays", "Views"], image_columns(VIEWS), 1280, 720).state()
    assert smallest.sub("", state) == smallest.sub("", SAVED_BY_QT)


@pytest.mark.parametrize("cameras", range(1, 9))
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080)])
def test_qt_gives_every_panel_room(cameras: int, width: int, height: int, monkeypatch: pytest.MonkeyPatch) -> None:
    widgets = pytest.importorskip("PyQt5.QtWidgets")
    monkeypatch.setenv("QT_QPA_PLATFORM", os.environ.get("QT_QPA_PLATFORM", "offscreen"))
    views = [f"camera_{number}" for number in range(cameras)]
    app = widgets.QApplication.instance() or widgets.QApplication([])
    window, docks = rviz_window(widgets, ["Displays", "Views", *views])
    state = shipped_view(views)["Window Geometry"]["QMainWindow State"]
    window.resize(1280, 720)
    assert window.restoreState(bytes.fromhex(state))
    window.resize(width, height)  # a user maximises it
    window.show()
    app.processEvents()
    if folder := os.environ.get("EGOREAR_PICTURES"):
        window.grab().save(f"{folder}/rviz_{cameras}_{width}.png")
    assert all(dock.isVisible() for dock in docks.values())
    places = [dock.geometry() for dock in docks.values()] + [window.centralWidget().geometry()]
    assert all(place.width() >= 200 and place.height() >= 140 for place in places)
    assert window.centralWidget().width() >= 500
    assert not any(a.intersects(b) for index, a in enumerate(places) for b in places[:index])
    columns = {docks[view].x() for view in views}
    assert len(columns) == min(2, cameras) and min(columns) > window.centralWidget().x()
    window.close()


def rviz_window(widgets: Any, names: list[str]) -> tuple[Any, dict[str, Any]]:
    """A window with menu, tool bar, status bar and panels as RViz makes them: all panels first on the left."""
    window = widgets.QMainWindow()
    window.menuBar().addMenu("File")
    tools = window.addToolBar("Tools")
    tools.setObjectName("Tools")
    tools.addAction("Move Camera")
    window.statusBar().addPermanentWidget(widgets.QToolButton())
    window.setCentralWidget(widgets.QWidget())
    docks = {}
    for name in names:
        docks[name] = widgets.QDockWidget(name)
        docks[name].setObjectName(name)
        docks[name].setWidget(widgets.QTextEdit(name))
        window.addDockWidget(LEFT, docks[name])
    return window, docks


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
