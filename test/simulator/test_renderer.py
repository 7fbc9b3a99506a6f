from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import trimesh
from trimesh.ray.ray_pyembree import RayMeshIntersector

from egorear_ros.rig import (
    CameraModel,
    DoubleSphereModel,
    EquidistantModel,
    OCamModel,
    OmniModel,
    Rig,
    half_diagonal,
    with_view_range,
)
from egorear_ros.rig.rigid import inverse
from egorear_ros.simulator.renderer.mesh import merge
from egorear_ros.simulator.renderer.shading import OUTSIDE_LENS_PART


def with_other_lenses(rig: Rig) -> Rig:
    """Lenses that are not the same in all directions: one of each kind."""
    first = rig.cameras[0].model
    assert isinstance(first, OCamModel)
    common = (872, 872, (430.0, 442.0), half_diagonal(872, 872), 1e-3)
    lenses: list[CameraModel] = [
        replace(first, affine=(0.96, -0.03, 0.02)),
        EquidistantModel(*common, focal_px=(270.0, 300.0), skew_px=6.0, distortion=(0.02, -0.01, 0.002, -3e-4)),
        DoubleSphereModel(*common, focal_px=(190.0, 180.0), xi=-0.2, alpha=0.58),
        OmniModel(*common, focal_px=(600.0, 610.0), xi=1.2, distortion=(-0.05, 0.02, 0.004, -0.003)),
    ]
    lenses[1:] = [with_view_range(lens, 430.0, math.radians(88)) for lens in lenses[1:]]
    return replace(rig, cameras=tuple(replace(c, model=lens) for c, lens in zip(rig.cameras, lenses, strict=True)))


@pytest.mark.parametrize("lenses", ["own", "other"])
def test_depth_agrees_with_embree_on_1000_random_pixels(simulator, lenses: str) -> None:
    sequence = simulator.sequence(1, 60)
    rotations, heads = sequence._pose_at(1.0)
    device_from_world, world_from_head = sequence._device(rotations, heads)
    mesh = merge([sequence._mesh(rotations, heads, world_from_head)])
    cameras = sequence.mount.camera_from_world(device_from_world)
    # One ray per pixel, so that pixel and ray mean the same.
    from egorear_ros.simulator.renderer.renderer import FisheyeRenderer

    rig = simulator.settings.rig
    renderer = FisheyeRenderer(with_other_lenses(rig) if lenses == "other" else rig, 256, samples=1)
    views = renderer.render(mesh, sequence.scene, sequence.character.spheres(heads), cameras)
    rng = np.random.default_rng(0)
    caster = RayMeshIntersector(trimesh.Trimesh(mesh.vertices_m, mesh.faces, process=False))
    two_sided = mesh.two_sided.astype(bool)
    compared = 0
    for index, model in enumerate(renderer.models):
        seen = np.argwhere(views.part[index] >= 0)
        rows, columns = seen[rng.choice(len(seen), 300, replace=False)].T
        world_from_camera = inverse(cameras[index])
        rays = model.unproject(np.stack([columns, rows], -1) + 0.5) @ world_from_camera[:3, :3].T
        origins = np.broadcast_to(world_from_camera[:3, 3], rays.shape)
        points, ray, triangle = caster.intersects_location(origins, rays, multiple_hits=True)
        # The product skips the inside of closed surfaces; so does the reference.
        front = (mesh_normals(mesh)[triangle] * rays[ray]).sum(1) < 0
        kept = front | two_sided[triangle]
        distance = np.full(len(rays), np.inf)
        np.minimum.at(distance, ray[kept], np.linalg.norm(points - origins[ray], axis=1)[kept])
        error = np.abs(distance - views.distance_m[index, rows, columns])
        # A ray through the seam of two triangles may fall to either.
        assert np.quantile(error, 0.995) < 1e-3, index
        assert np.mean(error > 2e-3) < 0.005, index
        compared += len(rays)
    assert compared >= 1000


def mesh_normals(mesh) -> np.ndarray:
    a, b, c = (mesh.vertices_m[mesh.faces[:, k]] for k in range(3))
    return np.cross(b - a, c - a)


def test_only_the_lens_circle_is_lit(simulator) -> None:
    frame = simulator.sequence(0, 10).frame(0)
    for model, image, part in zip(simulator.renderer.models, frame.images, frame.views.part, strict=True):
        y, x = np.indices(image.shape[:2]) + 0.5
        radius = np.hypot(x - model.width / 2, y - model.height / 2)
        assert not image[radius > model.image_circle_radius_px + 1].any()
        assert (part[radius > model.image_circle_radius_px + 3] == OUTSIDE_LENS_PART).all()
        inside = image[radius < model.image_circle_radius_px - 3]
        assert (inside.sum(-1) > 0).mean() > 0.97
