"""Small whole files of every kind, to be damaged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import torch
import yaml

from egorear_ros import resources
from egorear_ros.bags import message_writing
from egorear_ros.bags.message_types import COMPRESSED_IMAGE, IMAGE, SKELETON, typestore
from egorear_ros.bags.writing import BagWriter
from egorear_ros.data.ego4view_syn import LABELS_FOLDER
from egorear_ros.data.rig_clip import RigClipWriter, truth_skeleton
from egorear_ros.network import EgoRearSConfig, build
from egorear_ros.network.weights import save_weights
from egorear_ros.rig import OFFICIAL_NAMES, VIEWS, load_rig
from egorear_ros.rig.rigid import transform_points
from egorear_ros.simulator.motion.importing import import_folder
from egorear_ros.skeleton import JOINTS
from test.simulator.motion_files import REST_ROW, amc, asf, bvh

IMPORTED: Final = Path(__file__).parents[2] / "test" / "data" / "rig_import"
SIZE: Final = 16
START_NS: Final = 1_700_000_000_000_000_000


class Seed(NamedTuple):
    """A whole file.

    Attributes:
        path: what the reader is given: the file, or the folder it lies in.
        victim: the file to damage.
        kind: see `mutation.mutated`.
    """

    path: Path
    victim: Path
    kind: str


Maker = Callable[[Path], list[Seed]]


def images(seed: int = 0) -> np.ndarray:
    """(4, SIZE, SIZE, 3) uint8."""
    return np.random.default_rng(seed).integers(0, 256, (4, SIZE, SIZE, 3), np.uint8)


def joints(seed: int = 0) -> np.ndarray:
    """(16, 3) metres."""
    return np.random.default_rng(seed).uniform([-0.4, -0.2, 0.1], [0.4, 0.5, 1.2], (16, 3))


def pixels(seed: int = 0) -> np.ndarray:
    """(4, 16, 2) where the joints are seen, as fractions of the image."""
    cameras = load_rig("ego4view").cameras
    seen = [c.model.project(transform_points(c.camera_from_device, joints(seed))) for c in cameras]
    return np.stack(seen) / [cameras[0].model.width, cameras[0].model.height]


def text(name: str, content: str, kind: str = "text") -> Maker:
    """One text file."""

    def make(folder: Path) -> list[Seed]:
        path = folder / name
        path.write_text(content, encoding="utf-8")
        return [Seed(path, path, kind)]

    return make


def copied(*sources: Path, kind: str = "text") -> Maker:
    """Copies of files."""

    def make(folder: Path) -> list[Seed]:
        paths = [Path(shutil.copy(source, folder)) for source in sources]
        return [Seed(path, path, kind) for path in paths]

    return make


def bag(storage: str) -> Maker:
    """A bag with raw and compressed images and truth; storage: mcap, mcap-zstd, db3, metadata, partial."""

    def make(folder: Path) -> list[Seed]:
        path = folder / "bag"
        with BagWriter(path) as writer:
            _fill(writer)
        if storage in ("mcap-zstd", "db3"):
            path = _rewritten(path, folder / "other", storage)
        if storage == "partial":
            inner = folder / "bag.partial" / "bag"
            inner.mkdir(parents=True)
            shutil.copy(next(path.glob("*.mcap")), inner / "bag_0.mcap")
            return [Seed(inner.parent, inner / "bag_0.mcap", "bytes")]
        if storage == "metadata":
            return [Seed(path, path / "metadata.yaml", "yaml")]
        return [Seed(path, next(path.glob("*.db3" if storage == "db3" else "*.mcap")), "bytes")]

    return make


def _fill(writer: BagWriter) -> None:
    writer.add_topic("/egorear/front_left/image_raw", IMAGE)
    writer.add_topic("/egorear/front_right/image_raw/compressed", COMPRESSED_IMAGE)
    writer.add_topic("/egorear/ground_truth", SKELETON)
    for frame in range(3):
        stamp = START_NS + frame * 33_000_000
        left, right = images(frame)[:2]
        writer.write("/egorear/front_left/image_raw", stamp, message_writing.image(left[:8, :8], stamp, "a"))
        compressed = message_writing.compressed_image(right, stamp, "b", 80)
        writer.write("/egorear/front_right/image_raw/compressed", stamp, compressed)
        writer.write("/egorear/ground_truth", stamp, message_writing.skeleton(truth_skeleton(joints(frame), stamp)))


def _rewritten(path: Path, out: Path, storage: str) -> Path:
    """The same messages in another storage."""
    from rosbags.highlevel import AnyReader
    from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

    writer = Writer(out, version=9, storage_plugin=StoragePlugin.SQLITE3 if storage == "db3" else StoragePlugin.MCAP)
    if storage != "db3":
        writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    with writer, AnyReader([path], default_typestore=typestore()) as reader:
        new = {c.topic: writer.add_connection(c.topic, c.msgtype, typestore=typestore()) for c in reader.connections}
        for connection, time_ns, data in reader.messages():
            writer.write(new[connection.topic], time_ns, data)
    return out


def bvh_files(folder: Path) -> list[Seed]:
    """Two BVH files of three frames."""
    seeds = []
    for name, rows in (("01_01.bvh", [REST_ROW] * 3), ("01_02.bvh", [REST_ROW.replace(" 0", " 3.5")] * 2)):
        (folder / name).write_text(bvh(rows), encoding="utf-8")
        seeds.append(Seed(folder / name, folder / name, "text"))
    return seeds


def acclaim(victim: str) -> Maker:
    """ASF and AMC beside each other; one of them is damaged."""

    def make(folder: Path) -> list[Seed]:
        (folder / "01.asf").write_text(asf(), encoding="utf-8")
        (folder / "01_01.amc").write_text(amc(2, 10.0), encoding="utf-8")
        return [Seed(folder / "01_01.amc", folder / victim, "text")]

    return make


def library(folder: Path) -> list[Seed]:
    """A motion library."""
    (folder / "bvh").mkdir()
    bvh_files(folder / "bvh")
    import_folder(folder / "bvh", folder / "motions.npz")
    return [Seed(folder / "motions.npz", folder / "motions.npz", "npz")]


def official_json(folder: Path) -> list[Seed]:
    """A lens as the official EgoRear and UnrealEgo files have it."""
    lens: Any = load_rig("ego4view")["front_left"].model
    content = {
        "name": "camera_front_left",
        "size": [lens.width, lens.height],
        "imageCircleRadius": lens.image_circle_radius_px,
        "image_center": list(lens.center_px),
        "polynomialC2W": list(lens.ray_polynomial),
        "polynomialW2C": list(lens.radius_polynomial),
    }
    return text("camera_front_left.json", json.dumps(content), "json")(folder)


def metadata_json(folder: Path) -> list[Seed]:
    """Camera poses of an Ego4View-RW sequence."""
    rig = load_rig("ego4view")
    poses = {f"device_to_{OFFICIAL_NAMES[c.name]}": c.camera_from_device.tolist() for c in rig.cameras}
    return text("seq_1_metadata.json", json.dumps({"coord_transformation_matrix": poses}), "json")(folder)


def stereo_yml(folder: Path) -> list[Seed]:
    """OpenCV FileStorages of all three syntaxes."""
    seeds = []
    matrix = np.array([[300.0, 0, 320], [0, 300, 240], [0, 0, 1]])
    for ending in ("yml", "xml", "json"):
        storage = cv2.FileStorage(str(folder / f"stereo.{ending}"), cv2.FILE_STORAGE_WRITE)
        for number in "12":
            storage.write(f"K{number}", matrix)
            storage.write(f"D{number}", np.array([[0.01, -0.002, 0.0003, 0.0]]))
        storage.write("R", np.eye(3))
        storage.write("T", np.array([[0.1], [0.0], [0.0]]))
        storage.write("image_size", np.array([[640, 480]], np.int32))
        storage.release()
        seeds.append(Seed(folder / f"stereo.{ending}", folder / f"stereo.{ending}", "text"))
    return [*copied(IMPORTED / "opencv_fisheye.yml")(folder), *seeds]


def camera_info(folder: Path) -> list[Seed]:
    """A CameraInfo as `ros2 topic echo` prints it."""
    content = {
        "header": {"stamp": {"sec": 1, "nanosec": 2}, "frame_id": "front_left"},
        **{"height": 480, "width": 640, "distortion_model": "equidistant", "d": [0.01, -0.002, 0.0003, 0.0]},
        **{"k": [300.0, 0.0, 320.0, 0.0, 300.0, 240.0, 0.0, 0.0, 1.0], "r": [1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0]},
        "p": [300.0, 0, 320.0, 0, 0, 300.0, 240.0, 0, 0, 0, 1.0, 0],
    }
    printed = text("info.yaml", yaml.safe_dump(content, sort_keys=False) + "---\n", "yaml")(folder)
    return [*copied(IMPORTED / "ost.yaml", kind="yaml")(folder), *printed]


def tiny_network() -> tuple[torch.nn.Module, EgoRearSConfig]:
    """A compact network with random weights."""
    config = EgoRearSConfig(image_size=64, width=16, channels=16, neck_channels=16, dim=16, lifting_layers=1)
    torch.manual_seed(0)
    return build(config), config


def weights(folder: Path) -> list[Seed]:
    """A weights file of ours."""
    network, config = tiny_network()
    save_weights(folder / "tiny.safetensors", network, config, {"made_by": "fuzz"})
    return [Seed(folder / "tiny.safetensors", folder / "tiny.safetensors", "bytes")]


def checkpoint(folder: Path) -> list[Seed]:
    """Files of `torch.save`: a Lightning checkpoint, and bare weights."""
    tensors = {"network.a.weight": torch.arange(6.0).reshape(2, 3), "network.a.bias": torch.zeros(2)}
    torch.save({"state_dict": tensors, "epoch": 3, "hyper_parameters": {"lr": 1e-3}}, folder / "a.ckpt")
    torch.save(tensors, folder / "b.pth")
    return [Seed(path, path, "bytes") for path in (folder / "a.ckpt", folder / "b.pth")]


def labelled(victim: str) -> Maker:
    """A data set in Ego4View-Syn's layout with one frame; victim: labels, jpg, png, npy, list or settings."""

    def make(folder: Path) -> list[Seed]:
        root, rig = folder / "set", load_rig("ego4view")
        sequence = root / "rp_a" / "1001"
        content: dict[str, Any] = {
            name: {"device_pts3d": (100 * joints()[j]).tolist()} for j, name in enumerate(JOINTS)
        }
        files = {"labels": sequence / LABELS_FOLDER / "frame_0000.json", "list": root / "train.txt"}
        for view, official in OFFICIAL_NAMES.items():
            camera, ending = rig[view], ".png" if view == "front_right" else ".jpg"
            pixels = camera.model.project(transform_points(camera.camera_from_device, joints()))
            for j, name in enumerate(JOINTS):
                content[name][f"{official}_pts2d"] = pixels[j].tolist()
            image = sequence / "fisheye_rgb" / official / f"frame_0000{ending}"
            image.parent.mkdir(parents=True)
            cv2.imwrite(str(image), images()[0])
            files[ending[1:]] = image
            maps = sequence / "fisheye_hm" / official / "frame_0000.npy"
            maps.parent.mkdir(parents=True)
            np.save(maps, np.zeros((16, 64, 64), np.uint8))
            files["npy"] = maps
        files["labels"].parent.mkdir()
        poses = np.stack([camera.camera_from_device for camera in rig.cameras])
        extra = {"camera_from_device": poses.tolist(), "action": "walk", "stamp_ns": 5, "in_view": [[1] * 16] * 4}
        files["labels"].write_text(json.dumps({"joints": content, "egorear": extra}))
        files["list"].write_text("rp_a\n")
        files["settings"] = root / "simulation.yaml"
        files["settings"].write_text("generator: egorear\nrig: ego4view\nviews: []\nmount: usual\n")
        kinds = {"labels": "json", "list": "text", "settings": "yaml"}
        return [Seed(root, files[victim], kinds.get(victim, "bytes"))]

    return make


def shard_folder(victim: str) -> Maker:
    """Shards with their settings; victim: the npz or the json."""

    def make(folder: Path) -> list[Seed]:
        poses = np.stack([camera.camera_from_device for camera in load_rig("ego4view").cameras])
        arrays: dict[str, Any] = {
            "images": np.stack([images(0), images(1)]),
            "joints_device_m": np.stack([joints(0), joints(1)]).astype(np.float32),
            "pixels": np.stack([pixels(0), pixels(1)]).astype(np.float32),
            **{name: np.ones((2, 4, 16), bool) for name in ("in_view", "visible")},
            "camera_from_device": np.stack([poses, poses]).astype(np.float32),
            **{"sequence": np.arange(2), "frame": np.arange(2), "action": np.array(["walk", "run"])},
        }
        np.savez(folder / "shard_00000.npz", **arrays)
        (folder / "shards.json").write_text(json.dumps({"rig": "ego4view", "split": "train", "seed": 0}))
        is_npz = victim == "npz"
        return [Seed(folder, folder / ("shard_00000.npz" if is_npz else "shards.json"), "npz" if is_npz else "json")]

    return make


def clip(victim: str) -> Maker:
    """A rig clip of two frames; victim: one of its files."""

    def make(folder: Path) -> list[Seed]:
        path = folder / "clip"
        with RigClipWriter(path, load_rig("ego4view"), (SIZE, SIZE), 30.0) as writer:
            for frame in range(2):
                truth = {"joints_device_m": joints(frame).astype(np.float32), "stamps_ns": np.array(frame, np.int64)}
                writer.write(images(frame), START_NS + frame * 33_000_000, truth)
        kind = {"clip.yaml": "yaml", "rig.yaml": "yaml", "stamps.csv": "text", "ground_truth.npz": "npz"}
        return [Seed(path, path / victim, kind.get(victim, "bytes"))]

    return make


def pictures(folder: Path) -> list[Seed]:
    """An image in the formats that CompressedImage may hold."""
    picture, seeds = images()[0], []
    for ending in ("jpg", "png", "webp", "bmp", "tiff", "pgm"):
        path = folder / f"image.{ending}"
        cv2.imwrite(str(path), picture[..., 0] if ending == "pgm" else picture)
        seeds.append(Seed(path, path, "bytes"))
    return seeds


def raw_image(folder: Path) -> list[Seed]:
    """The fields of a sensor_msgs/Image as JSON, its data as numbers."""
    content = {"width": 4, "height": 4, "step": 12, "encoding": "rgb8", "is_bigendian": 0, "data": list(range(48))}
    return text("image.json", json.dumps(content), "json")(folder)


def message_of(content: dict[str, Any]) -> SimpleNamespace:
    """The message that `raw_image` writes, with the types that every ROS message has."""
    size = {name: int(content.get(name) or 0) % 2**32 for name in ("width", "height", "step")}
    data = bytes(int(value) % 256 for value in content.get("data") or [])
    return SimpleNamespace(
        **size, data=data, encoding=str(content.get("encoding")), is_bigendian=bool(content.get("is_bigendian"))
    )


def videos(folder: Path) -> list[Seed]:
    """A video of each view, of which one is damaged."""
    for view in VIEWS:
        video = cv2.VideoWriter(
            str(folder / f"{view}.avi"), cv2.CAP_OPENCV_MJPEG, cv2.VideoWriter.fourcc(*"MJPG"), 30, (SIZE, SIZE)
        )
        for frame in range(3):
            video.write(images(frame)[0])
        video.release()
    return [Seed(folder / "front_left.avi", folder / "front_left.avi", "bytes")]


def shipped(name: str, kind: str) -> Maker:
    """A file that ships with the suite."""
    return copied(resources.find(name), kind=kind)
