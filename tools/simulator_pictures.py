"""Make the simulator's pictures in docs/images/: scenes, one sequence, one ground-truth overlay.

python tools/simulator_pictures.py docs/images
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from egorear_ros.simulator.contact_sheet import draw_joints, grid, save
from egorear_ros.simulator.sampler import SEQUENCES_PER_PERSON, Frame, Sequence, Simulator, SimulatorSettings

SEED = 11


def scene_frames(simulator: Simulator, count: int) -> list[Frame]:
    """One frame each of `count` people in different places."""
    return [simulator.sequence(SEQUENCES_PER_PERSON * k, 90).frame(50) for k in range(count)]


def main() -> None:
    """Render and write the three pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
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
