"""What the rig check finds, how fast, what it wrongly says, and what it costs.

    python benchmarks/rig_check.py --cache DIR [--sequences 180] [--motion clips30.npz] [--json OUT]

Every sequence is ten seconds of another person in another place under another helmet, with the simulator's mounting
tolerances; the rig file is the nominal one. Half of them are procedural motion with plain looks, a third recorded
motion (procedural without --motion), a sixth wide looks. Only the frame sets that the check may look at are rendered,
four per sequence; DIR keeps them. All run as they are (right rigs), every twelfth one also with faults: two cameras
exchanged, one image upside down, the lens of another rig in the file, the front cameras' lenses exchanged, a camera
turned by 5 degrees about a random axis. The bundled clip runs with every fault. Cost: CPU time of the whole process,
all threads, for the looks at one minute of the clip, played again and again.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from egorear_ros.data.rig_clip import RigClip
from egorear_ros.resources import find
from egorear_ros.rig import CameraModel, Rig, load_rig
from egorear_ros.rig.checking import RigCheck
from egorear_ros.simulator.shard_writing import ShardSettings, as_seen

FRAMES = (40, 120, 200, 280)
"""Of 300 at 30 Hz: at 1.3, 4.0, 6.7 and 9.3 s."""

ORDER = ("procedural", "recorded", "procedural", "wide", "recorded", "procedural")
FAULTS_EVERY = 12
TURN_DEG = 5.0
MINUTE_S = 60

Images = Mapping[str, np.ndarray]
Stream = list[tuple[int, Images]]


@dataclass(frozen=True)
class Case:
    """A stream that does not fit its rig file, and the cameras that must be named; kind of fault."""

    name: str
    rig: Rig
    stream: Stream
    cameras: tuple[str, ...]
    kinds: tuple[str, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="folder for the rendered frame sets")
    parser.add_argument("--sequences", type=int, default=180, help="sequences of 10 s (default 180: 30 minutes)")
    parser.add_argument("--motion", default="procedural", help="motion library for the recorded third")
    parser.add_argument("--json", type=Path, help="write the figures here")
    args = parser.parse_args()
    args.cache.mkdir(parents=True, exist_ok=True)
    rig = load_rig("ego4view")
    clip = clip_stream()
    figures = {"cost": cost(rig, clip), "clip": evaluated(rig, [clip], every=1)}
    print(json.dumps(figures), flush=True)
    figures["simulated"] = evaluated(rig, simulated(args, rig), FAULTS_EVERY)
    print(json.dumps(figures["simulated"], indent=1))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def clip_stream() -> Stream:
    """The bundled clip: stamp in ns and images of every frame set."""
    clip = RigClip(find("assets/demo_clip"))
    views = clip.info.views
    return [(int(clip.stamps_ns[i, 0]), dict(zip(views, clip.frame(i), strict=True))) for i in range(len(clip))]


def simulated(args: argparse.Namespace, rig: Rig) -> Iterator[Stream]:
    """Every sequence, rendered or from the cache."""
    simulators: dict[str, Any] = {}
    counts: dict[str, int] = defaultdict(int)
    for number in range(args.sequences):
        kind = ORDER[number % len(ORDER)]
        path = args.cache / f"{kind}_{counts[kind]:03d}.npz"
        if not path.exists():
            if kind not in simulators:
                simulators[kind] = settings(kind, args.motion).simulator()
            sequence = simulators[kind].sequence(counts[kind], 300)
            images = np.stack([as_seen(sequence, i).images for i in FRAMES])
            partial = path.with_suffix(".partial.npz")
            np.savez(partial, images=images)
            partial.rename(path)
        counts[kind] += 1
        with np.load(path) as content:
            sets = content["images"]
        yield [(round(i / 30 * 1e9), dict(zip(rig.names, s, strict=True))) for i, s in zip(FRAMES, sets, strict=True)]


def settings(kind: str, motion: str) -> ShardSettings:
    """What is rendered of a kind."""
    base = ShardSettings(split="test", size_px=256, sequence_frames=300)
    if kind == "recorded":
        recorded = motion != "procedural"
        return replace(base, seed=5252, motion=motion, split="val" if recorded else "test")
    return replace(base, seed=5353, looks="wide") if kind == "wide" else replace(base, seed=5151)


def evaluated(rig: Rig, streams: Any, every: int) -> dict[str, Any]:
    """False alarms on right rigs, and how many faults of each kind were named after how long."""
    right: dict[str, Any] = {"seconds": 0, "false_alarms": [], "could_not_judge": 0, "largest_turn_deg": 0.0}
    found: dict[str, list[float | None]] = defaultdict(list)
    for number, stream in enumerate(streams):
        check, _ = run(rig, stream)
        right["seconds"] += 10
        right["false_alarms"] += [f"sequence {number}: {fault.text}" for fault in check.faults]
        known = check.verdict is not None and check.verdict.known
        right["could_not_judge"] += not known
        if check.verdict is not None and known:
            right["largest_turn_deg"] = max(right["largest_turn_deg"], *check.verdict.turns_deg.values())
        if number % every == 0:
            for case in cases(rig, stream, number, all_of_them=every == 1):
                checked, after_s = run(case.rig, case.stream)
                fault = checked.fault
                good = fault is not None and fault.kind in case.kinds and set(case.cameras) <= set(fault.cameras)
                found[case.name].append(after_s if good else None)
                if not good:
                    print(f"missed in sequence {number}: {case.name} {case.cameras}: {checked.describe()}", flush=True)
    named = {
        name: {
            "tried": len(times),
            "named": sum(t is not None for t in times),
            "longest_s": max((t for t in times if t is not None), default=None),
        }
        for name, times in sorted(found.items())
    }
    return {"right": {**right, "largest_turn_deg": round(right["largest_turn_deg"], 2)}, "faults": named}


def run(rig: Rig, stream: Stream) -> tuple[RigCheck, float | None]:
    """The check over a stream, as the pose node does it, and when it named its last fault, seconds of data."""
    check, after_s = RigCheck(rig), None
    for stamp_ns, images in stream:
        if check.due(stamp_ns, images):
            before = len(check.faults)
            check.look(stamp_ns, images)
            if len(check.faults) > before:
                after_s = round((stamp_ns - stream[0][0]) / 1e9, 1)
    return check, after_s


def cases(rig: Rig, stream: Stream, number: int, all_of_them: bool) -> Iterator[Case]:
    """Faults of one stream: every one there is, or one of each kind, which goes round with the number."""
    pairs = list(itertools.combinations(rig.names, 2))
    foreign = load_rig("unrealego").cameras[0].model.resized(872, 872)
    rng = np.random.default_rng(number)
    turn = number // FAULTS_EVERY
    for a, b in pairs if all_of_them else [pairs[turn % len(pairs)]]:
        mixed = [(t, {**images, a: images[b], b: images[a]}) for t, images in stream]
        yield Case("two cameras exchanged", rig, mixed, (a, b), ("exchanged",))
    for view in rig.names if all_of_them else [rig.names[turn % len(rig.names)]]:
        head_down = [(t, {**images, view: np.ascontiguousarray(images[view][::-1, ::-1])}) for t, images in stream]
        yield Case("image upside down", rig, head_down, (view,), ("image turned",))
        yield Case("lens of another rig", with_lens(rig, view, foreign), stream, (view,), ("lens",))
        yield Case("camera turned by 5 degrees", turned(rig, view, rng), stream, (view,), ("camera turned", "lens"))
    for view, other in itertools.permutations(rig.names[:2]):
        if all_of_them or view == rig.names[turn % 2]:
            wrong = with_lens(rig, view, rig[other].model)
            yield Case("lens of the other front camera", wrong, stream, (view,), ("lens", "camera turned"))


def with_lens(rig: Rig, view: str, model: CameraModel) -> Rig:
    """A rig file with another lens for one camera."""
    return replace(rig, cameras=tuple(replace(c, model=model) if c.name == view else c for c in rig.cameras))


def turned(rig: Rig, view: str, rng: np.random.Generator) -> Rig:
    """A rig file that says a camera is turned by 5 degrees about a random axis, which it is not."""
    axis = rng.normal(size=3)
    wrong = np.eye(4)
    wrong[:3, :3] = Rotation.from_rotvec(np.radians(TURN_DEG) * axis / np.linalg.norm(axis)).as_matrix()
    return rig.with_extrinsics(
        {c.name: wrong @ c.camera_from_device if c.name == view else c.camera_from_device for c in rig.cameras}
    )


def cost(rig: Rig, clip: Stream) -> dict[str, float]:
    """CPU time of all threads for the looks at one minute of the stream, its start included."""
    length_ns = clip[-1][0] - clip[0][0] + (clip[1][0] - clip[0][0])
    RigCheck(rig).look(0, clip[0][1])  # what is done once per process
    check, looks, rounds = RigCheck(rig), 0, round(MINUTE_S * 1e9 / length_ns)
    started = time.process_time()
    for round_number in range(rounds):
        for stamp_ns, images in clip:
            now_ns = stamp_ns + round_number * length_ns
            if check.due(now_ns, images):
                check.look(now_ns, images)
                looks += 1
    seconds, of_s = time.process_time() - started, rounds * length_ns / 1e9
    return {
        "looks": looks,
        "cpu_ms_per_look": round(1e3 * seconds / looks, 1),
        "stream_s": round(of_s, 1),
        "percent_of_a_core": round(100 * seconds / of_s, 2),
    }


if __name__ == "__main__":
    main()
