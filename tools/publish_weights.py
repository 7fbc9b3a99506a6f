"""Put trained egorear-s weights into assets/models, with a card that says from what data, at what cost, how good.

python tools/publish_weights.py --weights runs/egorear-s/best.safetensors --train-data DIR ... --evaluate DIR ...
    --hardware "2 CPU cores"
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from egorear_ros.data.shards import SETTINGS_FILE
from egorear_ros.network import load_weights, save_weights
from egorear_ros.network.egorear_s import EgoRearS
from egorear_ros.training.shards import read_shards
from egorear_ros.training.validation import evaluate

MODELS = Path(__file__).resolve().parents[1] / "assets" / "models"


def main() -> None:
    """Evaluate and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True, help="written by `egorear train`")
    parser.add_argument("--name", default="egorear-s", help="name to ship it under")
    parser.add_argument("--train-data", type=Path, nargs="+", required=True, help="folders it was trained on")
    parser.add_argument("--evaluate", type=Path, nargs="+", required=True, help="folders to measure it on")
    parser.add_argument("--sets", type=int, default=512, help="frame sets to measure on per folder (default 512)")
    parser.add_argument("--hardware", required=True, help="what it was trained on, in words")
    parser.add_argument("--note", default="", help="what the configuration does not say, for example an interruption")
    args = parser.parse_args()
    network, card = load_weights(args.weights)
    if not isinstance(network, EgoRearS):
        raise SystemExit(f"'{args.weights}' is no egorear-s network")
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
        "result": {
            folder.name: evaluate(network, read_shards([folder], args.sets), network.mean_pose_m.numpy())
            for folder in args.evaluate
        },
        "training": training,
        "validation_mpjpe_mm": card.source["validation_mpjpe_mm"],
    }
    save_weights(MODELS / f"{args.name}.safetensors", network, card.config, source)
    print(json.dumps(source["result"], indent=1))


def _settings(folder: Path) -> dict[str, Any]:
    """What was rendered into a folder of shards."""
    content: dict[str, Any] = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
    return content


if __name__ == "__main__":
    main()
