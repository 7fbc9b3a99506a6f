"""What the shading kernels look at, grouped; numba takes named tuples as they are."""

from __future__ import annotations

from typing import NamedTuple

from egorear_ros.simulator.renderer.compile import Floats, Ints


class Hits(NamedTuple):
    """What the rasteriser found along the rays of a view, at `samples` rays per pixel side.

    Attributes:
        distance, triangle: (H*samples, W*samples) to the nearest triangle, and which; -1 for none.
        rays: (3, H*samples, W*samples) unit vectors in the camera frame; zero outside of the lens.
        in_camera: (N, 3) vertices in the camera frame, metres.
        world_from_camera: (4, 4).
        pixel_rad: angle one pixel covers.
    """

    distance: Floats
    triangle: Ints
    rays: Floats
    in_camera: Floats
    world_from_camera: Floats
    pixel_rad: float


class Surfaces(NamedTuple):
    """Triangles of all meshes.

    Attributes:
        faces: (F, 3) vertices of each triangle.
        face_material, face_part: (F,) row of `materials`, and part of the body.
        vertices, normals, rest: (N, 3) world position, world normal, position at rest (for patterns).
        materials: see `surfaces.MATERIAL`.
    """

    faces: Ints
    face_material: Ints
    face_part: Ints
    vertices: Floats
    normals: Floats
    rest: Floats
    materials: Floats


class Place(NamedTuple):
    """Room, or ground and sky.

    Attributes:
        surroundings, planes: see `surfaces`.
        decals: (D, DECAL_SIZE) in order of their planes.
        decal_starts: (7,) where the decals of each plane begin.
        spheres: rough shape of the body, see `lighting.with_bound`.
        panorama: what is far away.
    """

    surroundings: Floats
    planes: Floats
    decals: Floats
    decal_starts: Ints
    spheres: Floats
    panorama: Floats


class Light(NamedTuple):
    """The light and its shadow map, see `lighting`; the noise table and the textures that all surfaces share."""

    table: Floats
    textures: Floats
    light: Floats
    shadow_depth: Floats
    shadow_bounds: Floats
    shadow_from_world: Floats


class Pixels(NamedTuple):
    """Results of a view.

    Attributes:
        image: (H, W, 3) linear light.
        distance: (H, W) metres to the nearest mesh or, without one, to the surroundings.
        part: (H, W) part of the nearest mesh, SURROUNDINGS_PART or OUTSIDE_LENS_PART.
    """

    image: Floats
    distance: Floats
    part: Ints
