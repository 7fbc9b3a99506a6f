"""See it work: a helmet with four cameras, its skeleton and the truth, live in the browser."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from egorear_ros import resources
from egorear_ros.capture.opening import check_source
from egorear_ros.errors import EgorearError
from egorear_ros.graph.description import GraphOptions, demo_source, rig_of
from egorear_ros.result_file import write_json, write_whole
from egorear_ros.rig import load_rig

HEADLESS_SECONDS = 12.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--source", default="", help="clip:DIR or sim:SEED (default: the bundled clip)")
    parser.add_argument("--model", default="egorear-s", help="network: shipped name or .safetensors file")
    parser.add_argument(
        "--headless", action="store_true", help="no browser: write a recording, a picture and a summary"
    )
    parser.add_argument(
        "--seconds", type=float, help=f"end after this time (default: {HEADLESS_SECONDS:.0f} if headless)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out/demo"), help="where headless files go (default: out/demo)"
    )
    parser.add_argument("--port", type=int, default=9090, help="port of the web page (default: %(default)s)")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address the page listens on; 0.0.0.0: the whole network (default: this machine)",
    )
    parser.add_argument("--truth", action="store_true", help="show the true skeleton beside the person")
    parser.add_argument("--no-open", action="store_true", help="do not open a browser, only serve the page")


def run(args: argparse.Namespace) -> int:
    """Run the demo; headless it writes demo.rrd, demo.png and summary.json."""
    from egorear_ros.graph.demo import has_model, run_demo
    from egorear_ros.graph.running import FOREVER_S
    from egorear_ros.nodes.monitor import Monitor
    from egorear_ros.visualization.rerun_server import open_to_all
    from egorear_ros.visualization.rerun_view import PORTS, RerunView

    if not PORTS[0] <= args.port <= PORTS[1]:
        raise EgorearError(f"--port must be between {PORTS[0]} and {PORTS[1]}, got {args.port}")
    source = demo_source(args.source)
    check_source(source, "demo")
    rig = rig_of(source)
    if not has_model(args.model):
        print(f"There is no trained model '{args.model}' yet: the demo shows the cameras and the true skeleton only.")
    view = RerunView(load_rig(rig), person=True, truth=args.truth)
    monitor = Monitor(view, report=lambda line: print(line, flush=True))
    if args.headless:
        _make_folder(args.out)
        view.save(args.out / "demo.rrd")
    else:
        address = view.serve(args.port, not args.no_open, args.host)
        if warning := open_to_all(args.host, args.port):
            print(f"Beware: {warning}", flush=True)
        print(f"Open {address}\nCtrl-C ends the demo.", flush=True)
    options = GraphOptions(rig=rig, source=source, model=args.model)
    seconds = args.seconds or (HEADLESS_SECONDS if args.headless else FOREVER_S)
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    ros_args = [sys.argv[0], "--ros-args", "--params-file", str(resources.find("config/egorear.yaml"))]
    status = run_demo(options, monitor, [*ros_args, "--log-level", "warn"], seconds)
    view.close()
    if args.headless and status == 0:
        write_results(args.out, rig, monitor)
    return status


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EgorearError(f"folder '{folder}' cannot be made: {error.strerror}") from error


def write_results(folder: Path, rig: str, monitor: object) -> None:
    """Write the picture and the summary, each whole or not at all, and say where.

    Raises:
        EgorearError: there is nothing to show, or a file cannot be written.
    """
    import cv2

    from egorear_ros.nodes.monitor import Monitor
    from egorear_ros.visualization.picture import draw_moment

    assert isinstance(monitor, Monitor)
    moment = monitor.newest()
    if moment is None or moment.frame_set is None:
        raise EgorearError("the demo produced no frame set; `egorear doctor` may know why")
    images = {frame.view: frame.image for frame in moment.frame_set.frames if frame.image is not None}
    skeletons = {"truth": moment.truth, "estimate": moment.estimate}
    picture = draw_moment(load_rig(rig), images, {name: s for name, s in skeletons.items() if s is not None})
    encoded, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    assert encoded, "OpenCV comes with PNG"
    write_whole(folder / "demo.png", data.tobytes())
    summary = monitor.summary()
    write_json(folder / "summary.json", summary)
    print(f"{json.dumps(summary)}\nWrote {folder}/demo.png, {folder}/demo.rrd (rerun {folder}/demo.rrd), summary.json")
