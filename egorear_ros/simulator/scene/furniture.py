"""Furniture and clutter: boxes, cylinders and balls put together, cut into small triangles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator.materials import material, random_color
from egorear_ros.simulator.renderer.mesh import STATIC_PART, Mesh, merge
from egorear_ros.simulator.scene.textures import TEXTURES

Floats = NDArray[np.float32]

LARGEST_EDGE_M: Final = 0.25


@dataclass(frozen=True)
class Placed:
    """A piece of furniture with the room it needs: radius of the circle around it on the floor."""

    mesh: Mesh
    radius_m: float


def box(low: list[float], high: list[float], row: Floats, largest_edge_m: float = LARGEST_EDGE_M) -> Mesh:
    """An axis-parallel box from corner to corner, in one material, cut so that no edge is longer than given."""
    corners_low, corners_high = np.array(low, float), np.array(high, float)
    vertices, normals, faces = [], [], []
    count = 0
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        steps = [max(1, int(np.ceil((corners_high[k] - corners_low[k]) / largest_edge_m))) for k in (u, v)]
        grid_u, grid_v = np.meshgrid(
            np.linspace(corners_low[u], corners_high[u], steps[0] + 1),
            np.linspace(corners_low[v], corners_high[v], steps[1] + 1),
            indexing="ij",
        )
        for side, position in ((-1.0, corners_low[axis]), (1.0, corners_high[axis])):
            points = np.empty((grid_u.size, 3))
            points[:, axis], points[:, u], points[:, v] = position, grid_u.ravel(), grid_v.ravel()
            vertices.append(points)
            normals.append(np.broadcast_to(np.eye(3)[axis] * side, points.shape))
            faces.append(grid_faces(steps[0], steps[1]) + count)
            count += len(points)
    return static_mesh(np.concatenate(vertices), np.concatenate(normals), np.concatenate(faces), row)


def grid_faces(rows: int, columns: int) -> NDArray[np.int64]:
    """Triangles of a grid of (rows + 1) x (columns + 1) points in row-major order."""
    corner = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).ravel()
    right, below = corner + 1, corner + columns + 1
    return np.concatenate([np.stack([corner, right, below], 1), np.stack([right, below + 1, below], 1)])


def turned(profile: list[tuple[float, float]], row: Floats, sides: int = 16) -> Mesh:
    """A body of revolution about z from (radius, height) pairs: vases, balls, lamps, cans."""
    points = np.array(profile, float)
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    radius, height = points[:, 0], points[:, 1]
    vertices = np.stack(
        [
            np.outer(radius, np.cos(angle)),
            np.outer(radius, np.sin(angle)),
            np.repeat(height[:, None], sides + 1, axis=1),
        ],
        axis=-1,
    )
    slope = np.gradient(points, axis=0)
    outward = np.stack([slope[:, 1], -slope[:, 0]], axis=1)
    normals = np.stack(
        [
            np.outer(outward[:, 0], np.cos(angle)),
            np.outer(outward[:, 0], np.sin(angle)),
            np.repeat(outward[:, 1:], sides + 1, axis=1),
        ],
        axis=-1,
    )
    faces = grid_faces(len(points) - 1, sides)
    return static_mesh(vertices.reshape(-1, 3), normals.reshape(-1, 3), faces, row)


def static_mesh(
    vertices: NDArray[np.floating], normals: NDArray[np.floating], faces: NDArray[np.integer], row: Floats
) -> Mesh:
    """A mesh of one material that is no part of the body; triangles are turned to face along their normals."""
    vertices = np.ascontiguousarray(vertices, np.float32)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    inward = (np.cross(b - a, c - a) * normals[faces].sum(axis=1)).sum(axis=1) < 0
    faces = np.where(inward[:, None], faces[:, ::-1], faces)
    return Mesh(
        vertices_m=vertices,
        normals=np.ascontiguousarray(normals, np.float32),
        rest_m=vertices,
        faces=np.ascontiguousarray(faces, np.int32),
        face_material=np.zeros(len(faces), np.int32),
        face_part=np.full(len(faces), STATIC_PART, np.int32),
        materials=row[None],
    )


def empty_mesh() -> Mesh:
    """A mesh with nothing in it."""
    return static_mesh(np.empty((0, 3)), np.empty((0, 3)), np.empty((0, 3), np.int32), material((0.5, 0.5, 0.5)))


def surface(rng: np.random.Generator) -> Floats:
    """Material of a piece of furniture: wood, upholstery or paint."""
    kind = rng.random()
    color = random_color(rng)
    if kind < 0.4:
        return material(
            tuple(rng.uniform(0.3, 0.8) * np.array([1.0, 0.9, 0.8])), texture=TEXTURES.index("wood"), scale=1.2
        )
    if kind < 0.65:
        return material(color * 1.2, texture=TEXTURES.index("fabric"), scale=3.0)
    return material(color, gloss=0.15)


def table(rng: np.random.Generator) -> Placed:
    """A table, a desk or a low table."""
    half = rng.uniform([0.3, 0.25], [0.8, 0.45])
    height, leg = rng.choice([0.42, 0.73, 1.0]), 0.03
    row = surface(rng)
    parts = [box([-half[0], -half[1], height - 0.03], [half[0], half[1], height], row)]
    for sx in (-1, 1):
        for sy in (-1, 1):
            x, y = sx * (half[0] - 0.05), sy * (half[1] - 0.05)
            parts.append(box([x - leg, y - leg, 0], [x + leg, y + leg, height - 0.03], row))
    return Placed(merge(parts), float(np.hypot(*half)))


def chair(rng: np.random.Generator) -> Placed:
    """A chair or a stool."""
    half, seat, leg = rng.uniform(0.18, 0.25), 0.45, 0.02
    row = surface(rng)
    parts = [box([-half, -half, seat - 0.04], [half, half, seat], row)]
    if rng.random() < 0.7:
        parts.append(box([-half, half - 0.03, seat], [half, half, seat + rng.uniform(0.3, 0.55)], row))
    for sx in (-1, 1):
        for sy in (-1, 1):
            x, y = sx * (half - 0.03), sy * (half - 0.03)
            parts.append(box([x - leg, y - leg, 0], [x + leg, y + leg, seat - 0.04], row))
    return Placed(merge(parts), half * 1.4)


def shelf(rng: np.random.Generator) -> Placed:
    """A shelf with things on its boards."""
    width, depth, height = rng.uniform(0.3, 0.6), 0.17, rng.uniform(0.8, 2.0)
    row = surface(rng)
    parts = [
        box([-width, -depth, 0], [-width + 0.02, depth, height], row),
        box([width - 0.02, -depth, 0], [width, depth, height], row),
        box([-width, depth - 0.01, 0], [width, depth, height], row),
    ]
    for level in np.arange(0.05, height, 0.38):
        parts.append(box([-width, -depth, level], [width, depth, level + 0.02], row))
        x = -width + 0.03
        while x < width - 0.12:
            book = rng.uniform([0.02, 0.08, 0.12], [0.09, 0.15, 0.3])
            parts.append(
                box(
                    [x, -book[1], level + 0.02],
                    [x + book[0], book[1], level + 0.02 + book[2]],
                    material(random_color(rng)),
                )
            )
            x += book[0] + rng.uniform(0.0, 0.15)
    return Placed(merge(parts), float(np.hypot(width, depth)))


def sofa(rng: np.random.Generator) -> Placed:
    """A sofa or an armchair."""
    half, depth = rng.uniform(0.4, 0.95), 0.42
    row = material(random_color(rng) * 1.2, texture=TEXTURES.index("fabric"), scale=3.0)
    parts = [
        box([-half, -depth, 0.05], [half, depth, 0.42], row),
        box([-half, depth - 0.18, 0.42], [half, depth, 0.85], row),
        box([-half - 0.15, -depth, 0.05], [-half, depth, 0.6], row),
        box([half, -depth, 0.05], [half + 0.15, depth, 0.6], row),
    ]
    return Placed(merge(parts), float(np.hypot(half + 0.15, depth)))


def ball(rng: np.random.Generator) -> Placed:
    """A ball on the floor."""
    r = rng.uniform(0.06, 0.33)
    angle = np.linspace(-np.pi / 2, np.pi / 2, 13)
    row = material(random_color(rng), random_color(rng), pattern=int(rng.integers(0, 7)), scale=6, gloss=0.3)
    return Placed(turned([(r * np.cos(a), r + r * np.sin(a)) for a in angle], row, 18), r)


def vessel(rng: np.random.Generator) -> Placed:
    """A vase, a bin, a can or a floor lamp."""
    height, r = rng.uniform(0.12, 0.6), rng.uniform(0.04, 0.18)
    radii = r * (0.7 + 0.5 * np.sin(np.linspace(0, rng.uniform(1, 4), 8) + rng.uniform(0, 3)))
    profile = [(0.0, 0.0), *zip(radii.tolist(), np.linspace(0, height, 8).tolist(), strict=True), (0.0, height)]
    return Placed(turned(profile, material(random_color(rng), gloss=0.3)), float(radii.max()))


def crate(rng: np.random.Generator) -> Placed:
    """A box or a cupboard."""
    half = rng.uniform([0.1, 0.1], [0.45, 0.35])
    return Placed(
        box([-half[0], -half[1], 0], [half[0], half[1], rng.uniform(0.1, 1.3)], surface(rng)), float(np.hypot(*half))
    )


INDOORS: Final = (table, chair, shelf, sofa, ball, vessel, crate)
OUTDOORS: Final = (ball, crate, vessel, chair)
