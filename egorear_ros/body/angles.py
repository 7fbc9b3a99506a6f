"""The body's rotations as angles of single axes, and a robot description with these axes.

Hinges have one angle, about their axis, positive when they bend. All other joints have three: intrinsic z, y, x of
their own frame (turn, pitch, roll). The root has none: its pose is a transform. In the rest pose all angles are 0.
"""

from __future__ import annotations

import math
from typing import Final
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from egorear_ros.body.limits import LIMITS, Hinge
from egorear_ros.body.tree import BODY_JOINTS, BODY_PARENTS, ROTATING

Float64 = npt.NDArray[np.float64]

EFFORT: Final = "100"
VELOCITY: Final = "20"
"""URDF demands both; nothing here obeys them."""

RADIUS_M: Final = 0.02
_AXES: Final = {"z": (0.0, 0.0, 1.0), "y": (0.0, 1.0, 0.0), "x": (1.0, 0.0, 0.0)}


def _axes_of(joint: str) -> dict[str, tuple[float, float, float]]:
    """Name of each angle -> its axis, in order."""
    limit = LIMITS.get(joint)
    if isinstance(limit, Hinge):
        x, y, z = limit.axis.tolist()
        return {f"{joint}_bend": (x, y, z)}
    return {f"{joint}_{letter}": axis for letter, axis in _AXES.items()}


ANGLE_NAMES: Final[tuple[str, ...]] = tuple(name for j in ROTATING[1:] for name in _axes_of(BODY_JOINTS[j]))
"""Names of all angles, in order; also the names of the joints in the robot description."""


def joint_angles(parent_from_joint: Float64) -> Float64:
    """Angles of poses.

    Args:
        parent_from_joint: (T, 20, 3, 3) rotations.

    Returns:
        (T, A) radians, in the order of `ANGLE_NAMES`.
    """
    columns = []
    for joint in ROTATING[1:]:
        rotations = Rotation.from_matrix(parent_from_joint[:, joint])
        limit = LIMITS.get(BODY_JOINTS[joint])
        if isinstance(limit, Hinge):
            columns.append(np.asarray(rotations.as_rotvec()) @ limit.axis[:, None])
        else:
            columns.append(np.unwrap(np.asarray(rotations.as_euler("ZYX")), axis=0))
    return np.concatenate(columns, 1)


def robot_description(offsets_m: Float64, name: str = "person") -> str:
    """A URDF of the person: one link per joint of the body, called after it, and cylinders for bones.

    Args:
        offsets_m: (20, 3) of the body.
        name: of the robot.
    """
    robot = ElementTree.Element("robot", name=name)
    for joint, link in enumerate(BODY_JOINTS):
        parent = BODY_PARENTS[joint]
        if parent >= 0:
            _add_chain(robot, BODY_JOINTS[parent], link, offsets_m[joint], joint in ROTATING)
        element = ElementTree.SubElement(robot, "link", name=link)
        for child, above in enumerate(BODY_PARENTS):
            if above == joint and np.linalg.norm(offsets_m[child]) > RADIUS_M:
                _add_bone(element, offsets_m[child])
    ElementTree.indent(robot)
    return '<?xml version="1.0"?>\n' + ElementTree.tostring(robot, encoding="unicode") + "\n"


def _add_chain(robot: ElementTree.Element, parent: str, link: str, offset_m: Float64, turns: bool) -> None:
    """Joints between two links, with an empty link between each two of them."""
    origin = " ".join(f"{value:.6f}" for value in offset_m)
    if not turns:
        _add_joint(robot, f"{link}_fixed", "fixed", parent, link, origin)
        return
    axes = list(_axes_of(link).items())
    for index, (name, axis) in enumerate(axes):
        child = link if index == len(axes) - 1 else f"{name}_link"
        joint = _add_joint(robot, name, "revolute", parent, child, origin if index == 0 else "0 0 0")
        ElementTree.SubElement(joint, "axis", xyz=" ".join(f"{value:g}" for value in axis))
        limit = LIMITS.get(link)
        low, high = (limit.low_rad, limit.high_rad) if isinstance(limit, Hinge) else (-math.pi, math.pi)
        bounds = {"lower": f"{low:.6f}", "upper": f"{high:.6f}", "effort": EFFORT, "velocity": VELOCITY}
        ElementTree.SubElement(joint, "limit", bounds)
        if child != link:
            ElementTree.SubElement(robot, "link", name=child)
        parent = child


def _add_joint(
    robot: ElementTree.Element, name: str, kind: str, parent: str, child: str, origin: str
) -> ElementTree.Element:
    joint = ElementTree.SubElement(robot, "joint", name=name, type=kind)
    ElementTree.SubElement(joint, "parent", link=parent)
    ElementTree.SubElement(joint, "child", link=child)
    ElementTree.SubElement(joint, "origin", xyz=origin, rpy="0 0 0")
    return joint


def _add_bone(link: ElementTree.Element, offset_m: Float64) -> None:
    """A cylinder from the link's origin to `offset_m`; a cylinder of URDF lies along z."""
    length = float(np.linalg.norm(offset_m))
    x, y, z = (offset_m / length).tolist()
    middle = " ".join(f"{value:.6f}" for value in offset_m / 2)
    # Roll, then pitch: z becomes (sin pitch cos roll, -sin roll, cos pitch cos roll).
    roll, pitch = math.asin(max(-1.0, min(1.0, -y))), math.atan2(x, z)
    visual = ElementTree.SubElement(link, "visual")
    ElementTree.SubElement(visual, "origin", xyz=middle, rpy=f"{roll:.6f} {pitch:.6f} 0")
    geometry = ElementTree.SubElement(visual, "geometry")
    ElementTree.SubElement(geometry, "cylinder", radius=f"{RADIUS_M:g}", length=f"{length:.6f}")
