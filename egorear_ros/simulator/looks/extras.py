"""Things worn besides clothes: gloves, socks, watches, belts, straps, bags, scarves, hoods, ties, prints, eyes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator import materials
from egorear_ros.simulator.body.landmarks import Landmarks
from egorear_ros.simulator.body.surface import Surface, body_surface
from egorear_ros.simulator.scene.furniture import grid_faces

Floats = NDArray[np.float32]

IRIS_RAD, PUPIL_RAD = 0.46, 0.2


def eyes(rng: np.random.Generator, marks: Landmarks) -> list[Surface]:
    """White, iris and pupil of both eyes."""
    white = body_surface(marks.asset, marks.shape, "eyes", materials.eyes())
    x, y, z = white.vertices_m.T
    off_axis = np.empty(len(x), np.float32)
    for side in (x > 0, x <= 0):
        center = (white.vertices_m[side].min(axis=0) + white.vertices_m[side].max(axis=0)) / 2
        away = np.stack([x, y, z], axis=1)[side] - center
        off_axis[side] = np.arccos(np.clip(-away[:, 1] / np.linalg.norm(away, axis=1), -1, 1))
    color = materials.random_color(rng, (0.2, 0.7), (0.15, 0.55))
    iris = replace(white.cut(IRIS_RAD - off_axis), material=materials.material(color, gloss=0.5, kind="eye"))
    iris = iris.offset(0.0003, 0)
    pupil = replace(white.cut(PUPIL_RAD - off_axis), material=materials.material((0.01,) * 3, gloss=0.5, kind="eye"))
    return [white, iris, pupil.offset(0.0006, 0)]


def along_arms(marks: Landmarks, skin: Surface, start: float, stop: float, offset_m: float, row: Floats) -> Surface:
    """A sleeve of its own from `start` to `stop` of both arms (1: wrist): gloves, wrist bands."""
    along = marks.along_arm(skin)
    keep = np.where(along < 0, -1.0, np.minimum(along - start, stop - along)).astype(np.float32)
    return replace(skin.cut(keep), material=row).offset(offset_m, 1)


def one_side(piece: Surface, left: bool) -> Surface:
    """The part on one side of the body."""
    return piece.cut(piece.vertices_m[:, 0] * np.float32(1 if left else -1))


def socks(marks: Landmarks, top: float, row: Floats) -> Surface:
    """Socks up to `top` of the leg (1: ankle), stockings if it is small."""
    tights = body_surface(marks.asset, marks.shape, "tights", row)
    along = marks.along_leg(tights)
    return tights.cut(np.where(along < 0, -1.0, along - top).astype(np.float32)).offset(0.0025)


def belt(marks: Landmarks, row: Floats, half_m: float, offset_m: float) -> Surface:
    """A belt, or the hem of a jacket tied around the waist."""
    tights = body_surface(marks.asset, marks.shape, "tights", row)
    z = tights.vertices_m[:, 2]
    arms = np.where(marks.along_arm(tights) >= 0, -1.0, 1.0)
    height = marks.waist_z - 0.05
    return tights.cut(np.minimum(half_m - np.abs(z - height), arms).astype(np.float32)).offset(offset_m)


def strap(marks: Landmarks, row: Floats, way: NDArray[np.floating], width_m: float, offset_m: float) -> Surface:
    """A band around the trunk where the plane `way` . (position - chest) = 0 cuts it."""
    trunk = upper_body(marks, row)
    chest = marks.head_of("spine_03")
    distance = np.abs((trunk.vertices_m - chest) @ (way / np.linalg.norm(way)))
    return trunk.cut((width_m / 2 - distance).astype(np.float32)).offset(offset_m)


def shoulder_straps(marks: Landmarks, row: Floats, offset_m: float, half_apart_m: float) -> Surface:
    """Two bands over the shoulders, as of a backpack or braces."""
    trunk = upper_body(marks, row)
    return trunk.cut((0.02 - np.abs(np.abs(trunk.vertices_m[:, 0]) - half_apart_m)).astype(np.float32)).offset(offset_m)


def upper_body(marks: Landmarks, row: Floats) -> Surface:
    """The trunk from the waist to the base of the neck, without arms."""
    tights = body_surface(marks.asset, marks.shape, "tights", row)
    z = tights.vertices_m[:, 2]
    arms = np.where(marks.along_arm(tights) > 0.02, -1.0, 1.0)
    return tights.cut(np.minimum.reduce([z - marks.waist_z + 0.05, marks.neck_z + 0.03 - z, arms]).astype(np.float32))


def chest_patch(rng: np.random.Generator, marks: Landmarks, top: Surface, row: Floats) -> Surface:
    """A print on the front or the back of a top: a part of its surface, a little outside of it."""
    x, y, z = top.vertices_m.T
    middle = marks.neck_z - rng.uniform(0.14, 0.24)
    half = rng.uniform([0.05, 0.03], [0.16, 0.14])
    side = -1.0 if rng.random() < 0.6 else 1.0
    depth = (y - marks.head_of("spine_03")[1]) * side
    on_arm = np.where(marks.along_arm(top) > 0.05, -1.0, 1.0)
    shift = rng.uniform(-0.06, 0.06)
    keep = np.minimum.reduce([half[0] - np.abs(x - shift), half[1] - np.abs(z - middle), depth, on_arm])
    return replace(top.cut(keep.astype(np.float32)), material=row).offset(0.0015)


def tie(rng: np.random.Generator, marks: Landmarks, row: Floats, offset_m: float) -> Surface:
    """A tie or an apron's bib: a narrow or wide strip down the front."""
    trunk = upper_body(marks, row)
    half = rng.choice([0.028, rng.uniform(0.08, 0.13)], p=[0.6, 0.4])
    front = marks.head_of("spine_03")[1] - trunk.vertices_m[:, 1]
    widening = 0.6 + 0.4 * np.clip((marks.neck_z - trunk.vertices_m[:, 2]) / 0.3, 0, 1)
    return trunk.cut(np.minimum(half * widening - np.abs(trunk.vertices_m[:, 0]), front).astype(np.float32)).offset(
        offset_m
    )


def collar(rng: np.random.Generator, marks: Landmarks, row: Floats, hood: bool) -> Surface:
    """A scarf around the neck, or a hood that lies behind it."""
    neck = marks.head_of("neck_01")
    angle = np.linspace(0, 2 * np.pi, 25)
    around = np.linspace(0, 2 * np.pi, 9)
    backness = np.clip(np.sin(angle), 0, 1)  # y points backward
    thick, wide = rng.uniform(0.022, 0.032), rng.uniform(0.078, 0.092)
    if hood:
        tube = thick + rng.uniform(0.025, 0.045) * backness
        middle, height = wide + 0.02 * backness, 0.015 - 0.035 * backness + 0.02 * np.sin(angle)
    else:
        tube = thick + 0.004 * np.sin(5 * angle)
        middle, height = np.full(25, wide), np.full(25, 0.015)
    radius = middle[:, None] + np.outer(tube, np.cos(around))
    vertices = np.stack(
        [
            neck[0] + radius * np.cos(angle)[:, None],
            neck[1] - 0.01 + 0.95 * radius * np.sin(angle)[:, None],
            neck[2] + height[:, None] + 1.1 * np.outer(tube, np.sin(around)),
        ],
        axis=-1,
    ).reshape(-1, 3)
    weights = np.zeros((len(vertices), len(marks.asset.bone_names)), np.float32)
    weights[:, marks.asset.bone["spine_03"]], weights[:, marks.asset.bone["neck_01"]] = 0.6, 0.4
    return outward(vertices, grid_faces(24, 8), weights, row)


def bag(marks: Landmarks, row: Floats, bone: str, center: NDArray[np.floating], half: NDArray[np.floating]) -> Surface:
    """A soft box: a backpack on the back, a bag at the hip."""
    up, turn = np.linspace(-np.pi / 2, np.pi / 2, 9), np.linspace(0, 2 * np.pi, 17)

    def rounded(value: NDArray[np.floating]) -> NDArray[np.floating]:
        return np.sign(value) * np.abs(value) ** 0.45

    vertices = np.stack(
        [
            half[0] * np.outer(rounded(np.cos(up)), rounded(np.cos(turn))),
            half[1] * np.outer(rounded(np.cos(up)), rounded(np.sin(turn))),
            half[2] * np.repeat(rounded(np.sin(up))[:, None], 17, axis=1),
        ],
        axis=-1,
    ).reshape(-1, 3) + np.asarray(center)
    weights = np.zeros((len(vertices), len(marks.asset.bone_names)), np.float32)
    weights[:, marks.asset.bone[bone]] = 1
    return outward(vertices, grid_faces(8, 16), weights, row)


def outward(vertices: NDArray[np.floating], faces: NDArray[np.integer], weights: Floats, row: Floats) -> Surface:
    """A closed surface around its middle line, its triangles turned outward."""
    surface = Surface(
        vertices_m=vertices.astype(np.float32),
        faces=faces.astype(np.int32),
        weights=weights,
        slack_m=np.zeros(len(vertices), np.float32),
        material=row,
    )
    corners = surface.vertices_m[surface.faces]
    volume = np.einsum("fi,fi->", corners[:, 0] - vertices.mean(axis=0), np.cross(corners[:, 1], corners[:, 2]))
    return replace(surface, faces=np.ascontiguousarray(surface.faces[:, ::-1])) if volume < 0 else surface
