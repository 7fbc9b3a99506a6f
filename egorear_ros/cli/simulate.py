"""Simulate the helmet rig: images of all cameras with exact ground truth, as a data set or a rig clip."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from egorear_ros.cli._options import add_world_options

if TYPE_CHECKING:
    from egorear_ros.simulator.recorder import Recording

FREE_WITH_BENCHMARK = {"command", "run", "out", "benchmark", "size", "motion", "workers"}
CLIP_QUALITY = 90


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument(
        "--motion", default="procedural", help="'procedural' or a library made by `egorear motion import`"
    )
    parser.add_argument("--frames", type=int, help="number of frames (default 1000; of a clip 300)")
    parser.add_argument("--sequence-frames", type=int, default=100, help="frames per sequence (default 100)")
    parser.add_argument("--clothes", default="", metavar="DIR", help="dress people in MakeHuman clothes (*.mhclo)")
    parser.add_argument("--fps", type=float, default=30.0, help="frames per second (default 30)")
    parser.add_argument("--rig", default="ego4view", help="rig by name or YAML file (default ego4view)")
    parser.add_argument("--views", nargs="+", default=[], metavar="VIEW", help="only these views of the rig")
    parser.add_argument("--size", type=int, default=256, help="image width in pixels, 64 to 4096 (default 256)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same bytes (default 0)")
    parser.add_argument("--workers", type=int, default=1, help="processes (default 1)")
    add_world_options(parser)
    parser.add_argument("--no-motion-blur", action="store_true", help="leave out motion blur, which costs time")
    parser.add_argument("--clip", action="store_true", help="write one sequence as a rig clip (videos) instead")
    parser.add_argument("--actions", nargs="+", metavar="ACTION", help="procedural actions of the clip, in order")
    parser.add_argument("--quality", type=int, help="JPEG quality of a clip's videos (default 90)")
    parser.add_argument(
        "--benchmark", choices=["val", "test"], help="the fixed EgoRear-Sim set: only --size and --motion are free"
    )


def run(args: argparse.Namespace) -> int:
    """Record, with a progress bar."""
    from egorear_ros.cli._progress import ProgressBar
    from egorear_ros.simulator.recorder import record, record_clip

    recording = recording_from(args)
    with ProgressBar("frames", recording.frames, kept=True) as bar:
        if args.clip:
            actions = tuple(args.actions) if args.actions else None
            record_clip(recording, actions, args.quality or CLIP_QUALITY, progress=bar.advance)
            done = 0
        else:
            done = record(recording, args.workers, bar.advance)
    if args.benchmark:
        print(_sealed(args))
    resumed = f" ({done} were there already)" if done else ""
    print(f"{recording.frames} frames in {recording.out}{resumed}")
    return 0


def recording_from(args: argparse.Namespace) -> Recording:
    """Check the arguments and return the Recording they ask for."""
    from egorear_ros.cli._options import check_ranges, refuse_options
    from egorear_ros.simulator.published_set import benchmark_recording
    from egorear_ros.simulator.recorder import Recording

    check_ranges(
        args,
        frames=(1, 10**9),
        sequence_frames=(1, 10**6),
        size=(64, 4096),
        fps=(1, 240),
        quality=(1, 100),
        workers=(1, 1024),
    )
    if args.benchmark:
        fixed = set(vars(args)) - FREE_WITH_BENCHMARK
        refuse_options(args, configure, sorted(fixed), "cannot be used with --benchmark, which fixes it")
        return benchmark_recording(args.benchmark, args.out, args.size, args.motion)
    if args.looks != "wide":
        refuse_options(args, configure, ("skins",), "is for wide looks: give --looks wide, too")
    if args.clip:
        refuse_options(
            args, configure, ("sequence_frames", "workers"), "has no effect on a clip, which is one sequence"
        )
    else:
        refuse_options(args, configure, ("actions", "quality"), "is for clips: give --clip, too")
    if args.motion != "procedural":
        refuse_options(args, configure, ("actions",), f"is for procedural motion, not for that of '{args.motion}'")
    frames = args.frames if args.frames is not None else 300 if args.clip else 1000
    return Recording(
        out=args.out,
        rig=args.rig,
        views=tuple(args.views),
        motion=args.motion,
        clothes=args.clothes,
        looks=args.looks,
        skins=args.skins,
        frames=frames,
        sequence_frames=args.sequence_frames,
        size_px=args.size,
        fps=args.fps,
        seed=args.seed,
        motion_blur=not args.no_motion_blur,
        mount=args.mount,
    )


def _sealed(args: argparse.Namespace) -> str:
    """Write the fingerprint; say whether it is the published one."""
    from egorear_ros.simulator.published_set import VERSION, difference, published, seal

    found = seal(args.benchmark, args.out)
    text = f"EgoRear-Sim {args.benchmark}, version {VERSION}"
    if args.motion != "procedural":
        return f"{text}, with motion of {Path(args.motion).name}: figures compare with the same motion only"
    differs = difference(found, published(args.benchmark))
    return f"{text}: {f'NOT the published set: {differs}' if differs else 'the published set'}"
