"""The shipped body shapes, `assets/bodies.npz`, made by tools/bake_bodies.py.

Body frame at rest: x to the person's left, y backward, z up, metres; arms hang at about 45 degrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from egorear_ros import resources
from egorear_ros.skeleton import UNREALEGO_NAMES

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

SURFACES = ("skin", "eyes", "tights", "skirt")
"""Parts of the base mesh: the visible skin and eyeballs, and the helpers that garments grow from."""


@dataclass(frozen=True)
class BodyShape:
    """One person at rest.

    Attributes:
        index: which of the asset's bodies.
        vertices_m: (N, 3) all surfaces.
        bone_heads_m: (B, 3) where each bone begins.
        is_woman: sex, as sampled.
    """

    index: int
    vertices_m: Floats
    bone_heads_m: Floats
    is_woman: bool

    @property
    def stature_m(self) -> float:
        """Height of the bare body, standing."""
        return float(np.ptp(self.vertices_m[:, 2]))


@dataclass(frozen=True)
class BodyAsset:
    """All baked bodies: one topology and rig, many shapes.

    Attributes:
        mean_vertices_m: (N, 3).
        vertex_deltas_m: (K, N, 3) deviation of each body from the mean.
        all_bone_heads_m: (K, B, 3).
        bone_names: B names, parents before children.
        bone_parents: (B,) index, -1 for the root.
        skin_bones, skin_weights: (N, 4) bone index and weight; weights sum to 1.
        faces: triangles (F, 3) of each surface in SURFACES.
        base_vertex: (N,) index of each vertex in MakeHuman's base mesh.
        women: (K,) bool.
    """

    mean_vertices_m: Floats
    vertex_deltas_m: Floats
    all_bone_heads_m: Floats
    bone_names: tuple[str, ...]
    bone_parents: Ints
    skin_bones: Ints
    skin_weights: Floats
    faces: dict[str, Ints]
    base_vertex: Ints
    women: NDArray[np.bool_]

    @cached_property
    def bone(self) -> dict[str, int]:
        """Index of each bone by name."""
        return {name: index for index, name in enumerate(self.bone_names)}

    @cached_property
    def joint_bones(self) -> Ints:
        """(16,) bone whose head is each joint of the skeleton, in EgoRear's order."""
        return np.array([self.bone[name] for name in UNREALEGO_NAMES], np.int32)

    def __len__(self) -> int:
        return len(self.vertex_deltas_m)

    def shape(self, index: int) -> BodyShape:
        """Return body number `index`."""
        return BodyShape(
            index=index,
            vertices_m=self.mean_vertices_m + self.vertex_deltas_m[index],
            bone_heads_m=self.all_bone_heads_m[index],
            is_woman=bool(self.women[index]),
        )

    def weight_of(self, *bones: str) -> Floats:
        """(N,) summed skinning weight of bones, each given by name without side ("thigh") or with ("thigh_l")."""
        chosen = [i for i, name in enumerate(self.bone_names) if name in bones or name[:-2] in bones]
        return np.asarray((self.skin_weights * np.isin(self.skin_bones, chosen)).sum(axis=1), np.float32)


@cache
def load_bodies(path: Path | None = None) -> BodyAsset:
    """Load the shipped bodies, or those of another file made by the bake script."""
    with np.load(path or resources.find("assets/bodies.npz")) as content:
        weights = content["skin_weights"].astype(np.float32)
        deltas = content["vertex_deltas"].astype(np.float32) * content["vertex_step_m"]
        names = [str(name) for name in content["phenotype_names"]]
        return BodyAsset(
            mean_vertices_m=content["mean_vertices_m"],
            vertex_deltas_m=deltas,
            all_bone_heads_m=content["bone_heads_m"],
            bone_names=tuple(str(name) for name in content["bone_names"]),
            bone_parents=content["bone_parents"].astype(np.int32),
            skin_bones=content["skin_bones"].astype(np.int32),
            skin_weights=weights / weights.sum(axis=1, keepdims=True),
            faces={name: content[f"faces_{name}"].astype(np.int32) for name in SURFACES},
            base_vertex=content["base_vertex"].astype(np.int32),
            women=content["phenotypes"][:, names.index("gender")] < 0.5,
        )
