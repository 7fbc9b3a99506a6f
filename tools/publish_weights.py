"""Put trained egorear-s weights into assets/models, with a card that says from what data, at what cost, how good.

python tools/publish_weights.py --weights runs/egorear-s/best.safetensors --train-data DIR ... --evaluate DIR ...
    --hardware "2 CPU cores"
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from egorear_ros.data.opening import open_frames
from egorear_ros.evaluation.calibration import fit_std_scale, scale_std
from egorear_ros.evaluation.measurement import measure, spread
from egorear_ros.evaluation.prediction import predict
from egorear_ros.evaluation.summary import short, summarize
from egorear_ros.evaluation.view_sets import view_sets
from egorear_ros.network import load_weights, save_weights
from egorear_ros.network.egorear_s import EgoRearS

SETTINGS_FILES = ("shards.json", "simulation.yaml")
MODELS = Path(__file__).resolve().parents[1] / "assets" / "models"


def main() -> None:
    """Evaluate and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True, help="written by `egorear train`")
    parser.add_argument("--name", default="egorear-s", help="name to ship it under")
    parser.add_argument("--train-data", type=Path, nargs="+", required=True, help="folders it was trained on")
    parser.add_argument("--evaluate", type=Path, nargs="+", required=True, help="folders to measure it on")
    parser.add_argument("--sets", type=int, default=512, help="frame sets to measure on per folder (default 512)")
    parser.add_argument("--calibrate", type=Path, help="validation data to scale the standard deviations on")
    parser.add_argument("--hardware", required=True, help="what it was trained on, in words")
    parser.add_argument("--note", default="", help="what the configuration does not say, for example an interruption")
    args = parser.parse_args()
    network, card = load_weights(args.weights)
    if not isinstance(network, EgoRearS):
        raise SystemExit(f"'{args.weights}' is no egorear-s network")
    factor = 1.0 if args.calibrate is None else calibrate(network, args.calibrate, args.sets)
    training = card.source["training"]
    source: dict[str, Any] = {
        "data": {folder.name: _settings(folder) for folder in (*args.train_data, *args.evaluate)},
        "budget": {
            "hardware": args.hardware,
            "train_sets": training["train_sets"],
            "steps": card.source["step"],
            "note": args.note,
            "training_seconds": card.source["seconds"],
        },
        "result": {folder.name: figures(network, folder, args.sets) for folder in args.evaluate},
        "training": training,
        "std_scaled_by": round(factor, 4),
        "validation_mpjpe_mm": card.source["validation_mpjpe_mm"],
    }
    save_weights(MODELS / f"{args.name}.safetensors", network, card.config, source)
    print(json.dumps(source["result"], indent=1))


def calibrate(network: EgoRearS, folder: Path, sets: int) -> float:
    """Scale the standard deviations so that 90 % intervals cover 90 % of validation data; return the factor."""
    source = spread(open_frames(folder, "val", network.config.views), sets)
    answers = predict(network, source, (True,) * len(network.config.views))
    truth = source.take(np.arange(len(source))).joints_device_m
    factor = fit_std_scale(answers.joints_m, truth, answers.std_m)
    scale_std(network, factor)
    return factor


def figures(network: EgoRearS, folder: Path, sets: int) -> dict[str, Any]:
    """What the card says of one folder."""
    source = spread(open_frames(folder, "test", network.config.views), sets)
    return short(summarize(measure(network, source, view_sets(network.config.views))))


def _settings(folder: Path) -> dict[str, Any]:
    """What was rendered into a folder."""
    path = next(folder / name for name in SETTINGS_FILES if (folder / name).exists())
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))  # JSON is YAML
    return content


if __name__ == "__main__":
    main()
