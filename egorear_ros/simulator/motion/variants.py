"""Skeleton variants of motion files and their conversion to clips.

The CMU recordings circulate as ASF/AMC (original), as BVH for Daz and 3ds Max (conversions by B. Hahne), and with the
joint names of the FAIR/Mixamo family. The Daz conversion differs from the original by constant rotations per bone
(elbows 9, knees 22, head 16 degrees); they were measured on clips that exist in both forms and are taken out here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from egorear_ros.simulator.motion.asf_amc import read_amc, read_asf
from egorear_ros.simulator.motion.bvh import read_bvh
from egorear_ros.simulator.motion.clip import BONES, LIMBS, MotionClip
from egorear_ros.simulator.motion.skeleton_motion import MotionFileError, SkeletonMotion, read_text

# Files are Y up with the performer facing +Z; clips are Z up, facing -Y.
CLIP_FROM_FILE: Final = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])

NEXT_JOINT: Final = {"uparm": "loarm", "loarm": "hand", "thigh": "calf", "calf": "foot"}


@dataclass(frozen=True)
class Variant:
    """A family of motion files.

    Attributes:
        name: for messages.
        joints: our bone -> joint of the file.
        metres_per_unit: length of the file's unit.
        starts_in_rest_pose: frame 0 is a T-pose and no motion.
        corrections_deg: our bone -> rotation vector in degrees, applied on the right.
        limb_directions: replaces the directions found at rest, after correction.
    """

    name: str
    joints: dict[str, str]
    metres_per_unit: float = 0.01
    starts_in_rest_pose: bool = False
    corrections_deg: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    limb_directions: tuple[tuple[float, float, float], ...] = ()


def sided(center: dict[str, str], left: dict[str, str], swap: tuple[str, str], toe: str) -> dict[str, str]:
    """Complete a joint table from its centre and left entries; `swap` turns a left name into a right one."""
    table = dict(center)
    for bone, joint in {**left, "toe": toe}.items():
        table[f"{bone}_l"] = joint
        table[f"{bone}_r"] = joint.replace(*swap, 1)
    return table


def limb_table(*joints: str) -> dict[str, str]:
    """Joints of one side: collar bone, upper arm, forearm, hand, thigh, calf, foot."""
    return dict(zip(("clav", "uparm", "loarm", "hand", "thigh", "calf", "foot"), joints, strict=True))


def center_table(*joints: str) -> dict[str, str]:
    """Joints of the middle: pelvis, spine, chest, neck, head."""
    return dict(zip(("pelvis", "spine", "chest", "neck", "head"), joints, strict=True))


ASF_LEFT: Final = limb_table("lclavicle", "lhumerus", "lradius", "lhand", "lfemur", "ltibia", "lfoot")
ACCLAIM: Final = Variant(
    "ASF/AMC",
    sided(center_table("root", "lowerback", "thorax", "lowerneck", "head"), ASF_LEFT, ("l", "r"), "ltoes"),
    # The feet of the ASF rest pose point down by a constant angle.
    corrections_deg={
        "foot_l": (-0.08, -21.42, 0.07),
        "toe_l": (-0.08, -21.42, 0.07),
        "foot_r": (0.11, 20.58, 0.02),
        "toe_r": (0.11, 20.58, 0.02),
    },
)
DAZ: Final = Variant(
    "Daz BVH",
    sided(
        center_table("hip", "abdomen", "chest", "neck", "head"),
        limb_table("lCollar", "lShldr", "lForeArm", "lHand", "lThigh", "lShin", "lFoot"),
        ("l", "r"),
        "lFoot",
    ),
    starts_in_rest_pose=True,
    corrections_deg={
        "spine": (-4.48, 0.18, -0.77),
        "chest": (0.26, 0.7, -0.13),
        "neck": (-15.72, 0.73, -0.05),
        "head": (16.21, 0.69, 0.04),
        "clav_l": (0.26, 0.7, -0.13),
        "uparm_l": (0.16, 8.8, -0.01),
        "loarm_l": (-0.46, 8.58, 0.1),
        "hand_l": (5.01, -19.86, 16.55),
        "clav_r": (0.26, 0.7, -0.13),
        "uparm_r": (0.38, -7.91, -0.26),
        "loarm_r": (0.31, -8.41, 0.07),
        "hand_r": (-6.73, 22.36, 18.46),
        "thigh_l": (4.82, 20.95, 0.85),
        "calf_l": (5.52, 21.01, 0.88),
        "thigh_r": (5.44, -20.17, -0.66),
        "calf_r": (4.51, -20.15, -1.04),
    },
    limb_directions=((1, 0, 0),) * 3 + ((-1, 0, 0),) * 3 + ((0.342, 0, -0.9397),) * 2 + ((-0.342, 0, -0.9397),) * 2,
)
MAX: Final = Variant(
    "3ds Max BVH",
    sided(
        center_table("Hips", "Chest", "Chest2", "Neck", "Head"),
        limb_table("LeftCollar", "LeftShoulder", "LeftElbow", "LeftWrist", "LeftHip", "LeftKnee", "LeftAnkle"),
        ("Left", "Right"),
        "LeftToe",
    ),
    starts_in_rest_pose=True,
)
MIXAMO: Final = Variant(
    "FAIR/Mixamo BVH",
    sided(
        center_table("Hips", "Spine1", "Spine3", "Neck", "Head"),
        limb_table("LeftShoulder", "LeftArm", "LeftForeArm", "LeftHand", "LeftUpLeg", "LeftLeg", "LeftFoot"),
        ("Left", "Right"),
        "LeftToeBase",
    ),
)
BVH_VARIANTS: Final = (DAZ, MAX, MIXAMO)


def load_motion(path: Path, fps: float = 30.0) -> MotionClip:
    """Read a .bvh or .amc file as a clip; an .amc needs its skeleton beside it (`<subject>.asf`, or the only .asf).

    Raises:
        MotionFileError: the file is malformed or of an unknown skeleton; names file and line.
    """
    if path.suffix.lower() == ".amc":
        motion, variant = read_amc(path, read_asf(skeleton_of(path))), ACCLAIM
    else:
        variant = bvh_variant(path)
        motion = read_bvh(path, variant.metres_per_unit)
    return to_clip(path, motion, variant).resampled(fps)


def skeleton_of(path: Path) -> Path:
    """The .asf file that belongs to an .amc file."""
    named = path.with_name(path.stem.split("_")[0] + ".asf")
    if named.exists():
        return named
    others = sorted(path.parent.glob("*.asf"))
    if len(others) == 1:
        return others[0]
    raise MotionFileError(path, 0, f"no skeleton '{named.name}' beside it")


def bvh_variant(path: Path) -> Variant:
    """Recognise a BVH file by its joints."""
    declared = {
        words[1]: number
        for number, line in enumerate(read_text(path).splitlines(), start=1)
        if (words := line.split()) and words[0] in ("ROOT", "JOINT") and len(words) > 1
    }
    for variant in BVH_VARIANTS:
        if all(joint in declared for joint in variant.joints.values()):
            return variant
    known = {joint for variant in BVH_VARIANTS for joint in variant.joints.values()}
    strange = [name for name in declared if name not in known]
    name = strange[0] if strange else "none"
    raise MotionFileError(
        path,
        declared.get(name, 1),
        f"unknown joints (first: '{name}'): not a skeleton of {', '.join(variant.name for variant in BVH_VARIANTS)}",
    )


def to_clip(path: Path, motion: SkeletonMotion, variant: Variant) -> MotionClip:
    """Convert to a clip: our axes, our bones, the variant's corrections."""
    first = 1 if variant.starts_in_rest_pose and len(motion.root_m) > 1 else 0
    turn = Rotation.from_matrix(CLIP_FROM_FILE)
    rotations = np.empty((len(motion.root_m) - first, len(BONES), 4), np.float32)
    for index, bone in enumerate(BONES):
        rotation = turn * motion.rotations[variant.joints[bone]][first:] * turn.inv()
        if bone in variant.corrections_deg:
            rotation = rotation * Rotation.from_rotvec(variant.corrections_deg[bone], degrees=True)
        rotations[:, index] = rotation.as_quat()
    rest = {bone: CLIP_FROM_FILE @ motion.rest_m[joint] for bone, joint in variant.joints.items()}
    return MotionClip(
        name=path.stem,
        rotations_xyzw=rotations,
        root_m=(motion.root_m[first:] @ CLIP_FROM_FILE.T).astype(np.float32),
        limb_directions=np.array(variant.limb_directions or directions_at_rest(path, rest), np.float32),
        leg_length_m=float(
            np.linalg.norm(rest["calf_l"] - rest["thigh_l"]) + np.linalg.norm(rest["foot_l"] - rest["calf_l"])
        ),
        fps=motion.fps,
        usable=np.ones(len(rotations), bool),
        subject=path.stem.split("_")[0],
        action=path.stem,
    )


def directions_at_rest(path: Path, rest: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """(10, 3) directions of the LIMBS; a hand continues its forearm."""
    directions = []
    for limb in LIMBS:
        bone, side = limb[:-2], limb[-2:]
        direction = rest[limb] - rest["loarm" + side] if bone == "hand" else rest[NEXT_JOINT[bone] + side] - rest[limb]
        length = float(np.linalg.norm(direction))
        if length < 1e-6:
            raise MotionFileError(path, 0, f"bone '{limb}' has no length at rest")
        directions.append(direction / length)
    return np.array(directions)
