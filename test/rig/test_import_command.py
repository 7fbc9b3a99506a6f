"""`egorear rig import` and `egorear rig --against`, and what they say about files with mistakes."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from egorear_ros.cli.main import main
from egorear_ros.rig import VIEWS, RigError, load_rig, rig_yaml
from egorear_ros.rig.comparison import compare_rigs
from egorear_ros.rig.doubts import doubts
from egorear_ros.rig.importing import ImportOptions, import_rig
from egorear_ros.rig.rigid import rigid

from .calibration_files import DATA, FOUR

FILES = sorted(path for path in DATA.iterdir() if ".expected" not in path.name)


def test_the_command_writes_rig_and_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    out = tmp_path / "helmet.yaml"
    source = str(DATA / "camchain_equi.yaml")
    assert main(["rig", "import", source, "--out", str(out), "--names", ",".join(VIEWS), "--max-angle", "100"]) == 0
    printed = capsys.readouterr().out
    assert "rear_right" in printed and "200.0°" in printed and "looks wrong" not in printed
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    expected = import_rig([source], ImportOptions(VIEWS, max_angles_rad=(math.radians(100),)))[0]
    assert all(d.max_px < 1e-6 and d.position_m < 1e-9 for d in compare_rigs(load_rig(out), expected))
    assert main(["rig", str(out), "--against", source]) == 0


def test_without_matplotlib_there_is_a_rig_and_no_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(["rig", "import", str(DATA / "ost.yaml"), "--out", str(tmp_path / "rig.yaml")]) == 0
    assert "no picture: it needs the package matplotlib: pip install 'egorear[view]'" in capsys.readouterr().out
    assert load_rig(tmp_path / "rig.yaml").names == ("front_left",) and not (tmp_path / "rig.png").exists()


def test_a_wrong_rig_is_no_longer_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The rear cameras taken relative to the first camera, as the documentation once said."""
    content = yaml.safe_load((DATA / "camchain_equi.yaml").read_text())
    rig = import_rig([DATA / "camchain_equi.yaml"], FOUR)[0]
    first = rig.cameras[0].camera_from_device
    wrong = {VIEWS[i]: np.array(content[f"cam{i}"].get("T_cn_cnm1", np.eye(4))) @ first for i in range(4)}
    for name, matrix in wrong.items():
        wrong[name] = rigid(Rotation.from_matrix(matrix[:3, :3]).as_matrix(), matrix[:3, 3])
    path = tmp_path / "wrong.yaml"
    path.write_text(rig_yaml(rig.with_extrinsics(wrong)))
    assert main(["rig", str(path)]) == 0
    assert "looks wrong: rear_right does not lie behind the front cameras" in capsys.readouterr().out
    assert main(["rig", str(path), "--against", str(DATA / "camchain_equi.yaml")]) == 1
    assert "differs from the files: rear_left, rear_right" in capsys.readouterr().out


def test_a_lens_file_alone_is_compared_by_its_lens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lens_file = str(DATA / "calib_results_front_left.txt")
    assert main(["rig", "ego4view", "--against", lens_file]) == 1  # which has another affine part
    assert "differs from the files: front_left" in capsys.readouterr().out
    out = tmp_path / "own.yaml"
    out.write_text(rig_yaml(import_rig([lens_file])[0]))
    assert main(["rig", str(out), "--against", lens_file]) == 0
    content = yaml.safe_load(out.read_text())
    content["cameras"]["front_left"]["center"].reverse()  # row and column exchanged
    out.write_text(yaml.safe_dump(content))
    assert main(["rig", str(out), "--against", lens_file]) == 1


def test_doubts_name_usual_mistakes() -> None:
    rig = load_rig("ego4view")
    assert not doubts(rig) and not doubts(load_rig("unrealego"))
    poses = {camera.name: camera.camera_from_device for camera in rig.cameras}
    swapped = {**poses, "front_left": poses["front_right"], "front_right": poses["front_left"]}
    assert any("front_left lies to the right" in line for line in doubts(rig.with_extrinsics(swapped)))
    millimetres = {name: rigid(pose[:3, :3], 1000 * pose[:3, 3]) for name, pose in poses.items()}
    assert any("are lengths in metres" in line for line in doubts(rig.with_extrinsics(millimetres)))


Spoil = Callable[[dict[str, Any]], Any]
MISTAKES: dict[str, tuple[Spoil, str]] = {
    "unknown model": (lambda c: c["cam1"].update(distortion_model="fov"), "camera 'cam1': unknown model 'pinhole'"),
    "missing": (lambda c: c["cam2"].pop("intrinsics"), "camera 'cam2': missing field 'intrinsics'"),
    "no pose": (lambda c: c["cam2"].pop("T_cn_cnm1"), "camera 'cam2': missing field 'T_cn_cnm1'"),
    "length": (lambda c: c["cam1"].update(distortion_coeffs=[0.1]), "'distortion_coeffs' must be 4 finite numbers"),
    "NaN": (lambda c: c["cam0"]["intrinsics"].__setitem__(0, math.nan), "camera 'cam0': 'intrinsics' must be 4 finite"),
    "mirror": (lambda c: c["cam3"]["T_cn_cnm1"][0].__setitem__(0, -1), "camera 'cam3': T_cn_cnm1: not a rotation"),
    "gap": (lambda c: c.pop("cam1"), "without a gap"),
    "cut": (lambda c: c.pop("cam3"), "cam_overlaps names cam3"),
    "size": (lambda c: c["cam0"].update(resolution=[640, 480]), "lies outside the 640x480 image"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_chain_is_named(mistake: str, tmp_path: Path) -> None:
    spoil, message = MISTAKES[mistake]
    content = yaml.safe_load((DATA / "camchain_equi.yaml").read_text())
    spoil(content)
    (tmp_path / "chain.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(RigError) as caught:
        import_rig([tmp_path / "chain.yaml"], FOUR)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (ImportOptions(), "give --names front_left,front_right,rear_left,rear_right in the order of cam0"),
        (ImportOptions(names=("a", "b")), "--names has 2 names, the files have 4"),
        (ImportOptions(names=("a", "a", "b", "c")), "'a' is used twice"),
        (ImportOptions(VIEWS, device_from="top"), "--device-from 'top' is no camera"),
        (ImportOptions(VIEWS, max_angles_rad=(2.9,)), "camera 'front_left': the lens formula ends at 123"),
        (ImportOptions(VIEWS, image_circles_px=(1.0, 2.0)), "--image-circle has 2 values"),
        (ImportOptions(VIEWS, format_name="basalt"), "a Basalt calibration is"),
        (ImportOptions(VIEWS, scale=0), "--scale must be"),
    ],
)
def test_what_is_missing_is_asked_for(options: ImportOptions, message: str) -> None:
    if options.format_name == "basalt":
        message = "missing field 'intrinsics'"
    with pytest.raises(RigError) as caught:
        import_rig([DATA / "camchain_equi.yaml"], options)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"[1, 2", b"hello", b"{", b"1 2\n3", b"a: b", b"%YAML:1.0\n---\nK: 1"]
)
def test_no_calibration_is_one_line(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_bytes(content)
    assert main(["rig", "import", str(tmp_path / "file"), "--out", str(tmp_path / "rig.yaml")]) == 1
    error = capsys.readouterr().err
    assert "file'" in error and error.count("\n") == 1 and not (tmp_path / "rig.yaml").exists()


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(FILES),
    st.floats(0, 0.97, allow_subnormal=False),
    st.sampled_from(["", "-", "nan", "\n", "9e99", "]"]),
    st.integers(0, 40),
)
def test_damaged_files_are_refused_or_read(tmp_path: Path, source: Path, share: float, put: str, removed: int) -> None:
    """Never a traceback."""
    text = source.read_text()
    place = int(share * len(text))
    path = tmp_path / source.name
    path.write_text(text[:place] + put + (text[place + removed :] if put else ""))
    names = VIEWS if "camchain" in source.name else ()
    try:
        import_rig([path], ImportOptions(names))
    except RigError as error:
        assert source.name in str(error) or "camera '" in str(error) or "--names" in str(error)
