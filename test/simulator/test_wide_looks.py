"""Wide looks: reproducible, true to the same ground truth, and out of the way of the plain ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from egorear_ros.cli.main import main
from egorear_ros.errors import EgorearError
from egorear_ros.rig.rigid import transform_points
from egorear_ros.simulator.body.asset import load_bodies
from egorear_ros.simulator.exposure import row_shares
from egorear_ros.simulator.looks.lens import LensFlaws, in_camera, through_lens, tone_curves
from egorear_ros.simulator.looks.places import beside, coarse
from egorear_ros.simulator.looks.skins import FACE_CORNER, FACE_SHARE, Skins, read_skins, unwrapped_skin
from egorear_ros.simulator.materials import material
from egorear_ros.simulator.renderer.mesh import STATIC_PART
from egorear_ros.simulator.renderer.surfaces import KINDS, MATERIAL
from egorear_ros.simulator.sampler import Simulator
from egorear_ros.simulator.scene.sampler import sample_scene
from egorear_ros.simulator.sequence import Sequence
from egorear_ros.simulator.settings import WIDE_VERSION, SimulatorSettings
from egorear_ros.simulator.shard_writing import ShardSettings


@pytest.fixture(scope="module")
def skins(tmp_path_factory: pytest.TempPathFactory) -> Skins:
    """Two made-up skins: the left half red, the right half, where the face is, green."""
    folder = tmp_path_factory.mktemp("skins")
    image = np.zeros((512, 512, 3), np.uint8)
    image[:, :300], image[:, 300:] = (20, 20, 200), (20, 200, 20)
    for name in ("a.png", "b.jpg"):
        cv2.imwrite(str(folder / name), image)
    return read_skins(folder)


@pytest.fixture(scope="module")
def wide(skins: Skins) -> Simulator:
    return Simulator(SimulatorSettings(size_px=96, seed=3, motion_blur=False, looks="wide", skins=skins))


def test_same_seed_same_bytes_in_any_order(wide: Simulator) -> None:
    other = Simulator(wide.settings)
    late = other.sequence(5, 20).frame(11)
    wide.sequence(1, 20).frame(3)
    np.testing.assert_array_equal(late.images, wide.sequence(5, 20).frame(11).images)


def test_people_move_as_with_plain_looks(wide: Simulator) -> None:
    plain = Simulator(replace(wide.settings, looks="plain", skins=None))
    for index in (0, 3):
        ours, theirs = wide.sequence(index, 10), plain.sequence(index, 10)
        assert ours.clip.name == theirs.clip.name and ours.character.shape.index == theirs.character.shape.index


def test_pixels_are_the_projected_joints(wide: Simulator) -> None:
    truth = wide.sequence(2, 40).frame(20).truth
    for view, model in enumerate(wide.renderer.models):
        in_camera = transform_points(truth.camera_from_device[view], truth.joints_device_m)
        seen = truth.in_view[view]
        np.testing.assert_allclose(model.project(in_camera)[seen], truth.pixels[view][seen], atol=0.01)


def test_nothing_worn_reaches_a_camera(wide: Simulator) -> None:
    for index in range(0, 24, 2):
        sequence = wide.sequence(index, 10)
        rotations, heads = sequence._pose_at(0.0)
        device_from_world, _ = sequence._device(rotations, heads)
        mesh = sequence.character.posed(rotations, heads)
        tied = np.unique(mesh.faces[np.isin(mesh.face_part, [wide.asset.bone[b] for b in ("head", "neck_01")])])
        for camera_from_world in sequence.mount.camera_from_world(device_from_world):
            distance = np.linalg.norm(transform_points(camera_from_world, mesh.vertices_m[tied]), axis=1)
            assert distance.min() > 0.02


def test_every_part_of_the_skin_has_its_place_in_the_texture() -> None:
    """The texture's two halves: the head lies in the right one, the thighs in the left one."""
    asset = load_bodies()
    skin = unwrapped_skin(asset, asset.shape(0), material((1, 1, 1), kind="unwrapped"))
    assert skin.rest_m is not None
    u = np.where(skin.rest_m[:, 2] > 0.5, FACE_CORNER[0] + FACE_SHARE * skin.rest_m[:, 0], skin.rest_m[:, 0])
    names = asset.bone_names
    head, thigh = skin.weights[:, names.index("head")] > 0.9, skin.weights[:, names.index("thigh_l")] > 0.9
    nose = skin.vertices_m[head][:, 1].argmin()
    assert (skin.rest_m[head][nose, 2], thigh.sum() > 50) == (1, True)  # the tip of the nose is on the enlarged tile
    assert np.median(u[head]) > 0.6 and (u[thigh] < 0.66).all()


def test_skin_cut_apart_has_the_normals_of_whole_skin() -> None:
    asset = load_bodies()
    skin = unwrapped_skin(asset, asset.shape(1), material((1, 1, 1), kind="unwrapped"))
    places, index = np.unique(skin.vertices_m, axis=0, return_inverse=True)
    assert len(places) < len(skin.vertices_m)
    normals, index = skin.normals(), index.reshape(-1)
    first = np.full(len(places), -1)
    first[index[::-1]] = np.arange(len(index))[::-1]
    np.testing.assert_allclose(normals, normals[first[index]], atol=1e-6)


def test_photographic_skin_is_seen(wide: Simulator) -> None:
    """Whoever has a skin of the folder has a green face in front; enough people have one."""
    found = []
    for number in range(8):
        sequence = wide.sequence(2 * number, 10)
        if (sequence.character.materials[:, MATERIAL["kind"]] != KINDS["unwrapped"]).all():
            continue
        frame = sequence.frame(5)
        head = frame.views.part[:2] == wide.asset.bone["head"]
        red, green, blue = (frame.views.radiance[:2][head][:, c] for c in range(3))
        found.append(((green > 3 * red) & (green > 3 * blue)).mean())
    assert len(found) >= 3 and min(found) > 0.05


def test_errors_name_what_is_wrong(tmp_path: Path, skins: Skins) -> None:
    with pytest.raises(EgorearError, match="no skins"):
        read_skins(tmp_path)
    (tmp_path / "bad.png").write_bytes(b"no image")
    with pytest.raises(EgorearError, match=r"bad\.png"):
        read_skins(tmp_path)
    cv2.imwrite(str(tmp_path / "bad.png"), np.zeros((300, 400, 3), np.uint8))
    with pytest.raises(EgorearError, match="400 x 300"):
        read_skins(tmp_path)
    with pytest.raises(EgorearError, match="looks is 'odd', expected one of plain, wide"):
        SimulatorSettings(looks="odd")
    with pytest.raises(EgorearError, match="wide looks"):
        SimulatorSettings(skins=skins)


def test_the_command_refuses_skins_without_wide_looks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("simulate", "render-shards"):
        folder = tmp_path / command
        assert main([command, "--out", str(folder), "--skins", str(tmp_path / "none")]) == 1
        assert "--skins" in capsys.readouterr().err
        assert not folder.exists()


def test_shards_of_other_looks_do_not_mix() -> None:
    plain, wide = ShardSettings().content(), ShardSettings(looks="wide").content()
    assert plain["looks"] == "plain" and wide["looks"] == f"wide/{WIDE_VERSION}"


def test_other_people_are_no_part_of_the_person(wide: Simulator) -> None:
    other = wide.bystander(0).mesh
    assert (other.face_part == STATIC_PART).all() and len(other.faces) > 1000
    height = np.ptp(other.vertices_m[:, 2])
    assert 0.4 < height < 2.2 and np.abs(other.vertices_m[:, :2]).max() < 1.3


def test_a_coarse_mesh_has_the_same_outline(wide: Simulator) -> None:
    sequence = wide.sequence(0, 5)
    mesh = sequence.character.posed(*sequence._pose_at(0.0))
    fewer = coarse(mesh, 0.03)
    assert len(fewer.faces) < len(mesh.faces) / 3
    for bound in (np.min, np.max):
        used = (each.vertices_m[np.unique(each.faces)] for each in (mesh, fewer))
        np.testing.assert_allclose(*(bound(points, axis=0) for points in used), atol=0.03)


def test_whoever_stands_around_keeps_away_and_inside(wide: Simulator) -> None:
    rng, path = np.random.default_rng(0), np.array([[0.0, 0.0], [0.5, 0.2]])
    scene = sample_scene(np.random.default_rng(1), path)
    for _ in range(200):
        spot = beside(rng, scene, path, 0.6, 2.0)
        assert spot is None or (
            np.hypot(*(path - spot).T).min() >= 0.6
            and (scene.outdoor or (abs(spot - scene.surroundings[[0, 1]]) >= 0.2).all())
        )


class TestLens:
    def test_a_lens_without_flaws_changes_nothing(self) -> None:
        light = np.random.default_rng(0).random((2, 16, 16, 3), np.float32)
        curves = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
        flaws = LensFlaws(0.0, None, 0.02, None, None, 0.0, curves, 0.0)
        np.testing.assert_array_equal(through_lens(light, flaws), light)
        images = np.random.default_rng(1).integers(0, 256, (2, 16, 16, 3), np.uint8)
        np.testing.assert_array_equal(in_camera(images, flaws), images)

    def test_dust_darkens_and_veils_lighten(self) -> None:
        light = np.full((1, 20, 20, 3), 0.5, np.float32)
        half = np.full((1, 40, 40), 0.5, np.float32)
        curves = np.zeros((256, 3), np.uint8)
        np.testing.assert_allclose(through_lens(light, LensFlaws(0, None, 0.02, half, None, 0, curves, 0)), 0.25)
        veil = np.full((1, 40, 40, 3), 0.2, np.float32)
        np.testing.assert_allclose(
            through_lens(light, LensFlaws(0, None, 0.02, None, veil, 0, curves, 0)), 0.5 + 0.2 * 1.5 * 0.5, rtol=1e-5
        )

    def test_tone_curves_rise(self) -> None:
        for seed in range(40):
            assert (np.diff(tone_curves(np.random.default_rng(seed)).astype(int), axis=0) >= 0).all()

    def test_every_row_of_a_rolling_shutter_has_its_own_time(self) -> None:
        times = np.linspace(-0.02, 0.02, 9)
        shares = row_shares(101, times, shutter_s=0.01, readout_s=0.03)
        np.testing.assert_allclose(shares.sum(axis=0), 1, rtol=1e-5)
        np.testing.assert_allclose(times @ shares, np.linspace(-0.015, 0.015, 101), atol=0.0015)


def test_rolling_shutter_changes_pixels_but_not_the_truth(wide: Simulator) -> None:
    moving = Simulator(replace(wide.settings, motion_blur=True))
    changed = 0
    for index in range(3):
        at_once, rolling = (Sequence(moving, index, 30, ("run",)) for _ in range(2))
        assert at_once.flaws is not None
        at_once.flaws, rolling.flaws = (replace(at_once.flaws, readout_s=readout) for readout in (0.0, 0.03))
        first, second = at_once.frame(17), rolling.frame(17)
        np.testing.assert_array_equal(first.truth.pixels, second.truth.pixels)
        changed += int((first.images != second.images).any())
    assert changed > 0
