"""Habits of ASF/AMC files: orders of axes, units, words; each means the same motion, or is refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from egorear_ros.simulator.motion.clip import BONE_INDEX, MotionClip
from egorear_ros.simulator.motion.skeleton_motion import MotionFileError
from egorear_ros.simulator.motion.variants import Reading, load_motion
from test.simulator.motion_files import amc, asf

Z_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])


def acclaim(folder: Path, asf_text: str, amc_text: str, reading: Reading | None = None) -> tuple[MotionClip, list[str]]:
    folder.mkdir(exist_ok=True)
    (folder / "s1.asf").write_text(asf_text)
    (folder / "s1_01.amc").write_text(amc_text)
    notes: list[str] = []
    return load_motion(folder / "s1_01.amc", 120.0, reading, notes.append), notes


ANGLES_DEG = np.array([20.0, -35.0, 50.0])
"""Of the root, about x, then y, then z."""


def turning(order: str = "xyz", radians: bool = False, head: str = ":FULLY-SPECIFIED\n:DEGREES") -> str:
    """A motion whose root has the rotation of `ANGLES_DEG`, written in another order of rotations or in radians."""
    turned = Rotation.from_euler("xyz", ANGLES_DEG, degrees=True).as_euler(order, degrees=not radians)
    text = amc(3).replace("root 0 17 0 0 0 0", "root 1 17 2 " + " ".join(f"{value:.9f}" for value in turned))
    return text.replace(":FULLY-SPECIFIED\n:DEGREES", head)


class TestAcclaim:
    def check(self, clip: MotionClip) -> None:
        """Rotation and place of the pelvis, in the axes of clips."""
        expected = Z_UP @ Rotation.from_euler("xyz", ANGLES_DEG, degrees=True).as_matrix() @ Z_UP.T
        found = Rotation.from_quat(clip.rotations_xyzw[:, BONE_INDEX["pelvis"]]).as_matrix()
        np.testing.assert_allclose(found, np.tile(expected, (3, 1, 1)), atol=1e-6)
        np.testing.assert_allclose(clip.root_m[0], np.array([1, -2, 17]) * 0.0254 / 0.45, atol=1e-6)

    def test_as_cmu_writes_it(self, tmp_path: Path) -> None:
        clip, notes = acclaim(tmp_path, asf(), turning())
        self.check(clip)
        assert any("120 Hz assumed" in note for note in notes)

    def test_order_of_the_root(self, tmp_path: Path) -> None:
        skeleton = asf().replace("TX TY TZ RX RY RZ", "TX TY TZ RZ RY RX")
        self.check(acclaim(tmp_path, skeleton, turning("zyx"))[0])
        first = asf().replace("TX TY TZ RX RY RZ", "rx ry rz tz ty tx")
        angles = " ".join(f"{value:.9f}" for value in ANGLES_DEG)
        self.check(acclaim(tmp_path, first, amc(3).replace("root 0 17 0 0 0 0", f"root {angles} 2 17 1"))[0])

    def test_radians(self, tmp_path: Path) -> None:
        self.check(acclaim(tmp_path, asf(), turning("xyz", True, ":FULLY-SPECIFIED\n:RADIANS"))[0])
        skeleton = asf().replace("angle deg", "angle rad")
        self.check(acclaim(tmp_path, skeleton, turning("xyz", True, ":FULLY-SPECIFIED"))[0])

    @pytest.mark.parametrize("order", ["ZYX", "zxy", "YXZ"])
    def test_order_and_unit_of_an_axis(self, tmp_path: Path, order: str) -> None:
        """A femur's axes written in another order turn its motion alike."""
        axes = Rotation.from_euler("xyz", [10, 20, 30], degrees=True)
        bent = amc(2).replace("lfemur 0.0 0.0 0.0", "lfemur 40 0 0")

        def skeleton(text: str) -> str:
            return asf().replace(
                "direction 0 -1 0\nlength 7.0\naxis 0 0 0 XYZ", "direction 0 -1 0\nlength 7.0\n" + text, 1
            )

        plain, _ = acclaim(tmp_path / "a", skeleton("axis 10 20 30 XYZ"), bent)
        written = " ".join(f"{value:.9f}" for value in axes.as_euler(order.lower(), degrees=True))
        clip, _ = acclaim(tmp_path / "b", skeleton(f"axis {written} {order}"), bent)
        np.testing.assert_allclose(clip.rotations_xyzw, plain.rotations_xyzw, atol=1e-6)
        unturned, _ = acclaim(tmp_path / "c", asf(), bent)
        assert np.abs(unturned.rotations_xyzw - plain.rotations_xyzw).max() > 0.05

    def test_words_in_any_case(self, tmp_path: Path) -> None:
        text = asf()
        for word in ("begin", "end", "direction", "length", "axis", "dof", "order", "angle", ":units", "rx ry rz"):
            text = text.replace(word, word.upper())
        self.check(acclaim(tmp_path, text, turning())[0])

    def test_frame_rate(self, tmp_path: Path) -> None:
        clip, notes = acclaim(tmp_path / "a", asf(), turning(), Reading(fps=60.0))
        assert clip.duration_s == pytest.approx(2 / 60) and not notes
        stated = turning(head=":FULLY-SPECIFIED\n:DEGREES\n:SAMPLES-PER-SECOND 30")
        clip, notes = acclaim(tmp_path / "b", asf(), stated)
        assert clip.duration_s == pytest.approx(2 / 30) and not notes

    @pytest.mark.parametrize(
        ("old", "new", "problem"),
        [
            ("dof rx ry rz", "dof rx ry qz", "degree of freedom 'qz'"),
            ("dof rx ry rz", "dof rx ry rz l", "degree of freedom 'l'"),
            ("angle deg", "angle grad", "'grad' is not one of deg, rad"),
            ("order TX TY TZ RX RY RZ", "order TX TY TZ RX RY", "must hold each of"),
            ("axis 0 0 0 XYZ", "axis 0 0 0 XYY", "axis order 'XYY'"),
            ("length 7.0", "lenght 7.0", "'lenght' is not known"),
            (":hierarchy", ":hierachy", "section ':hierachy'"),
        ],
    )
    def test_what_is_not_understood_is_refused_by_name(self, tmp_path: Path, old: str, new: str, problem: str) -> None:
        with pytest.raises(MotionFileError) as caught:
            acclaim(tmp_path, asf().replace(old, new, 1), amc(2))
        assert problem in str(caught.value)
