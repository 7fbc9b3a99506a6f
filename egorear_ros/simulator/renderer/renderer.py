"""Renders a mesh in its surroundings through every camera of a rig."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from egorear_ros.rig import CameraModel, Rig
from egorear_ros.simulator.renderer import lighting, rasterizer, shading
from egorear_ros.simulator.renderer.compile import Floats, Ints, f4
from egorear_ros.simulator.renderer.inputs import Hits, Light, Pixels, Place, Surfaces
from egorear_ros.simulator.renderer.lighting import SHADOW_TILE
from egorear_ros.simulator.renderer.mesh import Mesh
from egorear_ros.simulator.renderer.noise import noise_table
from egorear_ros.simulator.scene.scene import Scene
from egorear_ros.simulator.scene.textures import texture_pyramid

RADIUS_TABLE_SIZE = 2048
SHADOW_SIZE = 512
SHADOW_REACH_M = 1.7
SUPERSAMPLED_UP_TO_PX = 512


@dataclass(frozen=True)
class Views:
    """What the cameras of a rig see, before lens and sensor effects.

    Attributes:
        radiance: (V, H, W, 3) float32 linear light, 0 outside the lens circle.
        distance_m: (V, H, W) float32 along the ray through the pixel's middle; 1e9 for the sky.
        part: (V, H, W) int32 bone of the body, STATIC_PART, SURROUNDINGS_PART or OUTSIDE_LENS_PART.
    """

    radiance: Floats
    distance_m: Floats
    part: Ints


class FisheyeRenderer:
    """Renders views of one size; owns the buffers, so use one per thread or process.

    Args:
        rig: cameras to render, in order. Their lenses are resized to `size_px`.
        size_px: image width; the height follows the lens.
        samples: rays per pixel side for antialiasing; by default 2 up to 512 px and 1 above.
        threads: views rendered at the same time.
        more_textures: (K, N, 3) from `scene.textures.pyramid`, counted after those of the scenes; by default none.
    """

    def __init__(
        self,
        rig: Rig,
        size_px: int = 256,
        samples: int | None = None,
        threads: int = 1,
        more_textures: Floats | None = None,
    ) -> None:
        self.samples = samples or (2 if size_px <= SUPERSAMPLED_UP_TO_PX else 1)
        self.models = [resize_to_width(camera.model, size_px) for camera in rig.cameras]
        self._lenses = [Lens(model, self.samples) for model in self.models]
        self._shadow = np.empty((SHADOW_SIZE, SHADOW_SIZE), np.float32)
        self._shadow_bounds = np.empty((2, *(SHADOW_SIZE // SHADOW_TILE,) * 2), np.float32)
        self._table = noise_table()
        self._textures = texture_pyramid()
        if more_textures is not None:
            self._textures = np.concatenate([self._textures, more_textures])
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def render(
        self,
        mesh: Mesh,
        scene: Scene,
        spheres: Floats,
        camera_from_world: Sequence[NDArray[np.floating]],
    ) -> Views:
        """Render all views of one moment.

        Args:
            mesh: everything made of triangles, in the world.
            scene: room or panorama, and the light.
            spheres: (K, 4) rough shape of the body (centre, radius) for contact shadows.
            camera_from_world: one (4, 4) per view, metres.

        Returns:
            The views, in the rig's order.
        """
        center = spheres[:, :3].mean(axis=0)
        spheres = lighting.with_bound(spheres)
        light = scene.light_at(center)
        shadow_from_world = self._render_shadow(mesh, light[:3], center)
        height, width = self.models[0].height, self.models[0].width
        count = len(self.models)
        views = Views(
            np.empty((count, height, width, 3), np.float32),
            np.empty((count, height, width), np.float32),
            np.empty((count, height, width), np.int32),
        )

        def one(index: int) -> None:
            self._render_view(index, mesh, scene, light, spheres, shadow_from_world, camera_from_world[index], views)

        for _ in (self._pool.map if self._pool else map)(one, range(count)):
            pass
        return views

    def _render_view(
        self,
        index: int,
        mesh: Mesh,
        scene: Scene,
        light: Floats,
        spheres: Floats,
        shadow_from_world: Floats,
        camera_from_world: NDArray[np.floating],
        views: Views,
    ) -> None:
        lens = self._lenses[index]
        in_camera, pixels = np.empty_like(mesh.vertices_m), np.empty_like(mesh.vertices_m)
        rasterizer.project_vertices(
            mesh.vertices_m, camera_from_world.astype(np.float32), lens.radius_table, lens.center, in_camera, pixels
        )
        pixels = lens.stretched(in_camera, pixels)
        rasterizer.rasterize(
            *(mesh.faces, mesh.two_sided, in_camera, pixels, lens.rays, lens.limits, lens.distance, lens.triangle)
        )
        decals = scene.decals[np.argsort(scene.decals[:, 0], kind="stable")]
        shading.shade(
            self.samples,
            Hits(
                lens.distance,
                lens.triangle,
                lens.rays,
                in_camera,
                np.linalg.inv(camera_from_world).astype(np.float32),
                lens.pixel_rad,
            ),
            Surfaces(
                mesh.faces,
                mesh.face_material,
                mesh.face_part,
                mesh.vertices_m,
                mesh.normals,
                mesh.rest_m,
                mesh.materials,
            ),
            Place(
                scene.surroundings,
                scene.planes,
                decals,
                np.searchsorted(decals[:, 0], np.arange(7)).astype(np.int32),
                spheres,
                scene.panorama,
            ),
            Light(self._table, self._textures, light, self._shadow, self._shadow_bounds, shadow_from_world),
            Pixels(views.radiance[index], views.distance_m[index], views.part[index]),
        )

    def _render_shadow(self, mesh: Mesh, to_light: Floats, center: Floats) -> Floats:
        """Draw the shadow map around the person; return shadow_from_world (3, 4), in texels and metres."""
        sideways = np.cross([0.0, 1.0, 0.1], to_light)
        sideways /= np.linalg.norm(sideways)
        rotation = np.stack([sideways, np.cross(to_light, sideways), -to_light])
        matrix = np.empty((3, 4))
        matrix[:, :3], matrix[:, 3] = rotation, -rotation @ center
        matrix[:2] *= SHADOW_SIZE / (2 * SHADOW_REACH_M)
        matrix[:2, 3] += SHADOW_SIZE / 2
        shadow_from_world = matrix.astype(np.float32)
        points = mesh.vertices_m @ shadow_from_world[:, :3].T + shadow_from_world[:, 3]
        rasterizer.rasterize_shadow(mesh.faces, points, self._shadow)
        lighting.bound_shadow(self._shadow, self._shadow_bounds)
        return shadow_from_world


class Lens:
    """A camera model turned into tables for the kernels, with the rasteriser's buffers."""

    def __init__(self, model: CameraModel, samples: int) -> None:
        fine = model.resized(model.width * samples, model.height * samples)
        columns, rows = np.meshgrid(np.arange(fine.width) + 0.5, np.arange(fine.height) + 0.5)
        pixels = np.stack([columns, rows], axis=-1)
        rays = fine.unproject(pixels)
        # A little beyond the circle, so that its soft edge has something to fade from.
        radius = np.hypot(columns - fine.width / 2, rows - fine.height / 2)
        rays[radius > fine.image_circle_radius_px + 1.5 * samples] = 0
        self.rays = np.ascontiguousarray(np.moveaxis(rays, -1, 0), np.float32)
        angles = np.linspace(0, math.pi, RADIUS_TABLE_SIZE)
        seen = angles <= model.max_angle_rad + 0.1
        # Far beyond the field of view the polynomial may turn back: continue it straight.
        table = np.where(seen, fine.radius_of_angle(angles), 0)
        last = int(np.flatnonzero(seen)[-1])
        table[last:] = table[last] + (table[last] - table[last - 1]) * np.arange(RADIUS_TABLE_SIZE - last)
        self.radius_table = table.astype(np.float32)
        self.center = np.array(fine.center_px, np.float32)
        px_per_rad = fine.image_circle_radius_px / model.max_angle_rad
        self.limits = np.array([model.max_angle_rad + 0.05, px_per_rad], np.float32)
        self.pixel_rad = f4(samples / px_per_rad)
        matrix = np.array(fine.pixel_from_plane)
        scale = math.sqrt(abs(float(np.linalg.det(matrix))))
        self._stretch = None if np.allclose(matrix, scale * np.eye(2), atol=0) else (matrix / scale).astype(np.float32)
        self._unsymmetric = None if fine.is_symmetric else fine
        self.distance = np.empty((fine.height, fine.width), np.float32)
        self.triangle = np.empty((fine.height, fine.width), np.int32)

    def stretched(self, in_camera: Floats, pixels: Floats) -> Floats:
        """Correct `pixels` of `project_vertices` for a lens that is not the same in all directions."""
        if self._unsymmetric is not None:
            return np.concatenate([self._unsymmetric.project(in_camera), pixels[:, 2:]], axis=1, dtype=np.float32)
        if self._stretch is not None:
            turned = (pixels[:, :2] - self.center) @ self._stretch.T + self.center
            return np.concatenate([turned, pixels[:, 2:]], axis=1, dtype=np.float32)
        return pixels


def resize_to_width(model: CameraModel, width: int) -> CameraModel:
    """Return the lens for images `width` pixels wide."""
    return model.resized(width, round(model.height * width / model.width))
