"""Deferred shading: colour, distance and body part of every pixel from the rasteriser's triangle buffer."""

from __future__ import annotations

import numpy as np

from egorear_ros.simulator.renderer.compile import Floats, Ints, f4, inlined_kernel, kernel
from egorear_ros.simulator.renderer.inputs import Hits, Light, Pixels, Place, Surfaces
from egorear_ros.simulator.renderer.surfaces import mesh_color, surroundings_color

KERNELS_VERSION = 3
"""Raise it whenever a kernel changes that `shade` inlines (surfaces, lighting, textures, noise): numba's cache on disk
looks at the age of this file only, and would go on using the old ones."""

SURROUNDINGS_PART = -1
OUTSIDE_LENS_PART = -2


@inlined_kernel
def corner_weights(faces: Ints, face: int, in_camera: Floats, rx: float, ry: float, rz: float, weights: Floats) -> None:
    """Barycentric weights (3,) of the point where the ray (rx, ry, rz) passes through a triangle."""
    total = f4(0)
    for n in range(3):
        p, q = faces[face, (n + 1) % 3], faces[face, (n + 2) % 3]
        weights[n] = (
            (in_camera[p, 1] * in_camera[q, 2] - in_camera[p, 2] * in_camera[q, 1]) * rx
            + (in_camera[p, 2] * in_camera[q, 0] - in_camera[p, 0] * in_camera[q, 2]) * ry
            + (in_camera[p, 0] * in_camera[q, 1] - in_camera[p, 1] * in_camera[q, 0]) * rz
        )
        total += weights[n]
    for n in range(3):
        weights[n] /= total


@kernel
def shade(samples: int, hits: Hits, mesh: Surfaces, place: Place, light: Light, pixels: Pixels) -> None:
    """Shade one view: write `pixels`.

    A pixel is `samples` x `samples` rays. Where they all hit one smooth surface it is shaded once, at outlines every
    ray for itself.

    Args:
        samples: rays per pixel side.
        hits: what the rasteriser found along them.
        mesh, place, light: what is seen; see `inputs`.
        pixels: results.
    """
    distance, triangle, rays, in_camera, world_from_camera, pixel_rad = hits
    faces, face_material, face_part = mesh.faces, mesh.face_material, mesh.face_part
    image, pixel_distance, pixel_part = pixels
    height, width = pixel_distance.shape
    eye = world_from_camera[:3, 3].copy()
    weights, normal, albedo = np.empty(3, np.float32), np.empty(3, np.float32), np.empty(3, np.float32)
    color, far = np.empty(3, np.float32), np.empty(3, np.float32)
    count = samples * samples
    per_ray = f4(1) / f4(count)
    for row in range(height):
        for column in range(width):
            r0, c0 = row * samples, column * samples
            ym, xm = r0 + samples // 2, c0 + samples // 2
            rx, ry, rz = rays[0, ym, xm], rays[1, ym, xm], rays[2, ym, xm]
            if rx == 0 and ry == 0 and rz == 0:
                for d in range(3):
                    image[row, column, d] = f4(0)
                pixel_distance[row, column] = f4(0)
                pixel_part[row, column] = OUTSIDE_LENS_PART
                continue
            for d in range(3):
                color[d] = f4(0)
            found, nearest, nearest_triangle = 0, f4(1e9), -1
            for y in range(r0, r0 + samples):
                for x in range(c0, c0 + samples):
                    found += triangle[y, x] >= 0
            if found > 0:
                first = triangle[r0, c0]
                smooth = samples > 1 and first >= 0
                lowest, highest = f4(1e9), f4(0)
                for y in range(r0, r0 + samples):
                    for x in range(c0, c0 + samples):
                        t, depth = triangle[y, x], distance[y, x]
                        if t >= 0:
                            highest = max(highest, depth)
                            lowest = min(lowest, depth)
                            if depth < nearest:
                                nearest, nearest_triangle = depth, t
                            if smooth and face_material[t] != face_material[first]:
                                smooth = False
                smooth = smooth and found == count and highest - lowest < f4(0.015) + f4(0.02) * lowest
                # A smooth pixel is shaded at its middle ray only, and counts for all of them.
                share = f4(count) if smooth else f4(1)
                for y in range(ym if smooth else r0, ym + 1 if smooth else r0 + samples):
                    for x in range(xm if smooth else c0, xm + 1 if smooth else c0 + samples):
                        t = triangle[y, x]
                        if t >= 0:
                            corner_weights(faces, t, in_camera, rays[0, y, x], rays[1, y, x], rays[2, y, x], weights)
                            mesh_color(mesh, t, weights, face_material[t], eye, pixel_rad, light, normal, albedo, color)
                for d in range(3):
                    color[d] *= share
            behind = f4(1e9)
            if found < count:
                dx = world_from_camera[0, 0] * rx + world_from_camera[0, 1] * ry + world_from_camera[0, 2] * rz
                dy = world_from_camera[1, 0] * rx + world_from_camera[1, 1] * ry + world_from_camera[1, 2] * rz
                dz = world_from_camera[2, 0] * rx + world_from_camera[2, 1] * ry + world_from_camera[2, 2] * rz
                behind = surroundings_color(dx, dy, dz, eye, pixel_rad, place, light, normal, albedo, far)
                for d in range(3):
                    color[d] += far[d] * f4(count - found)
            for d in range(3):
                image[row, column, d] = color[d] * per_ray
            if found * 2 >= count:
                pixel_distance[row, column] = nearest
                pixel_part[row, column] = face_part[nearest_triangle]
            else:
                pixel_distance[row, column] = behind
                pixel_part[row, column] = SURROUNDINGS_PART
