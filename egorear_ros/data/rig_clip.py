"""Rig clips: a short recording of all cameras of a rig, as camera nodes and the demo play it.

A folder with

- `clip.yaml`: format, views, image size, frames per second, number of frames, and who made it;
- `<view>.avi`: one Motion-JPEG video per view, frame-exact (every frame is a key frame);
- `stamps.csv`: header `frame,<view>,<view>...`; acquisition time of every frame of every view, nanoseconds;
- `rig.yaml`: the rig, readable by `egorear_ros.rig.load_rig`; extrinsics as built, so projections are exact;
- `ground_truth.npz` (optional): joints_device_m (T, 16, 3) float32, pixels (T, V, 16, 2) float32 in the clip's images,
  in_view and visible (T, V, 16) bool, stamps_ns (T,) int64, device_from_world (T, 4, 4), world_from_head (T, 4, 4).

A clip appears under its name only when complete.
"""

from __future__ import annotations

import csv
import math
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from egorear_ros.data.npz import Shapes, check_arrays, read_npz
from egorear_ros.data.video_file import VideoReader
from egorear_ros.datatypes import Skeleton
from egorear_ros.errors import EgorearError
from egorear_ros.plain_data import PlainDataError, read_yaml
from egorear_ros.rig import DEVICE_FRAME, Rig, load_rig, rig_yaml
from egorear_ros.skeleton import NUM_JOINTS

FORMAT: Final = "egorear-rig-clip/1"
TRUTH_ARRAYS: Final = (
    *("joints_device_m", "pixels", "in_view", "visible", "stamps_ns", "device_from_world", "world_from_head"),
)


@dataclass(frozen=True)
class ClipInfo:
    """What `clip.yaml` says.

    Attributes:
        views: names in order.
        size_px: image width and height.
        fps: nominal frames per second.
        frames: number of frames of every view.
        seed: seed of a simulated clip, -1 for a recorded one.
        generator: what made the clip, with version.
        format: version of this format.
    """

    views: tuple[str, ...]
    size_px: tuple[int, int]
    fps: float
    frames: int
    seed: int = -1
    generator: str = ""
    format: str = FORMAT


class RigClipWriter:
    """Writes a clip frame by frame; use it as a context manager.

    Args:
        path: folder to create; must not exist.
        rig: cameras, poses as built.
        size_px: image width and height.
        fps: frames per second.
        jpeg_quality: 1..100.
        seed, generator: noted in clip.yaml.
    """

    def __init__(
        self,
        path: Path,
        rig: Rig,
        size_px: tuple[int, int],
        fps: float,
        jpeg_quality: int = 90,
        seed: int = -1,
        generator: str = "",
    ) -> None:
        if path.exists():
            raise EgorearError(f"'{path}' exists already; name another folder")
        self._path, self._partial = path, path.with_name(path.name + ".partial")
        shutil.rmtree(self._partial, ignore_errors=True)
        self._partial.mkdir(parents=True)
        self._rig, self._size, self._fps = rig, size_px, fps
        self._seed, self._generator = seed, generator
        self._stamps: list[tuple[int, ...]] = []
        self._truth: dict[str, list[NDArray[Any]]] = {}
        self._videos = [self._open(self._partial / f"{name}.avi", jpeg_quality) for name in rig.names]

    def __enter__(self) -> RigClipWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        for video in self._videos:
            video.release()
        if kind is None:
            self._finish()
        else:
            shutil.rmtree(self._partial, ignore_errors=True)

    def write(
        self,
        images: NDArray[np.uint8],
        stamps_ns: int | tuple[int, ...],
        truth: dict[str, NDArray[Any]] | None = None,
    ) -> None:
        """Append one frame.

        Args:
            images: (V, H, W, 3) uint8 RGB.
            stamps_ns: acquisition time, common or one per view.
            truth: this frame's entries of TRUTH_ARRAYS without the leading T.
        """
        expected = (len(self._rig.names), self._size[1], self._size[0], 3)
        if images.shape != expected:
            raise EgorearError(f"clip '{self._path}': images have shape {images.shape}, expected {expected}")
        for video, image in zip(self._videos, images, strict=True):
            video.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        stamps = (stamps_ns,) * len(images) if isinstance(stamps_ns, int) else stamps_ns
        self._stamps.append(stamps)
        for name, value in (truth or {}).items():
            self._truth.setdefault(name, []).append(np.asarray(value))

    def _open(self, path: Path, quality: int) -> cv2.VideoWriter:
        # The built-in writer: no codec of the machine is involved, so bytes are the same everywhere.
        codec = cv2.VideoWriter.fourcc(*"MJPG")
        video = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, codec, self._fps, self._size)
        if not video.isOpened():
            raise EgorearError(f"OpenCV cannot write Motion-JPEG video to '{path}'")
        video.set(cv2.VIDEOWRITER_PROP_QUALITY, quality)
        return video

    def _finish(self) -> None:
        info = ClipInfo(self._rig.names, self._size, self._fps, len(self._stamps), self._seed, self._generator)
        content = {**asdict(info), "views": list(info.views), "size_px": list(info.size_px)}
        (self._partial / "clip.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        (self._partial / "rig.yaml").write_text(rig_yaml(self._rig), encoding="utf-8")
        with (self._partial / "stamps.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["frame", *self._rig.names])
            writer.writerows([index, *row] for index, row in enumerate(self._stamps))
        if self._truth:
            arrays = {name: np.stack(values) for name, values in self._truth.items()}
            np.savez_compressed(self._partial / "ground_truth.npz", **compact(arrays))  # type: ignore[arg-type]
        self._partial.rename(self._path)


def compact(arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Store joints and pixels in single precision: a tenth of a micrometre is enough."""
    return {name: a.astype(np.float32) if name in ("joints_device_m", "pixels") else a for name, a in arrays.items()}


class RigClip:
    """Reads a clip.

    Attributes:
        info: what clip.yaml says.
        rig: the rig at its calibration's resolution; `rig.resized(*info.size_px)` fits the images.
        stamps_ns: (T, V) int64.
        ground_truth: arrays named in TRUTH_ARRAYS; empty if the clip has none.

    Raises:
        EgorearError: the folder is no clip, or incomplete.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.info = read_info(self.path)
        self.rig = load_rig(self.path / "rig.yaml")
        self.stamps_ns = read_stamps(self.path / "stamps.csv", self.info)
        truth = self.path / "ground_truth.npz"
        self.ground_truth: dict[str, NDArray[Any]] = read_truth(truth, self.info) if truth.exists() else {}
        self._videos: dict[str, VideoReader] = {}
        self._next: dict[str, int] = {}

    def __len__(self) -> int:
        return self.info.frames

    def frame(self, index: int) -> NDArray[np.uint8]:
        """(V, H, W, 3) uint8 RGB of all views; going forward frame by frame is fastest."""
        return np.stack([self.view(name, index) for name in self.info.views])

    def view(self, name: str, index: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB of one view.

        Raises:
            EgorearError: no such view or frame, or the video is damaged.
        """
        if name not in self.info.views or not 0 <= index < len(self):
            raise EgorearError(f"clip '{self.path}' has no frame {index} of view '{name}'; it has {len(self)} frames")
        if name not in self._videos:
            self._videos[name] = VideoReader(str(self.video_path(name)))
            self._next[name] = 0
        video = self._videos[name]
        if self._next[name] != index:
            video.set(cv2.CAP_PROP_POS_FRAMES, index)
        done, image = video.read()
        self._next[name] = index + 1
        if not done:
            raise EgorearError(f"clip video '{self.video_path(name)}' ends before frame {index}")
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)

    def video_path(self, name: str) -> Path:
        """The video file of a view."""
        return self.path / f"{name}.avi"


def read_info(path: Path) -> ClipInfo:
    """Read and check clip.yaml."""
    try:
        content = read_yaml(path / "clip.yaml")
        info = ClipInfo(**{**content, "views": tuple(content["views"]), "size_px": tuple(content["size_px"])})
        _check_info(info)
    except (PlainDataError, TypeError, KeyError, ValueError) as error:
        raise EgorearError(f"'{path}' is not a rig clip: clip.yaml {error}") from error
    if info.format != FORMAT:
        raise EgorearError(f"clip '{path}' has format '{info.format}', this version reads '{FORMAT}'")
    return info


def _check_info(info: ClipInfo) -> None:
    """Raise ValueError on values that are no clip's."""
    numbers = (*info.size_px, info.frames)
    if len(info.size_px) != 2 or any(type(n) is not int or not 0 < n < 1 << 31 for n in numbers):
        raise ValueError(f"size_px {info.size_px} and frames {info.frames} must be positive whole numbers")
    names = all(isinstance(view, str) and re.fullmatch(r"\w+", view) for view in info.views)
    if not info.views or not names or len(set(info.views)) != len(info.views):
        raise ValueError(f"views {info.views} must be different names of letters, digits and _")
    if type(info.fps) not in (int, float) or not 0 < info.fps < math.inf:
        raise ValueError(f"fps is {info.fps!r}, it must be a positive number")


def read_stamps(path: Path, info: ClipInfo) -> NDArray[np.int64]:
    """Read stamps.csv: (T, V) nanoseconds."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        stamps = np.array([[int(value) for value in row[1:]] for row in rows[1:]], np.int64)
    except (OSError, ValueError, OverflowError, csv.Error) as error:
        raise EgorearError(f"stamps '{path}' cannot be read: {error}") from error
    if not rows or rows[0][1:] != list(info.views) or stamps.shape != (info.frames, len(info.views)):
        raise EgorearError(f"stamps '{path}' do not fit the clip's {info.frames} frames of views {list(info.views)}")
    return stamps


def read_truth(path: Path, info: ClipInfo) -> dict[str, NDArray[Any]]:
    """Read ground_truth.npz: those of TRUTH_ARRAYS that it has.

    Raises:
        EgorearError: it cannot be read, or does not fit the clip.
    """
    views, frames = len(info.views), info.frames
    flags = ("b", (frames, views, NUM_JOINTS))
    poses = ("f", (frames, 4, 4))
    shapes: Shapes = {
        "joints_device_m": ("f", (frames, NUM_JOINTS, 3)),
        "pixels": ("f", (frames, views, NUM_JOINTS, 2)),
        **{"in_view": flags, "visible": flags, "stamps_ns": ("iu", (frames,))},
        **{"device_from_world": poses, "world_from_head": poses},
    }
    arrays = read_npz(path)
    try:
        check_arrays(arrays, shapes)
    except ValueError as error:
        raise EgorearError(f"ground truth '{path}' does not fit the clip: {error}") from error
    return arrays


def truth_skeleton(joints_device_m: NDArray[np.floating], stamp_ns: int) -> Skeleton:
    """Ground truth as a skeleton: certain, without covariance."""
    return Skeleton(
        stamp_ns=stamp_ns,
        positions_m=joints_device_m.astype(np.float64),
        confidence=np.ones(NUM_JOINTS, np.float32),
        covariance_m2=np.zeros((NUM_JOINTS, 3, 3), np.float32),
        valid=np.ones(NUM_JOINTS, np.bool_),
        views=(),
        frame_id=DEVICE_FRAME,
    )
