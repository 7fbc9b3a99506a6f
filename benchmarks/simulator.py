"""Speed, memory, cost and visibility of the simulator.

python benchmarks/simulator.py speed [--prototype DIR]   4-view sets per second on two processes, 256 and 872 px
python benchmarks/simulator.py paired --prototype DIR     one process of each at the same time, for busy machines
python benchmarks/simulator.py memory --frames 10000     resident memory over many frames
python benchmarks/simulator.py cost docs/images/simulator_cost.png   time over resolution and number of views
python benchmarks/simulator.py looks [--skins DIR]        CPU ms per set of plain and wide looks, turn by turn
python benchmarks/simulator.py visibility [--motion LIB]  share of frames in which each view sees each joint group
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from egorear_ros.rig import load_rig
from egorear_ros.simulator.camera_effects import through_jpeg
from egorear_ros.simulator.looks.skins import read_skins
from egorear_ros.simulator.motion.library import load_library
from egorear_ros.simulator.sampler import Simulator
from egorear_ros.simulator.sequence import BYSTANDERS, Frame
from egorear_ros.simulator.settings import SimulatorSettings
from egorear_ros.skeleton import GROUPS


def produce(task: tuple[int, int, int, bool]) -> tuple[float, float]:
    """Wall-clock and CPU seconds for frames of one process, after warming up (size, frames, seed, whether complete).

    Complete is what `Simulator.frames` delivers, with motion blur and JPEG artefacts, which the prototype lacks.
    Like the prototype's, a scene lasts 4 frames and a person 8.
    """
    size, frames, seed, complete = task
    simulator = Simulator(SimulatorSettings(size_px=size, seed=seed, motion_blur=complete))
    source = simulator.frames(sequence_frames=120, stride=30) if complete else plain_frames(simulator)
    for _ in range(8):
        next(source)
    start, cpu = time.perf_counter(), time.process_time()
    for _ in itertools.islice(source, frames):
        pass
    return time.perf_counter() - start, time.process_time() - cpu


def plain_frames(simulator: Simulator) -> Iterator[Frame]:
    """Frames before JPEG, 30 apart, 4 of a sequence."""
    for index in itertools.count():
        sequence = simulator.sequence(index, 120)
        for i in range(15, 120, 30):
            yield sequence.frame(i)


def speed(args: argparse.Namespace) -> None:
    produce((args.sizes[0], 1, 0, False))  # fills the compilation cache
    print("| what | 4-view sets/s, 2 processes | CPU ms per set |")
    print("| --- | --- | --- |")
    for size in args.sizes:
        frames = args.frames if size <= 256 else max(args.frames // 8, 8)
        for name, complete in (("like the prototype", False), ("with motion blur and JPEG", True)):
            with multiprocessing.get_context("spawn").Pool(2) as pool:
                results = pool.map(produce, [(size, frames, seed, complete) for seed in (1, 2)])
            report(f"egorear {size} px, {name}", frames, results)
            if args.prototype and not complete:
                report(f"prototype {size} px", frames, prototype(args, size, frames))


def report(name: str, frames: int, results: list[tuple[float, float]]) -> None:
    rate = sum(frames / wall for wall, _ in results)
    cpu = 1e3 * sum(cpu for _, cpu in results) / (frames * len(results))
    print(f"| {name} | {rate:.1f} | {cpu:.0f} |", flush=True)


PROTOTYPE = """
import time, sys, gen
size, frames, seed = map(int, sys.argv[1:])
g = gen.Gen(seed=seed, ss=2 if size <= 512 else 1, res=size)
source = g.random_frames(10**9)
for _ in range(8): next(source)
start, cpu = time.perf_counter(), time.process_time()
for _ in range(frames): next(source)
print(time.perf_counter() - start, time.process_time() - cpu)
"""


def prototype(args: argparse.Namespace, size: int, frames: int) -> list[tuple[float, float]]:
    processes = [start_prototype(args, size, frames, seed) for seed in (1, 2)]
    return [timing(process) for process in processes]


def start_prototype(args: argparse.Namespace, size: int, frames: int, seed: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONPATH", None)
    return subprocess.Popen(
        [args.prototype_python or sys.executable, "-c", PROTOTYPE, str(size), str(frames), str(seed)],
        cwd=args.prototype,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def timing(process: subprocess.Popen[str]) -> tuple[float, float]:
    wall, cpu = process.communicate()[0].split()[-2:]
    return float(wall), float(cpu)


def paired(args: argparse.Namespace) -> None:
    """CPU time of both while they run side by side, so that whatever else is running slows both alike."""
    produce((args.sizes[0], 1, 0, False))  # fills the compilation cache
    print("| size | seed | egorear, CPU ms per set | prototype |\n| --- | --- | --- | --- |")
    for size, seed in itertools.product(args.sizes, (1, 2)):
        frames = args.frames if size <= 256 else max(args.frames // 4, 8)
        process = start_prototype(args, size, frames, seed)
        (_, ours), (_, theirs) = produce((size, frames, seed, False)), timing(process)
        print(f"| {size} px | {seed} | {1e3 * ours / frames:.0f} | {1e3 * theirs / frames:.0f} |", flush=True)


def looks(args: argparse.Namespace) -> None:
    """CPU time of plain and wide looks in one process, sequence by sequence in turn, with JPEG as in shards."""
    skins = read_skins(Path(args.skins)) if args.skins else None
    print("| size | plain, CPU ms per set | wide | wide / plain |\n| --- | --- | --- | --- |")
    for size in args.sizes:
        pair = [
            Simulator(SimulatorSettings(size_px=size, looks=name, skins=skins if name == "wide" else None))
            for name in ("plain", "wide")
        ]
        for number in range(BYSTANDERS):
            pair[1].bystander(number)
        spent = [0.0, 0.0]
        for index in range(-2, args.sequences):  # the first two warm up
            for which, simulator in enumerate(pair):
                start = time.process_time()
                sequence = simulator.sequence(index % 10_000, 240)
                for i in range(7, 240, 15):
                    frame = sequence.frame(i)
                    through_jpeg(frame.images, frame.jpeg_quality)
                spent[which] += (time.process_time() - start) * (index >= 0)
        plain, wide = (1e3 * seconds / args.sequences / 16 for seconds in spent)
        print(f"| {size} px | {plain:.1f} | {wide:.1f} | {wide / plain:.2f} |", flush=True)


def memory(args: argparse.Namespace) -> None:
    simulator = Simulator(SimulatorSettings(size_px=64, motion_blur=False))
    print("| frames | peak resident MiB |\n| --- | --- |")
    for number, _ in enumerate(itertools.islice(simulator.frames(), args.frames), start=1):
        if number % max(args.frames // 10, 1) == 0:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"| {number} | {peak:.0f} |", flush=True)


def cost(args: argparse.Namespace) -> None:
    rig = load_rig("ego4view")
    sizes, counts = (128, 256, 384, 512, 872), (1, 2, 3, 4)
    table = np.zeros((len(sizes), len(counts)))
    for i, size in enumerate(sizes):
        for j, count in enumerate(counts):
            settings = SimulatorSettings(rig=rig.subset(rig.names[:count]), size_px=size, motion_blur=False)
            sequence = Simulator(settings).sequence(0, 60)
            sequence.frame(0)
            start = time.process_time()
            for k in range(6):
                sequence.frame(10 * k)
            table[i, j] = (time.process_time() - start) / 6 * 1e3
        print(f"{size} px:", "  ".join(f"{n} views {ms:.0f} ms" for n, ms in zip(counts, table[i], strict=True)))
    plot_cost(args.out, sizes, counts, table)


def plot_cost(out: Path, sizes: tuple[int, ...], counts: tuple[int, ...], table: np.ndarray) -> None:
    import cv2

    canvas = np.full((420, 640, 3), 255, np.uint8)
    left, bottom, width, height = 70, 360, 520, 310
    top_ms = table.max() * 1.08

    def at(size: float, ms: float) -> tuple[int, int]:
        return left + int(width * size / 900), bottom - int(height * ms / top_ms)

    black, font = (0, 0, 0), cv2.FONT_HERSHEY_SIMPLEX
    cv2.line(canvas, at(0, 0), at(900, 0), black, 1)
    cv2.line(canvas, at(0, 0), at(0, top_ms), black, 1)
    for size in sizes:
        x, y = at(size, 0)
        cv2.putText(canvas, str(size), (x - 12, y + 18), font, 0.42, black, 1, cv2.LINE_AA)
    for ms in np.linspace(0, top_ms, 6)[1:]:
        cv2.putText(canvas, f"{ms:.0f}", (left - 42, at(0, ms)[1] + 4), font, 0.42, black, 1, cv2.LINE_AA)
    for j, count in enumerate(counts):
        color = [(200, 120, 0), (0, 140, 60), (0, 90, 220), (120, 0, 140)][j]
        points = [at(size, ms) for size, ms in zip(sizes, table[:, j], strict=True)]
        cv2.polylines(canvas, [np.array(points)], False, color, 2, cv2.LINE_AA)
        cv2.putText(canvas, f"{count}", (points[-1][0] + 6, points[-1][1] + 4), font, 0.5, color, 1, cv2.LINE_AA)
    cv2.putText(
        canvas, "CPU ms per set over image width (px), 1 to 4 views", (70, 24), font, 0.55, black, 1, cv2.LINE_AA
    )
    cv2.imwrite(str(out), canvas)


def visibility(args: argparse.Namespace) -> None:
    library = load_library(args.motion) if args.motion else None
    simulator = Simulator(SimulatorSettings(size_px=192, motion=library, motion_blur=False, seed=args.seed))
    frames = itertools.islice(simulator.frames(sequence_frames=240, stride=30), args.frames)
    truths = [frame.truth for frame in frames]
    visible = np.mean([truth.visible for truth in truths], axis=0) * 100
    in_view = np.mean([truth.in_view for truth in truths], axis=0) * 100
    names = simulator.settings.rig.names
    print(f"Visible (in view), % of {len(truths)} frames")
    print("| joints | " + " | ".join(names) + " |\n" + "| --- " * (len(names) + 1) + "|")
    for group, joints in GROUPS.items():
        cells = [
            f"{visible[v, list(joints)].mean():.0f} ({in_view[v, list(joints)].mean():.0f})" for v in range(len(names))
        ]
        print(f"| {group} | " + " | ".join(cells) + " |")
    for label, joint in (("left hand", 6), ("right hand", 7)):
        cells = [f"{visible[v, joint]:.0f} ({in_view[v, joint]:.0f})" for v in range(len(names))]
        print(f"| {label} | " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    sub = commands.add_parser("speed")
    sub.add_argument("--prototype", help="folder of the study, to be measured in the same run")
    sub.add_argument("--prototype-python", help="interpreter for it (it needs scikit-image)")
    sub.add_argument("--sizes", type=int, nargs="+", default=[256, 872])
    sub.add_argument("--frames", type=int, default=160, help="frames per process at 256 px")
    sub.set_defaults(run=speed)
    sub = commands.add_parser("paired")
    sub.add_argument("--prototype", required=True, help="folder of the study")
    sub.add_argument("--prototype-python", help="interpreter for it (it needs scikit-image)")
    sub.add_argument("--sizes", type=int, nargs="+", default=[256, 872])
    sub.add_argument("--frames", type=int, default=64, help="frames at 256 px; a quarter of them above")
    sub.set_defaults(run=paired)
    sub = commands.add_parser("looks")
    sub.add_argument("--skins", help="folder of photographic skins for the wide looks")
    sub.add_argument("--sizes", type=int, nargs="+", default=[128, 256])
    sub.add_argument("--sequences", type=int, default=40, help="sequences of 16 sets")
    sub.set_defaults(run=looks)
    sub = commands.add_parser("memory")
    sub.add_argument("--frames", type=int, default=10_000)
    sub.set_defaults(run=memory)
    sub = commands.add_parser("cost")
    sub.add_argument("out", type=Path)
    sub.set_defaults(run=cost)
    sub = commands.add_parser("visibility")
    sub.add_argument("--motion", help="motion library (default: procedural)")
    sub.add_argument("--frames", type=int, default=400)
    sub.add_argument("--seed", type=int, default=0)
    sub.set_defaults(run=visibility)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
