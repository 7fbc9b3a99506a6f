"""Motion changed for training: anatomical, of the right length, and never what a benchmark shows."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from egorear_ros.errors import EgorearError
from egorear_ros.simulator.motion.clip import BONE_INDEX, BONES, LIMBS, MotionClip
from egorear_ros.simulator.motion.library import MotionLibrary, save_library
from egorear_ros.simulator.motion.procedural import procedural_clip
from egorear_ros.simulator.motion.variation import mirrored, recombined, varied_clip, with_deviations
from egorear_ros.simulator.sampler import Simulator
from egorear_ros.simulator.settings import SimulatorSettings
from egorear_ros.simulator.shard_writing import ShardSettings, write_shards

CHAINS = (
    ("pelvis", "spine", "chest", "neck", "head"),
    *(("chest", f"clav{s}", f"uparm{s}", f"loarm{s}", f"hand{s}") for s in ("_l", "_r")),
    *(("pelvis", f"thigh{s}", f"calf{s}", f"foot{s}", f"toe{s}") for s in ("_l", "_r")),
)
ARMS = [bone for bone in BONES if bone.startswith(("clav", "uparm", "loarm", "hand"))]
TRUNK = ["spine", "chest", "neck", "head"]
LEGS = [bone for bone in BONES if bone.startswith(("thigh", "calf", "foot", "toe"))]


@pytest.fixture(scope="module")
def walk() -> MotionClip:
    return procedural_clip(3, 3.0, actions=("walk",))


@pytest.fixture(scope="module")
def squat() -> MotionClip:
    return procedural_clip(4, 3.0, actions=("squat",))


def rotation(clip: MotionClip, bone: str) -> Rotation:
    return Rotation.from_quat(clip.rotations_xyzw[:, BONE_INDEX[bone]])


def stick_figure(clip: MotionClip) -> dict[str, NDArray[np.floating]]:
    """Where bones begin on a body with equal sides: each hangs on the one before it in its chain."""
    heads = {"pelvis": clip.root_m.astype(float)}
    for chain in CHAINS:
        for parent, bone in itertools.pairwise(chain):
            side = {"_l": 1.0, "_r": -1.0}.get(bone[-2:], 0.0)
            offset = np.array([0.1 * side, -0.02, 0.3])
            heads[bone] = heads[parent] + rotation(clip, parent).apply(offset)
    return heads


def test_a_mirrored_motion_is_what_a_mirror_shows(walk: MotionClip) -> None:
    own, other = stick_figure(walk), stick_figure(mirrored(walk))
    for bone, heads in own.items():
        partner = bone.replace("_l", "_x").replace("_r", "_l").replace("_x", "_r")
        np.testing.assert_allclose(other[partner], heads * [-1, 1, 1], atol=1e-5, err_msg=bone)
    for limb, direction in zip(LIMBS, walk.limb_directions, strict=True):
        partner = limb[:-1] + {"l": "r", "r": "l"}[limb[-1]]
        np.testing.assert_allclose(mirrored(walk).limb_directions[LIMBS.index(partner)], direction * [-1, 1, 1])
    again = mirrored(mirrored(walk))
    np.testing.assert_array_equal(again.rotations_xyzw, walk.rotations_xyzw)


def test_legs_of_one_carry_the_trunk_of_another(walk: MotionClip, squat: MotionClip) -> None:
    squat = replace(squat, limb_directions=-squat.limb_directions)
    both = recombined(walk, squat)
    np.testing.assert_array_equal(both.root_m, walk.root_m)
    for bone in ["pelvis", *LEGS]:
        index = BONE_INDEX[bone]
        np.testing.assert_array_equal(both.rotations_xyzw[:, index], walk.rotations_xyzw[:, index])
    for bone in [*TRUNK, *ARMS]:
        found = rotation(both, "pelvis").inv() * rotation(both, bone)
        expected = rotation(squat, "pelvis").inv() * rotation(squat, bone)
        assert (found.inv() * expected).magnitude().max() < 1e-3, bone
    np.testing.assert_array_equal(both.limb_directions[:6], squat.limb_directions[:6])
    np.testing.assert_array_equal(both.limb_directions[6:], walk.limb_directions[6:])


def test_joints_deviate_but_elbows_and_knees_bend_as_before(walk: MotionClip) -> None:
    changed = with_deviations(np.random.default_rng(0), walk)
    for side in "lr":
        for bone, parent in (("loarm", "uparm"), ("calf", "thigh"), ("toe", "foot")):
            before = rotation(walk, f"{parent}_{side}").inv() * rotation(walk, f"{bone}_{side}")
            after = rotation(changed, f"{parent}_{side}").inv() * rotation(changed, f"{bone}_{side}")
            assert (before.inv() * after).magnitude().max() < 1e-3, bone
    moved = (rotation(walk, "thigh_l").inv() * rotation(changed, "thigh_l")).magnitude()
    assert 0.03 < moved.mean() < 0.4 and np.abs(np.diff(moved)).max() < 0.05


def test_a_varied_clip_is_as_long_as_asked_and_may_need_props(walk: MotionClip, squat: MotionClip) -> None:
    library = MotionLibrary((replace(walk, needs_prop=True), squat, replace(squat, name="val", split="val")))
    drawn = [varied_clip(np.random.default_rng(seed), library, 8.0, "train") for seed in range(60)]
    assert {len(clip) for clip in drawn} == {8 * 30 + 2}
    assert all(np.isfinite(clip.rotations_xyzw).all() for clip in drawn)
    np.testing.assert_allclose(np.linalg.norm(drawn[0].rotations_xyzw, axis=-1), 1, atol=1e-5)
    assert max(np.abs(np.diff(clip.root_m, axis=0)).max() for clip in drawn) < 0.2  # played back, not begun again
    names = {clip.name for clip in drawn}
    assert any(walk.name in name for name in names) and not any("val" in name for name in names)
    assert 0.4 < np.mean(["+" in clip.name for clip in drawn]) < 0.8
    assert 0.3 < np.mean(["mirrored" in clip.name.split("+")[0] for clip in drawn]) < 0.7


def test_only_shards_that_ask_for_it_have_varied_motion(tmp_path: Path, walk: MotionClip) -> None:
    library = MotionLibrary((walk,))
    plain, varied = (
        Simulator(SimulatorSettings(motion=library, vary_motion=vary)).clip(0, 2.0) for vary in (False, True)
    )
    start = np.abs(walk.root_m - plain.root_m[0]).sum(axis=1).argmin()
    np.testing.assert_array_equal(plain.rotations_xyzw, walk.rotations_xyzw[start : start + len(plain)])
    assert np.abs(varied.rotations_xyzw[:, 1:] - plain.rotations_xyzw[:, 1:]).max() > 0.01
    with pytest.raises(EgorearError, match="name a library"):
        write_shards(tmp_path / "out", ShardSettings(vary_motion=True), 1)


def test_a_folder_begun_before_there_was_a_choice_is_not_continued_with_it(tmp_path: Path, walk: MotionClip) -> None:
    save_library(tmp_path / "clips.npz", [walk])
    settings = ShardSettings(motion=str(tmp_path / "clips.npz"), vary_motion=True)
    begun = {name: value for name, value in settings.content().items() if name != "vary_motion"}
    (tmp_path / "shards.json").write_text(json.dumps(begun))
    with pytest.raises(EgorearError, match="begun with vary_motion = False, now it is True"):
        write_shards(tmp_path, settings, 1)
