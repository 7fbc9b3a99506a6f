"""Where things are on a body at rest, in terms garments are described with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator.body.asset import BodyAsset, BodyShape
from egorear_ros.simulator.body.surface import Surface

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Landmarks:
    """Measures of one body.

    Attributes:
        asset, shape: whose.
        arm_m: shoulder to wrist.
        leg_m: hip to ankle.
    """

    asset: BodyAsset
    shape: BodyShape

    def head_of(self, bone: str) -> Floats:
        """(3,) where a bone begins."""
        return self.shape.bone_heads_m[self.asset.bone[bone]]

    @property
    def neck_z(self) -> float:
        """Height of the base of the neck."""
        return float(self.head_of("neck_01")[2])

    @property
    def waist_z(self) -> float:
        """Height of the natural waist."""
        return float(self.head_of("spine_01")[2] + 0.05)

    @property
    def crotch_z(self) -> float:
        """Height of the crotch."""
        return float(self.head_of("thigh_l")[2] - 0.06)

    @property
    def arm_m(self) -> float:
        """Shoulder to wrist."""
        return float(self._chain("upperarm_l", "lowerarm_l", "hand_l"))

    @property
    def leg_m(self) -> float:
        """Hip to ankle."""
        return float(self._chain("thigh_l", "calf_l", "foot_l"))

    def along_arm(self, surface: Surface) -> Floats:
        """(N,) share of the way from the shoulder (0) to the wrist (1) and beyond; -1 on the trunk."""
        return self._along(surface, ("upperarm", "lowerarm", "hand"), self.arm_m)

    def along_leg(self, surface: Surface) -> Floats:
        """(N,) share of the way from the hip (0) to the ankle (1) and beyond; -1 on the trunk."""
        return self._along(surface, ("thigh", "calf", "foot"), self.leg_m)

    def weight(self, surface: Surface, *bones: str) -> Floats:
        """(N,) summed weight of bones given without side."""
        chosen = [i for i, name in enumerate(self.asset.bone_names) if name in bones or name[:-2] in bones]
        return np.asarray(surface.weights[:, chosen].sum(axis=1), np.float32)

    def _chain(self, *bones: str) -> float:
        points = np.stack([self.head_of(bone) for bone in bones])
        return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())

    def _along(self, surface: Surface, bones: tuple[str, str, str], length: float) -> Floats:
        result = np.full(len(surface.vertices_m), -1.0, np.float32)
        fingers = ("thumb", "index", "middle", "ring", "pinky")
        ends = ("ball",) if bones[0] == "thigh" else tuple(f"{f}_0{k}" for f in fingers for k in (1, 2, 3))
        for side, sign in (("_l", 1), ("_r", -1)):
            names = tuple(bone + side for bone in (*bones, *ends))
            limb = (self.weight(surface, *names) > 0.5) & (surface.vertices_m[:, 0] * sign > 0)
            start, middle, end = (self.head_of(bone + side) for bone in bones)
            first, second = middle - start, end - middle
            a, b = float(np.linalg.norm(first)), float(np.linalg.norm(second))
            upper = (surface.vertices_m - start) @ (first / a)
            lower = (surface.vertices_m - middle) @ (second / b)
            # The joint's bisecting plane decides which of the two bones a point is measured along.
            past = (surface.vertices_m - middle) @ (first / a + second / b) > 0
            result[limb] = (np.where(past, a + lower, upper) / length)[limb]
        return result
