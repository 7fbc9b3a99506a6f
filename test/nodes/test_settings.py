"""Mistakes in settings end the start with one line, live and offline alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from egorear_ros.cli.main import main
from egorear_ros.errors import EgorearError
from egorear_ros.graph.arguments import ARGUMENTS, check_start, image_topics
from egorear_ros.graph.main import run_single
from egorear_ros.graph.supervisor import Ends
from egorear_ros.nodes.parameter_file import check_parameter_file, node_parameters
from egorear_ros.resources import find
from egorear_ros.rig import VIEWS

SECTION = "/**/synchronizer:\n  ros__parameters:\n    "
MISTAKES = {
    "a parameter": (SECTION + "tolerence: 0.05", "no parameter 'tolerence'; the nearest is 'tolerance'"),
    "a node": ("/**/synchroniser:\n  ros__parameters:\n    tolerance: 0.05", "the nearest is 'synchronizer'"),
    "a nested node": ("egorear:\n  syncronizer:\n    ros__parameters: {deadline: 1.0}", "nearest is 'synchronizer'"),
    "a nested parameter": ("egorear:\n  pose:\n    ros__parameters:\n      modle: x", "the nearest is 'model'"),
    "of all nodes": ("/**:\n  ros__parameters:\n    transprot: raw", "the nearest is 'transport'"),
    "a number for a list": (SECTION + "offsets: 0.01", "'offsets' must be a list, such as [0.01], got 0.01"),
    "text in a list": (SECTION + "offsets: [0.01, soon]", "'offsets' must be a list"),
    "text for a number": (SECTION + "tolerance: soon", "'tolerance' must be a number, got 'soon'"),
    "a fraction for a whole number": (SECTION + "minimum_views: 2.5", "must be a whole number, got 2.5"),
    "a number for a switch": (SECTION + "reliable_input: 1", "'reliable_input' must be true or false, got 1"),
    "a switch for a number": (SECTION + "tolerance: true", "'tolerance' must be a number, got True"),
    "a number for text": ("/**/pose:\n  ros__parameters:\n    skeleton_id: 3", 'must be text, got 3; write "3"'),
    "a list for a number": (SECTION + "tolerance: [0.1]", "'tolerance' must be a number, got [0.1]"),
    "no parameters": ("/**/synchronizer:\n  tolerance: 0.1", "is no ROS parameter file"),
    "no file of parameters": ("- 1", "is no ROS parameter file"),
    "no YAML": ("a: [", "cannot be read"),
}


@pytest.fixture(params=MISTAKES.values(), ids=MISTAKES)
def mistake(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    text, said = request.param
    (tmp_path / "wrong.yaml").write_text(text + "\n")
    return str(tmp_path / "wrong.yaml"), said


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    error = capsys.readouterr().err
    assert error.count("\n") == 1, error
    return error


def test_a_mistake_ends_the_live_start(mistake: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    for layout in ("true", "false"):
        assert main(["run", "--source=sim:0", f"--params-file={mistake[0]}", f"--composition={layout}"]) == 1
        assert mistake[1] in one_line(capsys)


def test_a_mistake_ends_the_offline_start(mistake: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--bag", "walk", f"--params-file={mistake[0]}"]) == 1
    assert mistake[1] in one_line(capsys)


@pytest.mark.parametrize(
    "text",
    [
        "/**/synchronizer:\n  ros__parameters:\n    minimum_views: 4\n    tolerance: 1e-3",
        "egorear:\n  synchronizer:\n    ros__parameters:\n      minimum_views: 4\n      tolerance: 1e-3",
        "/egorear/synchronizer:\n  ros__parameters: {minimum_views: 4, tolerance: 0.001}",
        "/**:\n  synchronizer:\n    ros__parameters: {minimum_views: 4, tolerance: 0.001, use_sim_time: true}",
        "/**:\n  ros__parameters: {minimum_views: 4, tolerance: 0.001, qos_overrides: {/a: {depth: 3}}}",
    ],
)
def test_both_forms_are_read_everywhere(tmp_path: Path, text: str) -> None:
    path = tmp_path / "right.yaml"
    path.write_text(text)
    values = node_parameters(path, "/egorear/synchronizer")
    assert (values["minimum_views"], values["tolerance"]) == (4, 0.001)
    check_start({**defaults(), "params_file": str(path)})


def defaults(**others: str) -> dict[str, str]:
    return {**{name: argument.default or "" for name, argument in ARGUMENTS.items()}, **others}


def test_the_shipped_file_is_right_and_a_section_for_no_node_is_named(tmp_path: Path) -> None:
    check_parameter_file(find("config/egorear.yaml"))
    path = tmp_path / "other.yaml"
    path.write_text("/robot/synchronizer:\n  ros__parameters: {minimum_views: 4}")
    check_start(defaults(params_file=str(path), namespace="robot"))
    with pytest.raises(EgorearError, match="no node '/robot/synchronizer'; the nearest is '/egorear/synchronizer'"):
        check_start(defaults(params_file=str(path)))
    path.write_text("/egorear/front_lefft/camera:\n  ros__parameters: {rate: 4}")
    with pytest.raises(EgorearError, match="the nearest is '/egorear/front_left/camera'"):
        check_start(defaults(params_file=str(path)))


def test_a_node_by_itself_refuses_what_no_node_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = ["node", "--ros-args", "-p", "tolerence:=0.05"]
    assert run_single("synchronizer_node", args) == 1
    assert "no parameter 'tolerence'; the nearest is 'tolerance'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("clip:/nope", "'/nope' is not a rig clip"),
        ("bag:/nope", "no bag '/nope'"),
        ("sim:x", "needs a whole number as its seed"),
        ("/nope/{view}.mp4", "no such device, and no video file"),
        ("/nope/{view}/*.png", "no image there"),
    ],
)
def test_a_recording_that_is_not_there_ends_the_start(
    source: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for layout in ("true", "false"):
        assert main(["run", f"--source={source}", f"--composition={layout}"]) == 1
        assert said in one_line(capsys)


def test_devices_may_come_later() -> None:
    check_start(defaults(source="0,2,4,6"))
    check_start(defaults(source="rtsp://127.0.0.1:1/{view}"))


def test_without_a_source_there_are_no_cameras_and_the_topics_are_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from egorear_ros.graph import main as graph_main
    from egorear_ros.graph.description import build_graph

    started: list[Any] = []
    monkeypatch.setattr(graph_main, "run_composed", lambda options, *_: started.append(options) or 0)
    assert main(["run"]) == 0
    assert "camera_node" not in {spec.kind for spec in build_graph(started[0])}
    topics = ", ".join(f"/egorear/{view}/image_raw" for view in VIEWS)
    assert capsys.readouterr().out == f"no --source: waiting for images on {topics}\n"
    assert image_topics(defaults(transport="compressed", namespace="robot", views="rear_left")) == [
        "/robot/rear_left/image_raw/compressed"
    ]


def test_three_ends_within_half_a_minute_are_hopeless() -> None:
    """One now and then is started again; launch files and the supervisor count alike."""
    times = [0.0, 1.0, 2.0, 100.0, 140.0, 180.0, 181.0]
    clock = iter(times)
    ends = Ends(lambda: next(clock))
    assert [ends.hopeless() for _ in times] == [False, False, True, False, False, False, False]
