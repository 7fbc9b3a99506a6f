"""Clocks that do not fit, in a recording: the evaluation says how many frames found no set, why, and the remedy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from egorear_ros.bags.message_reading import NANOSECONDS, stamp_to_ns
from egorear_ros.bags.reading import BagMessage
from egorear_ros.cli import main
from egorear_ros.rig import VIEWS

from ..recording import FRAMES, Recording
from .test_bag_evaluation import rewrite

OFFSETS = """/**/synchronizer:
  ros__parameters:
    offsets: {}
"""


def restamped(views: tuple[str, ...], change: Callable[[int], int]) -> Callable[[BagMessage], BagMessage]:
    def shift(m: BagMessage) -> BagMessage:
        if any(m.topic.endswith(f"/{view}/image_raw") for view in views):
            stamp = m.message.header.stamp
            stamp.sec, stamp.nanosec = divmod(change(stamp_to_ns(stamp)), NANOSECONDS)
        return m

    return shift


def run(path: Path, model: str, tmp_path: Path, capsys: Any, *arguments: str) -> tuple[int, str, str, Any]:
    out = tmp_path / "out.json"
    status = main.main(["evaluate", "--bag", str(path), "--model", model, "--json", str(out), *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err, json.loads(out.read_text()) if out.exists() else None


def test_a_healthy_recording_has_no_line(recorded: Recording, bag_path: Path, tmp_path: Path, capsys: Any) -> None:
    status, output, _, figures = run(bag_path, recorded.model, tmp_path, capsys)
    assert status == 0 and "no frame set" not in output
    assert all(stamps["finding"] is None and not stamps["without_set"] for stamps in figures["stamps"].values())


@pytest.mark.parametrize(
    ("shift_ns", "text"),
    # The recording's own skews are 1, 0, 2 and 3 ms: rear_left is 1 ms ahead of the median of the others as it is.
    [(20_000_000, "21.0 ms ahead of"), (-10 * NANOSECONDS, "9.999 s behind"), (3600 * NANOSECONDS, "3600.001 s ahead")],
)
def test_a_camera_on_another_clock(
    recorded: Recording, bag_path: Path, tmp_path: Path, capsys: Any, shift_ns: int, text: str
) -> None:
    path = rewrite(bag_path, tmp_path / "bad", restamped(("rear_left",), lambda stamp: stamp + shift_ns))
    status, output, _, figures = run(path, recorded.model, tmp_path, capsys)
    assert status == 0
    assert f"camera 'rear_left': {FRAMES} of {FRAMES} frames in no frame set" in output
    assert text in output and "set offsets: [0.0, 0.0, " in output
    assert figures["stamps"]["rear_left"]["finding"] is not None
    assert sum(figures["stamps"]["rear_left"]["without_set"].values()) == FRAMES
    assert figures["stamps"]["front_left"]["finding"] is None


def test_the_offsets_it_names_mend_it(recorded: Recording, bag_path: Path, tmp_path: Path, capsys: Any) -> None:
    path = rewrite(bag_path, tmp_path / "bad", restamped(("rear_left",), lambda stamp: stamp + 20_000_000))
    _, output, _, _ = run(path, recorded.model, tmp_path, capsys)
    (tmp_path / "p.yaml").write_text(OFFSETS.format(output.partition("set offsets: ")[2].splitlines()[0]))
    _, output, _, figures = run(path, recorded.model, tmp_path, capsys, "--params-file", str(tmp_path / "p.yaml"))
    assert "no frame set" not in output and figures["frames"]["complete"] == FRAMES


def test_two_of_four_cameras_on_another_clock(recorded: Recording, bag_path: Path, tmp_path: Path, capsys: Any) -> None:
    change = restamped(("rear_left", "rear_right"), lambda stamp: stamp - 100 * NANOSECONDS)
    _, output, _, figures = run(rewrite(bag_path, tmp_path / "bad", change), recorded.model, tmp_path, capsys)
    named = [view for view in VIEWS if figures["stamps"][view]["finding"]]
    assert named == ["rear_left", "rear_right"], output
    assert "99.998 s behind" in figures["stamps"]["rear_left"]["finding"]


def test_images_without_stamps(recorded: Recording, bag_path: Path, tmp_path: Path, capsys: Any) -> None:
    path = rewrite(bag_path, tmp_path / "bad", restamped(VIEWS, lambda stamp: 0))
    status, _, errors, figures = run(path, recorded.model, tmp_path, capsys)
    assert status == 1 and figures is None and "Traceback" not in errors
    assert "nothing to compare" in errors and all(f"camera '{view}'" in errors for view in VIEWS)
    assert "no stamp (0)" in errors
