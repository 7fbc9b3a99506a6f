"""A picture of one moment: the camera images with joints drawn in, and the skeleton from two sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from egorear_ros.datatypes import Skeleton
from egorear_ros.rig import Rig
from egorear_ros.rig.rigid import transform_points
from egorear_ros.skeleton import BONES

Rgb = npt.NDArray[np.uint8]

TILE_PX = 360
TITLE_PX = 32
TRUTH_RGB = (120, 170, 255)
ESTIMATE_RGB = (80, 230, 90)
BACKGROUND_RGB = (36, 39, 46)
VISIBLE_HEIGHT_M = 2.4


def draw_moment(rig: Rig, images: Mapping[str, Rgb], skeletons: Mapping[str, Skeleton]) -> Rgb:
    """Draw a frame set and what is known of it.

    Args:
        rig: cameras, in the order of the tiles.
        images: view -> (H, W, 3) uint8 RGB; missing views stay dark.
        skeletons: "truth" and "estimate", whichever there are, in the device frame.

    Returns:
        (2 * TILE_PX, 3 * TILE_PX, 3) uint8 RGB: images on the left, skeleton from the front and the left on the right.
    """
    tiles = [_image_tile(rig, name, images.get(name), skeletons) for name in rig.names]
    tiles += [_blank()] * (4 - len(tiles))
    points = {name: transform_points(rig.helmet_from_device, s.positions_m) for name, s in skeletons.items()}
    front = _skeleton_tile(points, across=1, label="from the front")
    side = _skeleton_tile(points, across=0, label="from the left")
    return np.vstack([np.hstack([tiles[0], tiles[1], front]), np.hstack([tiles[2], tiles[3], side])])


def titled(picture: Rgb, text: str, kinds: Sequence[str] = ("truth", "estimate")) -> Rgb:
    """Put a line of text above a picture of `draw_moment`, and which colour is what.

    Args:
        picture: (H, W, 3) uint8 RGB.
        text: ASCII, fits a picture's width at about 10 px per letter.
        kinds: of skeletons, whose colours are named.

    Returns:
        (H + TITLE_PX, W, 3) uint8 RGB.
    """
    strip = np.full((TITLE_PX, picture.shape[1], 3), BACKGROUND_RGB, np.uint8)
    _labelled(strip, text)
    at = picture.shape[1] - 20 - 80 * len(kinds)
    for kind in kinds:
        cv2.putText(strip, kind, (at, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, COLORS[kind], 1, cv2.LINE_AA)
        at += 80
    return np.vstack([strip, picture])


def _image_tile(rig: Rig, name: str, image: Rgb | None, skeletons: Mapping[str, Skeleton]) -> Rgb:
    tile = _blank() if image is None else np.asarray(cv2.resize(image, (TILE_PX, TILE_PX)), np.uint8)
    camera = rig.resized(TILE_PX, TILE_PX)[name]
    for kind, skeleton in skeletons.items():
        points_camera = transform_points(camera.camera_from_device, skeleton.positions_m)
        pixels, there = camera.model.project(points_camera), camera.model.in_view(points_camera)
        _draw_bones(tile, pixels, COLORS[kind], [bone for bone in BONES if there[list(bone)].all()])
    return _labelled(tile, name)


def _skeleton_tile(points_helmet: Mapping[str, npt.NDArray[np.float64]], across: int, label: str) -> Rgb:
    tile, scale = _blank(), TILE_PX / VISIBLE_HEIGHT_M
    for kind, points in points_helmet.items():
        # Seen from the front the wearer's left (+y) is on the right; seen from the left, forward (+x) is on the left.
        right = points[:, 1] if across == 1 else -points[:, 0]
        pixels = np.stack([TILE_PX / 2 + scale * right, TILE_PX * 0.12 - scale * points[:, 2]], -1)
        _draw_bones(tile, pixels, COLORS[kind], list(BONES))
    return _labelled(tile, label)


def _draw_bones(
    tile: Rgb, pixels: npt.NDArray[np.float64], color: tuple[int, int, int], bones: list[tuple[int, int]]
) -> None:
    for start, end in bones:
        a, b = (tuple(int(value) for value in pixels[joint].round()) for joint in (start, end))
        cv2.line(tile, a, b, color, 2, cv2.LINE_AA)
        for point in (a, b):
            cv2.circle(tile, point, 3, color, -1, cv2.LINE_AA)


def _blank() -> Rgb:
    return np.full((TILE_PX, TILE_PX, 3), BACKGROUND_RGB, np.uint8)


def _labelled(tile: Rgb, text: str) -> Rgb:
    cv2.putText(tile, text, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (240, 240, 240), 1, cv2.LINE_AA)
    return tile


COLORS = {"truth": TRUTH_RGB, "estimate": ESTIMATE_RGB}
