"""Pictures of simulated data: views side by side, with the joints drawn in."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from egorear_ros.data.ego4view_layout import SYN, rig_of_data_set
from egorear_ros.data.ego4view_syn import LABELS_FOLDER, official_name
from egorear_ros.data.frame_labels import read_labels
from egorear_ros.data.image_files import find_image
from egorear_ros.data.jpeg import decode_jpeg
from egorear_ros.data.rig_clip import RigClip
from egorear_ros.errors import EgorearError
from egorear_ros.rig import Rig
from egorear_ros.skeleton import BONES

Image = NDArray[np.uint8]

BONE_COLOR: Final = (255, 220, 0)
VISIBLE_COLOR: Final = (0, 230, 0)
HIDDEN_COLOR: Final = (255, 60, 40)
GAP_PX: Final = 6


def enlarged(image: Image, scale: int) -> Image:
    """The picture (H, W, 3), `scale` times as wide and high."""
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)


def draw_joints(
    image: Image, pixels: NDArray[np.floating], in_view: NDArray[np.bool_], visible: NDArray[np.bool_], scale: int = 2
) -> Image:
    """Return one view, `scale` times larger, with its joints: filled green visible, red rings hidden.

    Args:
        image: (H, W, 3) RGB.
        pixels: (16, 2) in this image.
        in_view, visible: (16,).
        scale: enlargement.
    """
    canvas = enlarged(image, scale)
    points = np.round(pixels * scale).astype(int)
    for first, second in BONES:
        if in_view[first] and in_view[second]:
            cv2.line(canvas, points[first].tolist(), points[second].tolist(), BONE_COLOR, 1, cv2.LINE_AA)
    for joint in np.flatnonzero(in_view):
        color, thickness = (VISIBLE_COLOR, -1) if visible[joint] else (HIDDEN_COLOR, 1)
        cv2.circle(canvas, points[joint].tolist(), 2 * scale, color, thickness, cv2.LINE_AA)
    return canvas


def grid(tiles: list[Image], columns: int) -> Image:
    """Arrange equally large pictures in rows, with gaps."""
    height, width = tiles[0].shape[:2]
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * (height + GAP_PX) - GAP_PX, columns * (width + GAP_PX) - GAP_PX, 3), 60, np.uint8)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        y, x = row * (height + GAP_PX), column * (width + GAP_PX)
        sheet[y : y + height, x : x + width] = tile
    return sheet


def sheet_of(folder: Path, count: int = 12, joints: bool = True, scale: int = 1, columns: int = 2) -> Image:
    """Contact sheet of a rig clip or of a data set in Ego4View-Syn's layout: `count` frames, evenly spread.

    Raises:
        EgorearError: the folder is neither, or a file in it is missing or damaged.
    """
    if (folder / "clip.yaml").exists():
        return grid(clip_tiles(RigClip(folder), count, joints, scale), columns)
    frames = sorted(folder.glob(f"rp*/*/{LABELS_FOLDER}/*.json")) or sorted(folder.glob(f"{LABELS_FOLDER}/*.json"))
    if not frames:
        raise EgorearError(f"'{folder}' holds neither a rig clip (clip.yaml) nor Ego4View-Syn sequences (rp*/*)")
    chosen = [frames[i] for i in np.unique(np.linspace(0, len(frames) - 1, count).astype(int))]
    rig = rig_of_data_set(frames[0].resolve().parents[3])
    return grid([syn_tile(path, rig, joints, scale) for path in chosen], columns)


def clip_tiles(clip: RigClip, count: int, joints: bool, scale: int) -> list[Image]:
    """One row of views per chosen frame of a clip."""
    truth = clip.ground_truth
    tiles = []
    for i in np.unique(np.linspace(0, len(clip) - 1, count).astype(int)):
        views = list(clip.frame(int(i)))
        views = [
            draw_joints(image, truth["pixels"][i, v], truth["in_view"][i, v], truth["visible"][i, v], scale)
            if joints and truth
            else enlarged(image, scale)
            for v, image in enumerate(views)
        ]
        tiles.append(np.hstack(views))
    return tiles


def syn_tile(json_path: Path, rig: Rig, joints: bool, scale: int) -> Image:
    """The views of one frame on disk, side by side in the rig's order.

    Args:
        json_path: the frame's labels.
        rig: of the data set; its views that have no folder of images are left out.
        joints: whether to draw them.
        scale: enlargement.

    Raises:
        EgorearError: there is no image of any view, or a file is missing or damaged.
    """
    folder = json_path.parent.parent / "fisheye_rgb"
    cameras = [camera for camera in rig.cameras if (folder / official_name(camera.name)).is_dir()]
    if not cameras:
        raise EgorearError(f"'{folder}' has no images of rig '{rig.name}', whose views are {', '.join(rig.names)}")
    paths = [find_image(folder / official_name(camera.name), json_path.stem, SYN.endings) for camera in cameras]
    images = [decode_jpeg(path.read_bytes(), path.name) for path in paths]  # OpenCV's decoder knows PNG, too
    if not joints:
        return np.hstack([enlarged(image, scale) for image in images])
    labels = read_labels(json_path, rig, [camera.name for camera in cameras])
    drawn = []
    for image, camera, points, there, seen in zip(
        images, cameras, labels.pixels, labels.in_view, labels.visible, strict=True
    ):
        pixels = points * (image.shape[1] / camera.model.width)
        drawn.append(draw_joints(image, pixels, there, seen, scale))
    return np.hstack(drawn)


def save(path: Path, image: Image, largest_bytes: int = 400_000) -> None:
    """Write a picture; a JPEG with the best quality that keeps it below `largest_bytes`.

    Raises:
        EgorearError: OpenCV cannot write pictures of that ending, or not there.
    """
    check_ending(path)
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() not in (".jpg", ".jpeg"):
        if not cv2.imwrite(str(path), bgr):
            raise EgorearError(f"picture '{path}' cannot be written")
        return
    for quality in range(92, 20, -4):
        _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if len(data) < largest_bytes:
            break
    path.write_bytes(bytes(data))


def check_ending(path: Path) -> None:
    """Raise EgorearError if OpenCV cannot write pictures of that ending."""
    if not cv2.haveImageWriter(str(path)):
        raise EgorearError(f"'{path}' is no name of a picture that can be written; end it in .jpg or .png")
