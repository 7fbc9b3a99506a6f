"""Write simulated sequences to disk: Ego4View-Syn's layout, or a rig clip."""

from __future__ import annotations

import multiprocessing
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from numpy.typing import NDArray

from egorear_ros import __version__
from egorear_ros.data.ego4view_syn import SequenceWriter, frame_content, sequence_path, write_split_lists
from egorear_ros.data.jpeg import encode_jpeg
from egorear_ros.data.rig_clip import RigClipWriter
from egorear_ros.errors import EgorearError
from egorear_ros.plain_data import PlainDataError, read_yaml
from egorear_ros.rig import load_rig
from egorear_ros.rig.rigid import inverse, transform_points
from egorear_ros.simulator.body.asset import load_bodies
from egorear_ros.simulator.body.makehuman import ClothesWarning, read_wardrobe
from egorear_ros.simulator.looks.skins import read_skins
from egorear_ros.simulator.motion.library import MotionLibrary, load_library
from egorear_ros.simulator.rig_mount import USUAL_MOUNT, mount_range
from egorear_ros.simulator.sampler import SEQUENCES_PER_PERSON, Simulator
from egorear_ros.simulator.sequence import Frame, Sequence
from egorear_ros.simulator.settings import GENERATOR_VERSION, WIDE_VERSION, SimulatorSettings

SETTINGS_FILE: Final = "simulation.yaml"
FIRST_SEQUENCE_NAME: Final = 1001


@dataclass(frozen=True)
class Recording:
    """What to record; small enough to be sent to worker processes.

    Attributes:
        out: folder of the data set.
        rig, views: rig by name or path, and its views (all if empty).
        motion: "procedural" or path of a motion library.
        frames: frames in all.
        sequence_frames: frames per sequence; the last one may be shorter.
        size_px, fps, seed, split, motion_blur: see `SimulatorSettings`.
        clothes: folder of MakeHuman clothes; none if empty.
        mount: how helmets sit on heads, see `simulator.rig_mount.mount_range`.
        looks: "plain" or "wide", see `SimulatorSettings`.
        skins: folder of photographic skins for wide looks; none if empty.
    """

    out: Path
    rig: str = "ego4view"
    views: tuple[str, ...] = ()
    motion: str = "procedural"
    frames: int = 1000
    sequence_frames: int = 100
    size_px: int = 872
    fps: float = 30.0
    seed: int = 0
    split: str = "train"
    motion_blur: bool = True
    clothes: str = ""
    mount: str = USUAL_MOUNT
    looks: str = "plain"
    skins: str = ""

    def settings(self, threads: int = 1) -> SimulatorSettings:
        """The simulator's settings; reads rig, motion library and clothes."""
        rig = load_rig(self.rig)
        library: MotionLibrary | None = None if self.motion == "procedural" else load_library(self.motion)
        return SimulatorSettings(
            rig=rig.subset(self.views) if self.views else rig,
            size_px=self.size_px,
            seed=self.seed,
            fps=self.fps,
            motion=library,
            split=self.split,
            motion_blur=self.motion_blur,
            threads=threads,
            mount=mount_range(self.mount),
            clothes=read_wardrobe(Path(self.clothes), load_bodies()) if self.clothes else (),
            looks=self.looks,
            skins=read_skins(Path(self.skins)) if self.skins else None,
        )

    def sequences(self) -> list[tuple[int, int]]:
        """Number and length of every sequence."""
        full, rest = divmod(self.frames, self.sequence_frames)
        return [(index, self.sequence_frames) for index in range(full)] + ([(full, rest)] if rest else [])

    def content(self) -> dict[str, Any]:
        """What must be equal for a run to be resumed."""
        keys = (
            "rig",
            "motion",
            "frames",
            "sequence_frames",
            "size_px",
            "fps",
            "seed",
            "split",
            "motion_blur",
            "clothes",
            "mount",
        )
        return {
            "generator": f"egorear {__version__} simulator/{GENERATOR_VERSION}",
            **{key: getattr(self, key) for key in keys},
            "views": list(self.views),
            **looks_content(self.looks, self.skins),
        }


def looks_content(looks: str, skins: str) -> dict[str, Any]:
    """What must be equal about the looks for a run to be resumed; nothing for those that always were."""
    return {} if looks == "plain" else {"looks": f"{looks}/{WIDE_VERSION}", "skins": Path(skins).name}


def character_name(index: int) -> str:
    """Folder of the person of sequence number `index`."""
    return f"rp_egorear_{index // SEQUENCES_PER_PERSON:05d}"


def sequence_name(index: int) -> str:
    """Folder of sequence number `index` below its character."""
    return str(FIRST_SEQUENCE_NAME + index % SEQUENCES_PER_PERSON)


def record(recording: Recording, workers: int, progress: Callable[[int], None] = lambda frames: None) -> int:
    """Record a data set, leaving out what an interrupted run has finished.

    Args:
        recording: what to record.
        workers: processes; 1 stays in this one.
        progress: called with the number of frames finished since the last call.

    Returns:
        Number of frames that were already there.

    Raises:
        EgorearError: the folder holds a recording with other settings.
    """
    recording.settings()  # reports a wrong rig or library before anything is written
    begin(recording)
    todo, done = [], 0
    for index, frames in recording.sequences():
        if sequence_path(recording.out, character_name(index), sequence_name(index)).exists():
            done += frames
        else:
            todo.append((index, frames))
    progress(done)
    for frames in run(recording, todo, workers):
        progress(frames)
    characters = sorted({character_name(index) for index, _ in recording.sequences()})
    write_split_lists(recording.out, {recording.split: characters})
    return done


def begin(recording: Recording) -> None:
    """Create the folder, or check that it belongs to the same recording."""
    path = recording.out / SETTINGS_FILE
    content = recording.content()
    if path.exists():
        found = {"mount": USUAL_MOUNT, **_begun(path)}  # older ones do not say it
        for key, value in content.items():
            if found.get(key) != value:
                raise EgorearError(
                    f"'{recording.out}' was begun with {key} = {found.get(key)!r}, now it is {value!r}: "
                    "use the same settings to resume, or another folder"
                )
        return
    if recording.out.exists() and any(recording.out.iterdir()):
        raise EgorearError(f"'{recording.out}' is not empty and holds no recording; name a new folder")
    recording.out.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    partial.rename(path)


def _begun(path: Path) -> dict[str, Any]:
    """Settings with which a folder was begun."""
    try:
        content = read_yaml(path)
    except PlainDataError as error:
        raise EgorearError(f"'{path}' {error}") from error
    if not isinstance(content, dict):
        raise EgorearError(f"'{path}' does not hold the settings of a recording; name another folder")
    return content


def run(recording: Recording, todo: list[tuple[int, int]], workers: int) -> Iterator[int]:
    """Record sequences, in this process or in several; yield the number of frames as they are done."""
    if workers <= 1:
        simulator = Simulator(recording.settings())
        for index, frames in todo:
            yield from write_sequence(simulator, recording.out, index, frames)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(min(workers, max(len(todo), 1)), start_worker, (recording,)) as pool:
        yield from pool.imap_unordered(work, todo)


_worker: tuple[Simulator, Path] | None = None


def start_worker(recording: Recording) -> None:
    """Build this process's simulator."""
    global _worker
    os.environ["OMP_NUM_THREADS"] = "1"
    warnings.simplefilter("ignore", ClothesWarning)  # the main process has said it
    _worker = Simulator(recording.settings()), recording.out


def work(task: tuple[int, int]) -> int:
    """Record one sequence in a worker process."""
    if _worker is None:
        raise RuntimeError("start_worker has not run in this process")
    return sum(write_sequence(*_worker, *task))


def write_sequence(simulator: Simulator, out: Path, index: int, frames: int) -> Iterator[int]:
    """Render and write one sequence; yields 1 per frame."""
    sequence = simulator.sequence(index, frames)
    views = simulator.settings.rig.names
    with SequenceWriter(out, character_name(index), sequence_name(index), views) as writer:
        for i in range(frames):
            frame = sequence.frame(i)
            jpegs = [encode_jpeg(image, frame.jpeg_quality) for image in frame.images]
            writer.write(i, jpegs, frame_json(simulator, frame))
            yield 1


def frame_json(simulator: Simulator, frame: Frame) -> dict[str, Any]:
    """Content of a frame's JSON file."""
    truth = frame.truth
    world = transform_points(inverse(truth.device_from_world), truth.joints_device_m)
    widths = np.array([camera.model.width for camera in simulator.settings.rig.cameras], float)
    scale = widths / frame.images.shape[2]
    extra = {
        "stamp_ns": truth.stamp_ns,
        "body": truth.body,
        "clip": truth.clip,
        "clip_frame": truth.clip_frame,
        "action": truth.action,
        "in_view": truth.in_view.astype(int).tolist(),
        "visible": truth.visible.astype(int).tolist(),
        "camera_from_device": np.round(truth.camera_from_device, 7).tolist(),
        "device_from_world": np.round(truth.device_from_world, 7).tolist(),
        "world_from_head": np.round(truth.world_from_head, 7).tolist(),
    }
    names = simulator.settings.rig.names
    pixels = truth.pixels * scale[:, None, None]
    return frame_content(names, world, truth.joints_device_m, truth.joints_camera_m, pixels, extra)


def record_clip(
    recording: Recording,
    actions: tuple[str, ...] | None = None,
    jpeg_quality: int = 90,
    sequence: int = 0,
    progress: Callable[[int], None] = lambda frames: None,
) -> Path:
    """Record one sequence as a rig clip into `recording.out`.

    Args:
        recording: what to record; `frames` is the clip's length.
        actions: procedural actions to perform in this order; by default random.
        jpeg_quality: of the videos.
        sequence: number of the sequence.
        progress: called with 1 per frame.
    """
    simulator = Simulator(recording.settings(threads=2))
    made = Sequence(simulator, sequence, recording.frames, actions)
    models = simulator.renderer.models
    poses = dict(zip(simulator.settings.rig.names, made.mount.camera_from_device, strict=True))
    generator = f"egorear {__version__} simulator/{GENERATOR_VERSION}"
    size = (models[0].width, models[0].height)
    rig = simulator.settings.rig.with_extrinsics(poses)
    with RigClipWriter(recording.out, rig, size, recording.fps, jpeg_quality, recording.seed, generator) as writer:
        for i in range(recording.frames):
            frame = made.frame(i)
            writer.write(frame.images, frame.truth.stamp_ns, clip_truth(frame))
            progress(1)
    return recording.out


def clip_truth(frame: Frame) -> dict[str, NDArray[Any]]:
    """A frame's entries of a rig clip's ground truth."""
    truth = frame.truth
    return {
        "joints_device_m": truth.joints_device_m,
        "pixels": truth.pixels,
        "in_view": truth.in_view,
        "visible": truth.visible,
        "stamps_ns": np.array(truth.stamp_ns, np.int64),
        "device_from_world": truth.device_from_world,
        "world_from_head": truth.world_from_head,
    }
