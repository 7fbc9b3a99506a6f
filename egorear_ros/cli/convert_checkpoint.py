"""Convert an official EgoRear, EgoPoseFormer or EgoTAP checkpoint to safetensors with a JSON card."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("official", type=Path, help="official checkpoint: Lightning .ckpt, or .pth")
    parser.add_argument("output", type=Path, help="file to write, .safetensors; the card gets the same name with .json")
    parser.add_argument("--data", choices=["syn", "rw"], help="Ego4View part a pose model was trained on")
    parser.add_argument("--pair", choices=["front", "rear"], help="camera pair a heatmap network was trained on")


def run(args: argparse.Namespace) -> int:
    """Convert, and say what it was."""
    from egorear_ros.network.checkpoint import convert

    name, card = convert(args.official, args.output, args.data, args.pair)
    print(f"{args.official.name} is {name}; wrote {args.output} (sha256 {card.sha256[:12]}...)")
    return 0
