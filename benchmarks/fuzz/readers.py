"""What reads each kind of file, as the commands and nodes do, and whether what it read can be true."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.fuzz import seeds
from benchmarks.fuzz.seeds import Maker
from egorear_ros.bags import message_reading
from egorear_ros.bags.message_types import COMPRESSED_IMAGE, IMAGE, SKELETON
from egorear_ros.bags.reading import Bag, find_topics
from egorear_ros.bags.repair import repair
from egorear_ros.data import checking
from egorear_ros.data.encodings import decode_jpeg, rgb_from_message
from egorear_ros.data.jpeg import images_of
from egorear_ros.data.opening import open_frames
from egorear_ros.data.rig_clip import RigClip
from egorear_ros.errors import EgorearError
from egorear_ros.estimation.opening import Named, open_recording
from egorear_ros.network.checkpoint import read_official_file
from egorear_ros.network.weights import load_weights
from egorear_ros.nodes.parameter_file import check_parameter_file, node_parameters
from egorear_ros.rig import VIEWS, Rig, camera_info_fields, load_rig, load_rw_extrinsics, rig_yaml
from egorear_ros.rig.doubts import doubts
from egorear_ros.rig.importing import ImportOptions, import_rig
from egorear_ros.simulator.motion.joint_map import load_joint_map, match
from egorear_ros.simulator.motion.library import load_library
from egorear_ros.simulator.motion.variants import load_motion
from egorear_ros.training.config import load_config

FORMATS: Final = (
    "",
    "jpeg",
    "png",
    "rgb8; jpeg compressed bgr8",
    "bgr8; png compressed ",
    "bayer_rggb8; jpeg compressed ",
)


class WrongValueError(Exception):
    """A file was read without complaint, and what came of it cannot be true."""


@dataclass(frozen=True)
class Reader:
    """One kind of file.

    Attributes:
        make: writes whole files into a folder.
        read: reads one; raises EgorearError where it is refused.
    """

    make: Maker
    read: Callable[[Path], None]


def _finite(what: str, *arrays: Any) -> None:
    for array in arrays:
        if not np.isfinite(np.asarray(array, float)).all():
            raise WrongValueError(f"{what} is not finite")


def read_bag(path: Path) -> None:
    """Every message of a bag, and the bag repaired."""
    problems: list[EgorearError] = []
    with Bag(path) as bag:
        find_topics(bag, VIEWS)
        for topic, _, message in bag.messages(bag.topics):
            try:
                _message(bag.topics[topic], message)
            except EgorearError as error:  # costs its frame, not the bag
                problems.append(error)
    repaired = path.with_name("repaired")
    shutil.rmtree(repaired, ignore_errors=True)
    if path.is_dir() and any(path.rglob("*.mcap")):
        repair(path, repaired)
    for error in problems:
        raise error


def _message(kind: str, message: Any) -> None:
    if kind in (IMAGE, COMPRESSED_IMAGE):
        images_of([message_reading.camera_frame_from_message("front_left", message)])
    elif kind == SKELETON:
        message_reading.skeleton_from_message(message)


def read_motion(path: Path) -> None:
    """A motion file as a clip."""
    clip = load_motion(path)
    _finite("motion", clip.rotations_xyzw, clip.root_m, clip.limb_directions, clip.leg_length_m, clip.fps)
    if len(clip) < 1 or np.abs(np.linalg.norm(clip.rotations_xyzw, axis=-1) - 1).max() > 1e-3:
        raise WrongValueError("rotations are no unit quaternions")


def read_joint_map(path: Path) -> None:
    """A joint map, used on a skeleton."""
    for family in load_joint_map(path):
        match(family, ("Hips", "Spine", "LeftArm"))


def read_library(path: Path) -> None:
    """A motion library and a draw from it."""
    library = load_library(path)
    for clip in library.clips:
        _finite("motion", clip.rotations_xyzw, clip.root_m, clip.limb_directions, clip.leg_length_m)
    clip = library.pick(np.random.default_rng(0), 0.05, "train")
    clip.resampled(30.0)


def check_rig(rig: Rig) -> None:
    """What `egorear rig` and the nodes do with a rig."""
    doubts(rig)
    rig_yaml(rig)
    turn = np.linspace(0, 2 * np.pi, 8)
    for camera in rig.cameras:
        angle = np.linspace(0, camera.model.max_angle_rad, 12)[:, None]
        rays = np.stack([np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn), np.cos(angle) + 0 * turn], -1)
        pixels = camera.model.project(rays)
        _finite(f"projection of {camera.name}", pixels, camera.model.unproject(pixels), camera.camera_from_device)
        _finite(f"camera info of {camera.name}", camera_info_fields(camera.model).k)


def read_rig(path: Path) -> None:
    """A rig file."""
    check_rig(load_rig(path))


def read_calibration(path: Path) -> None:
    """A calibration of another program, with names and poses where it has none."""
    try:
        check_rig(import_rig([path])[0])
    except EgorearError as error:
        if "--names" not in str(error) and "--poses" not in str(error):
            raise
        known = ImportOptions(names=VIEWS[:2] if "stereo" in path.name else VIEWS, poses="ego4view")
        check_rig(import_rig([path], known)[0])


def read_weights(path: Path) -> None:
    """A weights file of ours."""
    load_weights(path)


def read_parameters(path: Path) -> None:
    """A parameter file, live and offline."""
    check_parameter_file(path)
    node_parameters(path, "/egorear/synchronizer")


def read_data_set(path: Path) -> None:
    """A data set: checked, listed and loaded."""
    findings = checking.check_folder(path).findings
    frames = open_frames(path, "train")
    frames.name(0)
    sets = frames.take(np.arange(len(frames)))
    if findings:
        raise EgorearError(findings[0].what)
    _finite("labels", sets.joints_device_m, sets.pixels, sets.camera_from_device)


def read_heatmaps(path: Path) -> None:
    """Heatmaps beside a data set."""
    frames: Any = open_frames(path, "train")
    frames.heatmaps(0)


def read_clip(path: Path) -> None:
    """A rig clip through the pipeline of recordings, and its truth."""
    clip = RigClip(path)
    list(open_recording(Named(path), VIEWS).frames())
    check_rig(clip.rig)
    for name, array in clip.ground_truth.items():
        if name == "joints_device_m":
            _finite("truth", array)


def read_picture(path: Path) -> None:
    """The bytes of a CompressedImage, in any format it may claim."""
    data = path.read_bytes()
    decode_jpeg(data, "front_left", FORMATS[len(data) % len(FORMATS)])


def read_raw(path: Path) -> None:
    """A sensor_msgs/Image."""
    try:
        message = seeds.message_of(json.loads(path.read_bytes()))
    except (ValueError, TypeError, OverflowError, AttributeError, RecursionError):
        return  # not a message: ROS would not have delivered it
    rgb_from_message(message)


def read_video(path: Path) -> None:
    """A folder of videos through the pipeline of recordings."""
    list(open_recording(Named(path.parent), VIEWS).frames())


def _extrinsics(path: Path) -> None:
    _finite("poses", *load_rw_extrinsics(path).values())


RIG_IMPORT: Final[dict[str, Maker]] = {
    "kalibr": seeds.copied(seeds.IMPORTED / "camchain_equi.yaml", seeds.IMPORTED / "camchain_ds.yaml", kind="yaml"),
    "ocamcalib": seeds.copied(seeds.IMPORTED / "calib_results_front_left.txt"),
    "opencv": seeds.stereo_yml,
    "ros-camera-info": seeds.camera_info,
    "basalt": seeds.copied(seeds.IMPORTED / "basalt_kb4.json", kind="json"),
    "official-json": seeds.official_json,
}
READERS: Final[dict[str, Reader]] = {
    **{f"bag-{kind}": Reader(seeds.bag(kind), read_bag) for kind in ("mcap", "mcap-zstd", "db3")},
    **{f"bag-{kind}": Reader(seeds.bag(kind), read_bag) for kind in ("metadata", "partial")},
    "bvh": Reader(seeds.bvh_files, read_motion),
    "asf": Reader(seeds.acclaim("01.asf"), read_motion),
    "amc": Reader(seeds.acclaim("01_01.amc"), read_motion),
    "joint-map": Reader(seeds.shipped("config/motion/joint_map.yaml", "yaml"), read_joint_map),
    "motion-library": Reader(seeds.library, read_library),
    "rig": Reader(seeds.shipped("config/rigs/ego4view.yaml", "yaml"), read_rig),
    **{f"import-{name}": Reader(make, read_calibration) for name, make in RIG_IMPORT.items()},
    "rw-metadata": Reader(seeds.metadata_json, _extrinsics),
    "checkpoint": Reader(seeds.checkpoint, lambda path: void(read_official_file(path))),
    "weights": Reader(seeds.weights, read_weights),
    "parameters": Reader(seeds.shipped("config/egorear.yaml", "yaml"), read_parameters),
    "training-config": Reader(
        seeds.shipped("config/training/egorear-s.yaml", "yaml"), lambda path: void(load_config(path))
    ),
    "shards": Reader(seeds.shard_folder("npz"), read_data_set),
    "shards-json": Reader(seeds.shard_folder("json"), read_data_set),
    **{f"clip-{name}": Reader(seeds.clip(name), read_clip) for name in ("clip.yaml", "stamps.csv", "ground_truth.npz")},
    "clip-video": Reader(seeds.clip("front_left.avi"), read_clip),
    "labels": Reader(seeds.labelled("labels"), read_data_set),
    "split-list": Reader(seeds.labelled("list"), read_data_set),
    "simulation-settings": Reader(seeds.labelled("settings"), read_data_set),
    "image-jpg": Reader(seeds.labelled("jpg"), read_data_set),
    "image-png": Reader(seeds.labelled("png"), read_data_set),
    "heatmap-npy": Reader(seeds.labelled("npy"), read_heatmaps),
    "compressed-image": Reader(seeds.pictures, read_picture),
    "raw-image": Reader(seeds.raw_image, read_raw),
    "video": Reader(seeds.videos, read_video),
}
"""Every kind of file that is read, by name."""


def void(_: object) -> None:
    """Only whether it can be read counts."""
