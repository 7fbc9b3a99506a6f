"""MakeHuman clothes (mhclo + obj) from a folder the user names, fitted to our bodies.

A .mhclo file ties every vertex of a garment to three vertices of MakeHuman's base mesh. We keep only the base vertices
that garments of ours need; a garment that hangs on others is left out, with a warning that names it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.errors import EgorearError
from egorear_ros.simulator.body.asset import BodyAsset
from egorear_ros.simulator.body.landmarks import Landmarks
from egorear_ros.simulator.body.surface import Surface

Floats = NDArray[np.float32]

SLOTS: Final[dict[str, tuple[str, ...]]] = {
    "head": ("head",),
    "top": ("spine_01", "spine_02", "spine_03", "clavicle", "upperarm", "lowerarm", "hand"),
    "legs": ("thigh", "calf"),
    "feet": ("foot", "ball"),
}
"""Where a garment is worn, and the bones it then moves with."""
SLOT_SHARE: Final = 0.2


class ClothesWarning(UserWarning):
    """A garment cannot be worn and is left out."""


@dataclass(frozen=True)
class MakeHumanGarment:
    """A garment as the files describe it.

    Attributes:
        path: its .mhclo file.
        base: (N, 3) base mesh vertices each garment vertex hangs on.
        weights: (N, 3) their shares.
        offsets: (N, 3) offset in units of the body's size, MakeHuman axes (x left, y up, z forward).
        scale: per axis x, y, z: two base vertices and their reference distance.
        faces: (F, 3).
        hidden: base vertices the garment hides.
    """

    path: Path
    base: NDArray[np.int64]
    weights: NDArray[np.float64]
    offsets: NDArray[np.float64]
    scale: tuple[tuple[int, int, float], ...]
    faces: NDArray[np.int64]
    hidden: frozenset[int]


def read_wardrobe(folder: Path, asset: BodyAsset) -> tuple[MakeHumanGarment, ...]:
    """Read every .mhclo below a folder that our bodies can wear; warn (ClothesWarning) of every other one.

    Raises:
        EgorearError: there is none, or none that can be worn.
    """
    paths = sorted(folder.rglob("*.mhclo"))
    if not paths:
        raise EgorearError(f"there are no MakeHuman clothes (*.mhclo) in '{folder}'")
    garments = []
    for path in paths:
        try:
            garment = read_mhclo(path)
            check_wearable(garment, asset)
            garments.append(garment)
        except EgorearError as error:
            warnings.warn(f"garment left out: {error}", ClothesWarning, stacklevel=2)
    if not garments:
        raise EgorearError(f"none of the {len(paths)} MakeHuman clothes in '{folder}' can be worn; see the warnings")
    return tuple(garments)


def check_wearable(garment: MakeHumanGarment, asset: BodyAsset) -> None:
    """Check that a garment can be fitted.

    Raises:
        EgorearError: it hangs on parts of the base mesh that our bodies leave out, or sits where the helmet is.
    """
    needed = {int(v) for v in garment.base.ravel()} | {v for row in garment.scale for v in row[:2]}
    missing = sorted(needed - set(asset.base_vertex.tolist()))
    if missing:
        raise EgorearError(f"'{garment.path}' hangs on base vertex {missing[0]}, which our bodies leave out")
    if "head" in worn_on(garment, asset):
        raise EgorearError(f"'{garment.path}' is worn on the head, where the helmet sits")


def worn_on(garment: MakeHumanGarment, asset: BodyAsset) -> list[str]:
    """SLOTS a garment takes: those whose bones carry a fair share of it, at least the one that carries most."""
    rows = rows_of(garment, asset)
    shares = {slot: float(asset.weight_of(*bones)[rows].mean()) for slot, bones in SLOTS.items()}
    return [slot for slot, share in shares.items() if share >= min(SLOT_SHARE, max(shares.values()))]


def rows_of(garment: MakeHumanGarment, asset: BodyAsset) -> NDArray[np.int64]:
    """(N, 3) vertices of our bodies that a garment's vertices hang on."""
    row = np.zeros(int(asset.base_vertex.max()) + 1, np.int64)
    row[asset.base_vertex] = np.arange(len(asset.base_vertex))
    return row[garment.base]


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
    if faces.size == 0 or faces.min() < 0 or faces.max() >= vertex_count:
        raise EgorearError(f"'{obj}' has no faces, or faces with corners other than its {vertex_count} vertices")
    if len(table) != vertex_count or set(scale) != {"x", "y", "z"}:
        raise EgorearError(
            f"'{path}' describes {len(table)} vertices and scales {sorted(scale)}, '{obj}' has {vertex_count}"
        )
    return MakeHumanGarment(
        path=path,
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
    for number, line in enumerate(lines, start=1):
        if line.startswith("v "):
            vertices += 1
        elif line.startswith("f "):
            try:
                corners = [int(word.split("/")[0]) - 1 for word in line.split()[1:]]
            except ValueError as error:
                raise EgorearError(f"{path}:{number}: {error}") from error
            faces.extend([corners[0], corners[k], corners[k + 1]] for k in range(1, len(corners) - 1))
    return vertices, np.array(faces, np.int64).reshape(-1, 3)


def fitted(garment: MakeHumanGarment, marks: Landmarks, material: Floats) -> Surface:
    """Fit a garment that passes `check_wearable` to a body."""
    asset, shape = marks.asset, marks.shape
    where = {int(base): index for index, base in enumerate(asset.base_vertex)}
    base = rows_of(garment, asset)
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


def hidden_region(garment: MakeHumanGarment, asset: BodyAsset) -> Floats:
    """(N,) positive where a garment hides the skin, as regions of `garments.uncovered`."""
    skin = np.unique(asset.faces["skin"])
    return np.where(np.isin(asset.base_vertex[skin], list(garment.hidden)), 1.0, -1.0).astype(np.float32)
