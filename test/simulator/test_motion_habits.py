"""Motion files in the habits of many programs say the same motion; what is not understood is refused by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from egorear_ros.cli.main import main
from egorear_ros.errors import EgorearError
from egorear_ros.simulator.motion.clip import BONE_INDEX, LIMBS, MotionClip
from egorear_ros.simulator.motion.joint_map import load_joint_map
from egorear_ros.simulator.motion.library import load_library
from egorear_ros.simulator.motion.skeleton_motion import MotionFileError
from egorear_ros.simulator.motion.variants import Reading, load_motion
from test.simulator.motion_files import REST_ROW, bvh
from test.simulator.motion_habits import HIERARCHY, LIMB_JOINTS, Habit, person, write_bvh

Z_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])


def about_y(degrees: float) -> np.ndarray:
    return Rotation.from_euler("y", degrees, degrees=True).as_matrix()


def sided(names: dict[str, str], pattern: str, sides: tuple[str, str], rest: dict[str, str]):
    """A function that renames our joints: `names` of a side's parts put into `pattern`."""

    def rename(joint: str) -> str:
        for ours, theirs in zip(("Left", "Right"), sides, strict=True):
            part = joint.removeprefix(ours)
            if part != joint:
                return pattern.format(side=theirs, part=names.get(part, part))
        return rest.get(joint, joint)

    return rename


PARTS = ("Shoulder", "Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase")


def parts(*names: str) -> dict[str, str]:
    return dict(zip(PARTS, names, strict=True))


ROKOKO = parts("Shoulder", "Arm", "ForeArm", "Hand", "Thigh", "Shin", "Foot", "Toe")
XSENS = parts("Collar", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle", "Toe")
BANDAI = parts("Shoulder", "UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot", "Toes")
DAZ = parts("Collar", "Shldr", "ForeArm", "Hand", "Thigh", "Shin", "Foot", "Toe")
UNREAL = parts("clavicle", "upperarm", "lowerarm", "hand", "thigh", "calf", "foot", "ball")
SMPL = parts("Collar", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle", "Foot")
CMU = {"Spine": "LowerBack", "Spine1": "Spine", "Spine2": "Spine1"}
SPINES = {"Spine": "abdomen", "Spine1": "abdomen2", "Spine2": "chest", "Hips": "hip", "Neck": "neck", "Head": "head"}
CHESTS = {"Spine": "Chest", "Spine1": "Chest2", "Spine2": "Chest3"}

HABITS: dict[str, Habit] = {
    "lower-case channels": Habit(
        rotations=("zrotation", "yrotation", "xrotation"), places=("xposition", "yposition", "zposition")
    ),
    "upper-case channels": Habit(
        rotations=("ZROTATION", "YROTATION", "XROTATION"), places=("XPOSITION", "YPOSITION", "ZPOSITION")
    ),
    "one word otherwise": Habit(places=("Xposition", "Yposition", "ZPosition")),
    "places in another order": Habit(places=("Zposition", "Xposition", "Yposition")),
    "rotations X Y Z": Habit(rotations=("Xrotation", "Yrotation", "Zrotation")),
    "rotations Y X Z": Habit(rotations=("Yrotation", "Xrotation", "Zrotation")),
    "places of all joints": Habit(all_places=True),
    "places in place of offsets": Habit(all_places=True, zero_offsets=True),
    "z up": Habit(turn=Z_UP),
    "x up": Habit(turn=np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])),
    "z up, facing x": Habit(turn=Z_UP @ about_y(90)),
    "facing backward": Habit(turn=about_y(180)),
    "facing x": Habit(turn=about_y(90)),
    "metres": Habit(scale=0.01),
    "millimetres": Habit(scale=10),
    "inches": Habit(scale=1 / 2.54),
    "byte-order mark": Habit(start="\ufeff"),
    "no space": Habit(time="Frame Time:{}", frames="Frames:{}"),
    "lower-case motion": Habit(time="frame time: {}", frames="frames: {}"),
    "tabs": Habit(time="Frame Time:\t{}", frames="Frames:\t{}"),
    "line ends of Windows": Habit(line_end="\r\n"),
    "braces on the line": Habit(one_line_braces=True),
    "rest pose first": Habit(first_row="0"),
    "a root above the hips": Habit(above="joint_Root"),
    "Mixamo": Habit(names=lambda name: f"mixamorig:{name}"),
    "Mixamo, numbered": Habit(names=lambda name: f"mixamorig1:{name}"),
    "Mixamo, underscore": Habit(names=lambda name: f"mixamorig_{name}"),
    "MotionBuilder namespace": Habit(names=lambda name: f"Character1:{name}"),
    "two namespaces": Habit(names=lambda name: f"scene:actor:{name}"),
    "MotionBuilder-CMU": Habit(names=lambda name: CMU.get(name, name)),
    "LAFAN1": Habit(names=lambda name: name.replace("ToeBase", "Toe")),
    "Rokoko": Habit(names=sided(ROKOKO, "{side}{part}", ("Left", "Right"), {})),
    "Xsens": Habit(names=sided(XSENS, "{side}{part}", ("Left", "Right"), CHESTS)),
    "Bandai": Habit(names=sided(BANDAI, "{part}_{side}", ("L", "R"), {"Spine2": "Chest"}), above="joint_Root"),
    "Daz": Habit(names=sided(DAZ, "{side}{part}", ("l", "r"), SPINES)),
    "Unreal": Habit(names=sided(UNREAL, "{part}_{side}", ("l", "r"), {"Hips": "pelvis", "Neck": "neck_01"})),
    "Biped": Habit(
        names=lambda name: (
            "Bip01 "
            + sided(
                parts("Clavicle", "UpperArm", "Forearm", "Hand", "Thigh", "Calf", "Foot", "Toe0"),
                "{side} {part}",
                ("L", "R"),
                {"Hips": "Pelvis"},
            )(name)
        )
    ),
    "SMPL": Habit(names=sided(SMPL, "{side}_{part}", ("L", "R"), {"Hips": "Pelvis"})),
}


def swapped(name: str) -> str:
    for ours, theirs in (("Left", "Right"), ("Right", "Left")):
        if name.startswith(ours):
            return name.replace(ours, theirs)
    return name


def read(folder: Path, habit: Habit, reading: Reading | None = None) -> tuple[MotionClip, list[str]]:
    path, notes = folder / "a_1.bvh", []
    write_bvh(path, person(), habit)
    return load_motion(path, 30.0, reading, notes.append), notes


def check_equal_to_truth(clip: MotionClip) -> None:
    """Bones point where the written motion puts them, and the hips are where it has them."""
    truth = person().positions()
    assert len(clip) == len(truth["Hips"])
    for bone, (start, end) in LIMB_JOINTS.items():
        turned = Rotation.from_quat(clip.rotations_xyzw[:, BONE_INDEX[bone]])
        pointing = turned.apply(clip.limb_directions[LIMBS.index(bone)])
        bone_m = truth[end] - truth[start]
        np.testing.assert_allclose(pointing, bone_m / np.linalg.norm(bone_m, axis=1, keepdims=True), atol=2e-6)
    np.testing.assert_allclose(clip.root_m, truth["Hips"], atol=2e-6)
    assert clip.leg_length_m == pytest.approx(sum(np.linalg.norm(o) for o in ((2, -42, 0), (0, -41, -1))) / 100, 1e-5)


@pytest.mark.parametrize("habit", HABITS.values(), ids=HABITS)
def test_a_habit_changes_nothing(tmp_path: Path, habit: Habit) -> None:
    clip, _ = read(tmp_path, habit)
    check_equal_to_truth(clip)
    (tmp_path / "plain").mkdir()
    plain, _ = read(tmp_path / "plain", Habit())
    same = Rotation.from_quat(plain.rotations_xyzw.reshape(-1, 4)).inv() * Rotation.from_quat(
        clip.rotations_xyzw.reshape(-1, 4)
    )
    assert np.degrees(same.magnitude()).max() < 0.001


def test_a_rest_pose_along_one_axis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As LAFAN1's: where all rotations are zero, every bone lies along X; a standing person is made by rotations."""
    who = person()
    along = {
        joint: Rotation.align_vectors([offset], [[float(np.linalg.norm(offset)), 0, 0]])[0]
        for joint, (_, offset) in HIERARCHY.items()
        if np.any(offset)
    }
    main_child = {parent: joint for joint, (parent, _) in reversed(HIERARCHY.items()) if parent}
    frame_of = {joint: along[main_child[joint]] if joint in main_child else Rotation.identity() for joint in HIERARCHY}
    frame_of["Hips"] = Rotation.from_matrix([[0, 0, 1], [1, 0, 0], [0, 1, 0]])  # X up, Y forward, Z left
    for joint, (parent, _) in HIERARCHY.items():
        if joint not in main_child and parent:
            frame_of[joint] = frame_of[parent]
    laid = {}
    local = {}
    for joint, (parent, offset) in HIERARCHY.items():
        above = frame_of[parent] if parent else Rotation.identity()
        laid[joint] = (parent, tuple(above.inv().apply(offset)))
        local[joint] = above.inv() * who.local[joint] * frame_of[joint]
    truth = person().positions()
    with monkeypatch.context() as patch:
        patch.setattr("test.simulator.motion_habits.HIERARCHY", laid)
        write_bvh(tmp_path / "a_1.bvh", replace(who, local=local), Habit())
    clip = load_motion(tmp_path / "a_1.bvh")
    for bone, (start, end) in LIMB_JOINTS.items():
        pointing = Rotation.from_quat(clip.rotations_xyzw[:, BONE_INDEX[bone]]).apply(
            clip.limb_directions[LIMBS.index(bone)]
        )
        bone_m = truth[end] - truth[start]
        np.testing.assert_allclose(pointing, bone_m / np.linalg.norm(bone_m, axis=1, keepdims=True), atol=1e-5)
    np.testing.assert_allclose(clip.root_m, truth["Hips"], atol=1e-5)
    up = Rotation.from_quat(clip.rotations_xyzw[0, BONE_INDEX["pelvis"]]).apply([0, 0, 1])
    assert up[2] > 0.9  # standing


@pytest.mark.parametrize(
    ("habit", "problem"),
    [
        (Habit(rotations=("Zrot", "Yrot", "Xrot")), "channel 'Zrot' is not one of"),
        (Habit(seconds=33.3), "give it with --fps"),
        (Habit(scale=1000), "give its unit with --unit"),
        (Habit(names=lambda n: "ArmLinks" if n == "LeftArm" else n), "no joint for uparm_l ('LeftArm')"),
        (Habit(names=lambda n: "ArmLinks" if n == "LeftArm" else n), "such as 'uparm_l: ArmLinks'"),
        (Habit(left_out=("Head",)), "no joint for head ('Head')"),
        (Habit(names=swapped), "the toes point backward"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(tmp_path: Path, habit: Habit, problem: str) -> None:
    with pytest.raises(MotionFileError) as caught:
        read(tmp_path, habit)
    assert problem in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("word", ["OFSET 0 1 0", "CHANNEL 3 Xrotation", "SCALE 2"])
def test_an_unknown_word_is_named(tmp_path: Path, word: str) -> None:
    path = tmp_path / "a_1.bvh"
    path.write_text(bvh(["0"]).replace("OFFSET 0 10 0", word, 1))
    with pytest.raises(MotionFileError, match=f"'{word.split()[0]}' is not BVH"):
        load_motion(path)


@pytest.mark.parametrize(
    ("channels", "problem"),
    [
        ("3 Zrotation Zrotation Xrotation", "channel 'Zrotation' is there twice"),
        ("4 Zrotation Xrotation Yrotation", "CHANNELS says '4', but 3 channels follow"),
    ],
)
def test_channels_that_contradict_themselves(tmp_path: Path, channels: str, problem: str) -> None:
    path = tmp_path / "a_1.bvh"
    path.write_text(bvh([REST_ROW]).replace("3 Zrotation Xrotation Yrotation", channels, 1))
    with pytest.raises(MotionFileError, match=problem):
        load_motion(path)


class TestOptions:
    def test_frame_rate_of_a_file_that_cannot_have_its_own(self, tmp_path: Path) -> None:
        clip, _ = read(tmp_path, Habit(seconds=33.3), Reading(fps=30.0))
        check_equal_to_truth(clip)

    def test_up_axis(self, tmp_path: Path) -> None:
        clip, _ = read(tmp_path, Habit(), Reading(up="z"))
        truth = person().positions()["Hips"]
        np.testing.assert_allclose(clip.root_m[:, 2], -truth[:, 1], atol=1e-6)  # the file's z, which is forward

    def test_unit(self, tmp_path: Path) -> None:
        clip, _ = read(tmp_path, Habit(scale=1000), Reading(metres_per_unit=1e-5))
        check_equal_to_truth(clip)

    def test_a_joint_map_needs_only_what_is_missing(self, tmp_path: Path) -> None:
        names = {"LeftArm": "ArmLinks", "RightArm": "ArmRechts", "Head": "Kopf"}
        (tmp_path / "map.yaml").write_text("uparm_l: ArmLinks\nuparm_r: ArmRechts\nhead: Kopf\n")
        reading = Reading(load_joint_map(tmp_path / "map.yaml"))
        clip, _ = read(tmp_path, Habit(names=lambda name: names.get(name, name)), reading)
        check_equal_to_truth(clip)

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("uparm_x: A", "'uparm_x' is not one of pelvis"),
            ("uparm: A", "'uparm' needs '{side}'"),
            ("- joints: 3", "'joints' is not understood"),
            ("- 7", "expected bones and their joints"),
            ("[", "cannot be read"),
            ("joints: {head: A}\ncolour: red", "'colour' is not understood"),
        ],
    )
    def test_a_joint_map_that_is_none(self, tmp_path: Path, text: str, problem: str) -> None:
        (tmp_path / "map.yaml").write_text(text)
        with pytest.raises(EgorearError, match=problem):
            load_joint_map(tmp_path / "map.yaml")

    def test_missing_toes_are_said(self, tmp_path: Path) -> None:
        clip, notes = read(tmp_path, Habit(left_out=("LeftToeBase", "RightToeBase")))
        check_equal_to_truth(clip)
        assert any("no toes" in note for note in notes)

    def test_command_line(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        write_bvh(tmp_path / "a_1.bvh", person(), Habit(names=lambda n: "Kopf" if n == "Head" else n, seconds=99))
        (tmp_path / "map.yaml").write_text("head: Kopf")
        out = tmp_path / "out.npz"
        assert main(["motion", "import", str(tmp_path), str(out)]) == 1
        options = ["--joint-map", str(tmp_path / "map.yaml"), "--fps", "30", "--up", "Y", "--unit", "cm"]
        assert main(["motion", "import", str(tmp_path / "a_1.bvh"), str(out), *options]) == 0
        assert len(load_library(out).clips[0]) == len(person().root)
        capsys.readouterr()
        for option, value in (("--up", "w"), ("--unit", "parsec"), ("--fps", "0")):
            assert main(["motion", "import", str(tmp_path), str(out), option, value]) == 1
            error = capsys.readouterr().err
            assert option in error and error.count("\n") == 1
