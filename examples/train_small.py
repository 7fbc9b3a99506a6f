"""Train a small model: simulated frame sets in, weights out that `PoseEstimator.from_pretrained` loads.

    egorear render-shards --out shards --sets 256 --size 64
    python examples/train_small.py shards OUT [STEPS]

The network is a narrow egorear-s for 64 px images. docs/training.md says how the shipped weights were made.
"""

from __future__ import annotations

import sys
from pathlib import Path

from egorear_ros import PoseEstimator
from egorear_ros.data.opening import open_frames
from egorear_ros.training.config import TrainingConfig
from egorear_ros.training.run import build_run
from egorear_ros.training.start import BEST
from egorear_ros.training.trainer import train

NARROW = {"width": 16, "channels": 16, "dim": 32, "image_size": 64, "refinement_layers": 1, "lifting_layers": 1}


def main() -> None:
    """Train, and load the weights that were best on the validation sets."""
    data, out = sys.argv[1], Path(sys.argv[2])
    steps = int(sys.argv[3]) if len(sys.argv) > 3 else 200
    config = TrainingConfig(
        out=str(out), network=NARROW, steps=steps, batch=8, warmup_steps=steps // 10, validate_every=max(1, steps // 4)
    )
    frames = open_frames(data, split=None)
    # A real model is validated on people it does not train on.
    run = build_run(config, train=frames, validation=frames)
    best_mm = train(run, resume=False, progress=lambda step, error_mm: print(f"step {step}", end="\r"))
    print(f"best mean error {best_mm:.0f} mm after {run.step} steps: {out / BEST}")
    estimator = PoseEstimator.from_pretrained(str(out / BEST), engine="torch")
    print(f"loaded again, views {', '.join(estimator.views)}")


if __name__ == "__main__":
    main()
