"""The pose that a skeleton shows directly, in closed form: where the fit starts."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from egorear_ros.body.limits import X, Y, Z
from egorear_ros.body.rotations import cross, shortest_arc, unit
from egorear_ros.body.tree import BODY_JOINTS, BODY_PARENTS
from egorear_ros.skeleton import JOINTS

Float64 = npt.NDArray[np.float64]

INERTIA: Final = 0.15
"""How much the twist before weighs against the plane of a bent limb, whose weight is the sine of the bend: a straight
limb says nothing of its twist and keeps it."""

_NAMED: Final = {name: index for index, name in enumerate(BODY_JOINTS)}
_SKELETON: Final = {name: index for index, name in enumerate(JOINTS)}


def start_pose(joints_m: Float64, before: Float64, offsets_m: Float64) -> tuple[Float64, Float64]:
    """Rotations that point every bone at its joint.

    Args:
        joints_m: (16, 3) EgoRear's joints, all finite, device frame.
        before: (20, 3, 3) parent_from_joint of the frame before: decides what the joints do not.
        offsets_m: (20, 3) of the body.

    Returns:
        (20, 3, 3) parent_from_joint, the root's device_from_joint, and the (3,) position of the hips, metres.
    """
    return _Start(joints_m, before, offsets_m).solved()


class _Start:
    def __init__(self, joints_m: Float64, before: Float64, offsets_m: Float64) -> None:
        self._joints, self._before, self._offsets = joints_m, before, offsets_m
        self.local = np.tile(np.eye(3), (len(BODY_JOINTS), 1, 1))
        self._turned = self.local.copy()

    def solved(self) -> tuple[Float64, Float64]:
        hips_m = (self._at("LeftUpLeg") + self._at("RightUpLeg")) / 2
        up = self._at("Neck") - hips_m
        self._trunk("Hips", up, self._at("LeftUpLeg") - self._at("RightUpLeg"))
        self._trunk("Spine", up, self._at("LeftArm") - self._at("RightArm"))
        self._point("Neck", Z, self._at("Head") - self._at("Neck"))
        for side, sign in (("Left", 1.0), ("Right", -1.0)):
            collar = self._offsets[_NAMED[f"{side}Arm"]]
            self._point(f"{side}Shoulder", collar / np.linalg.norm(collar), self._at(f"{side}Arm") - self._at("Neck"))
            self._limb((f"{side}Arm", f"{side}ForeArm", f"{side}Hand"), sign * Y, -sign * Z)
            self._limb((f"{side}UpLeg", f"{side}Leg", f"{side}Foot"), -Z, Y)
            self._point(f"{side}Foot", X, self._at(f"{side}ToeBase") - self._at(f"{side}Foot"))
        return self.local, hips_m

    def _at(self, name: str) -> Float64:
        return np.asarray(self._joints[_SKELETON[name]], np.float64)

    def _parent(self, joint: int) -> Float64:
        parent = BODY_PARENTS[joint]
        return np.eye(3) if parent < 0 else np.asarray(self._turned[parent], np.float64)

    def _set(self, joint: int, local: Float64) -> None:
        self.local[joint], self._turned[joint] = local, self._parent(joint) @ local

    def _trunk(self, name: str, up: Float64, left: Float64) -> None:
        """Turn z to `up` and y as near as possible to `left`, device frame."""
        joint = _NAMED[name]
        was = self._parent(joint) @ self._before[joint]
        z = unit(up, was[:, 2])
        x = unit(cross(left, z), unit(cross(was[:, 1], z), was[:, 0]))
        self._set(joint, self._parent(joint).T @ np.stack([x, cross(z, x), z], -1))

    def _point(self, name: str, bone: Float64, direction: Float64) -> None:
        """Turn a bone to a direction, without twist."""
        joint = _NAMED[name]
        target = unit(self._parent(joint).T @ direction, self._before[joint] @ bone)
        self._set(joint, shortest_arc(bone, target))

    def _limb(self, names: tuple[str, str, str], bone: Float64, axis: Float64) -> None:
        """Upper and lower part of an arm or leg; the lower one turns about `axis` of the upper one's frame."""
        upper, lower = _NAMED[names[0]], _NAMED[names[1]]
        to_parent = self._parent(upper).T
        first = unit(to_parent @ (self._at(names[1]) - self._at(names[0])), self._before[upper] @ bone)
        second = unit(to_parent @ (self._at(names[2]) - self._at(names[1])), first)
        was = self._before[upper] @ axis
        plane = cross(first, second) + INERTIA * was
        plane = unit(plane - first * (plane @ first), unit(was - first * (was @ first), cross(first, X)))
        rest = np.stack([bone, axis, cross(bone, axis)], -1)
        self._set(upper, np.stack([first, plane, cross(first, plane)], -1) @ rest.T)
        in_upper = self.local[upper].T @ second
        self._set(lower, shortest_arc(bone, unit(in_upper - axis * (in_upper @ axis), bone)))
