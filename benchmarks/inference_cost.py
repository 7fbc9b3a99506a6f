"""What inference costs over the number of views, the batch and the resolution: measure, then plot.

    python benchmarks/inference_cost.py measure --engine openvino views batch network camera --out out/cost
    python benchmarks/inference_cost.py plot out/cost docs/images/inference_cost.png

Every point is one run of `egorear benchmark`'s comparison: the engine takes turns with the plain reference graph, in
processes of their own. The picture has a panel per measured sweep. "views", "batch" and "camera" (size of
the camera images) take the shipped egorear-s, "network" (size of the images the network sees) the same network with
random weights, whose time is the same.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from egorear_ros.benchmarking.session import compare
from egorear_ros.benchmarking.settings import BenchmarkSettings
from egorear_ros.inference.estimator import find_weights
from egorear_ros.network import build
from egorear_ros.network.weights import load_weights, save_weights
from egorear_ros.rig import VIEWS

BATCHES = (1, 2, 4, 8, 16, 32)
NETWORK_SIZES = (64, 128, 192, 256)
CAMERA_SIZES = (256, 480, 640, 872, 1280)
COLOURS = {"decode": "#9db4c0", "preprocess": "#5c6b73", "network": "#e07a5f", "postprocess": "#3d405b"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("sweeps", nargs="+", choices=list(SWEEPS))
    measuring.add_argument("--model", default="egorear-s")
    measuring.add_argument("--engine", default="torch")
    measuring.add_argument("--seconds", type=float, default=1.0)
    measuring.add_argument("--rounds", type=int, default=2)
    measuring.add_argument("--out", type=Path, required=True, help="folder of the figures, one JSON file per sweep")
    plotting = commands.add_parser("plot")
    plotting.add_argument("figures", type=Path)
    plotting.add_argument("picture", type=Path)
    args = parser.parse_args()
    if args.command == "plot":
        plot(args.figures, args.picture)
    else:
        measure(args)


def measure(args: argparse.Namespace) -> None:
    args.out.mkdir(parents=True, exist_ok=True)
    base = BenchmarkSettings(args.model, seconds=args.seconds, rounds=args.rounds)
    for sweep in args.sweeps:
        points = []
        with tempfile.TemporaryDirectory() as folder:
            for value, settings in SWEEPS[sweep](base, Path(folder)):
                result = compare(settings, [args.engine])
                points.append({"value": value, **result})
                print(sweep, value, *(f"{engine['engine']} {whole(engine):.1f} ms" for engine in result["engines"]))
        (args.out / f"{sweep}.json").write_text(json.dumps(points, indent=2) + "\n", encoding="utf-8")


def over_views(base: BenchmarkSettings, folder: Path) -> Iterator[tuple[int, BenchmarkSettings]]:
    del folder
    for count in range(1, len(VIEWS) + 1):
        yield count, replace(base, views=VIEWS[:count])


def over_batch(base: BenchmarkSettings, folder: Path) -> Iterator[tuple[int, BenchmarkSettings]]:
    del folder
    for batch in BATCHES:
        yield batch, replace(base, batch=batch)


def over_network_size(base: BenchmarkSettings, folder: Path) -> Iterator[tuple[int, BenchmarkSettings]]:
    _, card = load_weights(find_weights(base.model))
    for size in NETWORK_SIZES:
        config = replace(card.config, image_size=size)
        path = folder / f"{size}.safetensors"
        save_weights(path, build(config), config, {"made_by": "benchmarks/inference_cost.py"})
        yield size, replace(base, model=str(path))


def over_camera_size(base: BenchmarkSettings, folder: Path) -> Iterator[tuple[int, BenchmarkSettings]]:
    del folder
    for size in CAMERA_SIZES:
        yield size, replace(base, size_px=size)


SWEEPS = {"views": over_views, "batch": over_batch, "network": over_network_size, "camera": over_camera_size}
TITLES = {
    "views": "views given (872 px JPEGs)",
    "batch": "frame sets at once (network alone, per frame set)",
    "network": "size of the network's images, px",
    "camera": "size of the camera images, px",
}


def whole(engine: dict) -> float:
    stages = engine["stages_ms"]
    return stages.get("end_to_end", stages["network"])["p50"]


def plot(figures: Path, picture: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    measured = [sweep for sweep in TITLES if (figures / f"{sweep}.json").exists()]
    if not measured:
        raise SystemExit(f"'{figures}' holds no figures; make them with `measure --out {figures}`")
    figure, axes = plt.subplots(1, len(measured), figsize=(5 * len(measured), 4), layout="constrained", squeeze=False)
    for axis, sweep in zip(axes.flat, measured, strict=True):
        points = json.loads((figures / f"{sweep}.json").read_text(encoding="utf-8"))
        if sweep == "batch":
            plot_batch(axis, points)
        else:
            plot_stages(axis, points)
        axis.set_xlabel(TITLES[sweep])
        axis.set_ylabel("ms per frame set, p50")
        axis.set_ylim(0, 1.35 * axis.get_ylim()[1])  # room for the legend
        axis.grid(axis="y", alpha=0.3)
        axis.set_axisbelow(True)
        axis.legend(frameon=False, fontsize=8)
    machine = points[0]["machine"]
    figure.suptitle(f"egorear-s, {machine['cpu']}, {machine['cores']} cores: what a frame set costs")
    figure.savefig(picture, dpi=110)


def plot_stages(axis, points: list[dict]) -> None:
    """Stacked stages of the engine; the reference graph's whole beside them."""
    places = range(len(points))
    bottom = [0.0] * len(points)
    for stage, colour in COLOURS.items():
        heights = [point["engines"][1]["stages_ms"][stage]["p50"] for point in points]
        axis.bar(places, heights, 0.5, bottom, color=colour, label=f"{points[0]['engines'][1]['engine']}: {stage}")
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    totals = [whole(point["engines"][0]) for point in points]
    axis.plot(places, totals, "k_", markersize=24, label="reference: whole")
    axis.set_xticks(list(places), [str(point["value"]) for point in points])


def plot_batch(axis, points: list[dict]) -> None:
    for number, style in ((0, "k--"), (1, "-")):
        times = [point["engines"][number]["stages_ms"]["network"]["p50"] / point["value"] for point in points]
        colour = {} if number == 0 else {"color": COLOURS["network"]}
        axis.plot(
            [p["value"] for p in points],
            times,
            style,
            marker="o",
            label=points[0]["engines"][number]["engine"],
            **colour,
        )
    axis.set_xscale("log", base=2)
    axis.set_xticks([p["value"] for p in points], [str(p["value"]) for p in points])


if __name__ == "__main__":
    main()
