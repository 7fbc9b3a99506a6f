"""Places with more in them: patterned and blown-out floors, papers, tape, cables, clutter at the feet, other people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator.looks.light import hue, wide_light
from egorear_ros.simulator.looks.textures import (
    FLOOR_TEXTURES,
    PICTURE_TEXTURES,
    RUG_TEXTURES,
    more_index,
)
from egorear_ros.simulator.materials import material, random_color
from egorear_ros.simulator.renderer.mesh import STATIC_PART, Mesh, merge
from egorear_ros.simulator.renderer.surfaces import DECAL_SIZE
from egorear_ros.simulator.scene.furniture import OUTDOORS, Placed, box, grid_faces, static_mesh
from egorear_ros.simulator.scene.sampler import standing_at
from egorear_ros.simulator.scene.scene import Scene

Floats = NDArray[np.float32]

FLOOR: Final = 4
COARSE_M: Final = 0.03
MOST_DECALS: Final = 22
BYSTANDER_SHARES: Final = (0.72, 0.2, 0.08)
"""Shares of places with none, one, two other people."""


@dataclass(frozen=True)
class Bystander:
    """Another person, standing still in some pose: the mesh stands on the floor around the origin."""

    mesh: Mesh


def widened(rng: np.random.Generator, scene: Scene, path_m: NDArray[np.floating], bystanders: list[Bystander]) -> Scene:
    """Change a place.

    Args:
        rng: source of everything random.
        scene: a plain one.
        path_m: (T, 2) where the person goes.
        bystanders: people who may stand around, in order; a random number of them is used.
    """
    furniture = [scene.furniture, *clutter(rng, scene, path_m), *cables(rng, path_m)]
    for bystander in bystanders[: int(rng.choice(len(BYSTANDER_SHARES), p=BYSTANDER_SHARES))]:
        spot = beside(rng, scene, path_m, 0.6, 2.4)
        if spot is not None:
            furniture.append(bystander.mesh.moved(standing_at(spot, rng.uniform(0, 2 * np.pi))))
    panorama = scene.panorama
    if scene.outdoor and rng.random() < 0.6:
        panorama = panorama * (np.exp(rng.normal(0, 0.5)) * hue(rng, rng.uniform(0, 0.35))).astype(np.float32)
    return replace(
        scene,
        planes=wide_planes(rng, scene.planes),
        decals=wide_decals(rng, scene, path_m),
        light=wide_light(rng, scene.light, scene.outdoor),
        furniture=merge(furniture),
        panorama=panorama,
    )


def wide_planes(rng: np.random.Generator, planes: Floats) -> Floats:
    """Other floors and walls: textures of any scale, dark, light or coloured."""
    planes = planes.copy()
    if rng.random() < 0.45:
        planes[FLOOR, 8:10] = more_index(str(rng.choice(FLOOR_TEXTURES))), np.exp(rng.uniform(-1.6, 1.1))
    elif rng.random() < 0.25:  # one colour, as of linoleum, or of a studio
        color = random_color(rng, (0.0, 0.7), (0.03, 1.0))
        planes[FLOOR, :10] = [*color, *color * 0.9, 0, 1, -1, 1]
    kind = rng.random()
    if planes[FLOOR, 8] >= 0:  # a textured plane is its texture times 0.4 + colour
        if kind < 0.18:
            planes[FLOOR, 0:3] = rng.uniform(-0.36, -0.1)
        elif kind < 0.36:
            planes[FLOOR, 0:3] = rng.uniform(0.9, 2.2)
        elif kind < 0.7:
            planes[FLOOR, 0:3] = 1.1 * random_color(rng, (0.0, 0.7), (0.3, 1.0)) - 0.25
    for wall in range(4):
        if rng.random() < 0.25:
            planes[wall, 8:10] = more_index(str(rng.choice(FLOOR_TEXTURES + PICTURE_TEXTURES))), rng.uniform(0.15, 1.5)
        planes[wall, 0:6] *= np.exp(rng.normal(0, 0.3))
    return planes


def wide_decals(rng: np.random.Generator, scene: Scene, path_m: NDArray[np.floating]) -> Floats:
    """Rugs, papers, tape, and patches of sunlight on the floor, besides those of the plain scene."""
    rows = []
    if rng.random() < 0.35:
        rows.append(lying(rng, path_m, 0.5, rng.uniform(0.5, 1.6, 2), more_index(str(rng.choice(RUG_TEXTURES)))))
    for _ in range(few_or_many(rng, 10)):
        which = more_index(str(rng.choice(PICTURE_TEXTURES))) if rng.random() < 0.6 else -1
        rows.append(lying(rng, path_m, 0.8, rng.uniform(0.05, 0.3, 2), which))
    if rng.random() < 0.25:  # tape and lines
        for _ in range(int(rng.integers(1, 5))):
            rows.append(lying(rng, path_m, 0.7, np.array([rng.uniform(0.5, 4.0), rng.uniform(0.01, 0.06)]), -1))
    plain = [list(row) for row in scene.decals[: max(MOST_DECALS - len(rows), 0)]]
    if rng.random() < 0.15:  # the sun through a window: the last ones lie on top
        for _ in range(int(rng.integers(1, 4))):
            row = lying(rng, path_m, 0.6, rng.uniform(0.2, 0.8, 2), -1)
            row[8:14] = [*(rng.uniform(1.5, 4.0) * hue(rng, 0.1))] * 2
            rows.append(row)
    return np.array(plain + rows, np.float32).reshape(-1, DECAL_SIZE)


def few_or_many(rng: np.random.Generator, most: int) -> int:
    """None, a few, or many: fewer than `most`."""
    kind = rng.random()
    return 0 if kind < 0.42 else int(rng.integers(1, 4) if kind < 0.78 else rng.integers(4, most))


def lying(
    rng: np.random.Generator, path_m: NDArray[np.floating], spread_m: float, half: NDArray[np.floating], which: int
) -> list[float]:
    """One row of the decal table: something flat on the floor near the path."""
    center = path_m[rng.integers(len(path_m))] + rng.normal(0, spread_m, 2)
    angle = rng.uniform(0, 2 * np.pi)
    color, second = random_color(rng, (0.0, 0.9), (0.05, 1.0)), random_color(rng, (0.0, 0.9), (0.05, 1.0))
    pattern = int(rng.integers(0, 7)) if rng.random() < 0.3 else 0
    return [FLOOR, *center, np.cos(angle), np.sin(angle), *half, which, *color, *second, pattern]


def beside(
    rng: np.random.Generator, scene: Scene, path_m: NDArray[np.floating], nearest_m: float, furthest_m: float
) -> NDArray[np.float64] | None:
    """A spot (2,) on the floor that far from the path, inside the room; None if none was found."""
    low, high = scene.surroundings[0:2] + 0.2, scene.surroundings[3:5] - 0.2
    for _ in range(12):
        angle = rng.uniform(0, 2 * np.pi)
        away = rng.uniform(nearest_m, furthest_m) * np.array([np.cos(angle), np.sin(angle)])
        spot = np.asarray(path_m[rng.integers(len(path_m))] + away)
        inside = scene.outdoor or bool(((spot > low) & (spot < high)).all())
        if inside and np.hypot(*(path_m - spot).T).min() >= nearest_m:
            return spot
    return None


def clutter(rng: np.random.Generator, scene: Scene, path_m: NDArray[np.floating]) -> list[Mesh]:
    """Small things on the floor, nearer to the person than furniture stands."""
    pieces = []
    for _ in range(few_or_many(rng, 8)):
        piece = small_thing(rng)
        spot = beside(rng, scene, path_m, piece.radius_m + 0.3, piece.radius_m + 1.3)
        if spot is not None:
            pieces.append(piece.mesh.moved(standing_at(spot, rng.uniform(0, 2 * np.pi))))
    return pieces


def small_thing(rng: np.random.Generator) -> Placed:
    """A box, a book, a shoe's size of something, or a piece of the plain scenes' clutter."""
    if rng.random() < 0.35:
        return OUTDOORS[int(rng.integers(len(OUTDOORS)))](rng)
    half = rng.uniform([0.03, 0.05, 0.01], [0.14, 0.2, 0.12])
    row = material(random_color(rng, (0.0, 0.9), (0.05, 1.0)), gloss=float(rng.uniform(0, 0.3)))
    if rng.random() < 0.5:
        texture = more_index(str(rng.choice(PICTURE_TEXTURES)))
        row = material(np.ones(3) * 0.6, texture=texture, scale=float(rng.uniform(2, 6)))
    low, high = [-half[0], -half[1], 0.0], [half[0], half[1], 2 * half[2]]
    return Placed(box(low, high, row), float(np.hypot(half[0], half[1])))


def cables(rng: np.random.Generator, path_m: NDArray[np.floating]) -> list[Mesh]:
    """Cables, hoses and ropes that lie on the floor in curves."""
    if rng.random() > 0.3:
        return []
    return [cable(rng, path_m[rng.integers(len(path_m))]) for _ in range(int(rng.integers(1, 4)))]


def cable(rng: np.random.Generator, near_m: NDArray[np.floating]) -> Mesh:
    """One cable: a low ridge along a curve."""
    count, width = 48, float(rng.choice([0.004, 0.008, 0.018]))
    turn = np.cumsum(rng.normal(0, 0.25) * 0.2 + np.convolve(rng.normal(0, 0.5, count + 4), np.ones(5) / 5, "valid"))
    heading = rng.uniform(0, 2 * np.pi) + turn
    step = rng.uniform(0.04, 0.09)
    line = np.cumsum(step * np.stack([np.cos(heading), np.sin(heading)], axis=1), axis=0)
    line += near_m + rng.normal(0, 0.5, 2) - line[int(rng.integers(count))]
    side = np.stack([-np.sin(heading), np.cos(heading)], axis=1) * width
    flat = np.stack([line - side, line, line + side], axis=1)
    height = np.broadcast_to(np.array([0.001, 1.4 * width, 0.001]), (count, 3))[..., None]
    vertices = np.concatenate([flat, height], axis=2).reshape(-1, 3)
    up = np.concatenate([np.stack([-side, 0 * side, side], axis=1) / width, np.full((count, 3, 1), 0.7)], axis=2)
    row = material(random_color(rng, (0.0, 0.9), (0.02, 0.9)), gloss=0.2)
    return static_mesh(vertices, up.reshape(-1, 3), grid_faces(count - 1, 2), row)


def coarse(mesh: Mesh, cell_m: float = COARSE_M) -> Mesh:
    """A mesh with fewer triangles: vertices of one material and one cell of a grid become one, in their middle."""
    owner = np.zeros(len(mesh.vertices_m), np.int64)
    owner[mesh.faces] = mesh.face_material[:, None]
    keys = [np.floor(mesh.vertices_m / cell_m), np.floor(mesh.rest_m / 0.1), owner[:, None]]
    _, index = np.unique(np.concatenate(keys, axis=1).astype(np.int64), axis=0, return_inverse=True)
    index = index.reshape(-1)
    count = np.bincount(index)[:, None]

    def mean(values: Floats) -> Floats:
        return np.asarray(np.stack([np.bincount(index, column) for column in values.T], axis=1) / count, np.float32)

    faces = index[mesh.faces]
    whole = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return replace(
        mesh,
        vertices_m=mean(mesh.vertices_m),
        normals=mean(mesh.normals),
        rest_m=mean(mesh.rest_m),
        faces=faces[whole].astype(np.int32),
        face_material=mesh.face_material[whole],
        face_part=mesh.face_part[whole],
    )


def bystander(mesh: Mesh) -> Bystander:
    """A posed person's mesh as a thing of the scene, made coarse and moved to the origin."""
    mesh = coarse(mesh)
    center = np.append((mesh.vertices_m[:, :2].min(axis=0) + mesh.vertices_m[:, :2].max(axis=0)) / 2, 0)
    return Bystander(
        replace(
            mesh,
            vertices_m=(mesh.vertices_m - center).astype(np.float32),
            face_part=np.full(len(mesh.faces), STATIC_PART, np.int32),
        )
    )
