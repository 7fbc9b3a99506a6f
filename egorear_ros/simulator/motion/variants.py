"""Motion files as clips: recognise the skeleton, see how it stands, convert.

The CMU recordings circulate as ASF/AMC (original), as BVH for Daz and 3ds Max (conversions by B. Hahne), and with the
joint names of the FAIR/Mixamo family. The Daz conversion differs from the original by constant rotations per bone
(elbows 9, knees 22, head 16 degrees); they were measured on clips that exist in both forms and are taken out with the
`corrections_deg` of the joint map.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from egorear_ros.errors import EgorearError
from egorear_ros.simulator.motion.asf_amc import read_amc, read_asf
from egorear_ros.simulator.motion.axes import T_POSE, Stand, find_stand, find_unit, rest_from_t_pose
from egorear_ros.simulator.motion.bvh import read_bvh
from egorear_ros.simulator.motion.clip import BONES, LIMBS, MotionClip
from egorear_ros.simulator.motion.joint_map import OPTIONAL, Family, load_joint_map, recognise
from egorear_ros.simulator.motion.skeleton_motion import MotionFileError, SkeletonMotion

ASSUMED_FPS: Final = 120.0
"""Frame rate of files that do not say theirs, as no AMC of the CMU database does."""

CHAINS: Final = tuple(
    (f"{above}_{side}", f"{below}_{side}")
    for above, below in (("uparm", "loarm"), ("loarm", "hand"), ("thigh", "calf"), ("calf", "foot"))
    for side in "lr"
)
"""Bones of which the first must be above the second in the file's hierarchy."""

JUMP_DEG: Final = 20.0
JUMP_LEGS: Final = 0.1
JUMP_RATIO: Final = 5.0
"""A first frame is no part of the motion if a joint turns or the pelvis moves (in lengths of a leg) more than this, and
more than so many times as much as between the next two frames."""

NEXT_BONE: Final = {
    **{"pelvis": "chest", "spine": "chest", "chest": "neck", "neck": "head"},
    **dict(CHAINS),
    **{f"{bone}_{side}": f"{after}_{side}" for bone, after in (("clav", "uparm"), ("foot", "toe")) for side in "lr"},
}
"""Bone -> the one it points to."""


@dataclass(frozen=True)
class Reading:
    """What a user says about files where they say nothing, or say it in a way that is not recognised.

    Attributes:
        families: skeletons to try, see `joint_map.load_joint_map`; empty for the shipped ones.
        up: axis that points up, one of `axes.AXES`; None: to be seen from the skeleton.
        fps: frame rate of files that do not state one they can have; None: 120 Hz for AMC, others are refused.
        metres_per_unit: length of the files' unit; None: as stated, or to be seen from the legs.
    """

    families: tuple[Family, ...] = ()
    up: str | None = None
    fps: float | None = None
    metres_per_unit: float | None = None


def load_motion(
    path: Path, fps: float = 30.0, reading: Reading | None = None, note: Callable[[str], None] = lambda text: None
) -> MotionClip:
    """Read a .bvh or .amc file as a clip; an .amc needs its skeleton beside it (`<subject>.asf`, or the only .asf).

    Args:
        path: the file.
        fps: frame rate of the clip, Hz; frames of the file are blended where its own differs.
        reading: what the file does not say.
        note: called with what was assumed.

    Raises:
        MotionFileError: the file is malformed or of an unknown skeleton; names file and line.
    """
    reading = reading or Reading()
    is_amc = path.suffix.lower() == ".amc"
    motion = read_amc(path, read_asf(skeleton_of(path))) if is_amc else read_bvh(path)
    for text in motion.notes:
        note(text)
    if motion.fps is None and reading.fps is None and not is_amc:
        raise MotionFileError(path, 0, f"the frame rate is not known ({'; '.join(motion.notes)}); give it with --fps")
    if motion.fps is None and reading.fps is None:
        note(f"{ASSUMED_FPS:g} Hz assumed, AMC files do not say their frame rate; --fps gives another")
    rate = motion.fps or reading.fps or ASSUMED_FPS
    family, joints = _recognised(path, motion, reading.families or load_joint_map())
    if joints["toe_l"] == joints["foot_l"]:
        note("there are no toes, they move with the feet")
    clip = to_clip(path, motion, family, joints, reading, rate, note)
    if not (np.isfinite(clip.rotations_xyzw).all() and np.isfinite(clip.root_m).all()):
        raise MotionFileError(path, 0, "its numbers are too large to be a motion")
    return clip.resampled(fps)


def skeleton_of(path: Path) -> Path:
    """The .asf file that belongs to an .amc file."""
    skeletons = sorted(other for other in path.parent.iterdir() if other.suffix.lower() == ".asf")
    named = path.stem.split("_")[0]
    for skeleton in skeletons:
        if skeleton.stem.lower() in (named.lower(), path.stem.lower()):
            return skeleton
    if len(skeletons) == 1:
        return skeletons[0]
    raise MotionFileError(path, 0, f"no skeleton '{named}.asf' beside it")


def _recognised(path: Path, motion: SkeletonMotion, families: tuple[Family, ...]) -> tuple[Family, dict[str, str]]:
    """Family of a file and all our bones with their joints, checked against its hierarchy."""
    try:
        family, joints = recognise(families, list(motion.parents))
    except EgorearError as error:
        raise MotionFileError(path, min(motion.lines.values()), str(error)) from error
    joints = _with_trunk(motion, joints)
    for bone, above in OPTIONAL.items():
        if bone not in joints:
            joints[bone] = joints[above.replace("{side}", bone[-1])]
    for above, below in CHAINS:
        if joints[above] not in motion.ancestors(joints[below]):
            problem = f"'{joints[below]}' ({below}) does not hang from '{joints[above]}' ({above}); see --joint-map"
            raise MotionFileError(path, motion.lines[joints[below]], problem)
    return family, joints


def _with_trunk(motion: SkeletonMotion, joints: dict[str, str]) -> dict[str, str]:
    """Joints with spine and chest, also where they are not named: the chest is where neck and arms branch."""
    trunk = motion.ancestors(joints["neck"])
    trunk = trunk[: trunk.index(joints["pelvis"])] if joints["pelvis"] in trunk else trunk[:-1]
    trunk = trunk[::-1] or [joints["pelvis"]]
    arms = [set(motion.ancestors(joints[f"uparm_{side}"])) for side in "lr"]
    shared = [index for index, joint in enumerate(trunk) if all(joint in above for above in arms)]
    chest = shared[-1] if shared else len(trunk) - 1
    return {"chest": trunk[chest], "spine": trunk[chest // 2], **joints}


def to_clip(
    path: Path,
    motion: SkeletonMotion,
    family: Family,
    joints: Mapping[str, str],
    reading: Reading,
    fps: float,
    note: Callable[[str], None],
) -> MotionClip:
    """Convert to a clip: our axes, our unit, our bones, the family's corrections."""
    stand = find_stand(path, motion, joints, reading.up)
    unit_m = _unit_m(path, motion, joints, reading, note)
    if stand.up != "y":
        note(f"{stand.up} is taken to point up; --up gives another axis")
    first = 1 if starts_in_rest_pose(motion, joints) else 0
    if first:
        note("the first frame is a rest pose and left out")
    elif family.first_frame_is_rest:
        family = Family(family.name, family.joints)  # of another program: the corrections are not for it
    rest = {bone: unit_m * stand.clip_from_rest @ motion.rest[joint] for bone, joint in joints.items()}
    poses = {bone: _rest_correction(bone, rest, stand) for bone in BONES}
    world, back = Rotation.from_matrix(stand.clip_from_world), Rotation.from_matrix(stand.clip_from_rest).inv()
    rotations = np.empty((len(motion) - first, len(BONES), 4), np.float32)
    for index, bone in enumerate(BONES):
        rotation = world * motion.rotations[joints[bone]][first:] * back * poses[bone]
        if bone in family.corrections_deg:
            rotation = rotation * Rotation.from_rotvec(family.corrections_deg[bone], degrees=True)
        rotations[:, index] = rotation.as_quat()
    found = directions_at_rest(path, rest) if stand.is_upright else np.array([T_POSE[limb] for limb in LIMBS])
    return MotionClip(
        name=path.stem,
        rotations_xyzw=rotations,
        root_m=(unit_m * motion.positions(joints["pelvis"])[first:] @ stand.clip_from_world.T).astype(np.float32),
        limb_directions=np.array(family.limb_directions or found, np.float32),
        leg_length_m=leg_length(rest),
        fps=fps,
        usable=np.ones(len(rotations), bool),
        subject=path.stem.split("_")[0],
        action=path.stem,
    )


def leg_length(rest: Mapping[str, NDArray[np.float64]]) -> float:
    """Hip to knee to ankle, in the unit of the positions."""
    upper, lower = rest["calf_l"] - rest["thigh_l"], rest["foot_l"] - rest["calf_l"]
    return float(np.linalg.norm(upper) + np.linalg.norm(lower))


def _unit_m(
    path: Path, motion: SkeletonMotion, joints: Mapping[str, str], reading: Reading, note: Callable[[str], None]
) -> float:
    stated = reading.metres_per_unit or motion.metres_per_unit
    if stated is not None:
        return stated
    leg = leg_length({bone: motion.rest[joint] for bone, joint in joints.items()})
    name, unit_m = find_unit(path, motion.lines[joints["thigh_l"]], leg)
    if name != "cm":
        note(f"the unit is taken to be {name} (a leg of {leg:.3g}); --unit gives another")
    return unit_m


def starts_in_rest_pose(motion: SkeletonMotion, joints: Mapping[str, str]) -> bool:
    """Whether frame 0 is a T-pose put before the motion: nothing is turned in it, or body or joints jump after it."""
    if len(motion) < 3:
        return False
    first, second, third = ({joint: motion.rotations[joint][index] for joint in joints.values()} for index in (0, 1, 2))
    turn = [
        max(np.degrees((before[joint].inv() * after[joint]).magnitude()) for joint in before)
        for before, after in ((first, second), (second, third))
    ]
    steps = np.linalg.norm(np.diff(motion.positions(joints["pelvis"])[:3], axis=0), axis=1)
    leg = leg_length({bone: motion.rest[joint] for bone, joint in joints.items()})
    is_still = max(rotation.magnitude() for rotation in first.values()) < 1e-6
    jumps = turn[0] > JUMP_DEG and turn[0] > JUMP_RATIO * turn[1]
    moves = steps[0] > JUMP_LEGS * leg and steps[0] > JUMP_RATIO * steps[1]
    return bool(jumps or moves or (is_still and turn[0] > JUMP_RATIO * turn[1]))


def _rest_correction(bone: str, rest: Mapping[str, NDArray[np.float64]], stand: Stand) -> Rotation:
    """Rotation that makes a bone's rest that of a T-pose; none where the rest pose is a person standing."""
    if stand.is_upright:
        return Rotation.identity()
    pointing = {"hand": "loarm", "toe": "foot"}.get(bone[:-2], "")
    start = f"{pointing}{bone[-2:]}" if pointing else bone
    end = NEXT_BONE.get(start)
    if end is None:  # the head goes on as the neck
        start, end = "neck", "head"
    direction = rest[end] - rest[start]
    return rest_from_t_pose(bone, direction) if np.linalg.norm(direction) > 1e-6 else Rotation.identity()


def directions_at_rest(path: Path, rest: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """(10, 3) directions of the LIMBS; a hand continues its forearm."""
    directions = []
    for limb in LIMBS:
        bone, side = limb[:-2], limb[-2:]
        start, end = (f"loarm{side}", limb) if bone == "hand" else (limb, NEXT_BONE[limb])
        direction = rest[end] - rest[start]
        length = float(np.linalg.norm(direction))
        if length < 1e-6:
            raise MotionFileError(path, 0, f"bone '{limb}' has no length at rest")
        directions.append(direction / length)
    return np.array(directions)
