"""Skeletons from recordings without truth, as files for other tools: .npz, .csv, .bvh, .glb, .mcap, .mp4 and more."""

from __future__ import annotations

import argparse
from pathlib import Path

from egorear_ros.cli._options import add_temporal_options

SOURCES = (
    "a ROS bag, a rig clip, or a folder with one video or one folder of images per camera, named by camera; or "
    "CAMERA=PATH for each camera, for example front_left=left.mp4"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help=SOURCES)
    parser.add_argument(
        "--out",
        nargs="+",
        type=Path,
        required=True,
        metavar="PATH",
        help="files to write, the format by suffix (docs/export.md); or one folder, for a file per recording",
    )
    parser.add_argument(
        "--formats", nargs="+", metavar="SUFFIX", help="formats of the files in the folder (default: npz)"
    )
    parser.add_argument("--overwrite", action="store_true", help="make files again that the folder already has")
    parser.add_argument("--model", default="", help="network: shipped name or .safetensors file (default: as live)")
    parser.add_argument("--rig", default="", help="name or file of the rig (default: the clip's own, else ego4view)")
    parser.add_argument("--views", nargs="+", default=[], metavar="VIEW", help="use only these cameras (default: all)")
    parser.add_argument("--device", default="", choices=("auto", "cpu", "cuda"), help="where the network runs")
    parser.add_argument("--engine", default="", help="how the network runs, see docs/inference.md (default: as live)")
    parser.add_argument("--params-file", default="", help="as of the live graph (default: config/egorear.yaml)")
    parser.add_argument(
        "--rate", type=float, metavar="HZ", help="frame rate of videos or images (default: the videos' own; images 30)"
    )
    add_temporal_options(parser)


def run(args: argparse.Namespace) -> int:
    """Estimate every recording and write its files."""
    from egorear_ros.cli._estimate_all import estimate_all

    return estimate_all(args)
