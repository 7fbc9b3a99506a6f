"""A foreign world as an instrument: the study's renderer, with other bodies, clothes, light and mount than ours.

    python benchmarks/foreign_world.py render --prototype DIR --motion clips30.npz --out shards/foreign
    python benchmarks/foreign_world.py table --data shards/foreign --models egorear-s runs/x/best.safetensors
    python benchmarks/foreign_world.py causes --own shards/test --motion shards/val_mocap \
        --mount shards/val_study_mount --looks shards/foreign --models egorear-s

`render` writes shards that `egorear evaluate --data` reads, too. `causes` splits the error by cause: each of its four
data sets differs from the one before in one thing. People are of the study's val split only. Its frames
are for validation: they choose weights and settings, and nothing is ever trained on them. The study is not part of
this repository; it also needs scikit-image.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from egorear_ros.data.opening import open_frames
from egorear_ros.errors import EgorearError
from egorear_ros.evaluation.loading import camera_sets, load_pose_network
from egorear_ros.evaluation.measurement import measure, spread
from egorear_ros.evaluation.summary import summarize
from egorear_ros.evaluation.tables import Table
from egorear_ros.evaluation.view_sets import ALL, FRONT_PAIR
from egorear_ros.skeleton import GROUPS, JOINTS

CALIBRATED_PX = 872
SETS_PER_SHARD = 64
BODY_EVERY, CLIP_EVERY = 4, 2
"""A new person, and a new clip and place, after so many frame sets."""
SHOWN_GROUPS = ("head", "forearms", "hands", "feet", "toes")
COLUMNS = (
    "model",
    "data",
    "4 views",
    "front pair",
    "4 views / front pair",
    "one camera lost",
    *SHOWN_GROUPS,
    "in 90 % interval (%)",
    "tenths of confidence",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    render_parser = commands.add_parser("render", help="write shards of the study's val subjects")
    render_parser.add_argument("--prototype", type=Path, required=True, help="the study's folder")
    render_parser.add_argument("--motion", type=Path, required=True, help="motion library in the study's format")
    render_parser.add_argument("--out", type=Path, required=True, help="new folder")
    render_parser.add_argument("--sets", type=int, default=512)
    render_parser.add_argument("--seed", type=int, default=20261)
    table_parser = commands.add_parser("table", help="errors of models, by views")
    table_parser.add_argument("--data", type=Path, nargs="+", required=True)
    table_parser.add_argument("--models", nargs="+", required=True, help="names or weights files")
    table_parser.add_argument("--sets", type=int, help="at most so many of each folder, evenly spread")
    causes_parser = commands.add_parser("causes", help="how much of the error comes from motion, mount and looks")
    causes_parser.add_argument("--own", type=Path, required=True, help="procedural test motion in our simulator")
    causes_parser.add_argument("--motion", type=Path, required=True, help="the study's clips in our simulator")
    causes_parser.add_argument("--mount", type=Path, required=True, help="the same with the study's mount")
    causes_parser.add_argument("--looks", type=Path, required=True, help="frames of the study's renderer")
    causes_parser.add_argument("--models", nargs="+", required=True, help="names or weights files")
    causes_parser.add_argument("--sets", type=int, help="at most so many of each folder, evenly spread")
    args = parser.parse_args()
    try:
        {"render": render, "table": print_table, "causes": print_causes}[args.command](args)
    except EgorearError as error:
        raise SystemExit(str(error)) from error


def render(args: argparse.Namespace) -> None:
    """Write the shards; a folder that is there already is refused."""
    out = args.out.absolute()
    if out.exists():
        raise EgorearError(f"'{out}' is there already; name a new folder")
    frames = _study_frames(args)
    partial = out.with_name(out.name + ".partial")
    partial.mkdir(parents=True, exist_ok=True)
    for number in range(-(-args.sets // SETS_PER_SHARD)):
        count = min(SETS_PER_SHARD, args.sets - number * SETS_PER_SHARD)
        arrays = _stacked([next(frames) for _ in range(count)])
        np.savez(partial / f"shard_{number:05d}.npz", **arrays)
        print(f"{number * SETS_PER_SHARD + count} of {args.sets} frame sets", flush=True)
    settings = {"generator": "study", "split": "val", "seed": args.seed, "motion": args.motion.name, "sets": args.sets}
    (partial / "shards.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    partial.rename(out)


def _study_frames(args: argparse.Namespace) -> Iterator[tuple[Any, Any, Any]]:
    """Frames of the study's generator; its modules read their files from the working folder."""
    motion = args.motion.absolute()
    os.chdir(args.prototype)
    sys.path.insert(0, str(Path.cwd()))
    import gen

    generator = gen.Gen(seed=args.seed)
    generator.clips = gen.Clips(path=str(motion), split="val")
    for image, _, truth in generator.random_frames(args.sets, per_char=BODY_EVERY, per_clip=CLIP_EVERY):
        yield image, truth, generator.D2C.copy()


def _stacked(frames: list[tuple[Any, Any, Any]]) -> dict[str, Any]:
    """The arrays of a shard; the study's lengths are in cm, its pixels those of the calibration."""
    images, truths, extrinsics = zip(*frames, strict=True)
    return {
        "images": np.stack(images).astype(np.uint8),
        "joints_device_m": np.stack([t["device_pts3d"] for t in truths]).astype(np.float32) / 100,
        "pixels": np.stack([t["camera_pts2d"] for t in truths]).astype(np.float32) / CALIBRATED_PX,
        "in_view": np.stack([t["in_fov"] for t in truths]),
        "visible": np.stack([t["visible"] for t in truths]),
        "camera_from_device": np.stack(extrinsics).astype(np.float32),
        "sequence": np.array([f"{t['clip']}/{t['frame']}" for t in truths]),
        "frame": np.zeros(len(truths), np.int64),
        "action": np.array([str(t["clip"]) for t in truths]),
    }


def print_table(args: argparse.Namespace) -> None:
    """One row per model and folder, errors in millimetres."""
    rows = [row(model, folder, args.sets) for folder in args.data for model in args.models]
    print(Table("Errors in mm, nominal extrinsics", COLUMNS, rows).markdown())


def print_causes(args: argparse.Namespace) -> None:
    """One row per model: the error in our own world, what each cause adds to it, and the foreign world's error."""
    columns = ("model", "own world", "+ motion", "+ mount", "+ looks, bodies and clothes", "= other renderer")
    rows = [_causes(args, model) for model in args.models]
    print(Table("Errors by cause, MPJPE in mm, 4 views, nominal extrinsics", columns, rows).markdown())


def _causes(args: argparse.Namespace, model: str) -> tuple[str, ...]:
    """A row of `print_causes`."""
    network, config, _ = load_pose_network(model)
    errors = []
    for folder, split in ((args.own, "test"), (args.motion, "val"), (args.mount, "val"), (args.looks, "val")):
        source = spread(open_frames(folder, split, config.views), args.sets)
        measured = measure(network, source, {ALL: camera_sets(config)[ALL]})
        errors.append(summarize(measured)["view_sets"][ALL]["mpjpe_mm"])
    added = (f"{after - before:+.1f}" for before, after in pairwise(errors))
    return (str(Path(model).parent.name or model), f"{errors[0]:.1f}", *added, f"{errors[-1]:.1f}")


def row(model: str, folder: Path, sets: int | None) -> tuple[str, ...]:
    """Errors of a model on a folder."""
    network, config, _ = load_pose_network(model)
    source = spread(open_frames(folder, "val", config.views), sets)
    summary = summarize(measure(network, source, camera_sets(config)))
    error = {name: figures["mpjpe_mm"] for name, figures in summary["view_sets"].items()}
    joints = summary["view_sets"][ALL]["per_joint_mm"]
    calibration, compared = summary["calibration"], summary["compared"]
    deciles = [part["error_mm"] for part in calibration["deciles"]]
    return (
        str(Path(model).parent.name or model),
        folder.name,
        f"{error[ALL]:.1f}",
        f"{error[FRONT_PAIR]:.1f}",
        f"{100 * (compared['front_pair_ratio'] - 1):+.0f} %",
        f"{100 * (compared['one_lost_ratio'] - 1):+.0f} %",
        *(f"{np.mean([joints[JOINTS[j]] for j in GROUPS[group]]):.0f}" for group in SHOWN_GROUPS),
        f"{calibration['coverage_percent']['90']:.1f}",
        f"{deciles[0]:.0f} .. {deciles[-1]:.0f}{'' if calibration['monotone'] else ', not monotone'}",
    )


if __name__ == "__main__":
    main()
