"""MakeHuman clothes (mhclo + obj) from a folder the user names, fitted to our bodies.

A .mhclo file ties every vertex of a garment to three vertices of MakeHuman's base mesh. We keep only the base vertices
that garments of ours need; a garment that hangs on others is refused by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from egorear_ros.errors import EgorearError
from egorear_ros.simulator.body.landmarks import Landmarks
from egorear_ros.simulator.body.surface import Surface

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class MakeHumanGarment:
    """A garment as the files describe it.

    Attributes:
        name: file name without suffix.
        base: (N, 3) base mesh vertices each garment vertex hangs on.
        weights: (N, 3) their shares.
        offsets: (N, 3) offset in units of the body's size, MakeHuman axes (x left, y up, z forward).
        scale: per axis x, y, z: two base vertices and their reference distance.
        faces: (F, 3).
        hidden: base vertices the garment hides.
    """

    name: str
    base: NDArray[np.int64]
    weights: NDArray[np.float64]
    offsets: NDArray[np.float64]
    scale: tuple[tuple[int, int, float], ...]
    faces: NDArray[np.int64]
    hidden: frozenset[int]


def read_garments(folder: Path) -> list[MakeHumanGarment]:
    """Read every .mhclo below a folder.

    Raises:
        EgorearError: none found, or one is malformed; names file and line.
    """
    paths = sorted(folder.rglob("*.mhclo"))
    if not paths:
        raise EgorearError(f"there are no MakeHuman clothes (*.mhclo) in '{folder}'")
    return [read_mhclo(path) for path in paths]


def read_mhclo(path: Path) -> MakeHumanGarment:
    """Read one garment and the .obj it names."""
    obj, section = path.with_suffix(".obj"), ""
    scale: dict[str, tuple[int, int, float]] = {}
    rows: list[list[float]] = []
    hidden: set[int] = set()
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            if words[0] == "obj_file":
                obj = path.parent / words[1]
            elif words[0].endswith("_scale"):
                scale[words[0][0]] = (int(words[1]), int(words[2]), float(words[3]))
            elif words[0] in ("verts", "delete_verts"):
                section = words[0]
            elif section == "verts" and words[0].isdigit():
                rows.append(vertex_row([float(word) for word in words]))
            elif section == "delete_verts":
                hidden |= vertex_ranges(words)
        except (ValueError, IndexError) as error:
            raise EgorearError(f"{path}:{number}: {error}") from error
    table = np.array(rows).reshape(-1, 9)
    vertex_count, faces = read_faces(obj)
    if len(table) != vertex_count or set(scale) != {"x", "y", "z"}:
        raise EgorearError(
            f"'{path}' describes {len(table)} vertices and scales {sorted(scale)}, '{obj}' has {vertex_count}"
        )
    return MakeHumanGarment(
        name=path.stem,
        base=table[:, :3].astype(np.int64),
        weights=table[:, 3:6],
        offsets=table[:, 6:9],
        scale=tuple(scale[axis] for axis in "xyz"),
        faces=faces,
        hidden=frozenset(hidden),
    )


def vertex_row(values: list[float]) -> list[float]:
    """Nine numbers of a vertex: three base vertices, three shares, offset; short forms are completed."""
    if len(values) == 1:
        return [values[0]] * 3 + [1.0, 0, 0, 0, 0, 0]
    return values[:9] if len(values) >= 9 else [*values[:6], 0.0, 0.0, 0.0]


def vertex_ranges(words: list[str]) -> set[int]:
    """Vertices of a line such as "3 7 - 9"."""
    result: set[int] = set()
    index = 0
    while index < len(words):
        if index + 2 < len(words) and words[index + 1] == "-":
            result |= set(range(int(words[index]), int(words[index + 2]) + 1))
            index += 3
        else:
            result.add(int(words[index]))
            index += 1
    return result


def read_faces(path: Path) -> tuple[int, NDArray[np.int64]]:
    """Number of vertices and triangles (F, 3) of an .obj file."""
    vertices = 0
    faces: list[list[int]] = []
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise EgorearError(f"mesh '{path}' cannot be read: {error}") from error
    for line in lines:
        if line.startswith("v "):
            vertices += 1
        elif line.startswith("f "):
            corners = [int(word.split("/")[0]) - 1 for word in line.split()[1:]]
            faces.extend([corners[0], corners[k], corners[k + 1]] for k in range(1, len(corners) - 1))
    return vertices, np.array(faces, np.int64).reshape(-1, 3)


def fitted(garment: MakeHumanGarment, marks: Landmarks, material: Floats) -> Surface:
    """Fit a garment to a body.

    Raises:
        EgorearError: it hangs on parts of the base mesh that our bodies leave out.
    """
    asset, shape = marks.asset, marks.shape
    where = {int(base): index for index, base in enumerate(asset.base_vertex)}
    needed = {int(v) for v in garment.base.ravel()} | {v for row in garment.scale for v in row[:2]}
    missing = sorted(needed - set(where))
    if missing:
        raise EgorearError(f"garment '{garment.name}' hangs on base vertex {missing[0]}, which our bodies leave out")
    base = np.vectorize(where.__getitem__)(garment.base)
    vertices = (shape.vertices_m[base] * garment.weights[..., None]).sum(axis=1)
    # MakeHuman's axes x, y (up), z (forward) are our x, z, -y.
    for axis, sign, (first, second, reference) in zip((0, 2, 1), (1, 1, -1), garment.scale, strict=True):
        size = abs(shape.vertices_m[where[first], axis] - shape.vertices_m[where[second], axis]) / reference
        vertices[:, axis] += sign * size * garment.offsets[:, (0, 2, 1).index(axis)]
    weights = np.zeros((len(base), len(asset.bone_names)), np.float32)
    shares = asset.skin_weights[base] * np.clip(garment.weights, 0, None)[..., None]
    np.add.at(weights, (np.arange(len(base))[:, None, None], asset.skin_bones[base]), shares)
    return Surface(
        vertices_m=vertices.astype(np.float32),
        faces=garment.faces.astype(np.int32),
        weights=weights / weights.sum(axis=1, keepdims=True),
        slack_m=np.zeros(len(base), np.float32),
        material=material,
    )
