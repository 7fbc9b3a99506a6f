"""Photographic skins: textures in the layout of MakeHuman's base mesh, which our bodies share.

A user names a folder of such textures; none is shipped. Each becomes two tiles of the renderer: the whole skin, and the
face enlarged, which the front cameras look at from a few centimetres.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from egorear_ros import resources
from egorear_ros.errors import EgorearError
from egorear_ros.simulator import materials
from egorear_ros.simulator.body.asset import BodyAsset, BodyShape
from egorear_ros.simulator.body.surface import Surface, body_surface
from egorear_ros.simulator.looks.textures import MORE_TEXTURES, more_pyramid
from egorear_ros.simulator.renderer.textures import TEXTURE_SIZE
from egorear_ros.simulator.scene.textures import TEXTURES, pyramid

Floats = NDArray[np.float32]

ENDINGS: Final = (".png", ".jpg", ".jpeg")
SMALLEST_PX: Final = 256
FACE_CORNER: Final = np.array([0.68, 0.36])
FACE_SHARE: Final = 0.31
"""The square of the texture that is enlarged: its upper left corner (u to the right, v down), and its side."""
TILE_PER_M: Final = 0.55
"""Share of the texture that covers a metre of skin."""


@dataclass(frozen=True)
class Skins:
    """Skins a person may have.

    Attributes:
        names: of the files, without ending.
        tiles: (2 K, N, 3) linear light from `scene.textures.pyramid`: of each skin the whole and the face.
    """

    names: tuple[str, ...]
    tiles: Floats

    def __len__(self) -> int:
        return len(self.names)


def read_skins(folder: Path) -> Skins:
    """Read every image of a folder.

    Raises:
        EgorearError: there is no image, or one is not square, too small, or cannot be read.
    """
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in ENDINGS)
    if not paths:
        raise EgorearError(f"there are no skins (*.png, *.jpg) in '{folder}'")
    tiles = [tile for path in paths for tile in skin_tiles(read_square(path))]
    return Skins(tuple(path.stem for path in paths), pyramid(np.stack(tiles)))


def read_square(path: Path) -> NDArray[np.uint8]:
    """One texture, (N, N, 3) RGB."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise EgorearError(f"'{path}' is no image that can be read")
    height, width = image.shape[:2]
    if height != width or width < SMALLEST_PX:
        raise EgorearError(f"'{path}' has {width} x {height} pixels; a skin is square, {SMALLEST_PX} or more")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def skin_tiles(image: NDArray[np.uint8]) -> list[Floats]:
    """The whole texture and its face, each (256, 256, 3) sRGB in 0..1."""
    size = image.shape[0]
    left, top = (np.round(FACE_CORNER * size)).astype(int)
    side = round(FACE_SHARE * size)
    parts = (image, image[top : top + side, left : left + side])
    return [
        cv2.resize(part, (TEXTURE_SIZE, TEXTURE_SIZE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        for part in parts
    ]


@cache
def skin_coordinates() -> tuple[Floats, NDArray[np.int64]]:
    """Texture coordinates (M, 2), v down, and their index (F, 3) at every corner of the bodies' skin."""
    with np.load(resources.find("assets/body_uv.npz")) as content:
        return content["uv"].astype(np.float32) / np.float32(65535), content["faces_skin"].astype(np.int64)


def unwrapped_skin(asset: BodyAsset, shape: BodyShape, material: Floats) -> Surface:
    """A body's skin with the texture position of every vertex; cut apart where the texture is."""
    plain = body_surface(asset, shape, "skin", material)
    uv, corners = skin_coordinates()
    on_face = (uv - FACE_CORNER) / FACE_SHARE
    in_tile = ((on_face > 0.01) & (on_face < 0.99)).all(axis=1)[corners].all(axis=1)
    keys = (plain.faces.astype(np.int64) * len(uv) + corners) * 2 + in_tile[:, None]
    unique, faces = np.unique(keys, return_inverse=True)
    tile, rest = unique % 2, unique // 2
    vertex, coordinate = rest // len(uv), rest % len(uv)
    place = np.where(tile[:, None] == 1, on_face[coordinate], uv[coordinate])
    return Surface(
        vertices_m=plain.vertices_m[vertex],
        faces=faces.reshape(-1, 3).astype(np.int32),
        weights=plain.weights[vertex],
        slack_m=plain.slack_m[vertex],
        material=material,
        rest_m=np.concatenate([place, tile[:, None]], axis=1).astype(np.float32),
    )


def wide_textures(skins: Skins | None) -> Floats:
    """(K, N, 3) tiles that wide looks need after those of the scenes, in the order that materials count on."""
    return more_pyramid() if skins is None else np.concatenate([more_pyramid(), skins.tiles])


def skin_material(rng: np.random.Generator, skins: Skins) -> Floats:
    """One of the skins, a little lighter or darker, redder or yellower than it was photographed."""
    which = int(rng.integers(len(skins)))
    tint = np.exp(rng.normal(0, 0.22)) * (1 + rng.normal(0, 0.05, 3))
    row = materials.material(tint, gloss=float(rng.uniform(0.05, 0.3)), scale=TILE_PER_M, kind="unwrapped")
    row[10] = len(TEXTURES) + len(MORE_TEXTURES) + 2 * which
    return row
