"""Frame sets on disk at the training resolution: many in one npz file, so that reading them costs nothing.

The data set of record is Ego4View's layout (`egorear simulate`); shards are a cache for training small networks on few
cores, where rendering at 872 px and decoding JPEGs would take longer than learning. A shard follows from its settings
and its number alone: an interrupted run continues where it stopped, and any number of workers gives the same files.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from egorear_ros.data.frame_labels import read_json
from egorear_ros.data.frame_sets import FrameSets
from egorear_ros.data.shards import SETTINGS_FILE
from egorear_ros.errors import EgorearError
from egorear_ros.rig import load_rig
from egorear_ros.settings import OneOf, Switch, Whole, checked
from egorear_ros.simulator.camera_effects import through_jpeg
from egorear_ros.simulator.looks.skins import read_skins
from egorear_ros.simulator.motion.library import load_library
from egorear_ros.simulator.rig_mount import USUAL_MOUNT, mount_range
from egorear_ros.simulator.sampler import Simulator
from egorear_ros.simulator.sequence import Frame
from egorear_ros.simulator.sequence import Sequence as SimulatedSequence
from egorear_ros.simulator.settings import GENERATOR_VERSION, HELD_OUT, LOOKS, WIDE_VERSION, SimulatorSettings
from egorear_ros.simulator.track_picks import TRACK_FPS, TRACK_FRAMES, TRACK_SETS, track_picks

SEQUENCES_PER_SHARD: Final = 16
SHARD_FPS: Final = 30.0

UNSAID: Final[dict[str, Any]] = {
    "vary_motion": False,
    "balance_actions": False,
    "mount": USUAL_MOUNT,
    "looks": "plain",
    "skins": "",
    "tracks": False,
}
"""What older shards do not say."""

USUAL_SEEDS: Final = {"train": 0, "val": 1000, "test": 2000}
"""Bodies and clips differ between the splits, but rooms, clothes and cameras follow from the seed alone."""


@checked("shards")
class ShardSettings:
    """What to render.

    Attributes:
        motion: "procedural" or the path of a motion library.
        split: "train", "val" or "test": which bodies and clips may appear.
        seed: everything random follows from it.
        size_px: width and height of the images.
        sequence_frames: length of a sequence at 30 frames per second.
        stride: frames between two picks of one sequence; neighbouring frames teach next to nothing.
        rig: rig by name or path.
        vary_motion: change what the library has, for training.
        balance_actions: of a library: draw actions that many clips show less often.
        mount: how helmets sit on heads, see `simulator.rig_mount.mount_range`.
        looks: "plain", or "wide" for networks that must work in other worlds.
        skins: folder of photographic skins for wide looks; none if empty.
        tracks: of each sequence, frames one after another at a drawn rate (`simulator.track_picks`), for the tracker;
            `sequence_frames` and `stride` are not used.
    """

    motion: str = "procedural"
    split: Annotated[str, OneOf(tuple(HELD_OUT))] = "train"
    seed: Annotated[Whole, Field(ge=0)] = 0
    size_px: Annotated[Whole, Field(ge=1)] = 128
    sequence_frames: Annotated[Whole, Field(ge=1)] = 240
    stride: Annotated[Whole, Field(ge=1)] = 15
    rig: str = "ego4view"
    vary_motion: Switch = False
    balance_actions: Switch = False
    mount: str = USUAL_MOUNT
    looks: Annotated[str, OneOf(LOOKS)] = "plain"
    skins: str = ""
    tracks: Switch = False

    @property
    def sets_per_sequence(self) -> int:
        """Frame sets picked of one sequence."""
        return TRACK_SETS if self.tracks else self.sequence_frames // self.stride

    @property
    def length(self) -> int:
        """Frames of a simulated sequence, at the simulator's rate."""
        return TRACK_FRAMES if self.tracks else self.sequence_frames

    @property
    def sets_per_shard(self) -> int:
        """Frame sets in one file."""
        return SEQUENCES_PER_SHARD * self.sets_per_sequence

    def frame_of_pick(self, sequence: int, pick: int) -> int:
        """Number of the frame that is pick 0, 1, ... of a sequence; where the picks begin is drawn."""
        offset = int(np.random.default_rng([self.seed, sequence, 7]).integers(self.stride))
        return offset + pick * self.stride

    def picks(self, sequence: int) -> list[int]:
        """Numbers of the frames to render of a sequence."""
        if self.tracks:
            return track_picks(np.random.default_rng([self.seed, sequence, 7]))
        return [self.frame_of_pick(sequence, pick) for pick in range(self.sets_per_sequence)]

    def simulator(self) -> Simulator:
        """Build the simulator; reads rig and motion library."""
        library = None if self.motion == "procedural" else load_library(self.motion)
        if library is not None and self.balance_actions:
            library = replace(library, balanced=True)
        settings = SimulatorSettings(
            rig=load_rig(self.rig),
            size_px=self.size_px,
            seed=self.seed,
            fps=TRACK_FPS if self.tracks else SHARD_FPS,
            motion=library,
            split=self.split,
            vary_motion=self.vary_motion,
            mount=mount_range(self.mount),
            looks=self.looks,
            skins=read_skins(Path(self.skins)) if self.skins else None,
        )
        return Simulator(settings)

    def check(self) -> None:
        """Make the first sequence's motion, which needs rig, library and bodies.

        Raises:
            EgorearError: no such rig or library, none with clips of the split, or nothing whose motion can be varied.
        """
        if self.vary_motion and self.motion == "procedural":
            raise EgorearError("recorded motion can be varied, procedural motion varies by itself: name a library")
        if self.balance_actions and self.motion == "procedural":
            raise EgorearError("only actions of recorded motion can be balanced: name a library")
        simulator = self.simulator()
        simulator.clip(0, self.length / simulator.settings.fps)

    def content(self) -> dict[str, Any]:
        """What must be equal for a run to be resumed."""
        motion = self.motion if self.motion == "procedural" else Path(self.motion).name
        looks = self.looks if self.looks == "plain" else f"{self.looks}/{WIDE_VERSION}"
        skins = Path(self.skins).name
        return {"generator": GENERATOR_VERSION, **asdict(self), "motion": motion, "looks": looks, "skins": skins}


def write_shards(
    out: Path,
    settings: ShardSettings,
    sets: int,
    workers: int = 1,
    progress: Callable[[int], None] = lambda sets: None,
) -> None:
    """Render at least `sets` frame sets into `out`, leaving out the shards that are there.

    Args:
        out: folder.
        settings: what to render.
        sets: frame sets in all; rounded up to whole shards.
        workers: processes.
        progress: called with the number of sets finished since the last call.

    Raises:
        EgorearError: the folder was begun with other settings; no such rig or library, or none with clips of the split.
    """
    settings.check()  # before anything is written, and before workers, whose pool would start failing ones for ever
    _begin(out, settings)
    count = -(-sets // settings.sets_per_shard)
    todo = [number for number in range(count) if not shard_path(out, number).exists()]
    progress((count - len(todo)) * settings.sets_per_shard)
    for rendered in _render(out, settings, todo, workers):
        progress(rendered)


def shard_path(out: Path, number: int) -> Path:
    """Where shard `number` lies."""
    return out / f"shard_{number:05d}.npz"


def frame_sets(frames: Sequence[Frame]) -> FrameSets:
    """Stack rendered frames."""
    truths = [frame.truth for frame in frames]
    size = frames[0].images.shape[2]
    return FrameSets(
        images=np.stack([frame.images for frame in frames]),
        joints_device_m=np.stack([truth.joints_device_m for truth in truths]).astype(np.float32),
        pixels=(np.stack([truth.pixels for truth in truths]) / size).astype(np.float32),
        in_view=np.stack([truth.in_view for truth in truths]),
        visible=np.stack([truth.visible for truth in truths]),
        camera_from_device=np.stack([truth.camera_from_device for truth in truths]).astype(np.float32),
    )


def as_seen(sequence: SimulatedSequence, i: int) -> Frame:
    """Render frame `i` as the cameras' JPEGs would show it."""
    frame = sequence.frame(i)
    return Frame(through_jpeg(frame.images, frame.jpeg_quality), frame.truth, frame.jpeg_quality, frame.views)


def render_shard(simulator: Simulator, settings: ShardSettings, number: int) -> dict[str, NDArray[Any]]:
    """Render the sequences of shard `number`: the arrays of its file."""
    first = number * SEQUENCES_PER_SHARD
    parts = [_render_sequence(simulator, settings, index) for index in range(first, first + SEQUENCES_PER_SHARD)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _render_sequence(simulator: Simulator, settings: ShardSettings, index: int) -> dict[str, NDArray[Any]]:
    """Arrays of the frame sets picked of sequence `index`; what else a frame has, depth for example, is dropped."""
    sequence = simulator.sequence(index, settings.length)
    picks = settings.picks(index)
    frames = [as_seen(sequence, i) for i in picks]
    truths = [frame.truth for frame in frames]
    return {
        **frame_sets(frames).arrays(),
        "sequence": np.full(len(picks), index, np.int64),
        "frame": np.array(picks, np.int64),
        "action": np.array([truth.action for truth in truths]),
        "stamp_ns": np.array([truth.stamp_ns for truth in truths], np.int64),
        "down_device": np.stack([-truth.device_from_world[:3, 2] for truth in truths]).astype(np.float32),
        "stature_m": np.full(len(picks), sequence.character.shape.stature_m, np.float32),
    }


def _begin(out: Path, settings: ShardSettings) -> None:
    path = out / SETTINGS_FILE
    if not path.exists():
        out.mkdir(parents=True, exist_ok=True)
        partial = out / f".{SETTINGS_FILE}.partial"
        partial.write_text(json.dumps(settings.content(), indent=2) + "\n", encoding="utf-8")
        partial.rename(path)
        return
    found = {**UNSAID, **read_json(path)}
    for key, value in settings.content().items():
        if found.get(key) != value:
            raise EgorearError(
                f"'{out}' was begun with {key} = {found.get(key)!r}, now it is {value!r}: "
                "use the same settings to continue, or another folder"
            )


def _render(out: Path, settings: ShardSettings, todo: Sequence[int], workers: int) -> Iterator[int]:
    if workers <= 1:
        _start_worker(out, settings)
        yield from map(_work, todo)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(min(workers, max(len(todo), 1)), _start_worker, (out, settings)) as pool:
        yield from pool.imap_unordered(_work, todo)


_worker: tuple[Path, ShardSettings, Simulator] | None = None


def _start_worker(out: Path, settings: ShardSettings) -> None:
    """Build this process's simulator."""
    global _worker
    os.environ["OMP_NUM_THREADS"] = "1"
    _worker = out, settings, settings.simulator()


def _work(number: int) -> int:
    """Render one shard; it appears under its name only when complete."""
    if _worker is None:
        raise RuntimeError("_start_worker has not run in this process")
    out, settings, simulator = _worker
    arrays = render_shard(simulator, settings, number)
    partial = out / f".partial_{number:05d}.npz"
    np.savez(partial, **arrays)  # type: ignore[arg-type]
    partial.rename(shard_path(out, number))
    return len(arrays["images"])
