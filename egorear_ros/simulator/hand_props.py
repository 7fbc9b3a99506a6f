"""Things a person holds: a cup, a phone, a stick, a ball, a bag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator import materials
from egorear_ros.simulator.body.asset import BodyAsset, BodyShape
from egorear_ros.simulator.renderer.mesh import Mesh
from egorear_ros.simulator.scene.furniture import box, turned

SHARE: Final = 0.25


@dataclass(frozen=True)
class HandProp:
    """A thing in a hand; `mesh` is in the body's rest frame, carried along by hand bone `bone`."""

    mesh: Mesh
    bone: int

    def posed(self, rotations: NDArray[np.float32], heads: NDArray[np.float32], shape: BodyShape) -> Mesh:
        """The thing's mesh in the world."""
        pose = np.eye(4)
        pose[:3, :3] = rotations[self.bone]
        pose[:3, 3] = heads[self.bone] - rotations[self.bone] @ shape.bone_heads_m[self.bone]
        return self.mesh.moved(pose)


def hand_prop(rng: np.random.Generator, asset: BodyAsset, shape: BodyShape) -> HandProp | None:
    """Draw a thing to hold; mostly nothing."""
    if rng.random() > SHARE:
        return None
    side = str(rng.choice(["_l", "_r"]))
    bone = asset.bone["hand" + side]
    wrist, knuckle = shape.bone_heads_m[bone], shape.bone_heads_m[asset.bone["middle_01" + side]]
    index, pinky = (shape.bone_heads_m[asset.bone[name + side]] for name in ("index_01", "pinky_01"))
    grip = index - pinky
    grip = grip / np.linalg.norm(grip)
    along = knuckle - wrist
    palm = np.cross(grip, along) * (1 if side == "_l" else -1)
    palm = palm / np.linalg.norm(palm)
    if palm[1] + 0.3 * palm[0] * (-1 if side == "_l" else 1) > 0:  # at rest the palms look forward and inward
        palm = -palm
    pose = np.eye(4)
    pose[:3, :3] = np.stack([np.cross(grip, palm), -palm, grip], axis=1)
    pose[:3, 3] = knuckle + palm * 0.035 + along * 0.15
    return HandProp(thing(rng).moved(pose), bone)


def thing(rng: np.random.Generator) -> Mesh:
    """Something to hold, its grip along z through the origin."""
    row = materials.material(materials.random_color(rng), gloss=0.3)
    kind = rng.choice(["cup", "phone", "stick", "bottle", "racket"])
    if kind == "cup":
        return turned([(0.0, -0.045), (0.032, -0.045), (0.038, 0.05), (0.033, 0.05), (0.028, -0.03)], row, 14)
    if kind == "phone":
        return box([-0.038, -0.005, -0.05], [0.038, 0.005, 0.1], row)
    if kind == "stick":
        length = rng.uniform(0.15, 0.6)
        return turned([(0.0, -0.15), (0.013, -0.15), (0.013, length), (0.0, length)], row, 8)
    if kind == "bottle":
        return turned([(0.0, -0.1), (0.032, -0.1), (0.032, 0.06), (0.012, 0.1), (0.012, 0.14), (0.0, 0.14)], row, 12)
    return box([-0.09, -0.006, 0.12], [0.09, 0.006, 0.34], row)
