"""Preprocessing equals the official code's; the estimator takes any subset of views and says what does not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from egorear_ros.inference import InputError, PoseEstimator
from egorear_ros.inference.joints_2d import joints_from_heatmaps
from egorear_ros.inference.preprocessing import Preprocessor, resize_official
from egorear_ros.network import EgoRearConfig, build
from egorear_ros.network.weights import save_weights
from egorear_ros.rig import VIEWS, EquidistantModel, Rig, RigCamera, load_rig

GOLDEN_FOLDER = Path(__file__).parents[1] / "data" / "golden"
GOLDEN = np.load(GOLDEN_FOLDER / "egorear_unit_image.npz")
CONFIG = EgoRearConfig(refinement=False, image_size=64, channels=16, lifting_layers=1)


@pytest.fixture(scope="module")
def estimator() -> PoseEstimator:
    torch.manual_seed(0)
    return PoseEstimator(build(CONFIG), CONFIG, load_rig("ego4view"), "cpu", "torch")


def images(size: int = 64) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {view: rng.integers(0, 256, (size, size, 3), np.uint8) for view in VIEWS}


def test_preprocessing_equals_the_official_codes_to_the_bit() -> None:
    """Pillow's antialiased bicubic from 872 to 256 and ImageNet normalisation, against the official archive."""
    picture = cv2.cvtColor(cv2.imread(str(GOLDEN_FOLDER / "unit_image_872.png")), cv2.COLOR_BGR2RGB)
    small = resize_official(picture, 256)
    np.testing.assert_array_equal(small, GOLDEN["small_uint8"])
    tensor = Preprocessor(["only"], 256, "official")({"only": picture})[0, 0].numpy()
    assert tensor.shape == tuple(GOLDEN["tensor__shape"])
    np.testing.assert_allclose(tensor.reshape(-1)[:: int(GOLDEN["tensor__k"])], GOLDEN["tensor__sub"], atol=1e-6)


def test_a_pose_comes_out_in_metres_with_everything_around_it(estimator: PoseEstimator) -> None:
    estimate = estimator.estimate(images(80))
    assert estimate.joints_device_m.shape == (16, 3) and np.isfinite(estimate.joints_device_m).all()
    assert estimate.confidence.shape == (16,) and ((0 <= estimate.confidence) & (estimate.confidence <= 1)).all()
    assert np.isnan(estimate.joints_std_m).all(), "this network does not predict it"
    assert tuple(estimate.joints_2d) == VIEWS
    assert all(p.shape == (15, 2) and (0 <= p).all() and (p <= 80).all() for p in estimate.joints_2d.values())
    assert {"preprocess", "network", "postprocess"} == set(estimate.stage_seconds)


@pytest.mark.parametrize("views", [VIEWS[:1], VIEWS[1:3], VIEWS[:3], VIEWS])
def test_any_subset_of_views(estimator: PoseEstimator, views: tuple[str, ...]) -> None:
    estimate = estimator.estimate({view: images()[view] for view in views})
    assert tuple(estimate.joints_2d) == views and np.isfinite(estimate.joints_device_m).all()


def test_the_order_of_the_dictionary_does_not_matter(estimator: PoseEstimator) -> None:
    forward = estimator.estimate(images())
    backward = estimator.estimate(dict(reversed(images().items())))
    np.testing.assert_array_equal(forward.joints_device_m, backward.joints_device_m)


def test_views_can_be_chosen() -> None:
    torch.manual_seed(0)
    network, rig = build(CONFIG), load_rig("ego4view")
    chosen = PoseEstimator(network, CONFIG, rig, "cpu", "torch", views=["rear_left", "front_left"])
    assert chosen.views == ("front_left", "rear_left")
    estimate, everything = chosen.estimate(images()), PoseEstimator(network, CONFIG, rig, "cpu", "torch")
    assert tuple(estimate.joints_2d) == chosen.views
    two = {view: images()[view] for view in chosen.views}
    np.testing.assert_array_equal(estimate.joints_device_m, everything.estimate(two).joints_device_m)
    with pytest.raises(InputError, match="no image of front_left, rear_left"):
        chosen.estimate({"rear_right": images()["rear_right"]})
    with pytest.raises(InputError, match="views: got side, the network knows front_left"):
        PoseEstimator(network, CONFIG, rig, "cpu", "torch", views=["side"])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda i: i.clear(), "no image of front_left"),
        (lambda i: i.update(rear_left=np.zeros((48, 64, 3), np.uint8)), "image is 64x48, calibration expects 872x872"),
        (lambda i: i.update(rear_left=np.zeros((64, 64), np.uint8)), r"'rear_left': expected an RGB image"),
        (lambda i: i.update(rear_left=np.zeros((64, 64, 3), np.float32)), r"got \(64, 64, 3\) float32"),
    ],
)  # fmt: skip
def test_images_that_do_not_fit_are_refused(estimator: PoseEstimator, spoil: object, message: str) -> None:
    wrong = images()
    spoil(wrong)  # type: ignore[operator]
    with pytest.raises(InputError, match=message):
        estimator.estimate(wrong)


def test_extrinsics_change_the_pose(tmp_path: Path, estimator: PoseEstimator) -> None:
    rig = load_rig("ego4view")
    own = {camera.name: camera.camera_from_device for camera in rig.cameras}
    nominal = estimator.estimate(images()).joints_device_m
    np.testing.assert_array_equal(estimator.estimate(images(), own).joints_device_m, nominal)
    shift = np.eye(4)
    shift[:3, 3] = 0.1
    for changed in VIEWS:
        moved = {**own, changed: shift @ own[changed]}
        difference = np.abs(estimator.estimate(images(), moved).joints_device_m - nominal).max()
        assert difference > 1e-5, f"{changed}: its extrinsics are ignored"


def test_a_saved_model_gives_the_same_pose(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = build(CONFIG)
    save_weights(tmp_path / "model.safetensors", network, CONFIG, {"made_by": "tests"})
    loaded = PoseEstimator.from_pretrained(str(tmp_path / "model.safetensors"), "cpu", "torch")
    direct = PoseEstimator(network, CONFIG, load_rig("ego4view"), "cpu", "torch")
    np.testing.assert_array_equal(loaded.estimate(images()).joints_device_m, direct.estimate(images()).joints_device_m)


def own_rig(views: tuple[str, ...]) -> Rig:
    """Other lenses, image shape and places than ego4view's."""
    lens = EquidistantModel(96, 64, (48.0, 32.0), 30.0, 1.5, focal_px=(20.0, 20.0), distortion=(0.0, 0.0, 0.0, 0.0))
    drawn = load_rig("ego4view").subset(views)
    moved = np.diag([1.0, 1.0, 1.0, 1.0])
    moved[:3, 3] = 0.1
    cameras = tuple(RigCamera(c.name, lens, moved @ c.camera_from_device) for c in drawn.cameras)
    return Rig("own", cameras, drawn.helmet_from_device)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("saved") / "model.safetensors"
    save_weights(path, build(CONFIG), CONFIG, {"made_by": "tests"})
    return str(path)


def test_a_rig_of_ones_own_reaches_the_network(saved: str) -> None:
    rig, shown = own_rig(VIEWS), {view: np.full((32, 48, 3), 90, np.uint8) for view in VIEWS}
    estimator = PoseEstimator.from_pretrained(saved, "cpu", "torch", rig=rig)
    torch.manual_seed(1)
    direct = PoseEstimator(build(CONFIG, rig), CONFIG, rig, "cpu", "torch")
    np.testing.assert_array_equal(estimator.estimate(shown).joints_device_m, direct.estimate(shown).joints_device_m)
    drawn = PoseEstimator.from_pretrained(saved, "cpu", "torch")
    with pytest.raises(InputError, match="image is 48x32, calibration expects 872x872"):
        drawn.estimate(shown)


def test_views_the_rig_lacks_are_left_out_and_named(saved: str) -> None:
    said: list[str] = []
    estimator = PoseEstimator.from_pretrained(saved, "cpu", "torch", rig=own_rig(VIEWS[:2]), warn=said.append)
    assert estimator.views == VIEWS[:2]
    assert said == ["rig 'own' has no camera 'rear_left', 'rear_right'; the network works without"]
    assert np.isfinite(
        estimator.estimate({v: np.zeros((64, 96, 3), np.uint8) for v in VIEWS[:2]}).joints_device_m
    ).all()
    with pytest.raises(InputError, match="rig 'own' has no camera 'rear_left'; it has front_left"):
        PoseEstimator.from_pretrained(saved, "cpu", "torch", VIEWS[1:3], rig=own_rig(VIEWS[:2]))
    other = replace(own_rig(VIEWS[:1]).cameras[0], name="chin")
    with pytest.raises(InputError, match="it has chin, the network knows front_left"):
        PoseEstimator.from_pretrained(saved, "cpu", "torch", rig=replace(own_rig(VIEWS), cameras=(other,)))


def test_unknown_models_and_devices_are_named() -> None:
    with pytest.raises(InputError, match="no model 'nosuch' is shipped"):
        PoseEstimator.from_pretrained("nosuch")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="device 'cuda' cannot be used here"):
            PoseEstimator(build(CONFIG), CONFIG, load_rig("ego4view"), "cuda")


def test_joints_are_where_the_heatmap_says() -> None:
    y, x = np.mgrid[0:64, 0:64]
    for cx, cy in ((10.0, 20.0), (30.3, 40.7), (0.0, 63.0)):
        heatmap = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 2).astype(np.float32)
        positions, scores = joints_from_heatmaps(heatmap[None])
        np.testing.assert_allclose(positions[0] * 64, [cx, cy], atol=0.4)  # the map's edge cuts the peak
        assert 0.8 < scores[0] <= 1


def test_a_skeleton_carries_the_estimate(estimator: PoseEstimator) -> None:
    estimate = estimator.estimate(images())
    skeleton = estimate.skeleton(123, "7")
    assert (skeleton.stamp_ns, skeleton.skeleton_id, skeleton.views) == (123, "7", VIEWS)
    assert np.isnan(skeleton.covariance_m2).all() and skeleton.valid.all()
    np.testing.assert_allclose(skeleton.positions_m, estimate.joints_device_m)
