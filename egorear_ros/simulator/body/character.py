"""A dressed person, ready to be posed and rendered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator import materials
from egorear_ros.simulator.body import garments
from egorear_ros.simulator.body.asset import BodyAsset, BodyShape
from egorear_ros.simulator.body.hair import hair
from egorear_ros.simulator.body.landmarks import Landmarks
from egorear_ros.simulator.body.makehuman import MakeHumanGarment, fitted, hidden_region, worn_on
from egorear_ros.simulator.body.skinning import skin
from egorear_ros.simulator.body.surface import Surface, body_surface
from egorear_ros.simulator.renderer.mesh import Mesh

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

# Rough shape of the body for contact shadows: a ball on each of these bones, radius in metres.
SPHERES: Final = {
    "head": 0.11,
    "spine_03": 0.16,
    "pelvis": 0.16,
    "lowerarm_l": 0.05,
    "lowerarm_r": 0.05,
    "hand_l": 0.05,
    "hand_r": 0.05,
    "calf_l": 0.07,
    "calf_r": 0.07,
    "foot_l": 0.075,
    "foot_r": 0.075,
    "ball_l": 0.06,
    "ball_r": 0.06,
}


@dataclass(frozen=True)
class Character:
    """A person with clothes and hair; vertices at rest, bound to the bones.

    Attributes:
        asset, shape: the body.
        sole_m: how far the sole lies below the ball of the foot at rest.
        finger_curl: how closed the hands are.
        vertices_m, normals, drape_normals: (N, 3) at rest.
        rest_m: (N, 3) where patterns are attached, see `Surface`.
        slack_m: (N,) looseness.
        bones, weights: (N, 4) skinning.
        faces, face_material, face_part: triangles.
        materials: (M, MATERIAL_SIZE).
    """

    asset: BodyAsset
    shape: BodyShape
    sole_m: float
    finger_curl: float
    vertices_m: Floats
    normals: Floats
    drape_normals: Floats
    rest_m: Floats
    slack_m: Floats
    bones: Ints
    weights: Floats
    faces: Ints
    face_material: Ints
    face_part: Ints
    materials: Floats

    def posed(self, rotations: Floats, heads_m: Floats) -> Mesh:
        """Mesh of one moment, for bone rotations (B, 3, 3) and heads (B, 3) in the world."""
        translations = heads_m - np.einsum("bij,bj->bi", rotations, self.shape.bone_heads_m)
        vertices, normals = np.empty_like(self.vertices_m), np.empty_like(self.vertices_m)
        skin(
            *(self.vertices_m, self.normals, self.drape_normals, self.slack_m, self.bones, self.weights),
            *(np.ascontiguousarray(rotations), translations.astype(np.float32), vertices, normals),
        )
        return Mesh(vertices, normals, self.rest_m, self.faces, self.face_material, self.face_part, self.materials)

    def spheres(self, heads_m: Floats) -> Floats:
        """(K, 4) rough shape of the posed body: centre and radius."""
        bones = [self.asset.bone[name] for name in SPHERES]
        return np.concatenate([heads_m[bones], np.array(list(SPHERES.values()), np.float32)[:, None]], axis=1)


def dress(
    rng: np.random.Generator, asset: BodyAsset, body: int | None = None, wardrobe: tuple[MakeHumanGarment, ...] = ()
) -> Character:
    """Draw a person: body, skin, hair and clothes.

    Args:
        rng: source of everything random.
        asset: where bodies come from.
        body: index of the body; by default drawn.
        wardrobe: MakeHuman clothes; if there are any, everybody wears one of them instead of our own.
    """
    shape = asset.shape(int(rng.integers(len(asset))) if body is None else body)
    marks = Landmarks(asset, shape)
    skin_surface = body_surface(asset, shape, "skin", materials.skin(rng))
    style = garments.sample_top(rng, shape.is_woman)
    cloth = garments.sample_cloth(rng, style)
    worn = {"top": garments.top(marks, style, cloth)}
    regions = {"top": garments.top_region(marks, skin_surface, style)}
    leg_length, worn["legs"] = sample_bottom(rng, marks, style)
    regions["legs"] = garments.trousers_region(marks, skin_surface, leg_length)
    shaft = float(rng.choice([0.965, 0.94, rng.uniform(0.6, 0.85)], p=[0.5, 0.35, 0.15]))
    sole_m = rng.uniform(0.012, 0.035)
    shoes = garments.shoes(marks, shaft, sole_m, materials.leather(rng))
    worn["feet"], regions["feet"] = [shoes], garments.shoes_region(marks, skin_surface, shaft)
    if wardrobe:
        garment = wardrobe[int(rng.integers(len(wardrobe)))]
        first, *others = worn_on(garment, asset)
        for slot in others:
            worn.pop(slot), regions.pop(slot)
        worn[first] = [fitted(garment, marks, materials.cloth(rng))]
        regions[first] = hidden_region(garment, asset)
    pieces = [piece for slot in worn.values() for piece in slot]
    pieces += hair(rng, marks, materials.hair(rng))
    pieces.append(body_surface(asset, shape, "eyes", materials.eyes()))
    pieces.append(garments.uncovered(skin_surface, list(regions.values())))
    sole = float(marks.head_of("ball_l")[2] - min(piece.vertices_m[:, 2].min() for piece in pieces))
    return assemble(asset, shape, pieces, sole, float(rng.uniform(0.1, 0.9)))


def sample_bottom(rng: np.random.Generator, marks: Landmarks, style: garments.TopStyle) -> tuple[float, list[Surface]]:
    """Draw trousers, shorts or a skirt; returns the share of the leg that is covered for certain, and the pieces."""
    if marks.shape.is_woman and style.skirt == 0 and rng.random() < 0.3:
        length = rng.uniform(0.3, 0.85)
        under = garments.trousers(marks, 0.15, 0.0, materials.cloth(rng))
        return 0.15, [under, garments.skirt(marks, length, rng.uniform(0.005, 0.05), materials.cloth(rng))]
    length = float(rng.choice([rng.uniform(0.22, 0.5), rng.uniform(0.9, 1.0)], p=[0.25, 0.75]))
    slack = float(rng.choice([0.001, rng.uniform(0.004, 0.012), rng.uniform(0.015, 0.03)], p=[0.25, 0.5, 0.25]))
    cloth = materials.cloth(rng, 0.3 + 15 * slack, denim=bool(rng.random() < 0.35))
    return length, [garments.trousers(marks, length, slack, cloth)]


def assemble(asset: BodyAsset, shape: BodyShape, pieces: list[Surface], sole_m: float, finger_curl: float) -> Character:
    """Join surfaces into a character."""
    starts = np.cumsum([0] + [len(piece.vertices_m) for piece in pieces])
    bound = [piece.strongest() for piece in pieces]
    bones, weights = (np.concatenate([part[k] for part in bound]) for k in (0, 1))
    faces = np.concatenate([piece.faces + np.int32(start) for piece, start in zip(pieces, starts[:-1], strict=True)])
    return Character(
        asset=asset,
        shape=shape,
        sole_m=sole_m,
        finger_curl=finger_curl,
        vertices_m=np.concatenate([piece.vertices_m for piece in pieces]),
        normals=np.concatenate([piece.normals() for piece in pieces]),
        drape_normals=np.concatenate(
            [piece.normals(6) if piece.slack_m.any() else piece.normals() for piece in pieces]
        ),
        rest_m=np.concatenate([piece.vertices_m if piece.rest_m is None else piece.rest_m for piece in pieces]),
        slack_m=np.concatenate([piece.slack_m for piece in pieces]),
        bones=bones,
        weights=weights,
        faces=faces.astype(np.int32),
        face_material=np.repeat(np.arange(len(pieces)), [len(piece.faces) for piece in pieces]).astype(np.int32),
        face_part=bones[faces[:, 0], 0].astype(np.int32),
        materials=np.stack([piece.material for piece in pieces]),
    )
