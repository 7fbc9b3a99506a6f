"""Train the tracker's temporal part for a per-frame model, on rendered tracks."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from egorear_ros.cli._progress import ProgressBar
from egorear_ros.errors import EgorearError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    tracks = "folders made by `egorear render-shards --tracks`"
    parser.add_argument("--data", nargs="+", type=Path, required=True, metavar="DIR", help=tracks)
    parser.add_argument("--validation", type=Path, required=True, metavar="DIR", help="the same, of other people")
    parser.add_argument("--model", default="egorear-s", help="network: shipped name or .safetensors file")
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="folder of encoded tracks and log")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="weights (default: WORK/tracker.safetensors); NAME-tracker.safetensors beside a model NAME.safetensors is "
        "found by itself",
    )
    parser.add_argument("--steps", type=int, default=2200, help="steps of 320 frames (default 2200)")
    parser.add_argument("--seed", type=int, default=0, help="of weights and batches (default 0)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default 1)")


def run(args: argparse.Namespace) -> int:
    """Encode what is not encoded yet, train, calibrate, write the weights."""
    import torch

    from egorear_ros.cli._options import check_ranges
    from egorear_ros.training.temporal_publishing import publish
    from egorear_ros.training.temporal_training import BEST, TemporalTraining, train_temporal

    check_ranges(args, steps=(1, 10**7), threads=(1, 1024))
    out = args.out or args.work / BEST
    if out.suffix != ".safetensors":
        raise EgorearError(f"--out: '{out}' must end in .safetensors")
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    with ProgressBar("encode") as bar:
        train, validation, source = _tracks(args, bar)
        bar.begin("train", args.steps)
        config = TemporalTraining(steps=args.steps, seed=args.seed)
        label = "train, validation MPJPE {:.1f} mm"
        train_temporal(
            config, train, validation, args.work, source, lambda step, error: bar.show(step, label.format(error))
        )
    figures = publish(args.work / BEST, validation, out)
    for name, value in figures.items():
        print(f"{name}: {value}")
    print(out)
    return 0


def _tracks(args: argparse.Namespace, bar: ProgressBar) -> tuple[Any, Any, dict[str, Any]]:
    """Tracks to learn from, tracks to validate on, and what the card says of them."""
    from egorear_ros.data.shards import shard_settings
    from egorear_ros.inference.models import find_weights
    from egorear_ros.network.weights import load_weights, sha256_of
    from egorear_ros.training.tracks import encoded_tracks, joined

    path = find_weights(args.model)
    network, _ = load_weights(path)
    name = sha256_of(path)
    cache = args.work / "encoded"
    folders = (*args.data, args.validation)
    found = [encoded_tracks(each, network, name[:8], cache, bar.advance) for each in folders]
    source = {"model": path.stem, "model_sha256": name, "data": {each.name: shard_settings(each) for each in folders}}
    return joined(found[:-1]), found[-1], source
