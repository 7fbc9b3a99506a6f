"""A person for the live view: one of the simulator's bodies (CC0), moved by the kinematic body and sized to it.

`assets/avatar.npz` is made by tools/bake_avatar.py: a few thousand points, bound to the joints of `body`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from egorear_ros import resources
from egorear_ros.body import BODY_JOINTS, BodyPose
from egorear_ros.errors import EgorearError

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

_INDEX: Final = {name: index for index, name in enumerate(BODY_JOINTS)}
_LENGTHS: Final[dict[str, tuple[int, str]]] = {
    "Hips": (1, "hip_width_m"),
    "Spine": (2, "spine_m"),
    "Neck": (2, "head_m"),
    **{
        f"{side}{joint}": (axis, length)
        for side in ("Left", "Right")
        for joint, axis, length in (
            ("Arm", 1, "upper_arm_m"),
            ("ForeArm", 1, "forearm_m"),
            ("UpLeg", 2, "thigh_m"),
            ("Leg", 2, "shank_m"),
            ("Foot", 0, "foot_m"),
        )
    },
}
"""Joint -> axis along which its part is stretched, and the bone length that says how far."""

_HANDS: Final = (("LeftHand", "LeftForeArm"), ("RightHand", "RightForeArm"))


@dataclass(frozen=True)
class Avatar:
    """The person in the rest pose.

    Attributes:
        vertices_m: (N, 3).
        faces: (F, 3) triangles, counter-clockwise seen from outside.
        colors: (N, 3) uint8, sRGB.
        weights: (N, 20) share of each joint of `BODY_JOINTS`; rows sum to 1.
        origins_m: (20, 3) where each joint is.
        rest_from_joint: (20, 3, 3) how each joint's frame is turned.
        lengths_m: (20,) length of each joint's bone; NaN where it is not stretched.
    """

    vertices_m: Float32
    faces: npt.NDArray[np.uint32]
    colors: npt.NDArray[np.uint8]
    weights: Float32
    origins_m: Float64
    rest_from_joint: Float64
    lengths_m: Float64

    def posed(self, pose: BodyPose, view_from_frame: Float64) -> tuple[Float32, Float32]:
        """Points of one moment.

        Args:
            pose: of the kinematic body.
            view_from_frame: (4, 4) from the skeleton's frame to the one that is drawn; its axes are those of a helmet
                (x forward, z up), and the head keeps to them: it wears the helmet.

        Returns:
            (N, 3) vertices, metres, and (N, 3) unit normals, outward.
        """
        turned = view_from_frame[:3, :3] @ pose.frame_from_joint
        turned[_INDEX["Head"]] = np.eye(3)
        for hand, forearm in _HANDS:
            turned[_INDEX[hand]] = turned[_INDEX[forearm]]
        places = pose.positions_m @ view_from_frame[:3, :3].T + view_from_frame[:3, 3]
        view_from_rest = turned * self._stretch(pose)[:, None, :] @ self.rest_from_joint.swapaxes(-1, -2)
        moved = np.empty((len(BODY_JOINTS), 3, 4), np.float32)
        moved[:, :, :3] = view_from_rest
        moved[:, :, 3] = places - np.einsum("jab,jb->ja", view_from_rest, self.origins_m)
        blended = (self.weights @ moved.reshape(len(BODY_JOINTS), 12)).reshape(-1, 3, 4)
        vertices = np.einsum("nab,nb->na", blended[:, :, :3], self.vertices_m) + blended[:, :, 3]
        return vertices, self._normals(vertices)

    def _stretch(self, pose: BodyPose) -> Float64:
        """(20, 3) by how much each part grows along the axes of its joint; across by as much as the whole person."""
        ratios = {
            joint: getattr(pose.lengths, length) / self.lengths_m[_INDEX[joint]]
            for joint, (_, length) in _LENGTHS.items()
        }
        size = float(np.median(list(ratios.values())))
        stretch = np.full((len(BODY_JOINTS), 3), size)
        for joint, (axis, _) in _LENGTHS.items():
            stretch[_INDEX[joint], axis] = ratios[joint]
        return stretch

    def _normals(self, vertices: Float32) -> Float32:
        corners = vertices[self.faces]
        across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normals = np.zeros_like(vertices)
        for corner in range(3):
            for axis in range(3):
                normals[:, axis] += np.bincount(self.faces[:, corner], across[:, axis], len(vertices))
        return normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)


@cache
def load_avatar(path: Path | None = None) -> Avatar:
    """Load the shipped person, or one of another file made by the bake script.

    Raises:
        EgorearError: the file is not there, or was made for another tree of joints.
    """
    with np.load(path or resources.find("assets/avatar.npz")) as content:
        if tuple(content["joint_names"]) != BODY_JOINTS:
            raise EgorearError(f"avatar '{path}' has other joints than this version; make it with tools/bake_avatar.py")
        weights = content["weights"].astype(np.float32)
        return Avatar(
            vertices_m=content["vertices_m"].astype(np.float32),
            faces=content["faces"].astype(np.uint32),
            colors=content["colors"],
            weights=weights / weights.sum(-1, keepdims=True),
            origins_m=content["origins_m"].astype(np.float64),
            rest_from_joint=content["rest_from_joint"].astype(np.float64),
            lengths_m=content["lengths_m"].astype(np.float64),
        )
