"""Pictures of simulated data: views side by side, with the joints drawn in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from egorear_ros.data.ego4view_syn import official_name
from egorear_ros.data.rig_clip import RigClip
from egorear_ros.errors import EgorearError
from egorear_ros.skeleton import BONES, JOINTS

Image = NDArray[np.uint8]

BONE_COLOR: Final = (255, 220, 0)
VISIBLE_COLOR: Final = (0, 230, 0)
HIDDEN_COLOR: Final = (255, 60, 40)
CALIBRATION_PX: Final = 872
GAP_PX: Final = 6


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
    canvas = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    points = np.round(pixels * scale).astype(int)
    for first, second in BONES:
        if in_view[first] and in_view[second]:
            cv2.line(canvas, points[first].tolist(), points[second].tolist(), BONE_COLOR, 1, cv2.LINE_AA)
    for joint in np.flatnonzero(in_view):
        color, thickness = (VISIBLE_COLOR, -1) if visible[joint] else (HIDDEN_COLOR, 1)
        cv2.circle(canvas, points[joint].tolist(), 2 * scale, color, thickness, cv2.LINE_AA)
    return np.asarray(canvas, np.uint8)


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
        EgorearError: the folder is neither.
    """
    if (folder / "clip.yaml").exists():
        return grid(clip_tiles(RigClip(folder), count, joints, scale), columns)
    frames = sorted(folder.glob("rp*/*/json_smplx_gendered/*.json")) or sorted(
        folder.glob("json_smplx_gendered/*.json")
    )
    if not frames:
        raise EgorearError(f"'{folder}' holds neither a rig clip (clip.yaml) nor Ego4View-Syn sequences (rp*/*)")
    chosen = [frames[i] for i in np.unique(np.linspace(0, len(frames) - 1, count).astype(int))]
    return grid([syn_tile(path, joints, scale) for path in chosen], columns)


def clip_tiles(clip: RigClip, count: int, joints: bool, scale: int) -> list[Image]:
    """One row of views per chosen frame of a clip."""
    truth = clip.ground_truth
    tiles = []
    for i in np.unique(np.linspace(0, len(clip) - 1, count).astype(int)):
        views = list(clip.frame(int(i)))
        if joints and truth:
            views = [
                draw_joints(image, truth["pixels"][i, v], truth["in_view"][i, v], truth["visible"][i, v], scale)
                for v, image in enumerate(views)
            ]
        tiles.append(np.hstack(views))
    return tiles


def syn_tile(json_path: Path, joints: bool, scale: int) -> Image:
    """The views of one frame on disk, side by side."""
    content = json.loads(json_path.read_text(encoding="utf-8"))
    folder = json_path.parent.parent / "fisheye_rgb"
    cameras = [camera for camera in camera_order(folder) if (folder / camera).is_dir()]
    extra = content.get("egorear", {})
    views = []
    for v, camera in enumerate(cameras):
        image = cv2.cvtColor(cv2.imread(str(folder / camera / f"{json_path.stem}.jpg")), cv2.COLOR_BGR2RGB)
        if joints:
            pixels = np.array([content["joints"][name][f"{camera}_pts2d"] for name in JOINTS])
            pixels = pixels * image.shape[1] / CALIBRATION_PX
            everywhere = np.ones(len(JOINTS), bool)
            in_view = np.array(extra["in_view"][v], bool) if "in_view" in extra else everywhere
            visible = np.array(extra["visible"][v], bool) if "visible" in extra else everywhere
            image = draw_joints(image, pixels, in_view, visible, scale)
        views.append(image)
    return np.hstack(views)


def camera_order(folder: Path) -> list[str]:
    """Camera folders in view order."""
    official = [official_name(view) for view in ("front_left", "front_right", "rear_left", "rear_right")]
    return official + sorted(path.name for path in folder.iterdir() if path.name not in official)


def save(path: Path, image: Image, largest_bytes: int = 400_000) -> None:
    """Write a picture; a JPEG with the best quality that keeps it below `largest_bytes`."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() not in (".jpg", ".jpeg"):
        cv2.imwrite(str(path), bgr)
        return
    for quality in range(92, 20, -4):
        _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if len(data) < largest_bytes:
            break
    path.write_bytes(bytes(data))
