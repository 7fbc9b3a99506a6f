"""A rig that is written and read back is the same rig."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from egorear_ros.rig import CameraModel, Rig, RigError, fit_equidistant, load_rig, rig_yaml


def equidistant_rig() -> Rig:
    rig = load_rig("ego4view")
    cameras = [replace(camera, model=fit_equidistant(camera.model)[0]) for camera in rig.cameras]
    return replace(rig, cameras=tuple(cameras))


@pytest.mark.parametrize("make", [lambda: load_rig("ego4view"), equidistant_rig], ids=["ocam", "equidistant"])
def test_round_trip(make, tmp_path: Path) -> None:
    rig = make()
    path = tmp_path / "rig.yaml"
    path.write_text(rig_yaml(rig), encoding="utf-8")
    again = load_rig(path)
    assert (again.name, again.source, again.names) == (rig.name, rig.source, rig.names)
    np.testing.assert_allclose(again.helmet_from_device, rig.helmet_from_device, atol=1e-12)
    rng = np.random.default_rng(0)
    points = rng.normal(0, 1, (200, 3))
    for ours, theirs in zip(rig.cameras, again.cameras, strict=True):
        np.testing.assert_allclose(theirs.camera_from_device, ours.camera_from_device, atol=1e-12)
        np.testing.assert_allclose(theirs.model.project(points), ours.model.project(points), atol=1e-9)
        np.testing.assert_array_equal(theirs.model.in_view(points), ours.model.in_view(points))


class Unknown(CameraModel):
    def radius_of_theta(self, theta_rad):
        return theta_rad

    def rays_of_plane(self, across, down):
        return across

    pixel_from_plane = ((1.0, 0.0), (0.0, 1.0))
    usable_angle_rad = 1.0

    def resized(self, width, height):
        return self


def test_a_foreign_camera_is_refused() -> None:
    rig = load_rig("ego4view")
    model = rig.cameras[0].model
    unknown = Unknown(model.width, model.height, model.center_px, model.image_circle_radius_px, model.max_angle_rad)
    with pytest.raises(RigError, match="type Unknown"):
        rig_yaml(replace(rig, cameras=(replace(rig.cameras[0], model=unknown),)))
