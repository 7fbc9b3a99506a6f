"""A robot description (URDF) of one person, from `rep155`; it has a joint for each angle of `joint_angles`."""

from __future__ import annotations

import math
from typing import Final
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from egorear_ros.body.rep155 import CHAIN, LINKS, ChainJoint, HumanChain, suffixed

Float64 = npt.NDArray[np.float64]

EFFORT: Final = "100"
VELOCITY: Final = "20"
"""URDF demands both; nothing here obeys them."""

BONE_RADIUS_M: Final = 0.025
HEAD_RADIUS_M: Final = 0.1
COLOR: Final = "0.27 0.55 0.85 1"


def robot_description(offsets_m: Float64, body_id: str = "", name: str = "person") -> str:
    """A URDF of the person, with cylinders for bones.

    Args:
        offsets_m: (20, 3) of the body.
        body_id: added to the names of all links and joints; empty for none.
        name: of the robot.
    """
    origins = HumanChain(offsets_m).origins_m
    robot = ElementTree.Element("robot", name=suffixed(name, body_id))
    material = ElementTree.SubElement(robot, "material", name="person")
    ElementTree.SubElement(material, "color", rgba=COLOR)
    for link in LINKS:
        element = ElementTree.SubElement(robot, "link", name=suffixed(link, body_id))
        for joint, origin in zip(CHAIN, origins, strict=True):
            if joint.parent == link and np.linalg.norm(origin) > BONE_RADIUS_M:
                _add_bone(element, origin)
        if link == "head":
            _add_visual(element, "0 0 0", "0 0 0", "sphere", radius=f"{HEAD_RADIUS_M:g}")
    for joint, origin in zip(CHAIN, origins, strict=True):
        _add_joint(robot, joint, origin, body_id)
    ElementTree.indent(robot)
    return '<?xml version="1.0"?>\n' + ElementTree.tostring(robot, encoding="unicode") + "\n"


def _add_joint(robot: ElementTree.Element, joint: ChainJoint, origin_m: Float64, body_id: str) -> None:
    endless = math.isinf(joint.high_rad)
    kind = "fixed" if joint.axis is None else "continuous" if endless else "revolute"
    element = ElementTree.SubElement(robot, "joint", name=suffixed(joint.name, body_id), type=kind)
    ElementTree.SubElement(element, "parent", link=suffixed(joint.parent, body_id))
    ElementTree.SubElement(element, "child", link=suffixed(joint.child, body_id))
    ElementTree.SubElement(element, "origin", xyz=_numbers(origin_m), rpy="0 0 0")
    if joint.axis is None:
        return
    ElementTree.SubElement(element, "axis", xyz=" ".join(f"{value:g}" for value in joint.axis))
    bounds = {} if endless else {"lower": f"{joint.low_rad:.6f}", "upper": f"{joint.high_rad:.6f}"}
    ElementTree.SubElement(element, "limit", {**bounds, "effort": EFFORT, "velocity": VELOCITY})


def _add_bone(link: ElementTree.Element, end_m: Float64) -> None:
    """A cylinder from the link's origin to `end_m`; a cylinder of URDF lies along z."""
    length = float(np.linalg.norm(end_m))
    x, y, z = (end_m / length).tolist()
    # Roll, then pitch: z becomes (sin pitch cos roll, -sin roll, cos pitch cos roll).
    roll, pitch = math.asin(max(-1.0, min(1.0, -y))), math.atan2(x, z)
    size = {"radius": f"{BONE_RADIUS_M:g}", "length": f"{length:.6f}"}
    _add_visual(link, _numbers(end_m / 2), f"{roll:.6f} {pitch:.6f} 0", "cylinder", **size)


def _add_visual(link: ElementTree.Element, xyz: str, rpy: str, shape: str, **size: str) -> None:
    visual = ElementTree.SubElement(link, "visual")
    ElementTree.SubElement(visual, "origin", xyz=xyz, rpy=rpy)
    geometry = ElementTree.SubElement(visual, "geometry")
    ElementTree.SubElement(geometry, shape, size)
    ElementTree.SubElement(visual, "material", name="person")


def _numbers(values: Float64) -> str:
    return " ".join(f"{value:.6f}" for value in values)
