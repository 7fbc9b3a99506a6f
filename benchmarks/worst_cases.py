"""One picture of a model's best, typical and worst frame sets of a data set: images, truth and estimate.

    python benchmarks/worst_cases.py --model egorear-s --data shards/foreign --split val --out worst.jpg

The frame sets are those at chosen percentiles of the error, so that the picture cannot be picked by taste.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from egorear_ros.data.opening import open_frames
from egorear_ros.datatypes import Skeleton
from egorear_ros.errors import EgorearError
from egorear_ros.evaluation.loading import camera_sets, load_pose_network
from egorear_ros.evaluation.measurement import measure, spread
from egorear_ros.evaluation.view_sets import ALL
from egorear_ros.rig import load_rig
from egorear_ros.skeleton import NUM_JOINTS
from egorear_ros.visualization.picture import draw_moment, titled

PERCENTILES = (50, 90, 97, 100)
COLUMNS = 2
JPEG_QUALITY = 80
DEVICE_FRAME = "device"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="name or weights file")
    parser.add_argument("--data", type=Path, required=True, help="shards, or a data set in a known layout")
    parser.add_argument("--split", default="val", choices=("val", "test"))
    parser.add_argument("--sets", type=int, help="look at so many frame sets only, evenly spread")
    parser.add_argument("--percentiles", type=float, nargs="+", default=PERCENTILES, help="of the error")
    parser.add_argument("--out", type=Path, required=True, help="picture to write, .jpg or .png")
    args = parser.parse_args()
    try:
        picture = worst_cases(args)
    except EgorearError as error:
        raise SystemExit(str(error)) from error
    written = cv2.imwrite(str(args.out), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not written:
        raise SystemExit(f"'{args.out}' could not be written")


def worst_cases(args: argparse.Namespace) -> NDArray[np.uint8]:
    """The moments at the percentiles, two beside each other: (H, W, 3) uint8 RGB."""
    network, config, _ = load_pose_network(args.model)
    source = spread(open_frames(args.data, args.split, config.views), args.sets)
    measured = measure(network, source, {ALL: camera_sets(config)[ALL]})
    poses_m = measured.predictions[ALL].joints_m
    error_mm = 1000 * np.linalg.norm(poses_m - measured.truth_m, axis=-1).mean(axis=-1)
    order = np.argsort(error_mm)
    rig, moments = load_rig("ego4view"), []
    for percentile in args.percentiles:
        number = int(order[round(percentile / 100 * (len(order) - 1))])
        images = dict(zip(config.views, source.take(np.array([number])).images[0], strict=True))
        skeletons = {"truth": _skeleton(measured.truth_m[number]), "estimate": _skeleton(poses_m[number])}
        moments.append(titled(draw_moment(rig, images, skeletons), _title(percentile, error_mm[number])))
    blank = np.zeros_like(moments[0])
    moments += [blank] * (-len(moments) % COLUMNS)
    return np.vstack([np.hstack(moments[i : i + COLUMNS]) for i in range(0, len(moments), COLUMNS)])


def _title(percentile: float, error_mm: float) -> str:
    place = {50: "median", 100: "worst"}.get(percentile, f"worse than {percentile:g} % of all")
    return f"{place}: {error_mm:.0f} mm"


def _skeleton(joints_m: NDArray[np.float32]) -> Skeleton:
    known = np.ones(NUM_JOINTS, bool)
    unknown_m2 = np.full((NUM_JOINTS, 3, 3), np.nan, np.float32)
    return Skeleton(0, joints_m.astype(np.float64), known.astype(np.float32), unknown_m2, known, (), DEVICE_FRAME)


if __name__ == "__main__":
    main()
