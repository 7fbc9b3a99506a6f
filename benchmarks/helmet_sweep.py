"""How a model's error changes with the helmet and its cameras: mount, extrinsic error, exposure, noise, compression.

    python benchmarks/helmet_sweep.py --model egorear-s --out sweep [--motion clips30.npz] [--sets 64]

Every point shows the same people doing the same in the same places, of the val split of our own simulator; one thing
differs. Writes sweep.json and sweep.png. The vertical line is where the simulator's usual helmet lies.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from egorear_ros.data.frame_sets import FrameSets
from egorear_ros.errors import EgorearError
from egorear_ros.evaluation.loading import load_pose_network
from egorear_ros.evaluation.metrics import mpjpe_mm
from egorear_ros.evaluation.prediction import batches, predict_batch, prepare
from egorear_ros.rig import load_rig
from egorear_ros.simulator.camera_effects import through_jpeg
from egorear_ros.simulator.sampler import Simulator
from egorear_ros.simulator.shard_writing import ShardSettings, as_seen, frame_sets
from egorear_ros.training.augmentation import disturbed

SEED = 20263
SEQUENCE_FRAMES, PICKED = 240, (60, 180)
MOUNTS = {
    "tilt (degrees)": ("tilt", 1.0, (-5, 0, 5, 9, 15, 20, 25, 30), 9),
    "ahead of the forehead (cm)": ("ahead", 0.01, (0, 2, 4, 6, 8, 10, 12), 5.75),
    "below the top of the head (cm)": ("below", 0.01, (-2, 0, 3, 6, 9), 3),
}
"""Title -> what is fixed, metres or degrees per unit, values, and the usual one."""

Images = NDArray[np.uint8]


def exposed(images: Images, stops: float) -> Images:
    """Images (V, S, S, 3) with so many times twice the light, clipped as a sensor does."""
    light = np.clip((images / 255.0) ** 2.2 * 2.0**stops, 0, 1)
    return np.asarray(light ** (1 / 2.2) * 255, np.uint8)


def noisy(images: Images, percent: float) -> Images:
    """Images with noise of this standard deviation, in percent of full scale."""
    noise = np.random.default_rng(1).normal(0, 2.55 * percent, images.shape)
    return np.clip(images + noise, 0, 255).astype(np.uint8)


def compressed(images: Images, quality: float) -> Images:
    """Images after JPEG of this quality."""
    return through_jpeg(images, int(quality))


CAMERAS: dict[str, tuple[Callable[[Images, float], Images], tuple[float, ...], float]] = {
    "exposure (stops)": (exposed, (-4, -3, -2, -1, 0, 1, 2, 3), 0),
    "noise (% of full scale)": (noisy, (0, 2, 5, 10, 15), 0),
    "JPEG quality": (compressed, (95, 50, 30, 15, 5), 95),
}
EXTRINSICS = {"extrinsic rotation error (degrees)": (0, 0.5, 1, 2, 4), "extrinsic shift error (cm)": (0, 0.5, 1, 2, 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="egorear-s", help="name or weights file")
    parser.add_argument("--motion", default="procedural", help="'procedural' or a motion library")
    parser.add_argument("--sets", type=int, default=64, help="frame sets per point (default 64)")
    parser.add_argument("--out", type=Path, required=True, help="new folder")
    args = parser.parse_args()
    try:
        if args.out.exists():
            raise EgorearError(f"'{args.out}' is there already; name a new folder")
        curves = dict(sweeps(args))
    except EgorearError as error:
        raise SystemExit(str(error)) from error
    args.out.mkdir(parents=True)
    (args.out / "sweep.json").write_text(json.dumps(curves, indent=1) + "\n", encoding="utf-8")
    plot(curves, args.out / "sweep.png")


def sweeps(args: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Title -> values, errors in mm, and the usual value."""
    network, _, _ = load_pose_network(args.model)
    for title, (name, unit, values, usual) in MOUNTS.items():
        errors = [error_mm(network, rendered(args, f"{name}={value * unit:g}")) for value in values]
        yield shown(title, values, errors, usual)
    plain = rendered(args, "usual")
    for title, (change, levels, usual) in CAMERAS.items():
        changed = (np.stack([change(images, level) for images in plain.images]) for level in levels)
        errors = [error_mm(network, dataclasses.replace(plain, images=images)) for images in changed]
        yield shown(title, levels, errors, usual)
    nominal = np.stack([camera.camera_from_device for camera in load_rig("ego4view").cameras]).astype(np.float32)
    told = np.broadcast_to(nominal, (len(plain), *nominal.shape))
    for title, levels in EXTRINSICS.items():
        turned = "rotation" in title
        errors = []
        for level in levels:
            wrong = disturbed(np.random.default_rng(2), told, level if turned else 0, 0 if turned else level / 100)
            errors.append(error_mm(network, plain, wrong))
        yield shown(title, levels, errors, 0)


def shown(title: str, values: Any, errors: list[float], usual: float) -> tuple[str, dict[str, Any]]:
    """Print a curve as it is done, and return it."""
    worst = max(errors) / min(errors)
    print(f"{title}: {', '.join(f'{v:g}: {e:.1f}' for v, e in zip(values, errors, strict=True))}; x {worst:.2f}")
    return title, {"values": list(values), "mpjpe_mm": [round(error, 1) for error in errors], "usual": usual}


def rendered(args: argparse.Namespace, mount: str) -> FrameSets:
    """The frame sets of one mount."""
    settings = ShardSettings(motion=args.motion, split="val", seed=SEED, mount=mount)
    simulator: Simulator = settings.simulator()
    picks = [divmod(number, len(PICKED)) for number in range(args.sets)]
    return frame_sets([as_seen(simulator.sequence(s, SEQUENCE_FRAMES), PICKED[pick]) for s, pick in picks])


def error_mm(network: Any, sets: FrameSets, camera_from_device: NDArray[np.float32] | None = None) -> float:
    """MPJPE with all views."""
    found, start = [], 0
    for part in batches(sets):
        told = None if camera_from_device is None else camera_from_device[start : start + len(part)]
        found.append(predict_batch(network, prepare(network, part), (True,) * 4, told).joints_m)
        start += len(part)
    return float(mpjpe_mm(np.concatenate(found), sets.joints_device_m).mean())


def plot(curves: dict[str, dict[str, Any]], path: Path) -> None:
    """All curves in one picture, on one scale."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 4, figsize=(16, 7), sharey=True, layout="constrained")
    for axis, (title, curve) in zip(axes.flat, curves.items(), strict=True):
        axis.plot(curve["values"], curve["mpjpe_mm"], "o-")
        axis.axvline(curve["usual"], color="0.8", zorder=0)
        axis.axhline(1.4 * min(curve["mpjpe_mm"]), color="tab:red", linestyle=":", linewidth=1)
        axis.set(title=title, ylim=(0, None))
    for row in axes:
        row[0].set_ylabel("MPJPE (mm)")
    figure.suptitle("Error over helmet and cameras; dotted: 1.4 times the best")
    figure.savefig(path, dpi=90)


if __name__ == "__main__":
    main()
