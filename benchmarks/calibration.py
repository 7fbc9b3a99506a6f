"""How exact `egorear calibrate` is: rendered boards, a rig that is known, and what comes out.

    python benchmarks/calibration.py [--seeds 20] [--board charuco|aprilgrid] [--lens omni] [--moving] [--out FILE.json]

Each seed draws a helmet like `ego4view` whose cameras sit up to 1 cm and 3 degrees elsewhere and whose lenses are
stretched, skewed and decentred by what real lenses show, shows it a board 12 to 30 times per camera, and renders what
each camera sees, with blur, noise and JPEG. With --moving the board is carried around and every camera has a clock of
its own.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from egorear_ros.calibration.boards import AprilGrid, Board, CharucoTarget
from egorear_ros.calibration.detection import BoardDetector
from egorear_ros.calibration.lenses import DEFAULT_LENS, LENSES
from egorear_ros.calibration.pictures import Picture, Pictures
from egorear_ros.calibration.rendering import BoardRenderer, Imperfections
from egorear_ros.calibration.solving import Calibration, CalibrationOptions, calibrate
from egorear_ros.errors import EgorearError
from egorear_ros.rig import CameraModel, Rig, load_rig
from egorear_ros.rig.rigid import Matrix, inverse, rigid, transform_points

Floats = NDArray[np.float64]
BOARDS: dict[str, Board] = {
    "charuco": CharucoTarget(9, 6, 0.04, 0.03),
    "aprilgrid": AprilGrid(6, 4, 0.055, 0.3),
}
LEAST_VISIBLE = 12
RATE_HZ, SECONDS = 10.0, 4.0


class RealLens:
    """A lens that deviates from a formula: stretched, skewed, and decentred as Brown describes it.

    Args:
        base: the plain lens.
        stretch, skew: upper triangle of the affine part, relative.
        decentring: (p1, p2) at the image circle's radius.
    """

    def __init__(self, base: CameraModel, stretch: float, skew: float, decentring: tuple[float, float]) -> None:
        self.width, self.height = base.width, base.height
        self.image_circle_radius_px = base.image_circle_radius_px
        self._base, self._decentring = base, decentring
        self._affine = np.array([[1 + stretch, skew], [0.0, 1.0]])
        self._center = np.array(base.center_px)

    def project(self, points: Floats) -> Floats:
        """(..., 3) to (..., 2) pixels."""
        offset = self._base.project(points) - self._center
        return (offset + self._shift(offset)) @ self._affine.T + self._center

    def unproject(self, pixels: Floats) -> Floats:
        """(..., 2) pixels to (..., 3) rays; the deviations are undone by repetition."""
        wanted = (pixels - self._center) @ np.linalg.inv(self._affine).T
        offset = wanted
        for _ in range(8):
            offset = wanted - self._shift(offset)
        return self._base.unproject(offset + self._center)

    def in_view(self, points: Floats) -> NDArray[np.bool_]:
        """Whether (..., 3) points are inside the image circle and the plain lens's field of view."""
        off = np.linalg.norm(self.project(points) - np.array([self.width, self.height]) / 2, axis=-1)
        angle = np.arctan2(np.linalg.norm(points[..., :2], axis=-1), points[..., 2])
        return (off < self.image_circle_radius_px) & (angle < self._base.max_angle_rad)

    def _shift(self, offset: Floats) -> Floats:
        x, y = np.moveaxis(offset / self.image_circle_radius_px, -1, 0)
        (p1, p2), square = self._decentring, x * x + y * y
        shift = [2 * p1 * x * y + p2 * (square + 2 * x * x), p1 * (square + 2 * y * y) + 2 * p2 * x * y]
        return np.stack(shift, -1) * self.image_circle_radius_px


@dataclass(frozen=True)
class Truth:
    """A helmet that is known: lenses, camera_from_device, and what is added to each clock."""

    names: tuple[str, ...]
    lenses: tuple[RealLens, ...]
    poses: tuple[Matrix, ...]
    offsets_s: tuple[float, ...]


def drawn_helmet(rng: np.random.Generator) -> Truth:
    """A helmet like `ego4view`, as it might really be built."""
    rig, lenses, poses = load_rig("ego4view"), [], []
    for camera in rig.cameras:
        p1, p2 = rng.normal(0, 0.0015, 2)
        lenses.append(RealLens(camera.model, rng.normal(0, 0.002), rng.normal(0, 0.0007), (float(p1), float(p2))))
        turn = Rotation.from_rotvec(np.radians(rng.uniform(-3, 3, 3))).as_matrix()
        poses.append(rigid(turn, rng.uniform(-0.01, 0.01, 3)) @ camera.camera_from_device)
    offsets = (0.0, *(float(value) for value in rng.uniform(-0.05, 0.05, 3)))
    return Truth(rig.names, tuple(lenses), tuple(poses), offsets)


def facing(rng: np.random.Generator, board: Board, truth: Truth, camera: int, off_axis: float, reach: float) -> Matrix:
    """device_from_board of a board that one camera sees so far off its axis (rad) and at such a distance (m)."""
    around = rng.uniform(0, 2 * math.pi)
    axis = np.array([math.sin(off_axis) * math.cos(around), math.sin(off_axis) * math.sin(around), math.cos(off_axis)])
    x = np.cross([0.0, 1.0, 0.0], axis)
    x /= np.linalg.norm(x)
    straight = np.stack([x, np.cross(axis, x), axis], -1)
    tilt = Rotation.from_euler("zyx", [rng.uniform(-180, 180), *rng.uniform(-40, 40, 2)], degrees=True).as_matrix()
    width, height = board.size_m
    turn = straight @ tilt
    return inverse(truth.poses[camera]) @ rigid(turn, axis * reach - turn @ [width / 2, height / 2, 0])


def moments(rng: np.random.Generator, board: Board, truth: Truth) -> list[tuple[Matrix, NDArray[np.int64]]]:
    """Poses of a board shown to one camera after the other, and who takes a picture: 12 to 30 pictures per camera."""
    counts, found, wanted = np.zeros(len(truth.names), int), [], int(rng.integers(12, 22))
    while counts.min() < wanted:
        camera = int(counts.argmin())
        pose = facing(rng, board, truth, camera, math.radians(rng.uniform(0, 78)), rng.uniform(0.22, 0.5))
        seen = visible(board, truth, pose) & (counts < 30)
        if seen[camera]:
            counts += seen
            found.append((pose, np.flatnonzero(seen)))
    return found


def visible(board: Board, truth: Truth, device_from_board: Matrix) -> NDArray[np.bool_]:
    """(C,) whether each camera sees the front of the board, and enough of its corners."""
    seen = []
    for lens, pose in zip(truth.lenses, truth.poses, strict=True):
        camera_from_board = pose @ device_from_board
        points = transform_points(camera_from_board, board.corners_m)
        seen.append(inverse(camera_from_board)[2, 3] < -0.05 and lens.in_view(points).sum() >= LEAST_VISIBLE)
    return np.array(seen)


def motion(rng: np.random.Generator, board: Board, truth: Truth) -> Any:
    """A board carried around under the helmet: time in seconds to device_from_board."""
    knots = np.arange(-2.0, SECONDS + 3.0, 0.8)
    poses = [
        facing(rng, board, truth, k % 4, math.radians(rng.uniform(0, 60)), rng.uniform(0.3, 0.5))
        for k in range(len(knots))
    ]
    width, height = board.size_m
    centre = np.array([width / 2, height / 2, 0])
    middle = CubicSpline(knots, np.stack([transform_points(pose, centre) for pose in poses]))
    swing = CubicSpline(knots, rng.uniform(-0.6, 0.6, (len(knots), 3)))

    def at(time_s: float) -> Matrix:
        place = middle(time_s)
        z = place + np.array([0, -0.1, 0.2])
        z /= np.linalg.norm(z)
        x = np.cross([0.0, 1.0, 0.0], z)
        x /= np.linalg.norm(x)
        turn = np.stack([x, np.cross(z, x), z], -1) @ Rotation.from_rotvec(swing(time_s)).as_matrix()
        return rigid(turn, place - turn @ centre)

    return at


def pictures_at_rest(rng: np.random.Generator, board: Board, truth: Truth) -> Pictures:
    """What the cameras see of a board that is held still, moment by moment."""
    renderers = [BoardRenderer(board, lens, samples=2) for lens in truth.lenses]
    real = imperfections(rng)
    found: dict[str, list[Picture]] = {name: [] for name in truth.names}
    detector = BoardDetector(board)
    for number, (pose, cameras) in enumerate(moments(rng, board, truth)):
        for c in cameras:
            image = renderers[c].render(truth.poses[c] @ pose, rng, real)
            found[truth.names[c]].append(Picture.of(image, f"{number:04d}.jpg", number, None, detector))
    return Pictures(found)


def pictures_in_motion(rng: np.random.Generator, board: Board, truth: Truth) -> Pictures:
    """What the cameras record of a moving board, each at its own rhythm and by its own clock."""
    renderers = [BoardRenderer(board, lens, samples=2) for lens in truth.lenses]
    real, at, detector = imperfections(rng), motion(rng, board, truth), BoardDetector(board)
    found: dict[str, list[Picture]] = {}
    for c, name in enumerate(truth.names):
        times = rng.uniform(0, 1 / RATE_HZ) + np.arange(int(SECONDS * RATE_HZ)) / RATE_HZ
        found[name] = [
            Picture.of(
                renderers[c].render(truth.poses[c] @ at(time_s), rng, real),
                f"{k:04d}",
                None,
                float(time_s - truth.offsets_s[c]),
                detector,
            )
            for k, time_s in enumerate(times)
        ]
    return Pictures(found)


def imperfections(rng: np.random.Generator) -> Imperfections:
    """A camera as it might be."""
    return Imperfections(
        blur_px=float(rng.uniform(0.5, 1.2)),
        noise=float(rng.uniform(2, 7)),
        jpeg_quality=int(rng.integers(75, 96)),
        light=float(rng.uniform(0.5, 1.0)),
    )


def errors(truth: Truth, found: Calibration) -> dict[str, float]:
    """Largest over the cameras: projection (px RMS over the circle), position (mm), angle (degrees), offset (ms)."""
    rig: Rig = found.rig
    result = {"projection_px": 0.0, "position_mm": 0.0, "angle_deg": 0.0, "offset_ms": 0.0}
    grid = np.stack(np.meshgrid(*(np.arange(4.0, size, 8.0) for size in (872, 872))), -1).reshape(-1, 2)
    pixels = grid[np.linalg.norm(grid - 436, axis=-1) < 436]
    for c, name in enumerate(truth.names):
        off = np.linalg.norm(rig[name].model.project(truth.lenses[c].unproject(pixels)) - pixels, axis=-1)
        rms = math.sqrt(float((off**2).mean()))
        ours = rig[name].camera_from_device @ inverse(rig[truth.names[0]].camera_from_device)
        right = truth.poses[c] @ inverse(truth.poses[0])
        apart = inverse(ours)[:3, 3] - inverse(right)[:3, 3]
        turned = Rotation.from_matrix(ours[:3, :3] @ right[:3, :3].T).magnitude()
        for key, value in (
            ("projection_px", rms),
            ("position_mm", 1000 * float(np.linalg.norm(apart))),
            ("angle_deg", math.degrees(turned)),
            ("offset_ms", 1000 * abs(found.offsets_s.get(name, math.nan) - truth.offsets_s[c] + truth.offsets_s[0])),
        ):
            result[key] = max(result[key], value)
    return result


def run_seed(seed: int, board: Board, lens: str, moving: bool) -> dict[str, Any]:
    """One helmet: what came out, or why not."""
    rng = np.random.default_rng(seed)
    truth = drawn_helmet(rng)
    pictures = (pictures_in_motion if moving else pictures_at_rest)(rng, board, truth)
    counts = [len(pictures.of[name]) for name in truth.names]
    begin = time.process_time()
    try:
        found = calibrate(board, pictures, CalibrationOptions(lens=lens))
    except EgorearError as error:
        return {"seed": seed, "views": counts, "refused": str(error)}
    seconds = time.process_time() - begin
    stated = {
        "stated_px": max(camera.lens_px for camera in found.cameras),
        "stated_mm": 1000 * max(camera.position_m for camera in found.cameras),
        "stated_deg": math.degrees(max(camera.angle_rad for camera in found.cameras)),
    }
    return {
        "seed": seed, "views": counts, **errors(truth, found), "rms_px": found.rms_px, **stated, "seconds": seconds,
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--board", choices=BOARDS, default="charuco")
    parser.add_argument("--lens", choices=LENSES, default=DEFAULT_LENS)
    parser.add_argument("--moving", action="store_true")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    rows = []
    for seed in range(args.first, args.first + args.seeds):
        rows.append(run_seed(seed, BOARDS[args.board], args.lens, args.moving))
        print(json.dumps(rows[-1]), flush=True)
    done = [row for row in rows if "refused" not in row]
    for key in ("projection_px", "position_mm", "angle_deg", "offset_ms", "rms_px"):
        values = [row[key] for row in done]
        print(f"{key}: median {np.median(values):.3f}, largest {np.max(values):.3f}")
    print(f"{len(done)} of {len(rows)} rigs")
    if args.out:
        args.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
