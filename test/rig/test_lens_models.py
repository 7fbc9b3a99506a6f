"""Every camera model against formulas written anew from its source, in x, y, z, and against OpenCV."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from egorear_ros.rig import (
    CameraModel,
    DoubleSphereModel,
    EquidistantModel,
    ExtendedUnifiedModel,
    OCamModel,
    OmniModel,
    camera_from_info,
    camera_info_fields,
    fit_equidistant,
    half_diagonal,
    load_rig,
    with_view_range,
)
from egorear_ros.rig.lens_yaml import lens_content, lens_from_content

SIZE: tuple[Any, ...] = (1280, 1024, (641.0, 507.3), half_diagonal(1280, 1024), 1e-3)
FOCAL: dict[str, Any] = {"focal_px": (343.2, 338.7), "skew_px": -0.8}
PLAIN: dict[str, Any] = {"focal_px": (257.4, 258.2)}
FRONT_LEFT = load_rig("ego4view")["front_left"].model
assert isinstance(FRONT_LEFT, OCamModel)

MODELS: dict[str, CameraModel] = {
    "equidistant": EquidistantModel(*SIZE, **FOCAL, distortion=(0.031, -0.012, 0.004, -0.0007)),
    "equidistant, ends early": EquidistantModel(*SIZE, **FOCAL, distortion=(0.168, -0.029, 0.0006, -0.0009)),
    "equidistant, decentred": EquidistantModel(
        *SIZE, **FOCAL, distortion=(0.031, -0.012, 0.004, -0.0007), tangential=(0.0031, -0.0024)
    ),
    "double sphere": DoubleSphereModel(*SIZE, **PLAIN, xi=-0.21, alpha=0.59),
    "double sphere, narrow": DoubleSphereModel(*SIZE, **FOCAL, xi=0.1, alpha=0.4),
    "extended unified": ExtendedUnifiedModel(*SIZE, **FOCAL, alpha=0.62, beta=1.08),
    "omni": OmniModel(*SIZE, focal_px=(790.0, 786.0), xi=1.4, distortion=(-0.05, 0.02, 0.0011, -0.0007)),
    "omni, wide": OmniModel(*SIZE, focal_px=(1300.0, 1302.0), xi=2.1, distortion=(0.1, 0.35, -0.0004, 0.0009)),
    "pinhole": OmniModel(*SIZE, **FOCAL, xi=0.0, distortion=(-0.02, 0.003, 0.0004, -0.0003, -1e-4)),
    "rational": OmniModel(*SIZE, **FOCAL, xi=0.0, distortion=(0.9, 0.12, 3e-4, -2e-4, 0.004, 1.1, 0.3, 0.02)),
    "ocam": replace(FRONT_LEFT, affine=(0.96, -0.0112, 0.0109)),
}
MODELS = {name: with_view_range(model) for name, model in MODELS.items()}
EVERY = pytest.mark.parametrize("name", MODELS)
FOCAL_ONES = pytest.mark.parametrize("name", [name for name in MODELS if name != "ocam"])


def rays_in_view(model: CameraModel, count: int = 3000, share: float = 1.0, seed: int = 0) -> np.ndarray:
    """Unit vectors up to `share` of the largest angle."""
    rng = np.random.default_rng(seed)
    angle, turn = share * model.max_angle_rad * rng.random(count), rng.uniform(0, 2 * math.pi, count)
    angle[0] = share * model.max_angle_rad
    return np.stack([np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn), np.cos(angle)], -1)


def radtan(x: np.ndarray, y: np.ndarray, d: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    k1, k2, p1, p2 = d[:4]
    r2 = x * x + y * y
    radial = 1 + k1 * r2 + k2 * r2 * r2
    return x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x), y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y


def expected_pixels(model: Any, points: np.ndarray) -> np.ndarray:
    """The source's own formula, in x, y, z."""
    x, y, z = points.T
    if isinstance(model, OCamModel):  # row and column as OCamCalib has them
        n = np.hypot(x, y)
        rho = np.polynomial.polynomial.polyval(np.arctan(-z / n), model.radius_polynomial)
        (c, d, e), (column, row) = model.affine, model.center_px
        x1, y1 = y / n * rho, x / n * rho
        return np.stack([y1 + e * x1 + column, c * x1 + d * y1 + row], -1)
    if isinstance(model, EquidistantModel):
        r = np.hypot(x, y)
        theta = np.arctan2(r, z)
        bent = theta + sum(k * theta ** (2 * i + 3) for i, k in enumerate(model.distortion))
        mx, my = radtan(bent * x / r, bent * y / r, (0.0, 0.0, *model.tangential))
    elif isinstance(model, DoubleSphereModel):
        d1 = np.sqrt(x**2 + y**2 + z**2)
        d2 = np.sqrt(x**2 + y**2 + (model.xi * d1 + z) ** 2)
        below = model.alpha * d2 + (1 - model.alpha) * (model.xi * d1 + z)
        mx, my = x / below, y / below
    elif isinstance(model, ExtendedUnifiedModel):
        below = model.alpha * np.sqrt(model.beta * (x**2 + y**2) + z**2) + (1 - model.alpha) * z
        mx, my = x / below, y / below
    else:
        below = z + model.xi * np.sqrt(x**2 + y**2 + z**2)
        mx, my = radtan(x / below, y / below, model.distortion)
    (fx, fy), (cx, cy) = model.focal_px, model.center_px
    return np.stack([fx * mx + model.skew_px * my + cx, fy * my + cy], -1)


@pytest.mark.parametrize("name", [name for name in MODELS if name not in {"pinhole", "rational"}])
def test_projection_is_the_published_formula(name: str) -> None:
    points = 1.7 * rays_in_view(MODELS[name])
    np.testing.assert_allclose(MODELS[name].project(points), expected_pixels(MODELS[name], points), atol=1e-8)


@pytest.mark.parametrize("name", ["equidistant", "equidistant, ends early"])
def test_equidistant_is_opencvs_fisheye(name: str) -> None:
    model: Any = MODELS[name]
    points = rays_in_view(model, share=min(1.0, 1.5 / model.max_angle_rad))  # OpenCV divides by z
    (fx, fy), (cx, cy), skew = model.focal_px, model.center_px, model.skew_px
    found, _ = cv2.fisheye.projectPoints(
        points[:, None], np.zeros(3), np.zeros(3), np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]),
        np.array(model.distortion), alpha=skew / fx,
    )  # fmt: skip
    np.testing.assert_allclose(model.project(points), found[:, 0], atol=1e-6)


@pytest.mark.parametrize("name", ["pinhole", "rational"])
def test_pinhole_is_opencvs(name: str) -> None:
    model: Any = replace(MODELS[name], skew_px=0.0)  # which OpenCV's pinhole has not
    points = rays_in_view(model)
    (fx, fy), (cx, cy) = model.focal_px, model.center_px
    camera_matrix = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    found, _ = cv2.projectPoints(points[:, None], np.zeros(3), np.zeros(3), camera_matrix, np.array(model.distortion))
    np.testing.assert_allclose(model.project(points), found[:, 0], atol=1e-6)


@FOCAL_ONES
def test_rays_come_back_over_the_whole_field_of_view(name: str) -> None:
    model = MODELS[name]
    rays = rays_in_view(model)
    for lens in (model, model.resized(320, 256)):
        found = lens.unproject(lens.project(rays))
        np.testing.assert_allclose(np.linalg.norm(found, axis=-1), 1, atol=1e-12)
        assert np.linalg.norm(found - rays, axis=-1).max() < 1e-6


def test_ocams_affine_part_is_undone() -> None:
    plain, bent = FRONT_LEFT, MODELS["ocam"]
    pixels = np.random.default_rng(0).uniform(200, 700, (100, 2))
    there = bent.project(plain.unproject(pixels))
    assert np.linalg.norm(there - pixels, axis=-1).max() > 2
    np.testing.assert_allclose(plain.project(bent.unproject(there)), pixels, atol=0.02)


@EVERY
def test_torch_gives_numpys_numbers_with_gradients_and_everywhere(name: str) -> None:
    model = MODELS[name]
    points = np.concatenate([rays_in_view(model, 50), np.random.default_rng(1).normal(size=(200, 3)), [[0, 0, 1]]])
    double = torch.from_numpy(points).requires_grad_()
    pixels = model.project(double)
    np.testing.assert_allclose(pixels.detach().numpy(), model.project(points), atol=1e-9)
    pixels.sum().backward()
    assert torch.isfinite(pixels).all() and torch.isfinite(double.grad).all()
    seen = model.project(rays_in_view(model, 50, 0.97))
    np.testing.assert_allclose(model.unproject(torch.from_numpy(seen)).numpy(), model.unproject(seen), atol=1e-11)
    single = model.project(torch.from_numpy(points[:50]).float()).numpy()
    np.testing.assert_allclose(single, model.project(points[:50]), atol=2e-3)
    assert torch.autograd.gradcheck(model.project, (torch.from_numpy(rays_in_view(model, 4, 0.9)).requires_grad_(),))


@FOCAL_ONES
def test_what_is_behind_never_comes_back_into_the_image(name: str) -> None:
    model: Any = MODELS[name]
    angle = np.linspace(0, math.pi - 1e-6, 4000)
    points = np.stack([np.sin(angle), np.zeros(4000), np.cos(angle)], -1)
    bent = model.project(points)[:, 0]
    assert (np.diff(bent[angle <= model.usable_angle_rad]) > 0).all()
    beyond = bent[angle > model.turning_angle_rad + 0.01]
    assert (beyond > bent[np.searchsorted(angle, model.turning_angle_rad) - 1]).all()


class Both(torch.nn.Module):
    """What networks do with a lens."""

    def __init__(self, lens: CameraModel) -> None:
        super().__init__()
        self.lens = lens

    def forward(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        pixels = self.lens.project(points)
        return pixels, self.lens.unproject(pixels)


@pytest.mark.parametrize("name", ["equidistant", "double sphere", "extended unified", "omni", "ocam"])
def test_exports_carry_the_lens(name: str) -> None:
    import openvino

    model = MODELS[name]
    points = torch.from_numpy(rays_in_view(model, 64, 0.95)).float()
    exact = model.project(points.double().numpy())
    program = torch.export.export(Both(model), (points,)).module()
    for found in (program(points)[0].numpy(), _openvino(openvino, Both(model), points)):
        assert np.abs(found - exact).max() < 0.01


def _openvino(openvino: Any, module: torch.nn.Module, points: torch.Tensor) -> np.ndarray:
    graph = openvino.convert_model(module, example_input=points)
    return np.asarray(
        openvino.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(points.numpy())[0]
    )


@EVERY
def test_rig_files_keep_the_lens(name: str) -> None:
    model = MODELS[name]
    again = lens_from_content(lens_content(model))
    assert replace(again, max_angle_rad=model.max_angle_rad) == model
    assert again.max_angle_rad == pytest.approx(model.max_angle_rad, abs=1e-12)


@EVERY
def test_the_field_of_view_is_where_pixels_have_rays(name: str) -> None:
    model = MODELS[name]
    middle = np.array([model.width, model.height]) / 2
    turn = np.linspace(0, 2 * math.pi, 500)
    inside = middle + 0.999 * model.image_circle_radius_px * np.stack([np.cos(turn), np.sin(turn)], -1)
    edge = 3.0 if name == "ocam" else 1e-3  # its two polynomials part towards the image's corners
    inside = np.clip(inside, edge, np.array([model.width, model.height]) - edge)
    rays = model.unproject(inside)
    assert model.in_view(rays).mean() > 0.99
    error = np.linalg.norm(model.project(rays) - inside, axis=-1)
    assert error.max() < (0.002 * model.width if name == "ocam" else 1e-4)


def test_a_given_field_of_view_is_kept() -> None:
    model = with_view_range(MODELS["double sphere"], max_angle_rad=math.radians(95))
    assert math.degrees(model.max_angle_rad) == pytest.approx(95)
    assert with_view_range(model, image_circle_radius_px=300).image_circle_radius_px == 300
    with pytest.raises(ValueError, match=r"ends at 12\d\.\d degrees off the axis, a largest angle of 150"):
        with_view_range(model, max_angle_rad=math.radians(150))
    with pytest.raises(ValueError, match="must be a positive number, got nan"):
        with_view_range(model, image_circle_radius_px=math.nan)


@pytest.mark.parametrize("name", ["equidistant", "pinhole", "rational"])
def test_camera_info_carries_these_exactly(name: str) -> None:
    model = MODELS[name]
    info = camera_info_fields(model)
    assert camera_from_info(info, model.image_circle_radius_px, model.max_angle_rad) == model


@pytest.mark.parametrize(("name", "limit_px"), [("double sphere", 2.0), ("extended unified", 0.5), ("omni", 3.0)])
def test_the_fit_for_camera_info_says_its_error(name: str, limit_px: float) -> None:
    model = MODELS[name]
    fitted, error = fit_equidistant(model)
    rays = rays_in_view(model)
    true_error = np.linalg.norm(fitted.project(rays) - model.project(rays), axis=-1).max()
    assert true_error < limit_px and np.abs(error).max() == pytest.approx(true_error, rel=0.2)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ({"xi": -1.5}, "xi above -1"),
        ({"alpha": 1.2}, "alpha in 0..1"),
        ({"focal_px": (0.0, 250.0)}, "must be positive"),
        ({"max_angle_rad": 3.0}, r"ends at 12\d\.\d degrees"),
        ({"width": 0}, "image size 0x1024"),
    ],
)
def test_a_lens_that_is_none_is_refused(spoil: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(MODELS["double sphere"], **spoil)


def number(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_subnormal=False)


LENSES = st.one_of(
    st.builds(lambda *k: EquidistantModel(*SIZE, **FOCAL, distortion=k),
              number(-0.1, 0.2), number(-0.05, 0.05), number(-0.02, 0.02), number(-0.005, 0.005)),
    st.builds(lambda xi, alpha: DoubleSphereModel(*SIZE, **FOCAL, xi=xi, alpha=alpha),
              number(-0.5, 1), number(0.2, 0.8)),
    st.builds(lambda a, b: ExtendedUnifiedModel(*SIZE, **FOCAL, alpha=a, beta=b), number(0.2, 0.8), number(0.4, 2.5)),
    st.builds(lambda xi, *d: OmniModel(*SIZE, focal_px=(300 * (1 + xi), 301 * (1 + xi)), xi=xi, distortion=d),
              number(0, 2.5), number(-0.3, 0.3), number(-0.2, 0.4), number(-0.005, 0.005), number(-0.005, 0.005)),
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(LENSES)
def test_round_trip_of_any_lens(lens: CameraModel) -> None:
    assume(lens.usable_angle_rad > 0.5)
    model = with_view_range(lens)
    rays = rays_in_view(model, 400)
    assert np.linalg.norm(model.unproject(model.project(rays)) - rays, axis=-1).max() < 1e-6
