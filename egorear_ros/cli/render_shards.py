"""Render frame sets for training small networks: npz shards at the training resolution."""

from __future__ import annotations

import argparse
from pathlib import Path

from egorear_ros.cli._options import add_world_options
from egorear_ros.errors import EgorearError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--out", type=Path, required=True, help="folder to write; an interrupted run continues")
    parser.add_argument(
        "--motion", default="procedural", help="'procedural' or a library made by `egorear motion import`"
    )
    parser.add_argument("--split", choices=["train", "val", "test"], default="train", help="bodies and clips (train)")
    parser.add_argument("--sets", type=int, default=4096, help="frame sets, rounded up to whole shards (default 4096)")
    parser.add_argument("--size", type=int, default=128, help="image width in pixels (default 128)")
    parser.add_argument("--seed", type=int, help="same seed, same sets (default: train 0, val 1000, test 2000)")
    parser.add_argument("--stride", type=int, help="frames between picks of a sequence (default 15)")
    parser.add_argument("--sequence-frames", type=int, help="length of a sequence at 30 Hz (default 240)")
    parser.add_argument(
        "--tracks",
        action="store_true",
        help="60 frames in a row of each sequence, at 10 to 30 Hz, for training the tracker",
    )
    parser.add_argument(
        "--vary-motion",
        action="store_true",
        help="of a library: mirror, recombine and disturb the clips, and use those that need props (for training)",
    )
    parser.add_argument(
        "--balance-actions", action="store_true", help="of a library: draw actions that many clips show less often"
    )
    add_world_options(parser)
    parser.add_argument("--workers", type=int, default=1, help="processes (default 1)")


def run(args: argparse.Namespace) -> int:
    """Render, with a progress bar."""
    from egorear_ros.cli._options import check_ranges, option, refuse_options
    from egorear_ros.cli._progress import ProgressBar
    from egorear_ros.simulator.shard_writing import USUAL_SEEDS, ShardSettings, write_shards

    if args.looks != "wide":
        refuse_options(args, configure, ("skins",), "is for wide looks: give --looks wide, too")
    for name, default in (("stride", 15), ("sequence_frames", 240)):
        if args.tracks and getattr(args, name) is not None:
            raise EgorearError(f"{option(name)} has no effect with --tracks: leave out one of them")
        setattr(args, name, default if getattr(args, name) is None else getattr(args, name))
    check_ranges(args, sets=(1, 10**7), size=(64, 872), sequence_frames=(1, 10**5), workers=(1, 1024))
    check_ranges(args, stride=(1, args.sequence_frames))
    seed = USUAL_SEEDS[args.split] if args.seed is None else args.seed
    settings = ShardSettings(
        args.motion,
        args.split,
        seed,
        args.size,
        sequence_frames=args.sequence_frames,
        stride=args.stride,
        vary_motion=args.vary_motion,
        balance_actions=args.balance_actions,
        mount=args.mount,
        looks=args.looks,
        skins=args.skins,
        tracks=args.tracks,
    )
    total = -(-args.sets // settings.sets_per_shard) * settings.sets_per_shard
    with ProgressBar("frame sets", total, kept=True) as bar:
        write_shards(args.out, settings, args.sets, args.workers, bar.advance)
    return 0
