"""A piece of skinned surface at rest, and the operations garments are made with: cut, smooth, offset."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator.body.asset import BodyAsset, BodyShape
from egorear_ros.simulator.renderer.mesh import vertex_normals

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

WEIGHTS_PER_VERTEX: Final = 4


@dataclass(frozen=True)
class Surface:
    """Skinned triangles at rest.

    Attributes:
        vertices_m: (N, 3).
        faces: (F, 3).
        weights: (N, B) skinning weights of all bones; rows sum to 1.
        slack_m: (N,) how far the cloth hangs loose: at this distance along the normal plus as far straight down.
        material: row of the material table.
        rest_m: (N, 3) position that patterns are attached to, or of unwrapped skin (u, v, tile); by default the
            vertices. A surface that has it may have several vertices in one place, which share their normal.
    """

    vertices_m: Floats
    faces: Ints
    weights: Floats
    slack_m: Floats
    material: Floats
    rest_m: Floats | None = None

    def cut(self, keep: Floats) -> Surface:
        """Keep the part where `keep` (N,) is positive, cut cleanly along its zero line."""
        inside = keep > 0
        corners = inside[self.faces]
        whole = corners.all(axis=1)
        crossed = corners.any(axis=1) & ~whole
        faces, edges = split_faces(self.faces[crossed], corners[crossed], len(keep))
        share = keep[edges[:, 0]] / (keep[edges[:, 0]] - keep[edges[:, 1]] + 1e-12)
        share = share[:, None].astype(np.float32)

        def extended(values: Floats) -> Floats:
            between = values[edges[:, 0]] * (1 - share) + values[edges[:, 1]] * share
            return np.concatenate([values, between.astype(np.float32)])

        return replace(
            self,
            vertices_m=extended(self.vertices_m),
            weights=extended(self.weights),
            slack_m=extended(self.slack_m[:, None])[:, 0],
            rest_m=None if self.rest_m is None else extended(self.rest_m),
            faces=np.concatenate([self.faces[whole], faces]).astype(np.int32),
        ).compacted()

    def compacted(self) -> Surface:
        """Return the surface without vertices that no face uses."""
        used, faces = renumbered(self.faces)
        return replace(
            self,
            vertices_m=self.vertices_m[used],
            weights=self.weights[used],
            slack_m=self.slack_m[used],
            rest_m=None if self.rest_m is None else self.rest_m[used],
            faces=faces,
        )

    def normals(self, smoothing: int = 0) -> Floats:
        """(N, 3) unit normals, averaged over neighbours `smoothing` times."""
        normals = vertex_normals(self.vertices_m, self.faces)
        if self.rest_m is not None:
            normals = shared(self.vertices_m, normals)
        normals = self.smoothed(normals, smoothing)
        return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9), np.float32)

    def smoothed(self, values: Floats, rounds: int) -> Floats:
        """Average (N, C) values over neighbouring vertices, `rounds` times."""
        if rounds == 0:
            return values
        # Both directions of every edge, each once: an edge's key is first * N + second.
        directed = self.faces[:, [0, 1, 1, 2, 2, 0, 1, 0, 2, 1, 0, 2]].reshape(-1, 2).astype(np.int64)
        keys = np.sort(directed[:, 0] * len(values) + directed[:, 1])
        first, second = np.divmod(keys[np.diff(keys, prepend=-1) > 0], len(values))
        count = np.bincount(first, minlength=len(values)).astype(np.float32)[:, None] + 1
        for _ in range(rounds):
            total = values.copy()
            for column in range(values.shape[1]):
                total[:, column] += np.bincount(first, values[second, column], len(values)).astype(np.float32)
            values = total / count
        return values

    def offset(self, distance_m: float | Floats, smoothing: int = 2) -> Surface:
        """Return the surface moved outward."""
        step = self.normals(smoothing) * np.asarray(distance_m, np.float32).reshape(-1, 1)
        return replace(self, vertices_m=(self.vertices_m + step).astype(np.float32))

    def bridged(self, rounds: int) -> Surface:
        """Return the surface with hollows bridged as cloth does: smoothed, but never moved inward."""
        smooth = self.smoothed(self.vertices_m, rounds)
        normals = self.normals(2)
        outward = np.maximum(((smooth - self.vertices_m) * normals).sum(axis=1), 0)
        return replace(self, vertices_m=(self.vertices_m + normals * outward[:, None]).astype(np.float32))

    def with_slack(self, slack_m: Floats | float) -> Surface:
        """Return the surface with this slack."""
        slack = np.broadcast_to(np.asarray(slack_m, np.float32), (len(self.vertices_m),)).copy()
        return replace(self, slack_m=slack)

    def strongest(self) -> tuple[Ints, Floats]:
        """(N, 4) bones and weights that matter most, weights summing to 1."""
        bones = np.argpartition(-self.weights, WEIGHTS_PER_VERTEX - 1, axis=1)[:, :WEIGHTS_PER_VERTEX]
        weights = np.take_along_axis(self.weights, bones, axis=1)
        order = np.argsort(-weights, axis=1, kind="stable")
        bones, weights = np.take_along_axis(bones, order, axis=1), np.take_along_axis(weights, order, axis=1)
        return bones.astype(np.int32), (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def body_surface(asset: BodyAsset, shape: BodyShape, name: str, material: Floats) -> Surface:
    """Return one of the asset's surfaces ("skin", "eyes", "tights", "skirt") for a body."""
    used, faces = renumbered(asset.faces[name])
    weights = np.zeros((len(used), len(asset.bone_names)), np.float32)
    np.add.at(weights, (np.arange(len(used))[:, None], asset.skin_bones[used]), asset.skin_weights[used])
    return Surface(
        vertices_m=shape.vertices_m[used],
        faces=faces,
        weights=weights,
        slack_m=np.zeros(len(used), np.float32),
        material=material,
    )


def shared(vertices: Floats, normals: Floats) -> Floats:
    """Normals (N, 3), summed over vertices that lie in one place."""
    places, index = np.unique(vertices, axis=0, return_inverse=True)
    index = index.reshape(-1)
    total = np.stack([np.bincount(index, normals[:, axis], len(places)) for axis in range(3)], axis=1)
    return np.asarray(total[index], np.float32)


def renumbered(faces: Ints) -> tuple[Ints, Ints]:
    """Vertices that faces use, in order, and the faces with their corners counted among those."""
    is_used = np.bincount(faces.ravel()) > 0
    return np.flatnonzero(is_used).astype(np.int32), (np.cumsum(is_used) - 1).astype(np.int32)[faces]


def split_faces(faces: Ints, inside: NDArray[np.bool_], vertex_count: int) -> tuple[Ints, Ints]:
    """Cut triangles with one or two corners inside.

    Returns:
        The new faces (indices from `vertex_count` on are new vertices) and the edges (E, 2) the new vertices lie on.
    """
    lone = np.where(inside.sum(axis=1) == 1, inside.argmax(axis=1), (~inside).argmax(axis=1))
    rows = np.arange(len(faces))
    a, b, c = faces[rows, lone], faces[rows, (lone + 1) % 3], faces[rows, (lone + 2) % 3]
    edges = np.sort(np.concatenate([np.stack([a, b], 1), np.stack([a, c], 1)]), axis=1)
    keys, index = np.unique(edges[:, 0].astype(np.int64) * vertex_count + edges[:, 1], return_inverse=True)
    unique = np.stack(np.divmod(keys, vertex_count), axis=1)
    index = index.reshape(-1) + vertex_count
    ab, ac = index[: len(faces)], index[len(faces) :]
    one = inside.sum(axis=1) == 1
    triangles = np.concatenate(
        [
            np.stack([a, ab, ac], 1)[one],
            np.stack([ab, b, c], 1)[~one],
            np.stack([ab, c, ac], 1)[~one],
        ]
    )
    return triangles.astype(np.int32), unique.astype(np.int32)
