from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from egorear_ros.cli.main import main
from egorear_ros.errors import EgorearError
from egorear_ros.simulator.motion.actions import ACTIONS, SHARES
from egorear_ros.simulator.motion.clip import BONE_INDEX, BONES
from egorear_ros.simulator.motion.importing import import_folder
from egorear_ros.simulator.motion.library import load_library, save_library
from egorear_ros.simulator.motion.procedural import procedural_clip
from egorear_ros.simulator.motion.skeleton_motion import MotionFileError
from egorear_ros.simulator.motion.variants import load_motion
from test.simulator.motion_files import CHANNELS, REST_ROW, amc, asf, bvh


def rotation_of(clip, bone: str, frame: int = 0) -> Rotation:
    return Rotation.from_quat(clip.rotations_xyzw[frame, BONE_INDEX[bone]])


class TestBvh:
    def test_rest_pose_is_the_identity(self, tmp_path: Path) -> None:
        (tmp_path / "a_1.bvh").write_text(bvh([REST_ROW] * 3))
        clip = load_motion(tmp_path / "a_1.bvh")
        assert len(clip) == 3
        assert np.abs(clip.rotations_xyzw[..., :3]).max() < 1e-6
        assert clip.leg_length_m == pytest.approx(0.83)
        np.testing.assert_allclose(clip.root_m[0], [0, 0, 0.92], atol=1e-6)

    def test_turning_to_the_left_turns_about_up(self, tmp_path: Path) -> None:
        row = " ".join(["0 92 0 0 0 90"] + ["0"] * (CHANNELS - 6))  # Y up: +90 degrees about Y
        (tmp_path / "a_1.bvh").write_text(bvh([row] * 2))
        turned = rotation_of(load_motion(tmp_path / "a_1.bvh"), "head")
        np.testing.assert_allclose(turned.as_rotvec(), [0, 0, np.pi / 2], atol=1e-5)

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            (bvh([REST_ROW], frames=5), "announces 5 frames"),
            (bvh([REST_ROW, REST_ROW[: len(REST_ROW) // 2]]), "truncated"),
            (bvh([]), "no frames"),
            (bvh([REST_ROW, REST_ROW.replace("92", "nan")]), "not a finite number"),
            (bvh([REST_ROW, REST_ROW.replace("92", "ninety")]), "not a number"),
            (bvh([REST_ROW]).replace("LeftForeArm", "Tentacle"), "'Tentacle'"),
            (bvh([REST_ROW]).split("MOTION")[0], "before MOTION"),
        ],
    )
    def test_a_bad_file_names_file_and_line(self, tmp_path: Path, text: str, problem: str) -> None:
        path = tmp_path / "bad_1.bvh"
        path.write_text(text)
        with pytest.raises(MotionFileError, match=r"bad_1\.bvh:[1-9]\d*: ") as caught:
            load_motion(path)
        assert problem in str(caught.value)


class TestAmc:
    def write(self, folder: Path, text: str) -> Path:
        (folder / "s1.asf").write_text(asf())
        (folder / "s1_01.amc").write_text(text)
        return folder / "s1_01.amc"

    def test_a_bent_knee(self, tmp_path: Path) -> None:
        clip = load_motion(self.write(tmp_path, amc(8, knee_deg=60)), fps=120)
        knee = rotation_of(clip, "thigh_l").inv() * rotation_of(clip, "calf_l")
        assert np.degrees(knee.magnitude()) == pytest.approx(60, abs=1e-3)
        assert clip.leg_length_m == pytest.approx(14 * 0.0254 / 0.45)
        np.testing.assert_allclose(clip.root_m[0], [0, 0, 17 * 0.0254 / 0.45], atol=1e-6)

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            (lambda text: text[: text.rindex("rhand")], "lacks 'rhand'"),
            (lambda text: text.replace("lradius", "lwing"), "unknown joint 'lwing'"),
            (lambda text: ":DEGREES\n", "no frames"),
            (lambda text: text.replace("ltibia 0.0", "ltibia nan"), "not a finite number"),
        ],
    )
    def test_a_bad_file_names_file_and_line(self, tmp_path: Path, change, problem: str) -> None:
        with pytest.raises(MotionFileError, match=r"s1_01\.amc:[1-9]\d*: ") as caught:
            load_motion(self.write(tmp_path, change(amc(2))))
        assert problem in str(caught.value)

    def test_a_missing_skeleton_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "s2_01.amc").write_text(amc(2))
        with pytest.raises(MotionFileError, match=r"s2\.asf"):
            load_motion(tmp_path / "s2_01.amc")


class TestLibrary:
    def test_bad_files_are_left_out_and_the_others_go_on(self, tmp_path: Path) -> None:
        (tmp_path / "good_1.bvh").write_text(bvh([REST_ROW] * 5))
        (tmp_path / "bad_1.bvh").write_text(bvh([REST_ROW], frames=9))
        clips, errors = import_folder(tmp_path, tmp_path / "library.npz")
        assert [(clip.name, clip.action) for clip in clips] == [("good_1", "good_1")]
        assert len(errors) == 1 and "bad_1.bvh" in str(errors[0])
        assert [clip.name for clip in load_library(tmp_path / "library.npz").clips] == ["good_1"]

    def test_nothing_is_written_when_nothing_can_be_used(self, tmp_path: Path) -> None:
        (tmp_path / "bad_1.bvh").write_text("no bvh at all")
        with pytest.raises(EgorearError, match="bad_1"):
            import_folder(tmp_path, tmp_path / "library.npz")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["bad_1.bvh"]

    def test_round_trip(self, tmp_path: Path) -> None:
        clip = procedural_clip(4, 2.0)
        save_library(tmp_path / "library.npz", [clip])
        read = load_library(tmp_path / "library.npz").clips[0]
        np.testing.assert_allclose(read.rotations_xyzw, clip.rotations_xyzw, atol=1e-4)
        np.testing.assert_array_equal(read.root_m, clip.root_m)
        assert (read.name, read.action, read.fps) == (clip.name, clip.action, clip.fps)

    def test_damaged_files_are_one_line(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "library.npz"
        save_library(path, [procedural_clip(0, 1.0)])
        whole = path.read_bytes()
        middle = bytes(255 - byte for byte in whole[200:300])
        for damaged in (whole[:-40], whole[:200] + middle + whole[300:], b"", b"no zip"):
            path.write_bytes(damaged)
            assert main(["motion", "list", str(path)]) == 1
            error = capsys.readouterr().err
            assert "library.npz' cannot be read" in error and error.count("\n") == 1

    def test_other_files_are_refused(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "x.npz", names=np.array(["a"]))
        with pytest.raises(EgorearError, match="has no array"):
            load_library(tmp_path / "x.npz")


class TestClip:
    def test_resampling_keeps_duration_and_passes_through_the_frames(self) -> None:
        clip = procedural_clip(1, 3.0, fps=30)
        fine = clip.resampled(60)
        assert fine.duration_s == pytest.approx(clip.duration_s)
        np.testing.assert_allclose(fine.root_m[::2], clip.root_m, atol=1e-6)
        np.testing.assert_allclose(np.linalg.norm(fine.rotations_xyzw, axis=-1), 1, atol=1e-5)

    def test_every_action_is_smooth_and_finite(self) -> None:
        for name in ACTIONS:
            clip = procedural_clip(2, 4.0, actions=(name,))
            assert clip.rotations_xyzw.shape == (121, len(BONES), 4)
            assert np.isfinite(clip.rotations_xyzw).all() and np.isfinite(clip.root_m).all()
            assert np.abs(np.diff(clip.root_m, axis=0)).max() < 0.2, name  # 6 m/s
        assert set(SHARES) == set(ACTIONS) and sum(SHARES.values()) == pytest.approx(1)

    def test_an_unknown_action_is_named(self) -> None:
        with pytest.raises(EgorearError, match="'fly'"):
            procedural_clip(0, actions=("fly",))
