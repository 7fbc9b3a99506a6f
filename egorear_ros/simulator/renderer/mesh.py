"""The triangle mesh the renderer draws: who is where, how it is coloured, and which part of the body it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator.renderer.compile import Floats, Ints
from egorear_ros.simulator.renderer.surfaces import MATERIAL

STATIC_PART: Final = 1000
"""Part number of everything that is not the body: furniture, helmet, props."""


@dataclass(frozen=True)
class Mesh:
    """Triangles with their appearance.

    Attributes:
        vertices_m: (N, 3) float32, world.
        normals: (N, 3) float32, world; need not be unit length.
        rest_m: (N, 3) float32 position that patterns are attached to.
        faces: (F, 3) int32, counter-clockwise seen from outside.
        face_material: (F,) int32 row of `materials`.
        face_part: (F,) int32 bone the triangle belongs to, STATIC_PART for things.
        materials: (M, MATERIAL_SIZE) float32, see `surfaces.MATERIAL`.
    """

    vertices_m: Floats
    normals: Floats
    rest_m: Floats
    faces: Ints
    face_material: Ints
    face_part: Ints
    materials: Floats

    @property
    def two_sided(self) -> Ints:
        """(F,) 1 where a triangle is also seen from behind."""
        return self.materials[self.face_material, MATERIAL["two_sided"]].astype(np.int32)

    def moved(self, world_from_mesh: NDArray[np.floating]) -> Mesh:
        """Return the mesh under a rigid transform (4, 4); patterns move with it."""
        rotation = world_from_mesh[:3, :3].astype(np.float32)
        return Mesh(
            vertices_m=self.vertices_m @ rotation.T + world_from_mesh[:3, 3].astype(np.float32),
            normals=self.normals @ rotation.T,
            rest_m=self.rest_m,
            faces=self.faces,
            face_material=self.face_material,
            face_part=self.face_part,
            materials=self.materials,
        )


def merge(meshes: list[Mesh]) -> Mesh:
    """Return one mesh that holds all of them."""
    vertex_starts = np.cumsum([0] + [len(mesh.vertices_m) for mesh in meshes])
    material_starts = np.cumsum([0] + [len(mesh.materials) for mesh in meshes])
    return Mesh(
        vertices_m=np.concatenate([mesh.vertices_m for mesh in meshes]),
        normals=np.concatenate([mesh.normals for mesh in meshes]),
        rest_m=np.concatenate([mesh.rest_m for mesh in meshes]),
        faces=np.concatenate([m.faces + np.int32(s) for m, s in zip(meshes, vertex_starts[:-1], strict=True)]),
        face_material=np.concatenate(
            [m.face_material + np.int32(s) for m, s in zip(meshes, material_starts[:-1], strict=True)]
        ),
        face_part=np.concatenate([mesh.face_part for mesh in meshes]),
        materials=np.concatenate([mesh.materials for mesh in meshes]),
    )


def vertex_normals(vertices: Floats, faces: Ints) -> Floats:
    """(N, 3) unit normals, faces weighted by area; zero where a vertex has no face."""
    corners = vertices[faces]
    face_normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(vertices)
    for corner in range(3):
        for axis in range(3):
            normals[:, axis] += np.bincount(faces[:, corner], face_normals[:, axis], len(vertices)).astype(np.float32)
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12), np.float32)
