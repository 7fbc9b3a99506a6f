"""The robot description: its forward kinematics, by a reader of our own and by `yourdfpy`, gives the body."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from egorear_ros.body import ANGLE_NAMES, BODY_JOINTS, LINK_OF, joint_angles
from egorear_ros.export import Export, write

Float64 = NDArray[np.float64]
FIVE_MILLIMETRES = 0.005
TURNING = {"revolute", "continuous"}
PLACED = [BODY_JOINTS.index(joint) for joint in LINK_OF]


def numbers(text: str) -> Float64:
    return np.array([float(value) for value in text.split()])


def in_hips(export: Export, frame: int) -> Float64:
    """(17, 3) positions of the joints that have a link, in the frame of the hips."""
    body = export.body
    away_m = body.positions_m[frame, PLACED] - body.positions_m[frame, 0]
    return np.asarray(away_m @ body.device_from_joint[frame, 0], np.float64)


@pytest.fixture
def urdf(export: Export, tmp_path: Path) -> Path:
    write(tmp_path / "person.urdf", export)
    return tmp_path / "person.urdf"


def test_forward_kinematics_give_the_body(export: Export, urdf: Path) -> None:
    robot = ElementTree.parse(urdf).getroot()
    for frame, angles in enumerate(joint_angles(export.body.parent_from_joint, export.body.offsets_m)):
        given = dict(zip(ANGLE_NAMES, angles, strict=True))
        world = {"body": np.eye(4)}
        for joint in robot.findall("joint"):  # parents come first
            step = np.eye(4)
            step[:3, 3] = numbers(joint.find("origin").get("xyz"))  # type: ignore[union-attr,arg-type]
            if joint.get("type") in TURNING:
                axis = numbers(joint.find("axis").get("xyz"))  # type: ignore[union-attr,arg-type]
                step[:3, :3] = Rotation.from_rotvec(axis * given[joint.get("name")]).as_matrix()  # type: ignore[index]
            parent, child = joint.find("parent").get("link"), joint.find("child").get("link")  # type: ignore[union-attr]
            world[child] = world[parent] @ step  # type: ignore[index]
        found = np.array([world[link][:3, 3] for link in LINK_OF.values()])
        assert np.abs(found - in_hips(export, frame)).max() < FIVE_MILLIMETRES / 10


def test_it_keeps_the_rules_of_check_urdf(urdf: Path) -> None:
    """Unique names, one root, every link with one parent, limits that allow the rest pose, unit axes."""
    robot = ElementTree.parse(urdf).getroot()
    links = [link.get("name") for link in robot.findall("link")]
    joints = robot.findall("joint")
    assert len(set(links)) == len(links)
    assert len({joint.get("name") for joint in joints}) == len(joints)
    children = [joint.find("child").get("link") for joint in joints]  # type: ignore[union-attr]
    assert sorted(map(str, [*children, "body"])) == sorted(map(str, links))
    for joint in joints:
        if joint.get("type") in TURNING:
            limit, axis = joint.find("limit"), joint.find("axis")
            assert limit is not None and axis is not None
            assert float(limit.get("effort", "nan")) > 0 and float(limit.get("velocity", "nan")) > 0
            if joint.get("type") == "revolute":
                assert float(limit.get("lower", "nan")) <= 0 <= float(limit.get("upper", "nan"))
            assert np.linalg.norm(numbers(axis.get("xyz", ""))) == pytest.approx(1)
    assert {joint.get("name") for joint in joints if joint.get("type") in TURNING} == set(ANGLE_NAMES)


def test_the_cylinders_lie_along_the_bones(export: Export, urdf: Path) -> None:
    robot = ElementTree.parse(urdf).getroot()
    link = next(link for link in robot.findall("link") if link.get("name") == "l_collar")
    visual = link.find("visual")
    assert visual is not None
    origin, cylinder = visual.find("origin"), visual.find("geometry/cylinder")
    assert origin is not None and cylinder is not None
    turn = Rotation.from_euler("xyz", numbers(origin.get("rpy", ""))).as_matrix()
    half = float(cylinder.get("length", "nan")) / 2
    end = numbers(origin.get("xyz", "")) + turn @ [0, 0, half]
    assert end == pytest.approx(export.body.offsets_m[BODY_JOINTS.index("LeftArm")], abs=1e-5)


def test_yourdfpy_agrees(export: Export, urdf: Path) -> None:
    yourdfpy = pytest.importorskip("yourdfpy")
    robot = yourdfpy.URDF.load(str(urdf), load_meshes=False, build_scene_graph=True)
    angles = joint_angles(export.body.parent_from_joint, export.body.offsets_m)
    for frame in (0, len(angles) - 1):
        robot.update_cfg(dict(zip(ANGLE_NAMES, angles[frame], strict=True)))
        found = np.array([robot.get_transform(link, "body")[:3, 3] for link in LINK_OF.values()])
        assert np.abs(found - in_hips(export, frame)).max() < FIVE_MILLIMETRES
