"""MakeHuman clothes: the files here are written by the tests themselves (CC0)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from egorear_ros.errors import EgorearError
from egorear_ros.simulator.body.asset import BodyAsset
from egorear_ros.simulator.body.landmarks import Landmarks
from egorear_ros.simulator.body.makehuman import ClothesWarning, fitted, read_wardrobe, worn_on
from egorear_ros.simulator.recorder import Recording, record
from egorear_ros.simulator.sampler import Simulator


def write(folder: Path, name: str, base: list[int], faces: list[list[int]], offset: float = 0.1) -> None:
    """Write a garment whose vertices hang `offset` in front of base vertices."""
    rows = "\n".join(f"{v} {v} {v} 1 0 0 0 0 {offset}" for v in base)
    scales = "\n".join(f"{axis}_scale {base[0]} {base[1]} 1.0" for axis in "xyz")
    (folder / f"{name}.mhclo").write_text(
        f"name {name}\nobj_file {name}.obj\n{scales}\nverts 0\n{rows}\ndelete_verts\n3 7 - 9\n"
    )
    corners = "\n".join("f " + " ".join(f"{v + 1}/{v + 1}" for v in face) for face in faces)
    (folder / f"{name}.obj").write_text("\n".join(["v 0 0 0"] * len(base)) + f"\n{corners}\n")


def write_vest(folder: Path, asset: BodyAsset) -> None:
    """A close-fitting vest: the trunk's part of the tights helper."""
    on_trunk = asset.weight_of("spine_01", "spine_02", "spine_03") > 0.6
    faces = asset.faces["tights"]
    faces = faces[on_trunk[faces].all(axis=1)]
    used, corners = np.unique(faces, return_inverse=True)
    write(folder, "vest", asset.base_vertex[used].tolist(), corners.reshape(faces.shape).tolist(), offset=0.02)


def test_a_patch_sits_in_front_of_the_vertices_it_hangs_on(simulator: Simulator, tmp_path: Path) -> None:
    asset = simulator.asset
    marks = Landmarks(asset, asset.shape(2))
    on_trunk = np.flatnonzero(asset.weight_of("spine_02") > 0.5)[[0, 40, 90]]
    write(tmp_path, "patch", asset.base_vertex[on_trunk].tolist(), [[0, 1, 2]])
    (garment,) = read_wardrobe(tmp_path, asset)
    assert garment.hidden == {3, 7, 8, 9}
    surface = fitted(garment, marks, simulator.person(0).materials[0])
    expected = marks.shape.vertices_m[on_trunk]
    size = abs(expected[0, 1] - expected[1, 1])
    np.testing.assert_allclose(surface.vertices_m - expected, [[0, -0.1 * size, 0]] * 3, atol=1e-5)
    np.testing.assert_allclose(surface.weights.sum(axis=1), 1, atol=1e-5)


def test_a_vest_is_worn_in_a_rendered_frame(simulator: Simulator, tmp_path: Path) -> None:
    write_vest(tmp_path, simulator.asset)
    wardrobe = read_wardrobe(tmp_path, simulator.asset)
    assert worn_on(wardrobe[0], simulator.asset) == ["top"]
    wearing = Simulator(replace(simulator.settings, clothes=wardrobe))
    mine, theirs = (s.sequence(3, 10).frame(4) for s in (simulator, wearing))
    np.testing.assert_array_equal(mine.truth.joints_device_m.shape, theirs.truth.joints_device_m.shape)
    person = wearing.person(3)
    vest = fitted(wardrobe[0], Landmarks(wearing.asset, person.shape), person.materials[0])
    # The vest is part of the person, and nothing of ours for the upper body is: his arms are bare.
    assert (np.abs(person.vertices_m[: len(vest.vertices_m)] - vest.vertices_m) < 1e-6).all()
    surroundings = (mine.views.part < 0) & (theirs.views.part < 0)
    changed = (mine.images != theirs.images).any(-1)
    assert changed[~surroundings].mean() > 0.1


def test_what_does_not_fit_is_left_out_with_one_warning_each(simulator: Simulator, tmp_path: Path) -> None:
    asset = simulator.asset
    write_vest(tmp_path, asset)
    absent = sorted(set(range(int(asset.base_vertex.max()))) - set(asset.base_vertex.tolist()))[0]
    good = asset.base_vertex[:3].tolist()
    write(tmp_path, "foreign", [good[0], good[1], absent], [[0, 1, 2]])
    write(tmp_path, "torn", good, [[0, 1, 7]])
    (tmp_path / "broken.mhclo").write_text("x_scale 1 two 3\n")
    head = asset.base_vertex[np.flatnonzero(asset.weight_of("head") > 0.9)[:3]].tolist()
    write(tmp_path, "hat", head, [[0, 1, 2]])
    with pytest.warns(ClothesWarning) as caught:
        wardrobe = read_wardrobe(tmp_path, asset)
    assert [garment.path.stem for garment in wardrobe] == ["vest"]
    said = sorted(str(warning.message) for warning in caught)
    for name, reason in (
        ("broken.mhclo:1", "invalid literal"),
        ("foreign.mhclo", f"base vertex {absent}"),
        ("hat.mhclo", "helmet"),
        ("torn.obj", "3 vertices"),
    ):
        assert sum(name in text and reason in text for text in said) == 1, (name, said)
    assert len(said) == 4


def test_folders_without_wearable_clothes_are_named(simulator: Simulator, tmp_path: Path) -> None:
    with pytest.raises(EgorearError, match="no MakeHuman clothes"):
        read_wardrobe(tmp_path, simulator.asset)
    (tmp_path / "broken.mhclo").write_text("verts 0\n")
    with pytest.warns(ClothesWarning), pytest.raises(EgorearError, match="none of the 1"):
        read_wardrobe(tmp_path, simulator.asset)


def test_recording_with_clothes(simulator: Simulator, tmp_path: Path) -> None:
    (tmp_path / "clothes").mkdir()
    write_vest(tmp_path / "clothes", simulator.asset)
    plain = Recording(tmp_path / "set", frames=1, size_px=64, motion_blur=False)
    record(replace(plain, clothes=str(tmp_path / "clothes")), workers=1)
    assert len(list((tmp_path / "set").rglob("*.jpg"))) == 4
    with pytest.raises(EgorearError, match="clothes"):
        record(plain, workers=1)
