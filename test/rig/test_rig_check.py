"""The rig check: exact points of known rigs, and the bundled clip with faults made in it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from egorear_ros.data.rig_clip import RigClip
from egorear_ros.resources import find
from egorear_ros.rig import VIEWS, EquidistantModel, Rig, RigCamera, load_rig
from egorear_ros.rig.checking import Matches, RigCheck, judge
from egorear_ros.rig.checking.epipolar import Rays, bases, misfit, turned_back
from egorear_ros.rig.checking.fitting import fit_turn
from egorear_ros.rig.checking.hypotheses import as_written
from egorear_ros.rig.rigid import transform_points

Clip = list[tuple[int, dict[str, NDArray[np.uint8]]]]


def exact_matches(rig: Rig, count: int = 400, seed: int = 0, wrong_share: float = 0.2) -> Matches:
    """Points around a wearer as the cameras of a rig see them; a share of them mismatched."""
    rng = np.random.default_rng(seed)
    points = rng.uniform((-0.8, -0.8, 0.3), (0.8, 1.0, 1.8), (count, 3))
    uv = np.stack(
        [c.model.project(transform_points(c.camera_from_device, points)) / c.model.width for c in rig.cameras], 1
    )
    pairs = list(itertools.combinations(range(len(rig.cameras)), 2))
    images = np.array(pairs)[rng.integers(len(pairs), size=count)]
    seen = np.take_along_axis(uv, images[:, :, None], axis=1)
    wrong = rng.random(count) < wrong_share
    seen[wrong, 1] = rng.uniform(0.1, 0.9, (wrong.sum(), 2))
    return Matches(images.astype(np.int64), seen)


def with_turned(rig: Rig, view: str, rotvec_deg: tuple[float, float, float]) -> Rig:
    """A rig with one camera turned in its own axes."""
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_rotvec(np.radians(rotvec_deg)).as_matrix()
    poses = {c.name: c.camera_from_device for c in rig.cameras}
    return rig.with_extrinsics({**poses, view: turn @ poses[view]})


def with_order(rig: Rig, order: tuple[int, ...]) -> Rig:
    """The rig whose images really come in this order."""
    cameras = tuple(replace(rig.cameras[k], name=name) for k, name in zip(order, rig.names, strict=True))
    return replace(rig, cameras=cameras)


@pytest.fixture(scope="module")
def rig() -> Rig:
    return load_rig("ego4view")


def test_true_points_fit_exactly(rig: Rig) -> None:
    matches = exact_matches(rig, wrong_share=0.0)
    written = as_written(rig)
    error = misfit(Rays(matches).device_rays(written), bases(matches, written))
    assert error.max() < np.radians(0.05)  # the two polynomials of these lenses are fitted, not derived


def test_points_behind_the_cameras_do_not_fit(rig: Rig) -> None:
    """Exchanged parallel cameras leave every ray in its plane; only that rays part instead of meeting shows it."""
    lens = rig["front_left"].model
    pair = tuple(replace(c, model=lens) for c in rig.cameras[:2])
    same = replace(rig, cameras=pair)
    matches = exact_matches(same, wrong_share=0.0)
    matches = Matches(matches.images, matches.uv[:, ::-1])
    error = misfit(Rays(matches).device_rays(as_written(same)), bases(matches, as_written(same)))
    assert np.median(error) > np.radians(3)


@pytest.mark.parametrize("rotvec_deg", [(5, 0, 0), (0, -5, 0), (0, 0, 5), (-8, 6, 3)])
def test_a_turn_is_measured(rig: Rig, rotvec_deg: tuple[float, float, float]) -> None:
    matches = exact_matches(with_turned(rig, "rear_left", rotvec_deg))
    written = as_written(rig)
    found = fit_turn(matches, written, Rays(matches).device_rays(written), 2, with_scale=False)
    assert np.degrees(found.angle_rad) == pytest.approx(np.linalg.norm(rotvec_deg), abs=0.3)


def test_a_scale_is_measured(rig: Rig) -> None:
    camera = rig["rear_left"]
    lens = EquidistantModel(
        872, 872, (436.0, 436.0), 430.0, 1.5, focal_px=(290.0, 290.0), distortion=(0.0, 0.0, 0.0, 0.0)
    )
    longer = replace(lens, focal_px=(348.0, 348.0))
    file, truth = (
        replace(rig, cameras=tuple(replace(c, model=m) if c is camera else c for c in rig.cameras))
        for m in (lens, longer)
    )
    matches = exact_matches(truth)
    written = as_written(file)
    found = fit_turn(matches, written, Rays(matches).device_rays(written), 2, with_scale=True)
    assert found.scale == pytest.approx(1.2, abs=0.01)
    fault = judge(file, matches).fault
    assert fault is not None
    assert fault.kind == "lens"
    assert fault.cameras == ("rear_left",)
    assert "20 % larger" in fault.text


@pytest.mark.parametrize("order", [o for o in itertools.permutations(range(4)) if o != (0, 1, 2, 3)])
def test_every_order_of_the_cameras_is_seen(rig: Rig, order: tuple[int, ...]) -> None:
    fault = judge(rig, exact_matches(with_order(rig, order))).fault
    assert fault is not None
    assert fault.kind == "exchanged"
    assert fault.cameras == tuple(v for i, v in enumerate(rig.names) if order[i] != i)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turned_images_are_seen(rig: Rig, quarters: int) -> None:
    matches = exact_matches(rig)
    mine = matches.images == 3
    uv = matches.uv.copy()
    uv[mine] = turned_back(uv[mine], -quarters)
    fault = judge(rig, Matches(matches.images, uv)).fault
    assert fault is not None
    assert fault.kind == "image turned"
    assert fault.cameras == ("rear_right",)
    assert {1: "90 degrees clockwise", 2: "180 degrees", 3: "counterclockwise"}[quarters] in fault.text


def test_turning_back_is_what_numpy_turns() -> None:
    image = np.arange(12.0).reshape(3, 4)
    for quarters in range(4):
        turned = np.rot90(image, -quarters)  # clockwise
        rows, columns = np.indices(turned.shape)
        uv = (np.stack([columns, rows], -1).reshape(-1, 2) + 0.5) / (turned.shape[1], turned.shape[0])
        back = turned_back(uv, quarters) * (4, 3) - 0.5
        x, y = np.rint(back).astype(int).T
        assert (image[y, x] == turned.ravel()).all()


def test_tolerances_of_a_right_rig_are_no_fault(rig: Rig) -> None:
    rng = np.random.default_rng(3)
    built = rig
    for view in rig.names:
        built = with_turned(built, view, tuple(rng.normal(0, 0.4, 3)))
    for seed in range(3):
        verdict = judge(rig, exact_matches(built, seed=seed))
        assert verdict.fault is None
        assert verdict.agreement > 0.5


def test_two_cameras_do_not_tell_which_is_turned(rig: Rig) -> None:
    pair = rig.subset(rig.names[:2])
    matches = exact_matches(with_turned(rig, "front_left", (5, 0, 0)), count=1500)
    chosen = (matches.images < 2).all(axis=1)
    fault = judge(pair, Matches(matches.images[chosen], matches.uv[chosen])).fault
    assert fault is not None
    assert fault.kind == "camera turned"
    assert "front_left" in fault.text


def test_few_points_say_nothing(rig: Rig) -> None:
    verdict = judge(rig, exact_matches(rig, count=20))
    assert not verdict.known
    assert verdict.fault is None


@pytest.fixture(scope="module")
def clip() -> Clip:
    """Frame sets of the bundled clip, one per second."""
    source = RigClip(find("assets/demo_clip"))
    return [
        (int(source.stamps_ns[i, 0]), dict(zip(source.info.views, source.frame(i), strict=True)))
        for i in range(0, len(source), 12)
    ]


def checked(rig: Rig, clip: Clip) -> RigCheck:
    check = RigCheck(rig)
    for stamp_ns, images in clip:
        if check.due(stamp_ns, images):
            check.look(stamp_ns, images)
    return check


def test_the_bundled_clip_is_right(rig: Rig, clip: Clip) -> None:
    check = checked(rig, clip)
    assert check.faults == []
    assert check.verdict is not None
    assert check.verdict.known
    assert "fit the rig file" in check.describe()


def test_the_bundled_clip_with_an_exchange(rig: Rig, clip: Clip) -> None:
    mixed = [(t, {**s, "rear_left": s["rear_right"], "rear_right": s["rear_left"]}) for t, s in clip]
    fault = checked(rig, mixed).fault
    assert fault is not None
    assert fault.text.startswith("rear_left and rear_right look exchanged")


def test_the_bundled_clip_upside_down(rig: Rig, clip: Clip) -> None:
    turned = [(t, {**s, "front_right": np.ascontiguousarray(s["front_right"][::-1, ::-1])}) for t, s in clip]
    fault = checked(rig, turned).fault
    assert fault is not None
    assert fault.text.startswith("the image of front_right is upside down")


def test_the_bundled_clip_with_another_lens(rig: Rig, clip: Clip) -> None:
    other = load_rig("unrealego").cameras[0].model.resized(872, 872)
    cameras: tuple[RigCamera, ...] = tuple(replace(c, model=other) if c.name == VIEWS[0] else c for c in rig.cameras)
    fault = checked(replace(rig, cameras=cameras), clip).fault
    assert fault is not None
    assert (fault.kind, fault.cameras) == ("lens", ("front_left",))


def test_a_fault_ends_and_a_returning_camera_is_looked_at_soon(rig: Rig, clip: Clip) -> None:
    check = RigCheck(rig)
    right, stamp = clip[0][1], 0
    mixed = {**right, "rear_left": right["rear_right"], "rear_right": right["rear_left"]}

    def looks(images: Mapping[str, NDArray[np.uint8]], seconds: int) -> int:
        nonlocal stamp
        count = 0
        for _ in range(seconds):
            stamp += 1_000_000_000
            if check.due(stamp, images):
                check.look(stamp, images)
                count += 1
        return count

    assert looks(right, 6) == 2
    assert looks(right, 10) == 0
    assert check.fault is None
    assert looks({v: image for v, image in right.items() if v != "rear_left"}, 1) == 0
    assert looks(mixed, 12) >= 2
    assert check.fault is not None
    assert check.fault.cameras == ("rear_left", "rear_right")
    looks(right, 60)
    assert check.fault is None
    assert len(check.faults) == 1
