"""Camera models against the official numbers, closed forms and each other."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from egorear_ros.rig import (
    OFFICIAL_NAMES,
    VIEWS,
    CameraModel,
    EquidistantModel,
    OCamModel,
    camera_from_info,
    camera_info_fields,
    fit_equidistant,
    load_rig,
)

EGO4VIEW = load_rig("ego4view")
CAMERAS: list[CameraModel] = [
    *(camera.model for camera in EGO4VIEW.cameras),
    *(fit_equidistant(camera.model)[0] for camera in EGO4VIEW.cameras[2:]),
    load_rig("unrealego").cameras[0].model,
]
GOLDEN = np.load(Path(__file__).parents[1] / "data" / "golden" / "egorear_unit_projection.npz")


def pixels_in_circle(model: CameraModel, count: int = 2000, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    radius = model.image_circle_radius_px * np.sqrt(rng.random(count))
    turn = rng.uniform(0, 2 * math.pi, count)
    return np.asarray(model.center_px) + radius[:, None] * np.stack([np.cos(turn), np.sin(turn)], -1)


@pytest.mark.parametrize("kind", ["syn", "rw"])
@pytest.mark.parametrize("view", VIEWS)
def test_projection_equals_the_official_codes_up_to_float32(kind: str, view: str) -> None:
    """The archive is float32, whose steps at 872 px are 6e-5 px; how they add up depends on the processor."""
    name = OFFICIAL_NAMES[view]
    points_cm = GOLDEN[f"{kind}.{name}.camera_pts3d_cm"]
    official = GOLDEN[f"{kind}.{name}.uv01"]
    step_px = float(np.spacing(np.float32(872)))
    for points, steps in ((points_cm.astype(np.float64), 4), (points_cm, 8)):
        pixels = EGO4VIEW[view].model.project(torch.from_numpy(points)).numpy()
        inside = ((pixels > 0) & (pixels < 872)).all(-1)
        np.testing.assert_array_equal(inside, GOLDEN[f"{kind}.{name}.in_fov"])
        shown = np.clip(pixels / 872, 0, 1) * 872
        np.testing.assert_allclose(shown, official * np.float32(872), atol=steps * step_px, rtol=0)


@pytest.mark.parametrize("view", VIEWS)
def test_rig_extrinsics_are_the_official_syn_constants(view: str) -> None:
    points_m = GOLDEN["points_device_cm"].astype(np.float64) / 100
    camera_from_device = EGO4VIEW[view].camera_from_device
    points_camera = points_m @ camera_from_device[:3, :3].T + camera_from_device[:3, 3]
    official_cm = GOLDEN[f"syn.{OFFICIAL_NAMES[view]}.camera_pts3d_cm"]
    np.testing.assert_allclose(points_camera * 100, official_cm, atol=1e-4)


@pytest.mark.parametrize("model", CAMERAS, ids=lambda m: type(m).__name__)
def test_numpy_and_torch_agree(model: CameraModel) -> None:
    points = np.random.default_rng(1).normal(size=(7, 5, 3))
    np.testing.assert_allclose(model.project(torch.from_numpy(points)).numpy(), model.project(points), atol=1e-9)
    np.testing.assert_array_equal(model.in_view(torch.from_numpy(points)).numpy(), model.in_view(points))
    pixels = model.project(points)
    np.testing.assert_allclose(model.unproject(torch.from_numpy(pixels)).numpy(), model.unproject(pixels), atol=1e-12)


@pytest.mark.parametrize("model", CAMERAS[:6], ids=lambda m: type(m).__name__)
def test_round_trip_is_under_a_hundredth_pixel(model: CameraModel) -> None:
    pixels = pixels_in_circle(model)
    rays = model.unproject(pixels)
    np.testing.assert_allclose(np.linalg.norm(rays, axis=-1), 1, atol=1e-12)
    assert np.linalg.norm(model.project(rays) - pixels, axis=-1).max() < 0.01


@pytest.mark.parametrize("model", CAMERAS, ids=lambda m: type(m).__name__)
def test_the_optical_axis_is_safe(model: CameraModel) -> None:
    axis = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [0.0, 0.0, 0.0]], dtype=torch.float64, requires_grad=True)
    pixels = model.project(axis)
    np.testing.assert_allclose(pixels[0].detach().numpy(), model.center_px, atol=1e-6)
    pixels.sum().backward()
    assert torch.isfinite(pixels).all() and torch.isfinite(axis.grad).all()
    ray = model.unproject(np.array(model.center_px))
    np.testing.assert_allclose(ray, [0, 0, 1], atol=1e-12)


@pytest.mark.parametrize("model", CAMERAS, ids=lambda m: type(m).__name__)
def test_radius_grows_with_the_angle_up_to_behind_the_camera(model: CameraModel) -> None:
    angle = np.linspace(0, model.max_angle_rad + math.radians(10), 1000)
    assert (np.diff(model.radius_of_angle(angle)) > 0).all()


def test_in_view_ends_at_the_field_of_view_and_at_the_image() -> None:
    model = EGO4VIEW["front_left"].model
    angle = np.array([0.0, model.max_angle_rad - 0.01, model.max_angle_rad + 0.01, math.pi / 2, math.pi])
    towards = np.stack([np.sin(angle), np.zeros(5), np.cos(angle)], -1)
    assert model.in_view(towards).tolist() == [True, True, False, False, False]
    assert model.contains(np.array([[436.0, 436.0], [2.0, 2.0], [436.0, -1.0]])).tolist() == [True, False, False]


@pytest.mark.parametrize("view", VIEWS)
def test_equidistant_fit_is_within_the_published_error(view: str) -> None:
    ocam = EGO4VIEW[view].model
    fitted, error = fit_equidistant(ocam)
    assert np.abs(error).max() <= 0.11
    points = ocam.unproject(pixels_in_circle(ocam, seed=2))
    assert np.linalg.norm(fitted.project(points) - ocam.project(points), axis=-1).max() <= 0.11


def test_fit_recovers_an_equidistant_camera_exactly() -> None:
    truth = EquidistantModel(
        800, 800, (401.0, 398.0), 400.0, 1.5, focal_px=(260.0, 260.0), distortion=(0.02, -0.01, 0.003, -5e-4)
    )
    fitted, error = fit_equidistant(truth)
    assert np.abs(error).max() < 1e-9
    np.testing.assert_allclose(
        (*fitted.focal_px, *fitted.distortion), (260.0, 260.0, 0.02, -0.01, 0.003, -5e-4), atol=1e-9
    )


def test_equidistant_projection_equals_opencvs_fisheye() -> None:
    cv2 = pytest.importorskip("cv2")
    model = fit_equidistant(EGO4VIEW["rear_left"].model)[0]
    points = model.unproject(pixels_in_circle(model, 200, seed=3)) * 1.7
    points = points[points[:, 2] > 0.1]  # OpenCV divides by z
    info = camera_info_fields(model)
    expected, _ = cv2.fisheye.projectPoints(
        points[:, None], np.zeros(3), np.zeros(3), np.reshape(info.k, (3, 3)), np.array(info.d)
    )
    np.testing.assert_allclose(model.project(points), expected[:, 0], atol=1e-6)


def test_camera_info_round_trip() -> None:
    model = fit_equidistant(EGO4VIEW["front_right"].model)[0]
    assert camera_from_info(camera_info_fields(model), model.image_circle_radius_px, model.max_angle_rad) == model


@pytest.mark.parametrize("model", CAMERAS, ids=lambda m: type(m).__name__)
def test_resizing_scales_pixels_and_keeps_rays(model: CameraModel) -> None:
    small = model.resized(256, 256)
    ratio = 256 / model.width
    points = model.unproject(pixels_in_circle(model, 50))
    np.testing.assert_allclose(small.project(points), model.project(points) * ratio, atol=1e-9)
    pixels = pixels_in_circle(small, 50)
    np.testing.assert_allclose(small.unproject(pixels), model.unproject(pixels / ratio), atol=1e-9)


def test_resizing_to_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="872x872 camera to 640x480"):
        EGO4VIEW["front_left"].model.resized(640, 480)


def test_project_gradcheck() -> None:
    points = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(EGO4VIEW["front_left"].model.project, (points,))


def test_a_lens_that_is_none_is_refused() -> None:
    good = EGO4VIEW["front_left"].model
    assert isinstance(good, OCamModel)
    fields = {**good.__dict__}
    with pytest.raises(ValueError, match="not monotonic"):
        OCamModel(**{**fields, "radius_polynomial": tuple(-c for c in good.radius_polynomial)})
    with pytest.raises(ValueError, match="disagree by"):
        OCamModel(**{**fields, "radius_polynomial": tuple(1.1 * c for c in good.radius_polynomial)})
    with pytest.raises(ValueError, match="negative coefficient"):
        OCamModel(**{**fields, "ray_polynomial": good.radius_polynomial})
