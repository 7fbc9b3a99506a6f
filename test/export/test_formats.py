"""Every format, read by something that is not its writer: another library, or a reader of our own (`readers`)."""

from __future__ import annotations

import csv
import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from egorear_ros.bags.message_reading import skeleton_from_message
from egorear_ros.bags.reading import Bag, find_topics
from egorear_ros.body import BODY_JOINTS, BODY_PARENTS, ROTATING, fit_body
from egorear_ros.errors import EgorearError
from egorear_ros.export import SUFFIXES, Export, check_output, formats, write
from egorear_ros.rig import VIEWS
from egorear_ros.skeleton import JOINTS

from .conftest import FRAMES
from .readers import read_bvh, read_glb, read_trc

Float64 = NDArray[np.float64]

Y_UP_FROM_HELMET = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]])  # x left, y up, z forward
OPENSIM_FROM_HELMET = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])  # x forward, y up, z right
MILLIMETRE = 1e-3
TENTH_OF_A_DEGREE = np.radians(0.1)


def in_helmet(export: Export, device_m: Float64) -> Float64:
    helmet_from_device = export.rig.helmet_from_device
    return np.asarray(device_m @ helmet_from_device[:3, :3].T + helmet_from_device[:3, 3], np.float64)


def local_angles_rad(export: Export, frame: int, world: dict[str, Float64]) -> list[float]:
    """Between the rotations in a file, from its world matrices, and the body's own; in the frame of the joints."""
    found = []
    for joint in ROTATING[1:]:
        parent = world[BODY_JOINTS[BODY_PARENTS[joint]]][:3, :3]
        local = parent.T @ world[BODY_JOINTS[joint]][:3, :3]
        in_body = Y_UP_FROM_HELMET.T @ local @ Y_UP_FROM_HELMET
        found.append(Rotation.from_matrix(in_body.T @ export.body.parent_from_joint[frame, joint]).magnitude())
    return found


def test_npz_has_everything(export: Export, tmp_path: Path) -> None:
    write(tmp_path / "a.npz", export)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        data = dict(file)
    sequence = export.body.sequence
    assert data["joint_names"].tolist() == list(JOINTS)
    assert np.array_equal(data["joints_m"], sequence.positions_m)
    assert np.array_equal(data["stamps_ns"], sequence.stamps_ns)
    assert np.allclose(data["covariance_m2"], sequence.covariance_m2, equal_nan=True)
    assert data["views_used"].sum(1).tolist() == [2 if index == 5 else 4 for index in range(FRAMES)]
    # Forward kinematics by hand, from what the file says alone.
    names = data["body_joint_names"].tolist()
    turning = data["rotating_joint_names"].tolist()
    for frame in range(FRAMES):
        turned: list[Float64] = []
        for joint, parent in enumerate(data["body_parents"]):
            quaternion = data["rotations_xyzw"][frame, turning.index(names[joint])] if names[joint] in turning else None
            local = np.eye(3) if quaternion is None else Rotation.from_quat(quaternion).as_matrix()
            turned.append(local if parent < 0 else turned[parent] @ local)
            if parent >= 0:
                position = data["body_positions_m"][frame, parent] + turned[parent] @ data["body_offsets_m"][joint]
                assert position == pytest.approx(data["body_positions_m"][frame, joint], abs=1e-9)


def read_csv(path: Path) -> dict[str, list[Any]]:
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    return {name: list(column) for name, column in zip(header, zip(*rows, strict=True), strict=True)}


def read_parquet(path: Path) -> dict[str, list[Any]]:
    parquet = pytest.importorskip("pyarrow.parquet")
    return dict(parquet.read_table(path).to_pydict())


@pytest.mark.parametrize(("suffix", "read"), [(".csv", read_csv), (".parquet", read_parquet)])
def test_tables(suffix: str, read: Any, export: Export, tmp_path: Path) -> None:
    write(tmp_path / f"a{suffix}", export)
    table = read(tmp_path / f"a{suffix}")
    sequence = export.body.sequence
    assert [int(value) for value in table["stamp_ns"]] == sequence.stamps_ns.tolist()
    assert table["views"][5] == "front_left+front_right"
    joint = JOINTS.index("LeftHand")
    for axis, letter in enumerate("xyz"):
        free = [float(value) for value in table[f"free.LeftHand.{letter}_m"]]
        body = [float(value) for value in table[f"body.LeftHand.{letter}_m"]]
        assert free == sequence.positions_m[:, joint, axis].tolist()
        assert body == export.body.joints_m[:, joint, axis].tolist()
        std = [float(value if value != "" else "nan") for value in table[f"free.LeftHand.std_{letter}_m"]]
        assert std == pytest.approx(sequence.std_m[:, joint, axis].tolist(), nan_ok=True)
    assert np.isnan(float(table["free.LeftHand.std_x_m"][3] or "nan"))
    quaternion = np.array([[float(v) for v in table[f"rotation.LeftArm.q{axis}"]] for axis in "xyzw"]).T
    expected = export.body.parent_from_joint[:, BODY_JOINTS.index("LeftArm")]
    assert Rotation.from_quat(quaternion).as_matrix() == pytest.approx(expected)
    assert bool(int(table["free.Head.valid"][0]))


def test_bvh(export: Export, tmp_path: Path) -> None:
    write(tmp_path / "a.bvh", export)
    bvh = read_bvh(tmp_path / "a.bvh")
    assert bvh.values.shape[0] == FRAMES
    assert bvh.frame_time_s == pytest.approx(1 / 12, abs=1e-8)
    expected = in_helmet(export, export.body.positions_m) @ Y_UP_FROM_HELMET.T
    assert [joint.name for joint in bvh.joints] == list(BODY_JOINTS)
    for frame in range(FRAMES):
        world = bvh.world(frame)
        found = np.array([world[name][:3, 3] for name in BODY_JOINTS])
        assert np.abs(found - expected[frame]).max() < MILLIMETRE
        assert max(local_angles_rad(export, frame, world)) < TENTH_OF_A_DEGREE


def test_bvh_in_another_library(export: Export, tmp_path: Path) -> None:
    bvhio = pytest.importorskip("bvhio")
    write(tmp_path / "a.bvh", export)
    hierarchy = bvhio.readAsHierarchy(str(tmp_path / "a.bvh"))
    expected = in_helmet(export, export.body.positions_m) @ Y_UP_FROM_HELMET.T
    for frame in (0, FRAMES // 2, FRAMES - 1):
        hierarchy.loadPose(frame)
        found = {joint.Name: np.array(list(joint.PositionWorld)) for joint, _, _ in hierarchy.layout()}
        for index, name in enumerate(BODY_JOINTS):
            assert np.abs(found[name] - expected[frame, index]).max() < MILLIMETRE, name


def test_glb(export: Export, tmp_path: Path) -> None:
    pytest.importorskip("pygltflib")
    write(tmp_path / "a.glb", export)
    glb = read_glb(tmp_path / "a.glb")
    expected = in_helmet(export, export.body.positions_m) @ Y_UP_FROM_HELMET.T
    times = glb.accessor(glb.document["animations"][0]["samplers"][0]["input"])[:, 0]
    assert times == pytest.approx(export.body.sequence.times_s, abs=1e-6)
    for frame in range(FRAMES):
        world = glb.world(frame)
        found = np.array([world[name][:3, 3] for name in BODY_JOINTS])
        assert np.abs(found - expected[frame]).max() < MILLIMETRE
        assert max(local_angles_rad(export, frame, world)) < TENTH_OF_A_DEGREE
    extras = glb.document["animations"][0]["extras"]
    assert [int(stamp) for stamp in extras["stamps_ns"]] == export.body.sequence.stamps_ns.tolist()
    assert np.sum(extras["views_used"], axis=1).tolist() == [2 if index == 5 else 4 for index in range(FRAMES)]
    assert extras["std_m"][3][0] is None
    assert extras["std_m"][0][0] == pytest.approx(np.sqrt((0.01**2 + 0.02**2 + 0.03**2) / 3), abs=1e-4)


def test_the_figure_of_the_glb_moves_with_its_bones(export: Export, tmp_path: Path) -> None:
    """Each spindle has its tips in the joints at both ends of its bone, in every frame."""
    pytest.importorskip("pygltflib")
    write(tmp_path / "a.glb", export)
    glb = read_glb(tmp_path / "a.glb")
    for frame in (0, FRAMES - 1):
        world, points = glb.world(frame), glb.skinned(frame)
        for name in ("LeftHand", "RightFoot", "LeftToeBase", "Neck"):
            nearest = np.linalg.norm(points - world[name][:3, 3], axis=-1).min()
            assert nearest < MILLIMETRE, name


def test_glb_in_another_library(export: Export, tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    pytest.importorskip("pygltflib")
    write(tmp_path / "a.glb", export)
    scene = trimesh.load(tmp_path / "a.glb")
    (figure,) = scene.geometry.values()
    # The rest pose: arms wide along x, the normals outward.
    reach = figure.vertices[:, 0].max()
    lengths = export.body.lengths
    assert reach == pytest.approx(
        lengths.shoulder_half_width_m + lengths.upper_arm_m + lengths.forearm_m, abs=MILLIMETRE
    )
    figure.merge_vertices(merge_norm=True)
    parts = figure.split(only_watertight=False)
    assert len(parts) == 17
    for part in parts:
        assert part.is_watertight
        assert part.volume > 0
    assert set(BODY_JOINTS) <= set(scene.graph.nodes)


def test_trc(export: Export, tmp_path: Path) -> None:
    write(tmp_path / "a.trc", export)
    header, names, times, positions = read_trc(tmp_path / "a.trc")
    assert header["Units"] == "m" and header["NumFrames"] == str(FRAMES) and header["NumMarkers"] == "16"
    assert float(header["DataRate"]) == pytest.approx(12, abs=1e-4)
    assert names == list(JOINTS)
    assert times == pytest.approx(export.body.sequence.times_s, abs=1e-6)
    expected = in_helmet(export, export.body.joints_m) @ OPENSIM_FROM_HELMET.T
    assert np.abs(positions - expected).max() < MILLIMETRE
    assert positions[0, JOINTS.index("Head"), 1] > positions[0, JOINTS.index("LeftFoot"), 1]
    assert positions[0, JOINTS.index("RightUpLeg"), 2] > positions[0, JOINTS.index("LeftUpLeg"), 2]


def test_mcap_of_a_clip(export: Export, tmp_path: Path) -> None:
    write(tmp_path / "a.mcap", export)
    with Bag(tmp_path / "a.mcap") as bag:
        assert find_topics(bag, VIEWS).compressed
        assert bag.counts["/egorear/front_left/image_raw/compressed"] == 120
        found = [skeleton_from_message(m.message) for m in bag.messages(["/egorear/skeleton"])]
        fitted = [skeleton_from_message(m.message) for m in bag.messages(["/egorear/skeleton_fitted"])]
        times = [m.time_ns for m in bag.messages(bag.topics)]
    assert times == sorted(times)
    assert np.array_equal([s.positions_m for s in found], export.body.sequence.positions_m)
    assert np.array_equal([s.positions_m for s in fitted], export.body.joints_m)
    assert np.array_equal([s.covariance_m2 for s in found], [s.covariance_m2 for s in export.skeletons], equal_nan=True)
    assert [s.views for s in found] == [s.views for s in export.skeletons]
    assert [s.stamp_ns for s in fitted] == export.body.sequence.stamps_ns.tolist()


def test_mp4(export: Export, tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", export)
    video = cv2.VideoCapture(str(tmp_path / "a.mp4"))
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(12, abs=0.01)
    green = []
    while (read := video.read())[0]:
        image = read[1].astype(int)
        green.append(int(((image[..., 1] - image[..., 0] > 60) & (image[..., 1] - image[..., 2] > 60)).sum()))
    assert len(green) == FRAMES
    assert min(green) > 1000  # the skeleton is drawn in every picture


def test_rrd(export: Export, tmp_path: Path) -> None:
    pytest.importorskip("rerun")
    write(tmp_path / "a.rrd", export)
    data = (tmp_path / "a.rrd").read_bytes()
    assert data[:3] == b"RRF"
    for entity in (b"helmet_link/body/joints", b"helmet_link/skeleton/joints", b"cameras/rear_left/image"):
        assert entity in data or entity.decode() in _entities(tmp_path / "a.rrd")


def _entities(path: Path) -> str:
    """Entity paths of a recording, by rerun's own reader."""
    from rerun.experimental import RrdReader

    return "\n".join(str(chunk.entity_path) for chunk in RrdReader(path).stream())


def test_uneven_stamps_are_resampled_for_bvh(export: Export, tmp_path: Path) -> None:
    """A lost frame set: the file keeps its rate and the motion its time."""
    kept = [index for index in range(FRAMES) if index not in (8, 9)]
    sequence = export.body.sequence
    shorter = replace(
        sequence,
        **{
            name: getattr(sequence, name)[kept]
            for name in ("stamps_ns", "positions_m", "covariance_m2", "confidence", "valid", "views_used")
        },
    )
    lossy = replace(export, body=fit_body(shorter, export.body.lengths))
    write(tmp_path / "a.bvh", lossy)
    bvh = read_bvh(tmp_path / "a.bvh")
    assert len(bvh.values) == FRAMES
    expected = in_helmet(export, lossy.body.positions_m) @ Y_UP_FROM_HELMET.T
    for frame, index in ((3, 3), (20, 18)):
        world = bvh.world(frame)
        found = np.array([world[name][:3, 3] for name in BODY_JOINTS])
        assert np.abs(found - expected[index]).max() < MILLIMETRE


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_is_whole_or_not_there(
    suffix: str, export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_text("before")
    form = formats.FORMATS[suffix]
    if form.needs and importlib.util.find_spec(form.needs) is None:
        pytest.skip(f"{form.needs} is not installed")
    module = importlib.import_module(f"egorear_ros.export.{form.module}")
    original = module.write

    def fails(partial: Path, *rest: Any) -> None:
        original(partial, *rest)
        raise EgorearError("full")

    monkeypatch.setattr(module, "write", fails)
    with pytest.raises(EgorearError, match="full"):
        write(path, export)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "before"
    monkeypatch.setattr(module, "write", original)
    write(path, export)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.stat().st_size > 1000


def test_outputs_are_checked_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EgorearError, match=r"suffix '.fbx' is not one of .npz"):
        check_output(tmp_path / "a.fbx")
    with pytest.raises(EgorearError, match="there is no folder"):
        check_output(tmp_path / "none" / "a.npz")
    monkeypatch.setattr(formats.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EgorearError, match=r"writing .glb needs pygltflib: pip install 'egorear\[export\]'"):
        check_output(tmp_path / "a.glb")
    check_output(tmp_path / "a.bvh")
