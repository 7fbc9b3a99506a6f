"""Make the simulator's pictures in docs/images/: scenes, one sequence, one ground-truth overlay, wide looks.

python tools/simulator_pictures.py docs/images
python tools/simulator_pictures.py docs/images --wide --skins DIR     the picture of wide looks only
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from egorear_ros.simulator.camera_effects import through_jpeg
from egorear_ros.simulator.contact_sheet import draw_joints, grid, save
from egorear_ros.simulator.looks.skins import read_skins
from egorear_ros.simulator.sampler import SEQUENCES_PER_PERSON, Simulator
from egorear_ros.simulator.sequence import Frame, Sequence
from egorear_ros.simulator.settings import SimulatorSettings

SEED = 11


def scene_frames(simulator: Simulator, count: int) -> list[Frame]:
    """One frame each of `count` people in different places."""
    return [simulator.sequence(SEQUENCES_PER_PERSON * k, 90).frame(50) for k in range(count)]


def main() -> None:
    """Parse the command line, render and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--wide", action="store_true", help="only the picture of wide looks")
    parser.add_argument("--skins", type=Path, help="folder of photographic skins for the wide looks")
    args = parser.parse_args()
    wide_picture(args.out, args.skins)
    if not args.wide:
        plain_pictures(args.out)


def wide_picture(out: Path, skins: Path | None) -> None:
    """Sixteen people with wide looks, as their JPEGs show them."""
    read = None if skins is None else read_skins(skins)
    simulator = Simulator(SimulatorSettings(seed=SEED, threads=2, looks="wide", skins=read))
    frames = scene_frames(simulator, 16)
    rows = [np.hstack(list(through_jpeg(frame.images, frame.jpeg_quality))) for frame in frames]
    save(out / "simulator_wide_looks.jpg", grid(rows, 2))


def plain_pictures(out: Path) -> None:
    """The pictures of plain looks."""
    simulator = Simulator(SimulatorSettings(seed=SEED, threads=2))
    frames = scene_frames(simulator, 12)
    save(out / "simulator_scenes.jpg", grid([np.hstack(list(frame.images)) for frame in frames], 2))
    moving = Sequence(simulator, 30, 120, ("walk", "reach", "squat"))
    tiles = [np.hstack(list(moving.frame(i).images)) for i in range(0, 120, 10)]
    save(out / "simulator_sequence.jpg", grid(tiles, 2))
    drawn = [
        np.hstack([draw_joints(image, t.pixels[v], t.in_view[v], t.visible[v]) for v, image in enumerate(f.images)])
        for f in frames[:4]
        for t in [f.truth]
    ]
    save(out / "simulator_ground_truth.jpg", grid(drawn, 1))


if __name__ == "__main__":
    main()
